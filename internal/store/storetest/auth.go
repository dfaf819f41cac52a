package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"senim/internal/auth"
	"senim/internal/store"
)

// Auth has the cases of sessions and challenges.
func Auth(t *testing.T, s *store.Store) {
	ctx := t.Context()
	st := s.Auth()
	now := time.Date(2026, 11, 24, 5, 0, 0, 0, time.UTC)
	update := func(f func(auth.Tx) error) {
		t.Helper()
		if err := st.Update(ctx, f); err != nil {
			t.Fatal(err)
		}
	}
	session := func(iin, serial string) auth.Session {
		return auth.Session{Site: "cabinet", IIN: iin, Serial: serial, Fingerprint: "f" + serial, Name: "ТЕСТОВ ТЕСТ",
			Values: map[string]string{"draft": "ә"}, Created: now, Seen: now}
	}
	challenge := auth.Challenge{Origin: "http://localhost:8080", Purpose: "sign-in", Nonce: "n", Digest: "d", Issued: now, Expires: now.Add(5 * time.Minute)}

	t.Run("session", func(t *testing.T) {
		want := session("iin-1", "s1")
		update(func(tx auth.Tx) error { return tx.PutSession(ctx, "a", want) })
		var got auth.Session
		update(func(tx auth.Tx) (err error) { got, err = tx.Session(ctx, "a"); return err })
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		err := st.View(ctx, func(tx auth.Tx) error { _, err := tx.Session(ctx, "none"); return err })
		if !errors.Is(err, auth.ErrNotFound) {
			t.Errorf("unknown session: %v", err)
		}
	})

	t.Run("challenge is taken once", func(t *testing.T) {
		for i := range 20 {
			hash := fmt.Sprintf("c%d", i)
			update(func(tx auth.Tx) error { return tx.PutChallenge(ctx, hash, challenge) })
			var taken atomic.Int32
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					err := st.Update(context.WithoutCancel(ctx), func(tx auth.Tx) error {
						c, ok, err := tx.TakeChallenge(ctx, hash, "sign-in")
						if ok && c != challenge {
							t.Errorf("another challenge: %+v", c)
						}
						if ok {
							taken.Add(1)
						}
						return err
					})
					if err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if n := taken.Load(); n != 1 {
				t.Fatalf("taken %d times", n)
			}
		}
	})

	t.Run("a new challenge replaces the old of its purpose", func(t *testing.T) {
		other := challenge
		other.Nonce = "m"
		update(func(tx auth.Tx) error {
			return errors.Join(tx.PutChallenge(ctx, "r", challenge), tx.PutChallenge(ctx, "r", other))
		})
		update(func(tx auth.Tx) error {
			c, ok, err := tx.TakeChallenge(ctx, "r", "sign-in")
			if !ok || c.Nonce != "m" {
				t.Errorf("got %v %+v", ok, c)
			}
			return err
		})
	})

	t.Run("ending", func(t *testing.T) {
		update(func(tx auth.Tx) error {
			return errors.Join(tx.PutSession(ctx, "x1", session("iin-2", "s2")), tx.PutSession(ctx, "x2", session("iin-2", "s3")),
				tx.PutSession(ctx, "x3", session("iin-3", "s4")), tx.PutChallenge(ctx, "x1", challenge))
		})
		update(func(tx auth.Tx) error {
			n, err := tx.DeleteSessions(ctx, auth.Filter{IIN: "iin-2"})
			if n != 2 {
				t.Errorf("ended %d sessions, want 2", n)
			}
			return err
		})
		update(func(tx auth.Tx) error {
			for f, want := range map[auth.Filter]int{{}: 0, {Site: session("", "").Site}: 0, {IIN: "iin-3", Serial: "another"}: 0} {
				if n, err := tx.DeleteSessions(ctx, f); n != want || err != nil {
					t.Errorf("%+v ended %d sessions, want %d: %v", f, n, want, err)
				}
			}
			return nil
		})
		update(func(tx auth.Tx) error {
			if _, ok, _ := tx.TakeChallenge(ctx, "x1", "sign-in"); ok {
				t.Error("the challenge outlived its session")
			}
			_, err := tx.Session(ctx, "x3")
			return err
		})
		update(func(tx auth.Tx) error { return tx.Sweep(ctx, now.Add(time.Second), now) })
		err := st.View(ctx, func(tx auth.Tx) error { _, err := tx.Session(ctx, "x3"); return err })
		if !errors.Is(err, auth.ErrNotFound) {
			t.Errorf("idle session after the sweep: %v", err)
		}
	})
}
