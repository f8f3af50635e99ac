package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// The kernel shows times of processes in hundredths of a second to every program.
const tick = 10 * time.Millisecond

// processes sums use up from the processes of each container. A process belongs to a container if it is in the mount
// namespace of the container's first process, which each container has for itself; PID namespaces may be shared by a
// pod, or be the node's. One in another mount namespace belongs to whom its parent belongs to.
type processes struct {
	proc string
	node *account
	each map[string]*account
	// Memory is looked at again only then, because the kernel walks through all of it.
	memoryAt time.Time
	memory   map[processID]memory
}

func newProcesses(proc string) *processes {
	return &processes{proc: proc, node: newAccount(), each: map[string]*account{}}
}

func (p *processes) look(containers []container) (usage, map[string]usage, error) {
	all, err := readProcesses(p.proc)
	if err != nil {
		return usage{}, nil, err
	}
	p.lookAtMemory(all)
	members := p.membersOf(containers, all)
	each := make(map[string]usage, len(containers))
	accounts := make(map[string]*account, len(containers))
	for _, c := range containers {
		own := members[c.id]
		if len(own) == 0 {
			continue
		}
		a := p.each[c.id]
		if a == nil {
			a = newAccount()
		}
		accounts[c.id] = a
		each[c.id] = usage{cpu: a.update(own), memory: p.memoryOf(own)}
	}
	p.each = accounts
	return usage{cpu: p.node.update(all), memory: p.memoryOf(all)}, each, nil
}

// membersOf finds the processes of each running container.
func (p *processes) membersOf(containers []container, all []process) map[string][]process {
	byPid := make(map[int]*process, len(all))
	for i := range all {
		byPid[all[i].pid] = &all[i]
	}
	owners := make(map[string]string, len(containers))
	for _, c := range containers {
		if byPid[c.pid] == nil {
			continue
		}
		if namespace := p.mountNamespace(c.pid); namespace != "" && namespace != p.mountNamespace(os.Getpid()) {
			owners[namespace] = c.id
		}
	}
	known := make(map[int]string, len(all))
	var ownerOf func(pid, depth int) string
	ownerOf = func(pid, depth int) string {
		if owner, done := known[pid]; done {
			return owner
		}
		owner, isFirst := owners[p.mountNamespace(pid)]
		// A chain of parents that changes while it is read could be endless.
		if parent := byPid[pid]; !isFirst && parent != nil && parent.parent > 1 && depth < len(all) {
			owner = ownerOf(parent.parent, depth+1)
		}
		known[pid] = owner
		return owner
	}
	members := make(map[string][]process, len(containers))
	for _, each := range all {
		if owner := ownerOf(each.pid, 0); owner != "" {
			members[owner] = append(members[owner], each)
		}
	}
	return members
}

func (p *processes) mountNamespace(pid int) string {
	link, err := os.Readlink(filepath.Join(p.proc, strconv.Itoa(pid), "ns/mnt"))
	if err != nil {
		return "" // it has ended, and belongs to whom its parent belongs to
	}
	return link
}

// Looking at memory may take this part of a processor's time.
const memoryShare = 50

func (p *processes) lookAtMemory(all []process) {
	began := time.Now()
	// New processes are always looked at; they are few, and would have none.
	onlyNew := began.Before(p.memoryAt)
	found := make(map[processID]memory, len(all))
	for _, each := range all {
		if known, isKnown := p.memory[each.id()]; isKnown && onlyNew {
			found[each.id()] = known
			continue
		}
		content, err := os.ReadFile(filepath.Join(p.proc, strconv.Itoa(each.pid), "smaps_rollup"))
		if err != nil {
			continue // it has ended
		}
		found[each.id()] = parseMemory(string(content))
	}
	p.memory = found
	if !onlyNew {
		p.memoryAt = time.Now().Add(memoryShare * time.Since(began))
	}
}

func (p *processes) memoryOf(list []process) uint64 {
	var shares, anonymous, largest uint64
	for _, each := range list {
		m := p.memory[each.id()]
		shares += m.share
		anonymous += m.anonymousShare
		largest = max(largest, m.anonymous)
	}
	// Half of what a process has may count for a child that it has forked just now, and that was not looked at. But only
	// processes of one family share such pages, so that it is all the container's.
	return shares - anonymous + max(anonymous, largest)
}

// Of one process, in bytes. A share is what it has mapped, of pages that others have mapped too only its part.
type memory struct{ share, anonymousShare, anonymous uint64 }

// parseMemory reads /proc/PID/smaps_rollup.
func parseMemory(text string) (m memory) {
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(line, ":")
		kib, _ := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		switch name {
		case "Pss":
			m.share = kib << 10
		case "Pss_Anon":
			m.anonymousShare = kib << 10
		case "Anonymous":
			m.anonymous = kib << 10
		}
	}
	return m
}

type processID struct {
	pid   int
	start uint64
}

// A process, with times in ticks.
type process struct {
	pid, parent int
	// Since the machine was started: with the pid it names a process for good.
	start uint64
	// Of its own, and of the children that it has waited for with theirs.
	own, children uint64
}

func (p process) id() processID { return processID{p.pid, p.start} }
func (p process) total() uint64 { return p.own + p.children }

func readProcesses(proc string) ([]process, error) {
	folder, err := os.Open(proc)
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	names, err := folder.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	list := make([]process, 0, len(names)/2)
	for _, name := range names {
		if name[0] < '0' || name[0] > '9' {
			continue
		}
		content, err := os.ReadFile(filepath.Join(proc, name, "stat"))
		if err != nil {
			continue // it has ended
		}
		if each, err := parseStat(string(content)); err == nil {
			list = append(list, each)
		}
	}
	return list, nil
}

// parseStat reads /proc/PID/stat; a program may have any name, with spaces and parentheses too. See proc_pid_stat(5).
func parseStat(text string) (process, error) {
	first, last := strings.IndexByte(text, '('), strings.LastIndexByte(text, ')')
	if first < 0 || last < first {
		return process{}, fmt.Errorf("%q is not the state of a process", text)
	}
	fields := strings.Fields(text[last+1:]) // from the third on
	if len(fields) < 20 {
		return process{}, fmt.Errorf("%q is not the state of a process", text)
	}
	var faults []error
	number := func(text string) uint64 {
		value, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			faults = append(faults, err)
		}
		return value
	}
	field := func(n int) uint64 { return number(fields[n-3]) }
	p := process{
		pid:      int(number(strings.TrimSpace(text[:first]))),
		parent:   int(field(4)),
		own:      field(14) + field(15),
		children: field(16) + field(17),
		start:    field(22),
	}
	if len(faults) > 0 {
		return process{}, faults[0]
	}
	return p, nil
}
