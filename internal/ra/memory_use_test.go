package ra

import (
	"context"
	"maps"
	"time"
)

// useMemory is when keys were used.
type useMemory map[string]time.Time

func (m *memory) PutUse(_ context.Context, serial string, at time.Time) error {
	if m.uses == nil {
		m.uses = useMemory{}
	}
	m.uses[serial] = at
	return nil
}

func (m *memory) Uses(_ context.Context, serials []string) (map[string]time.Time, error) {
	all := maps.Clone(map[string]time.Time(m.uses))
	maps.DeleteFunc(all, func(serial string, _ time.Time) bool {
		for _, s := range serials {
			if s == serial {
				return false
			}
		}
		return true
	})
	return all, nil
}

func (m *memory) ForgetScans(_ context.Context, before time.Time) (int, error) {
	n := 0
	for _, a := range m.find(func(a Application) bool { return a.Changed.Before(before) }) {
		if _, ok := m.scans[a.Number+a.Visit.Scan.Hash]; ok {
			delete(m.scans, a.Number+a.Visit.Scan.Hash)
			n++
		}
	}
	return n, nil
}
