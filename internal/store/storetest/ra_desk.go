package storetest

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"senim/internal/ra"
	"senim/internal/store"
)

// Desk has the cases of the operators' desk: scans, acts about keys, lists and counts.
func Desk(t *testing.T, s *store.Store) {
	ctx := t.Context()
	st := s.RA()
	now := time.Date(2026, 11, 24, 5, 0, 0, 0, time.UTC)
	update := func(f func(ra.Tx) error) {
		t.Helper()
		if err := st.Update(ctx, f); err != nil {
			t.Fatal(err)
		}
	}

	t.Run("scan", func(t *testing.T) {
		scan, body := ra.Scan{Type: "application/pdf", Hash: "aa", Size: 5}, []byte("%PDF-")
		update(func(tx ra.Tx) error {
			return errors.Join(tx.PutScan(ctx, "1", scan, body), tx.PutScan(ctx, "1", scan, body))
		})
		update(func(tx ra.Tx) error {
			got, err := tx.ScanBody(ctx, "1", "aa")
			if !bytes.Equal(got, body) {
				t.Errorf("scan %q", got)
			}
			for _, other := range [][2]string{{"2", "aa"}, {"1", "bb"}} {
				if _, none := tx.ScanBody(ctx, other[0], other[1]); !errors.Is(none, ra.ErrNotFound) {
					t.Errorf("%v: %v", other, none)
				}
			}
			return err
		})
	})

	t.Run("use", func(t *testing.T) {
		update(func(tx ra.Tx) error {
			err := errors.Join(tx.PutUse(ctx, "aa", now), tx.PutUse(ctx, "bb", now), tx.PutUse(ctx, "aa", now.Add(time.Hour)))
			got, err2 := tx.Uses(ctx, []string{"aa", "cc"})
			if d := cmp.Diff(map[string]time.Time{"aa": now.Add(time.Hour)}, got); d != "" {
				t.Error(d)
			}
			return errors.Join(err, err2)
		})
	})

	t.Run("first signatures", func(t *testing.T) {
		f := ra.FirstSignature{Serial: "aa", Number: "261124000017", Purpose: "install-keys", Challenge: "senim-challenge 1\n", Signature: []byte{1, 2}, About: "x\n", Checks: []byte("[]"), At: now}
		awaits := func(tx ra.Tx, serial, want string) {
			if got, err := tx.AwaitsFirst(ctx, serial); got != want || (want == "") != errors.Is(err, ra.ErrNotFound) {
				t.Errorf("%s awaits %q: %v", serial, got, err)
			}
		}
		update(func(tx ra.Tx) error {
			if err := errors.Join(tx.AwaitFirst(ctx, "aa", f.Number), tx.AwaitFirst(ctx, "bb", f.Number)); err != nil {
				return err
			}
			awaits(tx, "aa", f.Number)
			awaits(tx, "cc", "")
			none, err := tx.Firsts(ctx, f.Number)
			if _, missing := tx.First(ctx, "aa"); len(none) != 0 || !errors.Is(missing, ra.ErrNotFound) {
				t.Errorf("%+v, %v before anything was signed", none, missing)
			}
			return err
		})
		for i, want := range []bool{true, false} { // the first is kept
			one := f
			one.At = now.Add(time.Duration(i) * time.Hour)
			update(func(tx ra.Tx) error {
				fresh, err := tx.PutFirst(ctx, one)
				if fresh != want {
					t.Errorf("put %d: %v", i, fresh)
				}
				return err
			})
		}
		unseen := f // issued before keys were awaited
		unseen.Serial, unseen.Number, unseen.About = "dd", "261124000025", ""
		proofs := []ra.Proof{{Kind: "tst", Body: []byte{3}}, {Kind: "ocsp", Body: []byte{4}}}
		update(func(tx ra.Tx) error {
			fresh, err := tx.PutFirst(ctx, unseen)
			if !fresh {
				t.Error("one that was not awaited")
			}
			return errors.Join(err, tx.AwaitFirst(ctx, "aa", "another"), tx.PutFirstProofs(ctx, "aa", proofs[:1]), tx.PutFirstProofs(ctx, "aa", proofs))
		})
		update(func(tx ra.Tx) error {
			awaits(tx, "aa", "")
			awaits(tx, "bb", f.Number)
			all, err1 := tx.Firsts(ctx, f.Number)
			one, err2 := tx.First(ctx, "dd")
			got, err3 := tx.FirstProofs(ctx, "aa")
			if d := cmp.Diff([]ra.FirstSignature{f}, all) + cmp.Diff(unseen, one) + cmp.Diff(proofs, got); d != "" {
				t.Error(d)
			}
			return errors.Join(err1, err2, err3)
		})
	})

	t.Run("lists and counts", func(t *testing.T) {
		visit := ra.Visit{Finding: ra.Finding{Number: "045678901", Expires: "2030-01-01", Attorney: &ra.Attorney{Name: "ИВАНОВ"}}, By: "1",
			Scan: ra.Scan{Hash: "aa"}, Registry: ra.Comparison{Verdict: "bad", Code: "NAME_DIFFERS", AsOf: now},
			First: ra.Mark{Operator: ra.Operator{IIN: "1", Serial: "s", Name: "ИВАНОВ И."}, At: now, Signed: []byte("<a/>"), Hash: "h"}, Override: "так"}
		early := ra.Application{Number: "261124000017", Kind: ra.Issuance, State: ra.AwaitingDesk, Visit: visit, SignedAt: now, Created: now, Changed: now}
		late, done := early, early
		late.Number, late.Changed = "261124000025", now.Add(time.Hour)
		done.Number, done.State = "261124000033", ra.Issued
		update(func(tx ra.Tx) error { return errors.Join(tx.Put(ctx, late), tx.Put(ctx, early), tx.Put(ctx, done)) })
		update(func(tx ra.Tx) error {
			all, err1 := tx.InState(ctx, ra.AwaitingDesk, time.Time{}, 10)
			one, err2 := tx.InState(ctx, ra.AwaitingDesk, time.Time{}, 1)
			fresh, err3 := tx.InState(ctx, ra.AwaitingDesk, now.Add(time.Minute), 10)
			tallies, err4 := tx.Tallies(ctx)
			if d := cmp.Diff([]ra.Application{early, late}, all); d != "" {
				t.Error(d)
			}
			if len(one) != 1 || one[0].Number != early.Number || len(fresh) != 1 || fresh[0].Number != late.Number {
				t.Errorf("first %v, fresh %v", one, fresh)
			}
			if d := cmp.Diff([]ra.Tally{{State: ra.AwaitingDesk, N: 2, Oldest: now}, {State: ra.Issued, N: 1, Oldest: now}}, tallies); d != "" {
				t.Error(d)
			}
			return errors.Join(err1, err2, err3, err4)
		})
	})

	t.Run("accounts nobody can write to", func(t *testing.T) {
		update(func(tx ra.Tx) error {
			return errors.Join(tx.PutAccount(ctx, ra.Account{IIN: "1", Email: "a@example.kz", ConfirmedAt: now, Created: now, Changed: now}),
				tx.PutAccount(ctx, ra.Account{IIN: "2", Email: "b@example.kz", Created: now, Changed: now}), tx.PutAccount(ctx, ra.Account{IIN: "3", Created: now, Changed: now}))
		})
		update(func(tx ra.Tx) error {
			n, err := tx.Unreachable(ctx)
			if n != 2 {
				t.Errorf("%d accounts", n)
			}
			return err
		})
	})

	t.Run("acts", func(t *testing.T) {
		want := ra.KeyAct{ID: "a", Serial: "s", Act: ra.ActHold, IIN: "1", Document: "045678901", Reason: "certificateHold", Text: "так", State: ra.ActDraft, By: "2", Created: now, Changed: now}
		update(func(tx ra.Tx) error { return tx.PutAct(ctx, want) })
		want.State, want.Made = ra.ActWaiting, ra.Mark{Operator: ra.Operator{IIN: "2"}, At: now, Hash: "h", Signed: []byte("<a/>")}
		update(func(tx ra.Tx) error { return tx.PutAct(ctx, want) })
		update(func(tx ra.Tx) error {
			got, err := tx.Act(ctx, "a")
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
			waiting, err2 := tx.ActsIn(ctx, ra.ActWaiting, 10)
			drafts, err3 := tx.ActsIn(ctx, ra.ActDraft, 10)
			if len(waiting) != 1 || len(drafts) != 0 {
				t.Errorf("%d waiting, %d drafts", len(waiting), len(drafts))
			}
			if _, none := tx.Act(ctx, "b"); !errors.Is(none, ra.ErrNotFound) {
				t.Errorf("unknown act: %v", none)
			}
			return errors.Join(err, err2, err3)
		})
	})

	t.Run("scans removed", func(t *testing.T) {
		a := ra.Application{Number: "261124000041", Kind: ra.Issuance, State: ra.Installed, SignedAt: now, Created: now, Changed: now, PhoneAt: now}
		update(func(tx ra.Tx) error {
			return errors.Join(tx.Put(ctx, a), tx.PutScan(ctx, a.Number, ra.Scan{Type: "image/png", Hash: "cc"}, []byte("png")))
		})
		update(func(tx ra.Tx) error {
			early, err := tx.ForgetScans(ctx, now)
			_, there := tx.ScanBody(ctx, a.Number, "cc")
			if early != 0 || there != nil {
				t.Errorf("%d removed too early, then %v", early, there)
			}
			return err
		})
		update(func(tx ra.Tx) error {
			n, err := tx.ForgetScans(ctx, now.Add(time.Millisecond))
			_, gone := tx.ScanBody(ctx, a.Number, "cc")
			if n != 1 || !errors.Is(gone, ra.ErrNotFound) {
				t.Errorf("%d removed, then %v", n, gone)
			}
			return err
		})
	})
}
