package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"senim/internal/ra"
	"senim/internal/store"
)

// RAFactor has the cases of second factors and of what is known of addresses.
func RAFactor(t *testing.T, s *store.Store) {
	ctx := t.Context()
	st := s.RA()
	now := time.Date(2026, 11, 24, 5, 0, 0, 0, time.UTC)
	update := func(f func(ra.Tx) error) {
		t.Helper()
		if err := st.Update(ctx, f); err != nil {
			t.Fatal(err)
		}
	}

	t.Run("factors", func(t *testing.T) {
		first := ra.Factor{Handle: "b", IIN: "1", About: "delegation:x", Kind: ra.FactorSMS, Sum: "h:1", Sent: now}
		second := ra.Factor{Handle: "a", IIN: "1", About: "delegation:y", Kind: ra.FactorNone, Sent: now.Add(time.Minute), PassedAt: now.Add(time.Hour), Exempt: true}
		other := ra.Factor{Handle: "c", IIN: "2", About: "delegation:x", Kind: ra.FactorEmail, Sum: "h:2", Sent: now.Add(-time.Hour)}
		update(func(tx ra.Tx) error {
			return errors.Join(tx.PutFactor(ctx, first), tx.PutFactor(ctx, second), tx.PutFactor(ctx, other))
		})
		first.Wrong, first.PassedAt = 3, now.Add(2*time.Minute)
		update(func(tx ra.Tx) error { return tx.PutFactor(ctx, first) })
		update(func(tx ra.Tx) error {
			all, err := tx.Factors(ctx, "1", now)
			if d := cmp.Diff([]ra.Factor{second, first}, all); d != "" {
				t.Error(d)
			}
			late, err2 := tx.Factors(ctx, "1", now.Add(time.Second))
			if len(late) != 1 {
				t.Errorf("%d since a second later", len(late))
			}
			return errors.Join(err, err2, tx.ForgetFactors(ctx, now))
		})
		update(func(tx ra.Tx) error {
			mine, err := tx.Factors(ctx, "1", time.Time{})
			gone, err2 := tx.Factors(ctx, "2", now.Add(-2*time.Hour))
			if len(mine) != 2 || len(gone) != 0 {
				t.Errorf("kept %d and %d", len(mine), len(gone))
			}
			return errors.Join(err, err2)
		})
	})

	t.Run("addresses", func(t *testing.T) {
		one := ra.Account{IIN: "1", Lang: "kk", Email: "a@example.kz", ConfirmedAt: now, Created: now, Changed: now, Next: "b@example.kz", Bad: true, NoReminders: true}
		two := ra.Account{IIN: "2", Lang: "ru", Email: "a@example.kz", Created: now, Changed: now}
		none := ra.Account{IIN: "3", Lang: "ru", Created: now, Changed: now}
		update(func(tx ra.Tx) error {
			return errors.Join(tx.PutAccount(ctx, one), tx.PutAccount(ctx, two), tx.PutAccount(ctx, none))
		})
		update(func(tx ra.Tx) error {
			all, err := tx.Accounts(ctx, "a@example.kz")
			if d := cmp.Diff([]ra.Account{one, two}, all); d != "" {
				t.Error(d)
			}
			empty, err2 := tx.Accounts(ctx, "")
			if len(empty) != 0 {
				t.Errorf("%d accounts without an address were found by it", len(empty))
			}
			one.Next, one.Bad, one.NoReminders = "", false, false
			return errors.Join(err, err2, tx.PutAccount(ctx, one))
		})
		update(func(tx ra.Tx) error {
			got, err := tx.Account(ctx, "1")
			if d := cmp.Diff(one, got); d != "" {
				t.Error(d)
			}
			return err
		})
	})

	t.Run("links of a person", func(t *testing.T) {
		early, late := ra.Link{Hash: "x", IIN: "1", Email: "a@example.kz", Expires: now}, ra.Link{Hash: "y", IIN: "1", Email: "b@example.kz", Expires: now.Add(time.Hour)}
		other := ra.Link{Hash: "z", IIN: "2", Email: "a@example.kz", Expires: now.Add(time.Hour)}
		update(func(tx ra.Tx) error {
			return errors.Join(tx.PutLink(ctx, early), tx.PutLink(ctx, late), tx.PutLink(ctx, other))
		})
		update(func(tx ra.Tx) error {
			all, err := tx.LinksOf(ctx, "1", now.Add(-time.Second))
			if d := cmp.Diff([]ra.Link{late, early}, all); d != "" {
				t.Error(d)
			}
			living, err2 := tx.LinksOf(ctx, "1", now)
			if len(living) != 1 {
				t.Errorf("%d links are alive", len(living))
			}
			return errors.Join(err, err2)
		})
	})
}
