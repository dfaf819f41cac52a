package ra

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"senim/internal/audit"
	"senim/internal/job"
	"senim/internal/notice"
)

// memory is a store in memory: one transaction at a time, undone when its function fails.
type memory struct {
	mu sync.Mutex
	d  data

	decisions map[string]SignedDecision
	checkMemory
	deskMemory
}

type data struct {
	counters map[string]int
	apps     map[string]Application
	keys     map[string]string
	accounts map[string]Account
	links    map[string]Link
	factors  []Factor
	jobs     []job.Job
	events   []audit.Event
	letters  []notice.Message
	staff    staffBook
	calendarData
	folders folders
	first   firstMemory
}

func newMemory() *memory {
	return &memory{d: data{counters: map[string]int{}, apps: map[string]Application{}, keys: map[string]string{},
		accounts: map[string]Account{}, links: map[string]Link{}, staff: newStaffBook(), folders: folders{watched: map[string][]string{}},
		first: firstMemory{map[string]FirstSignature{}, map[string][]Proof{}}}}
}

func (m *memory) Update(_ context.Context, f func(Tx) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	was := m.d
	m.d.counters, m.d.apps, m.d.keys = maps.Clone(was.counters), maps.Clone(was.apps), maps.Clone(was.keys)
	m.d.accounts, m.d.links = maps.Clone(was.accounts), maps.Clone(was.links)
	m.d.factors = slices.Clone(was.factors)
	m.d.folders, m.d.first = was.folders.clone(), was.first.clone()
	m.d.jobs, m.d.events, m.d.letters = slices.Clone(was.jobs), slices.Clone(was.events), slices.Clone(was.letters)
	m.d.staff = was.staff.clone()
	if err := f(m); err != nil {
		m.d = was
		return err
	}
	return nil
}

func (m *memory) View(ctx context.Context, f func(Tx) error) error { return m.Update(ctx, f) }

func (m *memory) Counter(_ context.Context, day string) (int, error) {
	m.d.counters[day]++
	return m.d.counters[day], nil
}

func (m *memory) Put(_ context.Context, a Application) error { m.d.apps[a.Number] = a; return nil }

func (m *memory) Application(_ context.Context, number string) (Application, error) {
	a, ok := m.d.apps[number]
	if !ok {
		return a, ErrNotFound
	}
	return a, nil
}

func (m *memory) find(want func(Application) bool) []Application {
	var all []Application
	for _, n := range slices.Sorted(maps.Keys(m.d.apps)) {
		if want(m.d.apps[n]) {
			all = append(all, m.d.apps[n])
		}
	}
	return all
}

func (m *memory) OfPerson(_ context.Context, iin string) ([]Application, error) {
	return m.find(func(a Application) bool { return a.Subject.IIN == iin }), nil
}

func (m *memory) OfCompany(_ context.Context, bin string) ([]Application, error) {
	return m.find(func(a Application) bool { return a.Subject.BIN == bin }), nil
}

func (m *memory) Overdue(_ context.Context, s State, before time.Time) (all []string, _ error) {
	for _, a := range m.find(func(a Application) bool {
		since := a.SignedAt
		if s == Draft {
			since = a.Changed
		}
		return a.State == s && since.Before(before)
	}) {
		all = append(all, a.Number)
	}
	return all, nil
}

func (m *memory) Remove(_ context.Context, n string) error { delete(m.d.apps, n); return nil }

func (m *memory) ClaimKey(_ context.Context, hash, id string) (bool, error) {
	if _, ok := m.d.keys[hash]; !ok {
		m.d.keys[hash] = id
	}
	return m.d.keys[hash] == id, nil
}

func (m *memory) Account(_ context.Context, iin string) (Account, error) {
	a, ok := m.d.accounts[iin]
	if !ok {
		return a, ErrNotFound
	}
	return a, nil
}

func (m *memory) PutAccount(_ context.Context, a Account) error { m.d.accounts[a.IIN] = a; return nil }
func (m *memory) PutLink(_ context.Context, l Link) error       { m.d.links[l.Hash] = l; return nil }

func (m *memory) Link(_ context.Context, hash string) (Link, error) {
	l, ok := m.d.links[hash]
	if !ok {
		return l, ErrNotFound
	}
	return l, nil
}

func (m *memory) UseLink(_ context.Context, hash string) (bool, error) {
	_, ok := m.d.links[hash]
	delete(m.d.links, hash)
	return ok, nil
}

func (m *memory) Hash(s string) string { return "hash of " + hexSum([]byte(s))[:16] }
func (m *memory) Enqueue(_ context.Context, j job.Job) error {
	m.d.jobs = append(m.d.jobs, j)
	return nil
}
func (m *memory) Audit(_ context.Context, e audit.Event) error {
	m.d.events = append(m.d.events, e)
	return e.Check()
}
func (m *memory) Notify(_ context.Context, n notice.Message) error {
	same := func(had notice.Message) bool { return had.Identity() == n.Identity() }
	if !slices.ContainsFunc(m.d.letters, same) { // as the outbox
		m.d.letters = append(m.d.letters, n)
	}
	return n.Check()
}
