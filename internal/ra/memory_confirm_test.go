package ra

import (
	"context"
	"slices"
)

func (m *memory) Awaiting(_ context.Context, bin string, limit int) ([]Application, error) {
	all := m.find(func(a Application) bool { return a.Subject.BIN == bin && bin != "" && a.State == AwaitingDirector })
	slices.SortStableFunc(all, func(a, b Application) int { return a.SignedAt.Compare(b.SignedAt) })
	return all[:min(limit, len(all))], nil
}

func (m *memory) PutDecision(_ context.Context, d SignedDecision) error {
	if m.decisions == nil {
		m.decisions = map[string]SignedDecision{}
	}
	m.decisions[d.Hash] = d
	return nil
}

func (m *memory) SignedDecision(_ context.Context, hash string) (SignedDecision, error) {
	d, ok := m.decisions[hash]
	if !ok {
		return d, ErrNotFound
	}
	return d, nil
}
