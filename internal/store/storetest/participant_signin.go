package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"senim/internal/auth"
	"senim/internal/ident"
	"senim/internal/participant"
	"senim/internal/store"
)

// ParticipantSignIn has the cases of machines, open sessions and passkeys.
func ParticipantSignIn(t *testing.T, s *store.Store) {
	ctx := t.Context()
	st := s.Participant()
	now := time.Date(2026, 11, 24, 5, 0, 0, 0, time.UTC)
	do := func(t *testing.T, f func(participant.Tx) error) {
		t.Helper()
		if err := st.Update(ctx, f); err != nil {
			t.Fatal(err)
		}
	}

	t.Run("machines", func(t *testing.T) {
		for i := range 5 {
			do(t, func(tx participant.Tx) error {
				return tx.PutMachine(ctx, "m", fmt.Sprint("h", i), now.Add(time.Duration(i)*time.Minute), 3)
			})
		}
		do(t, func(tx participant.Tx) error {
			if seen, err := tx.Machine(ctx, "m", "h4"); err != nil || !seen.Equal(now.Add(4*time.Minute)) {
				t.Errorf("the newest machine: %v, %v", seen, err)
			}
			for _, gone := range [][2]string{{"m", "h1"}, {"other", "h4"}} {
				if _, err := tx.Machine(ctx, ident.IIN(gone[0]), gone[1]); !errors.Is(err, participant.ErrNotFound) {
					t.Errorf("machine %v: %v", gone, err)
				}
			}
			return tx.DropMachines(ctx, "m")
		})
		do(t, func(tx participant.Tx) error {
			if _, err := tx.Machine(ctx, "m", "h4"); !errors.Is(err, participant.ErrNotFound) {
				t.Errorf("a dropped machine: %v", err)
			}
			return nil
		})
	})

	t.Run("open sessions", func(t *testing.T) {
		session := auth.Session{Site: "portal", IIN: "o", BIN: "x", Values: map[string]string{participant.EntryValue: "e1"}, Created: now, Seen: now}
		err := s.Auth().Update(ctx, func(tx auth.Tx) error {
			old, elsewhere := session, session
			old.Seen, elsewhere.Site = now.Add(-time.Hour), "cabinet"
			return errors.Join(tx.PutSession(ctx, "k1", session), tx.PutSession(ctx, "k2", old), tx.PutSession(ctx, "k3", elsewhere))
		})
		if err != nil {
			t.Fatal(err)
		}
		want := []participant.OpenSession{{Key: "k1", Entry: "e1", TIN: "x", Created: now, Seen: now}}
		do(t, func(tx participant.Tx) error {
			got, err := tx.OpenSessions(ctx, "portal", "o", now.Add(-time.Minute))
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
			return errors.Join(err, tx.EndSession(ctx, "k1", "person"))
		})
		do(t, func(tx participant.Tx) error {
			got, err := tx.OpenSessions(ctx, "portal", "o", now.Add(-time.Minute))
			if len(got) != 0 {
				t.Errorf("%d sessions after the end", len(got))
			}
			return err
		})
	})

	t.Run("passkeys", func(t *testing.T) {
		one := participant.Passkey{ID: "p1", IIN: "k", Name: "Ноутбук", Credential: "{}", Made: now}
		two := participant.Passkey{ID: "p2", IIN: "k", Name: "Телефон", Credential: "{}", Made: now.Add(time.Minute), Signature: "s", Used: now}
		do(t, func(tx participant.Tx) error { return errors.Join(tx.PutPasskey(ctx, two), tx.PutPasskey(ctx, one)) })
		do(t, func(tx participant.Tx) error {
			all, err := tx.Passkeys(ctx, "k")
			if d := cmp.Diff([]participant.Passkey{one, two}, all); d != "" {
				t.Error(d)
			}
			return err
		})
		two.Credential, two.Used = `{"n":1}`, now.Add(time.Hour)
		do(t, func(tx participant.Tx) error {
			return errors.Join(tx.PutPasskey(ctx, two), tx.SweepPasskeys(ctx, now.Add(time.Hour)))
		})
		do(t, func(tx participant.Tx) error {
			got, err := tx.Passkey(ctx, "p2")
			if d := cmp.Diff(two, got); d != "" {
				t.Error(d)
			}
			if _, err := tx.Passkey(ctx, "p1"); !errors.Is(err, participant.ErrNotFound) {
				t.Errorf("one that nobody signed for: %v", err)
			}
			return errors.Join(err, tx.DropPasskey(ctx, "p2"))
		})
	})

	t.Run("what an act is about", func(t *testing.T) {
		act := participant.Act{Browser: "pb", Kind: participant.ActPasskey, IIN: "k", Passkey: "p1 digest name", Made: now}
		do(t, func(tx participant.Tx) error { return tx.PutAct(ctx, act) })
		do(t, func(tx participant.Tx) error {
			got, err := tx.Act(ctx, "pb", participant.ActPasskey)
			if d := cmp.Diff(act, got); d != "" {
				t.Error(d)
			}
			return errors.Join(err, tx.DropAct(ctx, "pb", participant.ActPasskey))
		})
		act.Passkey = "p2 digest name"
		do(t, func(tx participant.Tx) error { return tx.PutAct(ctx, act) })
		do(t, func(tx participant.Tx) error {
			got, err := tx.Act(ctx, "pb", participant.ActPasskey)
			if got.Passkey != act.Passkey {
				t.Errorf("about %q", got.Passkey)
			}
			return err
		})
	})
}
