package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"senim/internal/lang"
	"senim/internal/participant"
	"senim/internal/store"
)

// ParticipantRecovery has the cases of signed acts, changes of address, reset links and sign-ins.
func ParticipantRecovery(t *testing.T, s *store.Store) {
	ctx := t.Context()
	st := s.Participant()
	now := time.Date(2026, 11, 24, 5, 0, 0, 0, time.UTC)
	do := func(t *testing.T, f func(participant.Tx) error) {
		t.Helper()
		if err := st.Update(ctx, f); err != nil {
			t.Fatal(err)
		}
	}
	missing := func(t *testing.T, what string, f func(participant.Tx) error) {
		t.Helper()
		if err := st.Update(ctx, f); !errors.Is(err, participant.ErrNotFound) {
			t.Errorf("%s that is not there: %v", what, err)
		}
	}
	same := func(t *testing.T, want, got any, err error) error {
		t.Helper()
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		return err
	}

	t.Run("act", func(t *testing.T) {
		act := participant.Act{Browser: "b", Kind: participant.ActEmail, IIN: "i", Email: "n@example.kz", Password: "$h", Lang: lang.KK,
			OldEmail: "o@example.kz", Reset: "r", Details: "<details/>", Made: now}
		get := func(tx participant.Tx) error { _, err := tx.Act(ctx, "b", participant.ActEmail); return err }
		do(t, func(tx participant.Tx) error { return tx.PutAct(ctx, act) })
		act.Email, act.IIN = "m@example.kz", "j"
		other := act
		other.Kind, other.Made = participant.ActReset, now.Add(-time.Hour)
		do(t, func(tx participant.Tx) error { return errors.Join(tx.PutAct(ctx, act), tx.PutAct(ctx, other)) })
		do(t, func(tx participant.Tx) error {
			got, err := tx.Act(ctx, "b", participant.ActEmail)
			return same(t, act, got, err)
		})
		do(t, func(tx participant.Tx) error { return tx.SweepActs(ctx, now) })
		do(t, get)
		missing(t, "swept act", func(tx participant.Tx) error { _, err := tx.Act(ctx, "b", participant.ActReset); return err })
		do(t, func(tx participant.Tx) error { return tx.DropAct(ctx, "b", participant.ActEmail) })
		missing(t, "act", get)
	})

	t.Run("signed act", func(t *testing.T) {
		want := participant.SignedAct{ID: "s", Kind: participant.ActReset, IIN: "i", Act: "a\n", Challenge: "c\n", Answer: []byte{1, 0}, Certificate: []byte{2}, At: now}
		do(t, func(tx participant.Tx) error { return tx.PutSignedAct(ctx, want) })
		do(t, func(tx participant.Tx) error {
			got, err := tx.SignedAct(ctx, "s")
			return same(t, want, got, err)
		})
		older := want
		older.ID, older.At, older.Kind = "s0", now.Add(-time.Hour), participant.ActEmail
		foreign := older
		foreign.ID, foreign.IIN = "s1", "k"
		do(t, func(tx participant.Tx) error {
			return errors.Join(tx.PutSignedAct(ctx, older), tx.PutSignedAct(ctx, foreign))
		})
		do(t, func(tx participant.Tx) error {
			all, err := tx.SignedActs(ctx, "i", 9)
			one, err2 := tx.SignedActs(ctx, "i", 1)
			brief := []participant.SignedAct{{ID: "s", Kind: participant.ActReset, IIN: "i", At: now}, {ID: "s0", Kind: participant.ActEmail, IIN: "i", At: older.At}}
			return errors.Join(same(t, brief, all, err), same(t, brief[:1], one, err2))
		})
		missing(t, "signed act", func(tx participant.Tx) error { _, err := tx.SignedAct(ctx, "none"); return err })
	})

	t.Run("proof", func(t *testing.T) { proofs(t, st) })

	t.Run("change of address", func(t *testing.T) {
		want := participant.EmailChange{ID: "e1", IIN: "i", Old: "o@example.kz", New: "n@example.kz", Lang: lang.RU, State: participant.ChangeAsked,
			Confirm: "c1", Dispute: "d1", Signature: "s", Asked: now, Expires: now.Add(time.Hour)}
		later := want
		later.ID, later.Confirm, later.Dispute, later.Asked, later.Ended = "e2", "c2", "d2", now.Add(time.Minute), now.Add(time.Hour)
		do(t, func(tx participant.Tx) error {
			return errors.Join(tx.PutEmailChange(ctx, want), tx.PutEmailChange(ctx, later))
		})
		want.State, want.Effective = participant.ChangeConfirmed, now.Add(time.Hour)
		do(t, func(tx participant.Tx) error { return tx.PutEmailChange(ctx, want) })
		do(t, func(tx participant.Tx) error {
			one, err := tx.EmailChange(ctx, "e1")
			byConfirm, err2 := tx.EmailChangeByLink(ctx, "c1")
			byDispute, err3 := tx.EmailChangeByLink(ctx, "d1")
			all, err4 := tx.EmailChanges(ctx, "i", now)
			open, err5 := tx.EmailChanges(ctx, "i", now.Add(time.Hour))
			return errors.Join(same(t, want, one, err), same(t, want, byConfirm, err2), same(t, want, byDispute, err3),
				same(t, []participant.EmailChange{want, later}, all, err4), same(t, []participant.EmailChange{want}, open, err5))
		})
		missing(t, "change", func(tx participant.Tx) error { _, err := tx.EmailChange(ctx, "none"); return err })
		missing(t, "change by link", func(tx participant.Tx) error { _, err := tx.EmailChangeByLink(ctx, ""); return err })
	})

	t.Run("reset", func(t *testing.T) {
		ask := participant.ResetAsk{ID: "a", IIN: "i", Email: "o@example.kz", Lang: lang.EN, Made: now}
		do(t, func(tx participant.Tx) error { return tx.PutResetAsk(ctx, ask) })
		do(t, func(tx participant.Tx) error {
			got, err := tx.TakeResetAsk(ctx, "a")
			return same(t, ask, got, err)
		})
		missing(t, "ask taken before", func(tx participant.Tx) error { _, err := tx.TakeResetAsk(ctx, "a"); return err })
		want := participant.Reset{Hash: "h", IIN: "i", Email: "o@example.kz", Asked: now, Expires: now.Add(time.Hour)}
		do(t, func(tx participant.Tx) error { return tx.PutReset(ctx, want) })
		want.Failed, want.Used, want.Signature = 2, now.Add(time.Minute), "s"
		do(t, func(tx participant.Tx) error { return tx.PutReset(ctx, want) })
		do(t, func(tx participant.Tx) error {
			got, err := tx.Reset(ctx, "h")
			all, err2 := tx.Resets(ctx, "i", now)
			none, err3 := tx.Resets(ctx, "i", now.Add(time.Millisecond))
			return errors.Join(same(t, want, got, err), same(t, []participant.Reset{want}, all, err2), same(t, []participant.Reset(nil), none, err3))
		})
		missing(t, "link", func(tx participant.Tx) error { _, err := tx.Reset(ctx, "none"); return err })
	})

	t.Run("sign-ins", func(t *testing.T) {
		for i := range 5 {
			e := participant.Entry{ID: fmt.Sprint("e", i), IIN: "i", At: now.Add(time.Duration(i) * time.Minute), Serial: "0a", Network: "10.0.0.0/24", Browser: "Firefox"}
			do(t, func(tx participant.Tx) error { return tx.PutEntry(ctx, e, 3) })
		}
		do(t, func(tx participant.Tx) error {
			return tx.PutEntry(ctx, participant.Entry{ID: "x", IIN: "j", At: now}, 3)
		})
		do(t, func(tx participant.Tx) error {
			all, err := tx.Entries(ctx, "i", 10)
			two, err2 := tx.Entries(ctx, "i", 2)
			others, err3 := tx.Entries(ctx, "j", 2)
			if len(all) != 3 || len(two) != 2 || two[0].ID != "e4" || two[0].Browser != "Firefox" || len(others) != 1 {
				t.Errorf("%d, %d and %d sign-ins, the newest %v", len(all), len(two), len(others), two)
			}
			return errors.Join(err, err2, err3)
		})
	})
}

// proofs: what is kept of two signatures, one body of which is the same; which of them ends, and what is covered.
func proofs(t *testing.T, st participant.Store) {
	ctx, now := t.Context(), time.Date(2026, 11, 24, 5, 0, 0, 0, time.UTC)
	end := now.AddDate(3, 0, 0)
	first := []participant.Proof{{Kind: participant.ProofStamp, Body: []byte{1, 0}, Made: now, Ends: end}, {Kind: participant.ProofList, Body: []byte("list"), Made: now, Ends: end.AddDate(1, 0, 0)},
		{Kind: participant.ProofChecks, Body: []byte("{}"), Made: now}}
	other := []participant.Proof{{Kind: participant.ProofList, Body: []byte("list"), Made: now, Ends: end.AddDate(1, 0, 0)}}
	more := participant.Proof{Kind: participant.ProofSums, Body: []byte("sums"), Made: end, Covered: true}
	err := st.Update(ctx, func(tx participant.Tx) error {
		if err := errors.Join(tx.AddProofs(ctx, "s1", first), tx.AddProofs(ctx, "s2", other)); err != nil {
			return err
		}
		ending := func(before time.Time, after string, want ...string) error {
			got, err := tx.EndingProofs(ctx, before, after, 10)
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("ending before %s: %s", before.Format(time.DateOnly), d)
			}
			return err
		}
		err := errors.Join(ending(end, ""), ending(end.Add(time.Second), "", "s1"), ending(end.AddDate(2, 0, 0), "", "s1", "s2"), ending(end.AddDate(2, 0, 0), "s1", "s2"),
			tx.CoverProofs(ctx, "s1", 2), ending(end.AddDate(2, 0, 0), "", "s2"), tx.AddProofs(ctx, "s1", []participant.Proof{more}))
		if err != nil {
			return err
		}
		got, err := tx.Proofs(ctx, "s1")
		first[0].Covered, first[1].Covered = true, true
		if d := cmp.Diff(append(first, more), got); d != "" {
			t.Error(d)
		}
		none, err2 := tx.Proofs(ctx, "s3")
		if len(none) != 0 {
			t.Errorf("of nothing: %v", none)
		}
		return errors.Join(err, err2)
	})
	if err != nil {
		t.Fatal(err)
	}
}
