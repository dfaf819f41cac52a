package ra

import (
	"context"
	"maps"
	"slices"
)

// staffBook is what the store in memory keeps of delegations and dismissals.
type staffBook struct {
	delegations map[string]Delegation
	dismissals  map[string]Dismissal
	changes     map[string]bool
}

func newStaffBook() staffBook {
	return staffBook{map[string]Delegation{}, map[string]Dismissal{}, map[string]bool{}}
}

func (b staffBook) clone() staffBook {
	return staffBook{maps.Clone(b.delegations), maps.Clone(b.dismissals), maps.Clone(b.changes)}
}

func (b staffBook) list(want func(Delegation) bool) (all []Delegation) {
	for _, id := range slices.Sorted(maps.Keys(b.delegations)) {
		if d := b.delegations[id]; want(d) {
			all = append(all, d)
		}
	}
	return all
}

func (m *memory) PutDelegation(_ context.Context, d Delegation) error {
	m.d.staff.delegations[d.ID] = d
	return nil
}

func (m *memory) Delegation(_ context.Context, id string) (Delegation, error) {
	d, ok := m.d.staff.delegations[id]
	if !ok {
		return d, ErrNotFound
	}
	return d, nil
}

func (m *memory) DelegationsOf(_ context.Context, bin string) ([]Delegation, error) {
	return m.d.staff.list(func(d Delegation) bool { return d.BIN == bin }), nil
}

func (m *memory) OpenDelegations(_ context.Context, after string, n int) ([]Delegation, error) {
	all := m.d.staff.list(func(d Delegation) bool { return d.ID > after && d.EndedAt.IsZero() })
	return all[:min(n, len(all))], nil
}

func (m *memory) OpenDelegationsTo(_ context.Context, iin string) ([]Delegation, error) {
	return m.d.staff.list(func(d Delegation) bool { return d.IIN == iin && d.EndedAt.IsZero() }), nil
}

func (m *memory) PutDismissal(_ context.Context, d Dismissal) error {
	m.d.staff.dismissals[d.BIN+d.IIN] = d
	return nil
}

func (m *memory) Dismissal(_ context.Context, bin, iin string) (Dismissal, error) {
	d, ok := m.d.staff.dismissals[bin+iin]
	if !ok {
		return d, ErrNotFound
	}
	return d, nil
}

func (m *memory) DismissalsOf(_ context.Context, bin string) (all []Dismissal, _ error) {
	for _, d := range m.d.staff.dismissals {
		if d.BIN == bin && d.LiftedAt.IsZero() {
			all = append(all, d)
		}
	}
	return all, nil
}

func (m *memory) DismissedAmong(_ context.Context, iins []string) (all []Post, _ error) {
	for _, d := range m.d.staff.dismissals {
		if slices.Contains(iins, d.IIN) && d.LiftedAt.IsZero() {
			all = append(all, Post{d.BIN, d.IIN})
		}
	}
	return all, nil
}

func (m *memory) WaitingOfCompany(_ context.Context, bin string) ([]Application, error) {
	return m.find(func(a Application) bool { return a.Subject.BIN == bin && a.State.waits() }), nil
}

func (m *memory) BeginChange(_ context.Context, bin, change string) (bool, error) {
	first := !m.d.staff.changes[bin+change]
	m.d.staff.changes[bin+change] = true
	return first, nil
}
