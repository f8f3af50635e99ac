package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestTheSourceIsChosenByName(t *testing.T) {
	if s, err := usageSource("cgroups"); err != nil || s != (cgroups{"/proc", "/sys/fs/cgroup"}) {
		t.Errorf("cgroups: %v, %v", s, err)
	}
	if s, err := usageSource("processes"); err != nil || s.(*processes) == nil {
		t.Errorf("processes: %v, %v", s, err)
	}
	for _, name := range []string{"", "auto"} {
		if _, err := usageSource(name); err == nil {
			t.Errorf("%q is no source", name)
		}
	}
}

func TestCgroupsReadsTheContainersOwnCgroup(t *testing.T) {
	proc, root := t.TempDir(), t.TempDir()
	group := "kubepods/burstable/podu1/c1"
	write(t, filepath.Join(proc, "7/cgroup"), "0::/"+group+"/init.scope\n")
	for folder, cpu := range map[string]int{"": 9_000_000, group: 2_500_000} {
		write(t, filepath.Join(root, folder, "cpu.stat"), "usage_usec "+strconv.Itoa(cpu)+"\nuser_usec 1\n")
		write(t, filepath.Join(root, folder, "memory.current"), "5000\n")
		write(t, filepath.Join(root, folder, "memory.stat"), "anon 1\ninactive_file 2000\n")
	}
	node, each, err := cgroups{proc, root}.look([]container{{id: "c1", pid: 7}, {id: "gone", pid: 8}})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "node", node, usage{9 * time.Second, 3000})
	expect(t, "container", each["c1"], usage{2500 * time.Millisecond, 3000})
	expect(t, "containers", len(each), 1)
}

func TestAContainerWithoutACgroupOfItsOwnHasNoUsage(t *testing.T) {
	proc := t.TempDir()
	write(t, filepath.Join(proc, "7/cgroup"), "0::/\n")
	if group, err := (cgroups{proc: proc}).groupOf(container{id: "c1", pid: 7}); err == nil {
		t.Errorf("it would get all of %q", group)
	}
}

func TestParseStat(t *testing.T) {
	p, err := parseStat("42 (a ) R 1 b) S 7 42 42 0 -1 4194560 1 2 3 4 10 20 30 40 20 0 1 0 5000 1 2")
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "process", p, process{pid: 42, parent: 7, start: 5000, own: 30, children: 70})
	for _, text := range []string{"", "42 (a", "42 (a) S 7"} {
		if _, err := parseStat(text); err == nil {
			t.Errorf("%q is not the state of a process", text)
		}
	}
}

// A container stands for a process in a mount namespace of its own, which needs root.
func TestProcessesFindsWhatAContainerUses(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("a mount namespace needs root")
	}
	script := `a=x; while [ ${#a} -lt 8388608 ]; do a=$a$a; done; echo; while :; do (i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done); done`
	command := exec.Command("unshare", "--mount", "sh", "-c", script)
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = command.Process.Kill(); _ = command.Wait() }()
	if _, err := output.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	source := newProcesses("/proc")
	containers := []container{{id: "busy", pid: command.Process.Pid}, {id: "gone", pid: 1 << 22}}
	// On a busy machine a look itself takes long, so the truth is known only within limits.
	look := func() (found map[string]usage, least, most uint64) {
		least = ticksOf(t, command.Process.Pid)
		_, found, err := source.look(containers)
		if err != nil {
			t.Fatal(err)
		}
		return found, least, ticksOf(t, command.Process.Pid)
	}
	first, firstLeast, before := look()
	time.Sleep(2 * time.Second)
	second, least, most := look()
	used := second["busy"].cpu - first["busy"].cpu
	const slack = 20 * tick // of a child that lives
	low, high := time.Duration(least-before)*tick*9/10-slack, time.Duration(most-firstLeast)*tick*11/10+slack
	if used < low || used > high {
		t.Errorf("used %v, expected %v to %v", used, low, high)
	}
	if memory := second["busy"].memory; memory < 8<<20 || memory > 64<<20 {
		t.Errorf("memory: %d", memory)
	}
	expect(t, "containers", len(second), 1)
}

func ticksOf(t *testing.T, pid int) uint64 {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := parseStat(string(content))
	if err != nil {
		t.Fatal(err)
	}
	return p.total()
}

func TestMemoryCountsOnceWhatAFamilyShares(t *testing.T) {
	parent, child := processID{10, 1}, processID{11, 2}
	p := &processes{memory: map[processID]memory{parent: parseMemory(
		"55d0-7ffd ---p 00000000 00:00 0 [rollup]\nRss: 204 kB\nPss: 102 kB\nPss_Anon: 50 kB\nAnonymous: 100 kB\n",
	)}}
	family := []process{{pid: 10, start: 1}, {pid: 11, start: 2}}
	expect(t, "its child was not looked at", p.memoryOf(family), uint64(152<<10))
	p.memory[child] = p.memory[parent]
	expect(t, "both", p.memoryOf(family), uint64(204<<10))
}

func TestANewProcessIsLookedAtThoughTheOthersAreNotYetAgain(t *testing.T) {
	proc := t.TempDir()
	p := newProcesses(proc)
	first, second := process{pid: 10, start: 1}, process{pid: 11, start: 2}
	write(t, filepath.Join(proc, "10/smaps_rollup"), "Pss: 100 kB\n")
	p.lookAtMemory([]process{first})
	p.memoryAt = time.Now().Add(time.Hour)
	write(t, filepath.Join(proc, "10/smaps_rollup"), "Pss: 900 kB\n")
	write(t, filepath.Join(proc, "11/smaps_rollup"), "Pss: 20 kB\n")
	p.lookAtMemory([]process{first, second})
	expect(t, "both", p.memoryOf([]process{first, second}), uint64(120<<10))
}
