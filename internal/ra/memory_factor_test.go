package ra

import (
	"cmp"
	"context"
	"slices"
	"time"
)

func (m *memory) PutFactor(_ context.Context, f Factor) error {
	if i := slices.IndexFunc(m.d.factors, func(g Factor) bool { return g.Handle == f.Handle }); i >= 0 {
		m.d.factors[i].Wrong, m.d.factors[i].PassedAt = f.Wrong, f.PassedAt
		return nil
	}
	m.d.factors = append(m.d.factors, f)
	return nil
}

func (m *memory) Factors(_ context.Context, iin string, since time.Time) (all []Factor, _ error) {
	for _, f := range slices.Backward(m.d.factors) {
		if f.IIN == iin && !f.Sent.Before(since) {
			all = append(all, f)
		}
	}
	slices.SortStableFunc(all, func(a, b Factor) int { return b.Sent.Compare(a.Sent) })
	return all, nil
}

func (m *memory) ForgetFactors(_ context.Context, before time.Time) error {
	m.d.factors = slices.DeleteFunc(m.d.factors, func(f Factor) bool { return f.Sent.Before(before) })
	return nil
}

func (m *memory) Accounts(_ context.Context, email string) (all []Account, _ error) {
	for _, a := range m.d.accounts {
		if a.Email == email {
			all = append(all, a)
		}
	}
	slices.SortFunc(all, func(a, b Account) int { return cmp.Compare(a.IIN, b.IIN) })
	return all, nil
}

func (m *memory) LinksOf(_ context.Context, iin string, after time.Time) (all []Link, _ error) {
	for _, l := range m.d.links {
		if l.IIN == iin && l.Expires.After(after) {
			all = append(all, l)
		}
	}
	slices.SortFunc(all, func(a, b Link) int { return cmp.Or(b.Expires.Compare(a.Expires), cmp.Compare(a.Hash, b.Hash)) })
	return all, nil
}
