package storetest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"senim/internal/ra"
	"senim/internal/store"
)

// Staff has the cases of delegations, dismissals and what follows a change of head.
func Staff(t *testing.T, s *store.Store) {
	ctx := t.Context()
	now := time.Date(2026, 11, 24, 5, 0, 0, 0, time.UTC)
	update := func(f func(ra.Tx) error) {
		t.Helper()
		if err := s.RA().Update(ctx, f); err != nil {
			t.Fatal(err)
		}
	}
	d := ra.Delegation{ID: "aa", BIN: "123456789021", Organization: "АО «ТЕСТ»", Head: "1", IIN: "2", Name: "ТЕСТОВ", Powers: []string{"confirm"},
		From: now, Until: now.Add(time.Hour), Made: now, Signed: []byte("<a/>"), Serial: "cc"}

	t.Run("delegation", func(t *testing.T) {
		later := d
		later.ID, later.Powers, later.From, later.Until = "bb", []string{"confirm", "revoke"}, now.Add(time.Hour), now.Add(2*time.Hour)
		update(func(tx ra.Tx) error { return errors.Join(tx.PutDelegation(ctx, d), tx.PutDelegation(ctx, later)) })
		update(func(tx ra.Tx) error {
			got, err := tx.Delegation(ctx, "aa")
			if diff := cmp.Diff(d, got); diff != "" {
				t.Error(diff)
			}
			_, none := tx.Delegation(ctx, "none")
			if !errors.Is(none, ra.ErrNotFound) {
				t.Errorf("unknown delegation: %v", none)
			}
			of, err2 := tx.DelegationsOf(ctx, d.BIN)
			open, err3 := tx.OpenDelegations(ctx, "aa", 5)
			first, err4 := tx.OpenDelegations(ctx, "", 1)
			to, err5 := tx.OpenDelegationsTo(ctx, "2")
			if len(of) != 2 || of[0].ID != "bb" || len(open) != 1 || open[0].ID != "bb" || len(first) != 1 || first[0].ID != "aa" || len(to) != 2 {
				t.Errorf("found %v, %v, %v, %v", of, open, first, to)
			}
			return errors.Join(err, err2, err3, err4, err5)
		})
		update(func(tx ra.Tx) error {
			if err := d.End(ra.EndWithdrawn, now); err != nil {
				return err
			}
			err := tx.PutDelegation(ctx, d)
			got, err2 := tx.Delegation(ctx, "aa")
			open, err4 := tx.OpenDelegationsTo(ctx, "2")
			if got.Ended != ra.EndWithdrawn || len(open) != 1 || open[0].ID != "bb" {
				t.Errorf("ended: %+v, open %v", got, open)
			}
			return errors.Join(err, err2, err4)
		})
	})

	t.Run("dismissal", func(t *testing.T) {
		mark := ra.Dismissal{ID: "dd", BIN: d.BIN, IIN: "2", Name: "ТЕСТОВ", Head: "1", Serials: []string{"s"}, At: now, Signed: []byte("<a/>")}
		update(func(tx ra.Tx) error {
			_, none := tx.Dismissal(ctx, d.BIN, "2")
			if !errors.Is(none, ra.ErrNotFound) {
				t.Errorf("nobody's mark: %v", none)
			}
			err := tx.PutDismissal(ctx, mark)
			got, err2 := tx.Dismissal(ctx, d.BIN, "2")
			if diff := cmp.Diff(mark, got); diff != "" {
				t.Error(diff)
			}
			of, err3 := tx.DismissalsOf(ctx, d.BIN)
			if at, err := tx.DismissedAmong(ctx, []string{"nobody", mark.IIN}); err != nil || !slices.Contains(at, ra.Post{BIN: mark.BIN, IIN: mark.IIN}) {
				t.Errorf("among persons: %v %v", at, err)
			}
			mark.LiftedAt = now
			err4 := tx.PutDismissal(ctx, mark)
			none2, err5 := tx.DismissalsOf(ctx, d.BIN)
			among, err6 := tx.DismissedAmong(ctx, []string{mark.IIN, "nobody"})
			if len(among) != 0 {
				t.Errorf("a lifted mark: %v", among)
			}
			if len(of) != 1 || len(none2) != 0 {
				t.Errorf("listed %d, after lifting %d", len(of), len(none2))
			}
			return errors.Join(err, err2, err3, err4, err5, err6)
		})
	})

	t.Run("waiting", func(t *testing.T) {
		update(func(tx ra.Tx) error {
			var errs []error
			for i, st := range []ra.State{ra.Draft, ra.Signed, ra.AwaitingDirector, ra.Issued, ra.Rejected} {
				errs = append(errs, tx.Put(ctx, ra.Application{Number: string(rune('a' + i)), State: st, Subject: ra.Subject{IIN: "2", BIN: "123456789025"}, Created: now}))
			}
			got, err := tx.WaitingOfCompany(ctx, "123456789025")
			if len(got) != 2 || got[0].State != ra.Signed || got[1].State != ra.AwaitingDirector {
				t.Errorf("waiting: %+v", got)
			}
			return errors.Join(append(errs, err)...)
		})
	})

	t.Run("a change is followed once", func(t *testing.T) {
		update(func(tx ra.Tx) error {
			a, err1 := tx.BeginChange(ctx, d.BIN, "head 1")
			b, err2 := tx.BeginChange(ctx, d.BIN, "head 1")
			c, err3 := tx.BeginChange(ctx, d.BIN, "head 2")
			if !a || b || !c {
				t.Errorf("first %v %v %v", a, b, c)
			}
			return errors.Join(err1, err2, err3)
		})
	})
}
