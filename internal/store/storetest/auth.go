package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
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

	t.Run("why it ended", func(t *testing.T) {
		nobody := session("", "")
		nobody.Fingerprint = ""
		old := session("iin-9", "s9")
		old.Created, old.Seen = now.Add(-9*time.Hour), now.Add(time.Minute)
		update(func(tx auth.Tx) error {
			return errors.Join(tx.PutSession(ctx, "e1", session("iin-8", "s8")), tx.PutSession(ctx, "e2", session("iin-8", "s8")), tx.PutSession(ctx, "e3", nobody),
				tx.PutSession(ctx, "e4", session("iin-7", "s7")), tx.PutSession(ctx, "e5", old), tx.PutSession(ctx, "e6", old))
		})
		update(func(tx auth.Tx) error {
			_, err := tx.DeleteSessions(ctx, auth.Filter{Serial: "s8"}, auth.ByCertificate)
			return errors.Join(err, tx.DeleteSession(ctx, "e3", auth.BySignOut), tx.DeleteSession(ctx, "e4", ""))
		})
		update(func(tx auth.Tx) error {
			over, err := tx.Sweep(ctx, now, now.Add(-8*time.Hour), time.Time{}, 1)
			if len(over) != 1 || over[0].Why != auth.ByAge {
				t.Errorf("swept %+v, want one", over)
			}
			return err
		})
		reasons := func() map[string]auth.Reason {
			got := map[string]auth.Reason{}
			for _, hash := range []string{"e1", "e2", "e3", "e4", "e5", "e6"} {
				update(func(tx auth.Tx) error {
					site, c, err := tx.Ended(ctx, hash)
					if errors.Is(err, auth.ErrNotFound) {
						return nil
					}
					if site != "cabinet" || c.At.IsZero() {
						t.Errorf("%s: site %q, %v", hash, site, c)
					}
					got[hash] = c.Reason
					return err
				})
			}
			return got
		}
		got := reasons()
		aged := 0
		for _, hash := range []string{"e5", "e6"} {
			if got[hash] == auth.ByAge {
				aged++
			}
			delete(got, hash)
		}
		if d := cmp.Diff(map[string]auth.Reason{"e1": auth.ByCertificate, "e2": auth.ByCertificate}, got); d != "" || aged != 1 {
			t.Errorf("%d by age; %s", aged, d)
		}
		update(func(tx auth.Tx) error {
			_, err := tx.Sweep(ctx, now, now.Add(-8*time.Hour), now.AddDate(10, 0, 0), 1)
			return err
		})
		if got := reasons(); len(got) != 1 {
			t.Errorf("forgotten are all but the one just swept, left: %v", got)
		}
	})

	t.Run("ending", func(t *testing.T) {
		update(func(tx auth.Tx) error {
			return errors.Join(tx.PutSession(ctx, "x1", session("iin-2", "s2")), tx.PutSession(ctx, "x2", session("iin-2", "s3")),
				tx.PutSession(ctx, "x3", session("iin-3", "s4")), tx.PutChallenge(ctx, "x1", challenge))
		})
		update(func(tx auth.Tx) error {
			n, err := tx.DeleteSessions(ctx, auth.Filter{IIN: "iin-2"}, auth.ByPassword)
			if n != 2 {
				t.Errorf("ended %d sessions, want 2", n)
			}
			return err
		})
		update(func(tx auth.Tx) error {
			for f, want := range map[auth.Filter]int{{}: 0, {Site: session("", "").Site}: 0, {IIN: "iin-3", Serial: "another"}: 0} {
				if n, err := tx.DeleteSessions(ctx, f, auth.ByPassword); n != want || err != nil {
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
		update(func(tx auth.Tx) error {
			over, err := tx.Sweep(ctx, now.Add(time.Second), now, now, 100)
			if i := slices.IndexFunc(over, func(s auth.Swept) bool { return s.Serial == "s4" }); i < 0 || over[i].IIN != "iin-3" || over[i].Site != "cabinet" || over[i].Why != auth.ByIdle {
				t.Errorf("swept %+v", over)
			}
			return err
		})
		err := st.View(ctx, func(tx auth.Tx) error { _, err := tx.Session(ctx, "x3"); return err })
		if !errors.Is(err, auth.ErrNotFound) {
			t.Errorf("idle session after the sweep: %v", err)
		}
	})
}
