package main

import (
	"sync"
	"time"
)

// The store keeps the newest report of each node.
type store struct {
	mutex   sync.Mutex
	reports map[string]kept
}

type kept struct {
	nodeReport
	// By our own clock; that of another node may be wrong.
	received time.Time
}

func newStore() *store { return &store{reports: map[string]kept{}} }

// Nodes look at least this often, or four times in what their newest rates are of.
const staleAfter = time.Minute

func (s *store) put(report nodeReport, now time.Time) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.reports[report.Node] = kept{report, now}
}

// fresh returns the reports that still hold, and forgets the others: a node that is away uses nothing that is known.
func (s *store) fresh(now time.Time) []kept {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var list []kept
	for node, each := range s.reports {
		if now.Sub(each.received) > max(staleAfter, 4*each.Use.Window) {
			delete(s.reports, node)
			continue
		}
		list = append(list, each)
	}
	return list
}
