package main

import (
	"path/filepath"
	"testing"

	"senim/internal/notice"
)

// TestWhoWantsNoReminders: the key sets of a person say that he unsubscribed, and have no address
// while letters to it do not arrive.
func TestWhoWantsNoReminders(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := mustOpen(t, filepath.Join(t.TempDir(), "data"))
	t.Cleanup(func() { s.close() })
	const iin = "123456789013"
	keys := keySets{s.authority, s.office, "https://cabinet.example.kz/keys"}
	infos, err := s.authority.ByHolder(ctx, iin, "")
	if err != nil || len(infos) != 1 {
		t.Fatal(len(infos), err)
	}
	set := func() notice.KeySet {
		t.Helper()
		k, err := keys.KeySet(ctx, infos[0].Serial)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	if k := set(); k.To != "person@example.kz" || k.Ended != "" {
		t.Fatalf("%+v", k)
	}
	if err := s.office.Unsubscribe(ctx, iin); err != nil {
		t.Fatal(err)
	}
	if k := set(); k.Ended != "unsubscribed" || notice.Stop(k, nil) != "unsubscribed" {
		t.Errorf("unsubscribed: %+v", k)
	}
	if err := s.office.Resubscribe(ctx, iin); err != nil {
		t.Fatal(err)
	}
	if err := s.office.AddressBad(ctx, "person@example.kz", true); err != nil {
		t.Fatal(err)
	}
	if k := set(); k.Ended != "" || k.To != "" {
		t.Errorf("a bad address: %+v", k)
	}
}
