package main

import (
	"fmt"
	"path/filepath"
	"testing"
)

func TestContainersOfContainerd(t *testing.T) {
	folder := t.TempDir()
	config := `{"annotations":{"io.kubernetes.cri.container-type":%q,"io.kubernetes.cri.sandbox-namespace":"ns",
		"io.kubernetes.cri.sandbox-name":"web","io.kubernetes.cri.sandbox-uid":"u1","io.kubernetes.cri.container-name":"app"}}`
	write(t, filepath.Join(folder, "c1/config.json"), fmt.Sprintf(config, "container"))
	write(t, filepath.Join(folder, "c1/init.pid"), "7")
	write(t, filepath.Join(folder, "s1/config.json"), fmt.Sprintf(config, "sandbox"))
	write(t, filepath.Join(folder, "s1/init.pid"), "6")
	write(t, filepath.Join(folder, "created/config.json"), fmt.Sprintf(config, "container"))
	write(t, filepath.Join(folder, "of-docker/config.json"), `{}`)
	write(t, filepath.Join(folder, "of-docker/init.pid"), "8")
	checkOnlyC1(t, "containerd:"+folder)
}

func TestContainersOfCRIO(t *testing.T) {
	folder := t.TempDir()
	config := `{"annotations":{"io.kubernetes.cri-o.ContainerType":%q,"io.kubernetes.pod.namespace":"ns",
		"io.kubernetes.pod.name":"web","io.kubernetes.pod.uid":"u1","io.kubernetes.container.name":"app"}}`
	write(t, filepath.Join(folder, "c1/userdata/config.json"), fmt.Sprintf(config, "container"))
	write(t, filepath.Join(folder, "c1/userdata/pidfile"), "7")
	write(t, filepath.Join(folder, "s1/userdata/config.json"), fmt.Sprintf(config, "sandbox"))
	write(t, filepath.Join(folder, "s1/userdata/pidfile"), "6")
	checkOnlyC1(t, "crio:"+folder)
}

func checkOnlyC1(t *testing.T, where string) {
	t.Helper()
	list, err := containerLister(where)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		found, err := list()
		if err != nil || len(found) != 1 {
			t.Fatalf("%v, %v", found, err)
		}
		expect(t, "container", found[0], container{id: "c1", namespace: "ns", pod: "web", uid: "u1", name: "app", pid: 7})
	}
}

func TestARuntimeThatHasNoContainersYet(t *testing.T) {
	list, err := containerLister("containerd:" + filepath.Join(t.TempDir(), "missing"))
	if err != nil {
		t.Fatal(err)
	}
	if found, err := list(); err != nil || len(found) != 0 {
		t.Errorf("%v, %v", found, err)
	}
	for _, where := range []string{"", "containerd", "other:/run"} {
		if _, err := containerLister(where); err == nil {
			t.Errorf("%q names no folder of containers", where)
		}
	}
}
