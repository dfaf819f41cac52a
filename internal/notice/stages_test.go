package notice

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"senim/internal/audit"
	"senim/internal/job"
	"senim/internal/lang"
)

// memory is a store that keeps what it is told, and may fail.
type memory struct {
	deliveryTx
	reportTx

	stages map[string]bool
	sent   []Message
	events []string
	fail   map[string]error // by address
}

func (m *memory) Update(_ context.Context, f func(Tx) error) error {
	before := *m
	before.stages = map[string]bool{}
	for k, v := range m.stages {
		before.stages[k] = v
	}
	if err := f(m); err != nil {
		*m = before
		return err
	}
	return nil
}
func (m *memory) View(ctx context.Context, f func(Tx) error) error             { return f(m) }
func (m *memory) Outgoing(context.Context, int64) (Outgoing, error)            { return Outgoing{}, ErrNotFound }
func (m *memory) SaveOutgoing(context.Context, Outgoing) error                 { return nil }
func (m *memory) Received(context.Context, int64, time.Time) ([]string, error) { return nil, nil }
func (m *memory) Enqueue(context.Context, job.Job) error                       { return nil }
func (m *memory) Audit(_ context.Context, e audit.Event) error {
	m.events = append(m.events, e.Action+"("+e.Result+")")
	return e.Check()
}
func (m *memory) Examine(_ context.Context, set, stage string, _ time.Time) (bool, error) {
	first := !m.stages[set+stage]
	m.stages[set+stage] = true
	return first, nil
}
func (m *memory) Notify(_ context.Context, msg Message) error {
	if err := m.fail[msg.To]; err != nil {
		return err
	}
	m.sent = append(m.sent, msg)
	return msg.Check()
}

// keySets is a list.
type keySets []KeySet

func (k keySets) Expiring(_ context.Context, from, to time.Time, f func(KeySet) error) error {
	for _, s := range k {
		if s.NotAfter.After(from) && !s.NotAfter.After(to) && !s.Revoked {
			if err := f(s); err != nil {
				return err
			}
		}
	}
	return nil
}
func (k keySets) Capacity(_ context.Context, c string) (all []KeySet, err error) {
	for _, s := range k {
		if s.Capacity == c {
			all = append(all, s)
		}
	}
	return all, nil
}
func (k keySets) KeySet(_ context.Context, id string) (KeySet, error) {
	for _, s := range k {
		if s.ID == id {
			return s, nil
		}
	}
	return KeySet{}, ErrNotFound
}

// clock runs a scanner every 6 hours between two moments and tells on which days letters went.
func clock(t *testing.T, sets keySets, from, to time.Time) (days []string, m *memory) {
	t.Helper()
	m = &memory{stages: map[string]bool{}}
	now := from
	s := NewScanner(m, sets, func() time.Time { return now })
	for ; now.Before(to); now = now.Add(6 * time.Hour) {
		n := len(m.sent)
		for range 3 { // NT-08: whoever and how often asks
			if err := s.Scan(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		for range m.sent[n:] {
			days = append(days, now.In(lang.Astana).Format("02.01"))
		}
	}
	return days, m
}

func day(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 11, 0, 0, 0, lang.Astana) }

func person(notAfter time.Time) KeySet {
	return KeySet{ID: "1", Capacity: "p", NotAfter: notAfter, SignIn: true, Signing: true, To: "p@example.kz", Name: "А", Link: "https://x.example/"}
}

func TestReminders(t *testing.T) {
	late := time.Date(2026, 4, 30, 23, 30, 0, 0, time.UTC) // 1 May in Astana
	legal := person(time.Date(2026, 3, 31, 12, 0, 0, 0, lang.Astana))
	legal.Legal, legal.Org, legal.Role = true, "АО «ТЕСТ»", "директор"
	if days, m := clock(t, keySets{person(late)}, day(2026, 3, 1), day(2026, 6, 1)); !slices.Equal(days, []string{"03.04", "17.04", "24.04"}) || m.sent[0].N != "N-01" || m.sent[0].Vars["days"] != "28" {
		t.Errorf("NT-01: %v", days)
	}
	if days, m := clock(t, keySets{legal}, day(2026, 1, 1), day(2026, 6, 1)); !slices.Equal(days, []string{"28.02", "17.03", "24.03"}) || m.sent[0].N != "N-03" {
		t.Errorf("NT-02: %v", days)
	}
	if days, _ := clock(t, keySets{person(late)}, day(2026, 4, 17), day(2026, 6, 1)); !slices.Equal(days, []string{"17.04", "24.04"}) {
		t.Errorf("NT-11: %v", days)
	}
	nobody := person(late)
	nobody.To = ""
	if days, m := clock(t, keySets{nobody}, day(2026, 3, 1), day(2026, 6, 1)); len(days) != 0 || len(m.events) != 3 || m.events[0] != "notice.stopped(no-address)" {
		t.Errorf("D1: %v %v", days, m.events)
	}
}

func TestStop(t *testing.T) {
	old := person(day(2026, 5, 1))
	next := KeySet{ID: "2", Capacity: "p", NotAfter: day(2027, 5, 1), SignIn: true, Signing: true}
	with := func(k KeySet, f func(*KeySet)) KeySet { f(&k); return k }
	for name, c := range map[string]struct {
		set    KeySet
		others []KeySet
		want   string
	}{
		"alone":                           {old, []KeySet{old}, ""},
		"NT-04 successor":                 {old, []KeySet{old, next}, Successor},
		"NT-06 only sign-in re-issued":    {old, []KeySet{old, with(next, func(k *KeySet) { k.Signing = false })}, ""},
		"NT-31 successor revoked":         {old, []KeySet{old, with(next, func(k *KeySet) { k.Revoked = true })}, ""},
		"a personal key is no successor":  {old, []KeySet{old, with(next, func(k *KeySet) { k.Capacity = "q" })}, ""},
		"an older one is no successor":    {old, []KeySet{old, with(next, func(k *KeySet) { k.NotAfter = day(2026, 4, 1) })}, ""},
		"NT-07 revoked":                   {with(old, func(k *KeySet) { k.Revoked = true }), nil, Revoked},
		"NT-07 on hold":                   {with(old, func(k *KeySet) { k.Held = true }), nil, OnHold},
		"NT-07 dead":                      {with(old, func(k *KeySet) { k.Ended = "dead" }), nil, "dead"},
		"NT-22 unsubscribed of reminders": {with(old, func(k *KeySet) { k.Ended = "unsubscribed" }), nil, "unsubscribed"},
	} {
		if got := Stop(c.set, c.others); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	now := day(2026, 4, 24)
	s := NewScanner(&memory{}, keySets{old, next}, func() time.Time { return now })
	if why, err := s.Still(t.Context(), "keyset:1"); err != nil || why != Successor {
		t.Errorf("NT-05: %q %v", why, err)
	}
	if why, err := s.Still(t.Context(), "keyset:3"); err != nil || why != "gone" {
		t.Errorf("gone: %q %v", why, err)
	}
	now = day(2026, 5, 1)
	if why, err := s.Still(t.Context(), "keyset:1"); err != nil || why != "expired" {
		t.Errorf("on the last day: %q %v", why, err)
	}
}

// NT-28: one set that fails does not stop the others, and is tried again.
func TestOneBadSetDoesNotStopTheOthers(t *testing.T) {
	m := &memory{stages: map[string]bool{}, fail: map[string]error{"7@example.kz": errors.New("no")}}
	var sets keySets
	for n := range 20 {
		k := person(day(2026, 5, 1))
		k.ID, k.Capacity, k.To = fmt.Sprint(n), fmt.Sprint(n), fmt.Sprint(n)+"@example.kz"
		sets = append(sets, k)
	}
	s := NewScanner(m, sets, func() time.Time { return day(2026, 4, 24) })
	if err := s.Scan(t.Context()); err == nil || len(m.sent) != 19 {
		t.Errorf("%d sent, %v", len(m.sent), err)
	}
	m.fail = nil
	if err := s.Scan(t.Context()); err != nil || len(m.sent) != 20 {
		t.Errorf("%d sent, %v", len(m.sent), err)
	}
}
