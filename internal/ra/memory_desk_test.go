package ra

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"
)

// deskMemory is the desk's part of the store in memory; it is not undone when a transaction fails.
type deskMemory struct {
	scans map[string][]byte
	acts  map[string]KeyAct
	uses  useMemory
}

func (m *deskMemory) open() {
	if m.scans == nil {
		m.scans, m.acts = map[string][]byte{}, map[string]KeyAct{}
	}
}

func (m *memory) PutScan(_ context.Context, number string, s Scan, body []byte) error {
	m.open()
	m.scans[number+s.Hash] = body
	return nil
}

func (m *memory) ScanBody(_ context.Context, number, hash string) ([]byte, error) {
	b, ok := m.scans[number+hash]
	if !ok {
		return nil, ErrNotFound
	}
	return b, nil
}

func (m *memory) InState(_ context.Context, s State, since time.Time, limit int) ([]Application, error) {
	all := m.find(func(a Application) bool { return a.State == s && !a.Changed.Before(since) })
	slices.SortStableFunc(all, func(a, b Application) int { return a.Changed.Compare(b.Changed) })
	return all[:min(len(all), limit)], nil
}

func (m *memory) Tallies(context.Context) (all []Tally, _ error) {
	count := map[State]Tally{}
	for _, a := range m.d.apps {
		y, ok := count[a.State]
		if !ok || a.Changed.Before(y.Oldest) {
			y.Oldest = a.Changed
		}
		y.State, y.N = a.State, y.N+1
		count[a.State] = y
	}
	return slices.SortedFunc(maps.Values(count), func(a, b Tally) int { return cmp.Compare(a.State, b.State) }), nil
}

func (m *memory) Unreachable(context.Context) (n int, _ error) {
	for _, a := range m.d.accounts {
		if a.ConfirmedAt.IsZero() || a.Bad {
			n++
		}
	}
	return n, nil
}

func (m *memory) PutAct(_ context.Context, a KeyAct) error {
	m.open()
	m.acts[a.ID] = a
	return nil
}

func (m *memory) Act(_ context.Context, id string) (KeyAct, error) {
	a, ok := m.acts[id]
	if !ok {
		return a, ErrNotFound
	}
	return a, nil
}

func (m *memory) ActsIn(_ context.Context, s ActState, limit int) ([]KeyAct, error) {
	all := slices.DeleteFunc(slices.SortedFunc(maps.Values(m.acts), func(a, b KeyAct) int { return a.Changed.Compare(b.Changed) }),
		func(a KeyAct) bool { return a.State != s })
	return all[:min(len(all), limit)], nil
}
