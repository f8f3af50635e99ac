package main

import (
	"testing"
	"time"
)

func ticks(n int) time.Duration { return time.Duration(n) * tick }

func expect(t *testing.T, what string, got, want any) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, expected %v", what, got, want)
	}
}

func TestAccountKeepsTheTimeOfAChildThatWasWaitedFor(t *testing.T) {
	a := newAccount()
	first := process{pid: 10, parent: 1, start: 1, own: 5}
	child := process{pid: 11, parent: 10, start: 2, own: 40}
	expect(t, "both live", a.update([]process{first, child}), ticks(45))
	first.children = 50 // the child used 10 more before it ended
	expect(t, "the child has ended", a.update([]process{first}), ticks(55))
}

func TestAccountCountsChildrenThatBeganAndEndedBetweenTwoLooks(t *testing.T) {
	a := newAccount()
	first := process{pid: 10, parent: 1, start: 1}
	a.update([]process{first})
	first.children = 30
	expect(t, "never seen", a.update([]process{first}), ticks(30))
}

func TestAccountKeepsTheTimeOfAProcessWhoseParentIsOutside(t *testing.T) {
	a := newAccount()
	first := process{pid: 10, parent: 1, start: 1, own: 5, children: 0}
	executed := process{pid: 20, parent: 1, start: 2, own: 70}
	its := process{pid: 21, parent: 20, start: 3, own: 30}
	a.update([]process{first, executed, its})
	first.children = 100 // of others, which have nothing to do with it
	expect(t, "after kubectl exec", a.update([]process{first}), ticks(205))
}

func TestAccountKeepsTheTimeOfAChildThatNobodyWaitedFor(t *testing.T) {
	a := newAccount()
	first := process{pid: 10, parent: 1, start: 1, own: 5}
	child := process{pid: 11, parent: 10, start: 2, own: 40}
	a.update([]process{first, child})
	expect(t, "the parent ignores SIGCHLD", a.update([]process{first}), ticks(45))
}

func TestAccountFollowsAnOrphanToItsNewParent(t *testing.T) {
	a := newAccount()
	first := process{pid: 10, parent: 1, start: 1}
	shell := process{pid: 11, parent: 10, start: 2, own: 1}
	orphan := process{pid: 12, parent: 11, start: 3, own: 20}
	a.update([]process{first, shell, orphan})
	first.children = 22
	expect(t, "both have ended", a.update([]process{first}), ticks(22))
}

func TestAccountTellsProcessesWithTheSameNumberApart(t *testing.T) {
	a := newAccount()
	first := process{pid: 10, parent: 1, start: 1}
	a.update([]process{first, {pid: 11, parent: 10, start: 2, own: 40}})
	first.children = 40
	expect(t, "the number is used again", a.update([]process{first, {pid: 11, parent: 10, start: 9, own: 3}}), ticks(43))
}
