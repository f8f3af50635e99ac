package main

import (
	"fmt"
	"os"
	"path"
	"strconv"
	"strings"
	"time"
)

// cgroups reads use from cgroup v2, whose root here is that of the node.
type cgroups struct{ proc, root string }

func (c cgroups) look(containers []container) (usage, map[string]usage, error) {
	node, err := c.usageOf("/")
	if err != nil {
		return usage{}, nil, err
	}
	each := make(map[string]usage, len(containers))
	for _, container := range containers {
		group, err := c.groupOf(container)
		if err != nil {
			continue // it has ended
		}
		if used, err := c.usageOf(group); err == nil {
			each[container.id] = used
		}
	}
	return node, each, nil
}

// groupOf returns the container's cgroup. Its first process may be in a cgroup below, one that the container has made.
func (c cgroups) groupOf(container container) (string, error) {
	content, err := os.ReadFile(path.Join(c.proc, strconv.Itoa(container.pid), "cgroup"))
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(content)) {
		group, isV2 := strings.CutPrefix(strings.TrimSpace(line), "0::")
		if !isV2 {
			continue
		}
		if at := strings.Index(group, container.id); at >= 0 {
			end := strings.IndexByte(group[at:], '/')
			if end < 0 {
				return group, nil
			}
			return group[:at+end], nil
		}
	}
	return "", fmt.Errorf("container %s has no cgroup of its own", container.id)
}

func (c cgroups) usageOf(group string) (usage, error) {
	folder := path.Join(c.root, group)
	usec, err := valueIn(path.Join(folder, "cpu.stat"), "usage_usec")
	if err != nil {
		return usage{}, err
	}
	content, err := os.ReadFile(path.Join(folder, "memory.current"))
	if err != nil {
		return usage{}, err
	}
	memory, err := strconv.ParseUint(strings.TrimSpace(string(content)), 10, 64)
	if err != nil {
		return usage{}, err
	}
	// The working set, as the kubelet has it: without what can be had back at once.
	inactive, err := valueIn(path.Join(folder, "memory.stat"), "inactive_file")
	if err != nil {
		return usage{}, err
	}
	return usage{cpu: time.Duration(usec) * time.Microsecond, memory: memory - min(memory, inactive)}, nil
}

// valueIn finds the number of `key` in a file of lines `key number`.
func valueIn(file, key string) (uint64, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(content)) {
		if name, value, _ := strings.Cut(strings.TrimSpace(line), " "); name == key {
			return strconv.ParseUint(value, 10, 64)
		}
	}
	return 0, fmt.Errorf("%s has no %s", file, key)
}
