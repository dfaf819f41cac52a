package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"senim/internal/ca"
)

func caProfiles(t *testing.T, s ca.Store) {
	ctx := t.Context()
	old := ca.ProfileVersion{Name: "one", Digest: "d1", Text: []byte("{}"), Came: caStart}
	other := ca.ProfileVersion{Name: "two", Digest: "d2", Text: []byte("{}"), Came: caStart}
	next := ca.ProfileVersion{Name: "one", Digest: "d3", Text: []byte("{1}"), Came: caStart.Add(time.Hour)}
	in(t, s, func(tx ca.Tx) error { return errors.Join(tx.AddProfile(ctx, other), tx.AddProfile(ctx, old)) })
	in(t, s, func(tx ca.Tx) error {
		return errors.Join(tx.EndProfile(ctx, "one", next.Came), tx.AddProfile(ctx, next))
	})
	if err := s.Update(ctx, func(tx ca.Tx) error { return tx.EndProfile(ctx, "none", caStart) }); !errors.Is(err, ca.ErrNotFound) {
		t.Errorf("the end of a profile that was never: %v", err)
	}
	if err := s.Update(ctx, func(tx ca.Tx) error { return tx.AddProfile(ctx, next) }); !errors.Is(err, ca.ErrExists) {
		t.Errorf("the same version twice: %v", err)
	}
	gone := old
	gone.Went = next.Came
	err := s.View(ctx, func(tx ca.Tx) error {
		now, err1 := tx.ProfileVersions(ctx, false)
		if d := cmp.Diff([]ca.ProfileVersion{next, other}, now); d != "" {
			t.Error(d)
		}
		all, err2 := tx.ProfileVersions(ctx, true)
		if d := cmp.Diff([]ca.ProfileVersion{gone, next, other}, all); d != "" {
			t.Error(d)
		}
		return errors.Join(err1, err2)
	})
	if err != nil {
		t.Error(err)
	}
}
