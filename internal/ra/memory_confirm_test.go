package ra

import (
	"context"
	"slices"
	"strings"
	"time"
)

// delegation is what the store keeps of one.
type delegation struct {
	id, bin, iin, powers string
	from, until, ended   time.Time
}

func (d delegation) lives(bin, power string, at time.Time) bool {
	return d.bin == bin && !at.Before(d.from) && at.Before(d.until) && (d.ended.IsZero() || at.Before(d.ended)) && slices.Contains(strings.Fields(d.powers), power)
}

func (m *memory) Delegates(_ context.Context, bin, power string, at time.Time) (all []string, _ error) {
	for _, d := range m.delegations {
		if d.lives(bin, power, at) && !slices.Contains(all, d.iin) {
			all = append(all, d.iin)
		}
	}
	return all, nil
}

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
