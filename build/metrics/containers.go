package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A container of a pod that has been started.
type container struct {
	id, namespace, pod, uid, name string
	// Its first process.
	pid int
}

// Where a container runtime notes, in a folder for each container, the OCI configuration and the first process.
type layout struct {
	pidFile, configFile string
	// Annotations that the runtime gives to containers.
	kind, namespace, pod, uid, name string
}

var layouts = map[string]layout{
	"containerd": {
		pidFile: "init.pid", configFile: "config.json",
		kind:      "io.kubernetes.cri.container-type",
		namespace: "io.kubernetes.cri.sandbox-namespace",
		pod:       "io.kubernetes.cri.sandbox-name",
		uid:       "io.kubernetes.cri.sandbox-uid",
		name:      "io.kubernetes.cri.container-name",
	},
	"crio": {
		pidFile: "userdata/pidfile", configFile: "userdata/config.json",
		kind:      "io.kubernetes.cri-o.ContainerType",
		namespace: "io.kubernetes.pod.namespace",
		pod:       "io.kubernetes.pod.name",
		uid:       "io.kubernetes.pod.uid",
		name:      "io.kubernetes.container.name",
	},
}

// containerLister returns a function that lists the containers of pods. `where` is KIND:FOLDER.
func containerLister(where string) (func() ([]container, error), error) {
	kind, folder, _ := strings.Cut(where, ":")
	l, known := layouts[kind]
	if !known || folder == "" {
		return nil, fmt.Errorf("--containers: %q is not KIND:FOLDER", where)
	}
	// The configuration of a container never changes. Those that belong to no pod are kept as nil.
	seen := map[string]*container{}
	return func() ([]container, error) {
		entries, err := os.ReadDir(folder)
		if os.IsNotExist(err) {
			return nil, nil // no container yet
		}
		if err != nil {
			return nil, err
		}
		present := make(map[string]*container, len(entries))
		var list []container
		for _, entry := range entries {
			id := entry.Name()
			pid, err := readPid(filepath.Join(folder, id, l.pidFile))
			if err != nil {
				continue // not started yet, or gone
			}
			c, known := seen[id]
			if !known {
				if c, err = l.read(filepath.Join(folder, id, l.configFile), id); err != nil {
					continue
				}
			}
			present[id] = c
			if c != nil {
				each := *c
				each.pid = pid
				list = append(list, each)
			}
		}
		seen = present
		return list, nil
	}, nil
}

func (l layout) read(path, id string) (*container, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var config struct{ Annotations map[string]string }
	if err := json.Unmarshal(content, &config); err != nil {
		return nil, err
	}
	a := config.Annotations
	if a[l.kind] != "container" || a[l.pod] == "" {
		return nil, nil
	}
	return &container{id: id, namespace: a[l.namespace], pod: a[l.pod], uid: a[l.uid], name: a[l.name]}, nil
}

func readPid(path string) (int, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(content)))
}
