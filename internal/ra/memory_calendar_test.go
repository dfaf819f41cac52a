package ra

import (
	"context"
	"slices"
	"time"
)

// calendarData is what the memory keeps for the calendar.
type calendarData struct {
	feeds    []Feed
	digests  []string
	looked   map[string][]Holder
	examined map[string]bool
}

func (m *memory) AccountsOf(_ context.Context, iins []string) (all []Account, _ error) {
	for _, iin := range iins {
		if a, ok := m.d.accounts[iin]; ok {
			all = append(all, a)
		}
	}
	return all, nil
}

func (m *memory) FeedOf(_ context.Context, iin string) (Feed, error) {
	for _, f := range m.d.feeds {
		if f.IIN == iin && f.Revoked.IsZero() {
			return f, nil
		}
	}
	return Feed{}, ErrNotFound
}

func (m *memory) FeedByHash(_ context.Context, hash string) (Feed, error) {
	for _, f := range m.d.feeds {
		if f.Hash == hash {
			return f, nil
		}
	}
	return Feed{}, ErrNotFound
}

func (m *memory) PutFeed(_ context.Context, f Feed) error {
	m.d.feeds = slices.DeleteFunc(slices.Clone(m.d.feeds), func(o Feed) bool { return o.Hash == f.Hash })
	m.d.feeds = append(m.d.feeds, f)
	return nil
}

func (m *memory) Digest(_ context.Context, iin string) (bool, error) {
	return slices.Contains(m.d.digests, iin), nil
}

func (m *memory) SetDigest(_ context.Context, iin string, on bool, _ time.Time) error {
	m.d.digests = slices.DeleteFunc(slices.Clone(m.d.digests), func(o string) bool { return o == iin })
	if on {
		m.d.digests = append(m.d.digests, iin)
		slices.Sort(m.d.digests)
	}
	return nil
}

func (m *memory) Digests(_ context.Context, after string, limit int) (all []string, _ error) {
	for _, iin := range m.d.digests {
		if iin > after && len(all) < limit {
			all = append(all, iin)
		}
	}
	return all, nil
}

func (m *memory) LookAfter(_ context.Context, iin string, others []Holder, _ time.Time) error {
	if m.d.looked == nil {
		m.d.looked = map[string][]Holder{}
	}
	m.d.looked[iin] = append(slices.Clone(m.d.looked[iin]), others...)
	return nil
}

func (m *memory) LookedAfter(_ context.Context, iin string) ([]Holder, error) {
	return m.d.looked[iin], nil
}

func (m *memory) Examine(_ context.Context, subject, stage string, _ time.Time) (bool, error) {
	if m.d.examined[subject+"\x00"+stage] {
		return false, nil
	}
	all := map[string]bool{subject + "\x00" + stage: true}
	for k := range m.d.examined {
		all[k] = true
	}
	m.d.examined = all
	return true, nil
}

func (m *memory) WasExamined(_ context.Context, subject, stage string) (bool, error) {
	return m.d.examined[subject+"\x00"+stage], nil
}
