package ra

import (
	"context"
	"time"
)

// checkMemory keeps consents and reports; the cases over real databases are in storetest.
type checkMemory struct {
	consents map[string]Consent
	reports  map[string]Report
}

func (m *checkMemory) PutConsent(_ context.Context, c Consent) error {
	if m.consents == nil {
		m.consents = map[string]Consent{}
	}
	m.consents[c.Hash] = c
	return nil
}

func (m *checkMemory) Consent(_ context.Context, hash string) (Consent, error) {
	if c, ok := m.consents[hash]; ok {
		return c, nil
	}
	return Consent{}, ErrNotFound
}

func (m *checkMemory) Consents(_ context.Context, iin string) (all []Consent, _ error) {
	for _, c := range m.consents {
		if c.IIN == iin {
			all = append(all, c)
		}
	}
	return all, nil
}

func (m *checkMemory) PutReport(_ context.Context, r Report) error {
	if m.reports == nil {
		m.reports = map[string]Report{}
	}
	m.reports[r.ID] = r
	return nil
}

func (m *checkMemory) Report(_ context.Context, id string) (Report, error) {
	if r, ok := m.reports[id]; ok {
		return r, nil
	}
	return Report{}, ErrNotFound
}

func (m *checkMemory) Reports(_ context.Context, iin string, since time.Time) (all []Report, _ error) {
	for _, r := range m.reports {
		if r.IIN == iin && !r.Created.Before(since) {
			all = append(all, r)
		}
	}
	return all, nil
}

func (m *checkMemory) Reminded(context.Context, string) (time.Time, error) { return time.Time{}, nil }
