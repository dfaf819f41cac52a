package storetest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"senim/internal/ra"
	"senim/internal/store"
)

// RA has the cases of applications, accounts and links.
func RA(t *testing.T, s *store.Store) {
	ctx := t.Context()
	st := s.RA()
	now := time.Date(2026, 11, 24, 5, 0, 0, 0, time.UTC)
	update := func(f func(ra.Tx) error) {
		t.Helper()
		if err := st.Update(ctx, f); err != nil {
			t.Fatal(err)
		}
	}

	t.Run("numbers do not repeat", func(t *testing.T) {
		var mu sync.Mutex
		seen := map[int]bool{}
		var wg sync.WaitGroup
		for range 12 {
			wg.Go(func() {
				err := st.Update(context.WithoutCancel(ctx), func(tx ra.Tx) error {
					n, err := tx.Counter(ctx, "261124")
					if err != nil {
						return err
					}
					mu.Lock()
					defer mu.Unlock()
					seen[n] = true // a number drawn by a try that was undone comes again: the same place
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for i := 1; i <= 12; i++ {
			if !seen[i] {
				t.Errorf("number %d was not given", i)
			}
		}
	})

	t.Run("application", func(t *testing.T) {
		want := ra.Application{Number: "261124000017", Revision: 2, Kind: ra.Reissue, State: ra.Signed, Email: "a@example.kz", City: "Қарағанды",
			Subject: ra.Subject{IIN: "123456789013", BIN: "123456789021", CommonName: "ТЕСТОВ ТЕСТ"}, Storage: ra.PKCS12,
			Requests: []ra.Request{{CSR: []byte{1, 2}, KeyHash: "h"}}, SignedDocument: []byte("<a/>"), SignedAt: now.Add(-time.Hour),
			Reason: ra.Reason{Code: "X", Evidence: map[string]string{"d": "1"}}, Created: now, Changed: now}
		update(func(tx ra.Tx) error { return tx.Put(ctx, want) })
		want.State = ra.AwaitingDesk
		update(func(tx ra.Tx) error { return tx.Put(ctx, want) })
		update(func(tx ra.Tx) error {
			got, err := tx.Application(ctx, want.Number)
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
			mine, err2 := tx.OfPerson(ctx, "123456789013")
			company, err3 := tx.OfCompany(ctx, "123456789021")
			none, err4 := tx.OfCompany(ctx, "")
			late, err5 := tx.Overdue(ctx, ra.AwaitingDesk, now)
			early, err6 := tx.Overdue(ctx, ra.AwaitingDesk, now.Add(-2*time.Hour))
			if len(mine) != 1 || len(company) != 1 || len(none) != 0 || len(late) != 1 || len(early) != 0 {
				t.Errorf("found %d %d %d %d %d", len(mine), len(company), len(none), len(late), len(early))
			}
			if err := tx.Remove(ctx, want.Number); err != nil {
				return err
			}
			if _, gone := tx.Application(ctx, want.Number); gone != nil {
				t.Errorf("an application that is no draft was removed: %v", gone)
			}
			return errors.Join(err, err2, err3, err4, err5, err6)
		})
		err := st.View(ctx, func(tx ra.Tx) error { _, err := tx.Application(ctx, "none"); return err })
		if !errors.Is(err, ra.ErrNotFound) {
			t.Errorf("unknown application: %v", err)
		}
	})

	t.Run("a key belongs to one revision", func(t *testing.T) {
		update(func(tx ra.Tx) error {
			a, err1 := tx.ClaimKey(ctx, "k", "1-r1")
			b, err2 := tx.ClaimKey(ctx, "k", "1-r1")
			c, err3 := tx.ClaimKey(ctx, "k", "2-r1")
			if !a || !b || c {
				t.Errorf("claimed %v %v %v", a, b, c)
			}
			return errors.Join(err1, err2, err3)
		})
	})

	t.Run("batches and keys looked after", func(t *testing.T) { raBatch(t, s) })

	t.Run("account and link", func(t *testing.T) {
		want := ra.Account{IIN: "1", City: "Алматы", Lang: "kk", Email: "a@example.kz", ConfirmedAt: now, ConsentAt: now, Created: now, Changed: now}
		link := ra.Link{Hash: "h", IIN: "1", Email: "a@example.kz", Expires: now}
		update(func(tx ra.Tx) error { return errors.Join(tx.PutAccount(ctx, want), tx.PutLink(ctx, link)) })
		update(func(tx ra.Tx) error {
			got, err := tx.Account(ctx, "1")
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
			gotLink, err2 := tx.Link(ctx, "h")
			if d := cmp.Diff(link, gotLink); d != "" {
				t.Error(d)
			}
			once, err3 := tx.UseLink(ctx, "h")
			twice, err4 := tx.UseLink(ctx, "h")
			if !once || twice {
				t.Errorf("used %v, %v", once, twice)
			}
			return errors.Join(err, err2, err3, err4)
		})
	})
}
