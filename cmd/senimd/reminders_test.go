package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"senim/internal/notice"
)

// TestNT28OrdersOfOtherPrograms: a program of a personnel department names its orders as it likes; each of its people has
// a set of his own, is reminded, and is examined for himself alone.
func TestNT28OrdersOfOtherPrograms(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := mustOpen(t, filepath.Join(t.TempDir(), "data"))
	t.Cleanup(func() { s.close() })
	now := time.Now()
	for order, iin := range map[string]string{"hr/emp-kz-001": "123456789011", "hr/emp-kz-002": "123456789016"} {
		m := member{who: iin, surname: "ИЗ КАДРОВ", name: iin, iin: iin}
		if _, err := s.seedKey(ctx, m, seedKey{profile: "employee", bin: "123456789021", org: "X", to: 12}, order, t.TempDir(), now); err != nil {
			t.Fatal(err)
		}
	}
	keys := keySets{ca: s.authority, office: s.office, book: s.book, notices: s.store.Notice(), here: true}
	var names []string
	w := notice.Window{Stage: "14d", Channel: notice.Email, Legal: true, From: now.AddDate(0, 0, 11), To: now.AddDate(0, 0, 13)}
	err := keys.Due(ctx, w, func(sets []notice.KeySet) error {
		for _, set := range sets {
			if len(set.Serials) != 1 {
				t.Errorf("%s has %d keys", set.Name, len(set.Serials))
			}
			names = append(names, set.Name)
		}
		return nil
	})
	names = slices.DeleteFunc(names, func(n string) bool { return !strings.HasPrefix(n, "ИЗ КАДРОВ") }) // the cast has its own
	if slices.Sort(names); err != nil || !slices.Equal(names, []string{"ИЗ КАДРОВ 123456789011", "ИЗ КАДРОВ 123456789016"}) {
		t.Errorf("%q %v", names, err)
	}
}

// TestNT22WhoWantsNoReminders: the key sets of a person say that he unsubscribed, which stops letters and no
// short message, and that letters to his address do not arrive.
func TestNT22WhoWantsNoReminders(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := mustOpen(t, filepath.Join(t.TempDir(), "data"))
	t.Cleanup(func() { s.close() })
	const iin = "123456789013"
	keys := keySets{ca: s.authority, office: s.office, book: s.book, notices: s.store.Notice(), here: true}
	infos, err := s.authority.ByHolder(ctx, iin, "")
	if err != nil || len(infos) != 1 {
		t.Fatal(len(infos), err)
	}
	set := func() notice.KeySet {
		t.Helper()
		k, err := keys.KeySet(ctx, infos[0].Serial, notice.Email)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	if k := set(); k.To != "person@example.kz" || k.Ended != "" || k.Unsubscribed || k.EmailBad {
		t.Fatalf("%+v", k)
	}
	// by the link of a letter: of a weekly list, which names no key set, as of a reminder of one
	for about, to := range map[string]string{"": "person@example.kz", "keyset:" + infos[0].Serial: ""} {
		if err := s.office.Resubscribe(ctx, iin); err != nil {
			t.Fatal(err)
		}
		if known, err := (accounts{s.authority, s.office}).Unsubscribe(ctx, about, to); err != nil || !known || !set().Unsubscribed {
			t.Errorf("%q %q: known %t, %v", about, to, known, err)
		}
	}
	if k := set(); !k.Unsubscribed || k.Ended != "" {
		t.Errorf("unsubscribed: %+v", k)
	}
	if err := s.office.Resubscribe(ctx, iin); err != nil {
		t.Fatal(err)
	}
	if err := s.office.AddressBad(ctx, "person@example.kz", true); err != nil {
		t.Fatal(err)
	}
	if k := set(); !k.EmailBad || k.Unsubscribed || k.To != "person@example.kz" {
		t.Errorf("a bad address: %+v", k)
	}
}
