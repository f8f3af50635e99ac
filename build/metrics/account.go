package main

import "time"

// An account adds up the processor time of a group of processes, in which processes begin and end all the time.
//
// The kernel adds the time of a process that has ended to its parent's, once that has waited for it. So the sum over
// those that live keeps the time of the others, with two exceptions. The first process of `kubectl exec` or of a probe has
// a parent outside the group, and one whose parent ignores SIGCHLD is not waited for: what was seen of them must stay.
type account struct {
	ticks  uint64
	before map[processID]process
}

func newAccount() *account { return &account{before: map[processID]process{}} }

// update returns the time used since the group began, as far as it has been seen.
func (a *account) update(now []process) time.Duration {
	living := make(map[processID]process, len(now))
	var used, inherited uint64
	for _, p := range now {
		living[p.id()] = p
		before, known := a.before[p.id()]
		used += p.total() - min(p.total(), before.total())
		if known {
			inherited += p.children - min(p.children, before.children)
		}
	}
	// What a parent has inherited includes what was counted while the child lived.
	a.ticks += used - min(used, inherited, a.seenOfHeirs(living))
	a.before = living
	return time.Duration(a.ticks) * tick
}

// seenOfHeirs sums up what had been seen of those that have ended and whose time went to one that still lives.
func (a *account) seenOfHeirs(living map[processID]process) (sum uint64) {
	byPid := make(map[int]process, len(a.before))
	for _, p := range a.before {
		byPid[p.pid] = p
	}
	for id, p := range a.before {
		if _, lives := living[id]; lives {
			continue
		}
		heir, inGroup := byPid[p.parent]
		for steps := 0; inGroup && steps < len(byPid); steps++ {
			if _, lives := living[heir.id()]; lives {
				sum += p.total()
				break
			}
			heir, inGroup = byPid[heir.parent]
		}
	}
	return sum
}
