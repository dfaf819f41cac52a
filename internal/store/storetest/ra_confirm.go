package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"senim/internal/ra"
	"senim/internal/store"
)

// RAConfirm has the cases of the inbox and of signed decisions.
func RAConfirm(t *testing.T, s *store.Store) {
	ctx := t.Context()
	st := s.RA()
	now := time.Date(2026, 11, 24, 5, 0, 0, 0, time.UTC)
	update := func(f func(ra.Tx) error) {
		t.Helper()
		if err := st.Update(ctx, f); err != nil {
			t.Fatal(err)
		}
	}

	t.Run("inbox", func(t *testing.T) {
		put := func(number, bin string, state ra.State, signed time.Time) {
			update(func(tx ra.Tx) error {
				return tx.Put(ctx, ra.Application{Number: number, State: state, Subject: ra.Subject{IIN: "1", BIN: bin}, SignedAt: signed, Created: now, Changed: now})
			})
		}
		put("3", "X", ra.AwaitingDirector, now)
		put("1", "X", ra.AwaitingDirector, now.Add(-time.Hour))
		put("2", "X", ra.Approved, now)
		put("4", "Y", ra.AwaitingDirector, now)
		put("5", "", ra.AwaitingDirector, now)
		for _, c := range []struct {
			bin   string
			limit int
			want  string
		}{{"X", 10, "13"}, {"X", 1, "1"}, {"Y", 10, "4"}, {"", 10, ""}} {
			update(func(tx ra.Tx) error {
				got, all := "", []ra.Application(nil)
				all, err := tx.Awaiting(ctx, c.bin, c.limit)
				for _, a := range all {
					got += a.Number
				}
				if got != c.want {
					t.Errorf("inbox of %q: %q, want %q", c.bin, got, c.want)
				}
				return err
			})
		}
	})

	t.Run("decision", func(t *testing.T) {
		want := ra.SignedDecision{Hash: "h", Serial: "0a", At: now, Document: []byte("<decision/>")}
		update(func(tx ra.Tx) error { return tx.PutDecision(ctx, want) })
		again := want
		again.Serial = "other"
		update(func(tx ra.Tx) error { return tx.PutDecision(ctx, again) })
		update(func(tx ra.Tx) error {
			got, err := tx.SignedDecision(ctx, "h")
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
			if _, none := tx.SignedDecision(ctx, "none"); !errors.Is(none, ra.ErrNotFound) {
				t.Errorf("unknown decision: %v", none)
			}
			return err
		})
	})
}
