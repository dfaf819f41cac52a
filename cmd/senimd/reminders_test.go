package main

import (
	"path/filepath"
	"testing"

	"senim/internal/notice"
)

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
	if err := s.office.Unsubscribe(ctx, iin); err != nil {
		t.Fatal(err)
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
