package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// What a node uses, as it is handed in.
type nodeReport struct {
	Node       string            `json:"node"`
	At         time.Time         `json:"at"`
	Use        use               `json:"use"`
	Containers []containerReport `json:"containers"`
}

type containerReport struct {
	Namespace string `json:"namespace"`
	Pod       string `json:"pod"`
	UID       string `json:"uid"`
	Name      string `json:"name"`
	Use       use    `json:"use"`
}

type use struct {
	// Billionths of a processor, over the window.
	CPU uint64 `json:"cpu"`
	// Bytes.
	Memory uint64        `json:"memory"`
	Window time.Duration `json:"window"`
}

// A meter makes rates of what a source finds.
type meter struct {
	node   string
	list   func() ([]container, error)
	source source
	clock  func() time.Time
	age    func(pid int) (time.Duration, bool)
	before *reading
}

type reading struct {
	at   time.Time
	node usage
	each map[string]usage
}

func newMeter(node string, list func() ([]container, error), source source) *meter {
	return &meter{node: node, list: list, source: source, clock: time.Now, age: ageOf}
}

// A rate over less says nothing.
const shortestWindow = time.Second

// look returns nil at the first time: it takes two looks to know a rate. A container that has been started since the look
// before began with nothing.
func (m *meter) look() (*nodeReport, error) {
	containers, err := m.list()
	if err != nil {
		return nil, err
	}
	at := m.clock()
	node, each, err := m.source.look(containers)
	if err != nil {
		return nil, err
	}
	before := m.before
	m.before = &reading{at, node, each}
	if before == nil {
		return nil, nil
	}
	window := at.Sub(before.at)
	report := nodeReport{Node: m.node, At: at, Use: rate(before.node, node, window), Containers: []containerReport{}}
	for _, c := range containers {
		now, runs := each[c.id]
		if !runs {
			continue
		}
		start, known := before.each[c.id]
		since := window
		if !known {
			age, isKnown := m.age(c.pid)
			if !isKnown || age < shortestWindow || age > window+shortestWindow {
				continue
			}
			start, since = usage{}, age
		}
		report.Containers = append(report.Containers, containerReport{
			Namespace: c.namespace, Pod: c.pod, UID: c.uid, Name: c.name, Use: rate(start, now, since),
		})
	}
	return &report, nil
}

func rate(from, to usage, window time.Duration) use {
	used := to.cpu - min(to.cpu, from.cpu)
	return use{CPU: uint64(float64(used) / window.Seconds()), Memory: to.memory, Window: window}
}

// ageOf returns how long ago a process was started.
func ageOf(pid int) (time.Duration, bool) {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0, false
	}
	p, err := parseStat(string(stat))
	if err != nil {
		return 0, false
	}
	content, err := os.ReadFile("/proc/uptime")
	if err != nil {
		return 0, false
	}
	text, _, _ := strings.Cut(string(content), " ")
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, false
	}
	return time.Duration(seconds*float64(time.Second)) - time.Duration(p.start)*tick, true
}
