package main

import (
	"testing"
	"time"
)

type scripted struct {
	node usage
	each map[string]usage
}

func (s *scripted) look([]container) (usage, map[string]usage, error) { return s.node, s.each, nil }

func TestMeter(t *testing.T) {
	now := noon
	source := &scripted{usage{time.Hour, 500}, map[string]usage{"old": {time.Minute, 10}}}
	containers := []container{{id: "old", pod: "a"}, {id: "new", pod: "b", pid: 1}, {id: "unknown", pod: "c", pid: 2}}
	m := newMeter("n1", func() ([]container, error) { return containers, nil }, source)
	m.clock = func() time.Time { return now }
	m.age = func(pid int) (time.Duration, bool) {
		return map[int]time.Duration{1: 4 * time.Second, 2: time.Hour}[pid], true
	}

	report, err := m.look()
	if err != nil || report != nil {
		t.Fatalf("the first look knows no rates: %v, %v", report, err)
	}
	now = now.Add(10 * time.Second)
	source.node = usage{time.Hour + 20*time.Second, 600}
	source.each = map[string]usage{"old": {time.Minute + 5*time.Second, 20}, "new": {time.Second, 30}, "unknown": {time.Hour, 1}}
	report, err = m.look()
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "node", report.Use, use{2_000_000_000, 600, 10 * time.Second})
	// One that was not seen before, though it is older, would have all its life in one window.
	expect(t, "containers", len(report.Containers), 2)
	expect(t, "since the look before", report.Containers[0].Use, use{500_000_000, 20, 10 * time.Second})
	expect(t, "since its start", report.Containers[1].Use, use{250_000_000, 30, 4 * time.Second})

	source.each = map[string]usage{"old": {0, 20}}
	now = now.Add(10 * time.Second)
	report, err = m.look()
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "what cannot be", report.Containers[0].Use.CPU, uint64(0))
}
