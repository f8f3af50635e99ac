package main

import (
	"fmt"
	"time"
)

// What has been used: processor since an arbitrary beginning, memory now.
type usage struct {
	cpu    time.Duration
	memory uint64
}

// A source finds what the node and each of the containers use. Containers that have ended are missing.
type source interface {
	look(containers []container) (node usage, each map[string]usage, err error)
}

// usageSource chooses where use is read from. With cgroups of our own the kernel has summed it up for each container.
// Without them all containers are in one cgroup, that of the user's session, and only the processes tell them apart.
func usageSource(name string) (source, error) {
	switch name {
	case "cgroups":
		return cgroups{proc: "/proc", root: "/sys/fs/cgroup"}, nil
	case "processes":
		return newProcesses("/proc"), nil
	default:
		return nil, fmt.Errorf("--usage: %q is neither cgroups nor processes", name)
	}
}
