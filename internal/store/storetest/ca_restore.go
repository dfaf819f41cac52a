package storetest

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"senim/internal/ca"
)

// caRestore is what reconciling needs: records filled in as a whole, numbers that only grow.
func caRestore(t *testing.T, s ca.Store) {
	ctx := t.Context()
	lost := ca.Record{CA: "z", Serial: "abc1", Order: "o-lost", Profile: "individual", Key: "lost:1", State: ca.Lost, Created: caStart}
	in(t, s, func(tx ca.Tx) error { return tx.Reserve(ctx, lost) })
	found := lost
	found.State, found.Key, found.TBS, found.Raw = ca.Done, "hash of a key", []byte{1}, []byte{2}
	found.IIN, found.BIN, found.Name = "iin", "bin", "name"
	found.NotBefore, found.NotAfter = caStart, caStart.AddDate(1, 0, 0)
	in(t, s, func(tx ca.Tx) error { return tx.Restore(ctx, found) })
	in(t, s, func(tx ca.Tx) error {
		got, err := tx.ByKey(ctx, "hash of a key")
		if d := cmp.Diff(found, got); d != "" {
			t.Error(d)
		}
		if _, err := tx.ByKey(ctx, "lost:1"); !errors.Is(err, ca.ErrNotFound) {
			t.Errorf("by the old key: %v", err)
		}
		return err
	})
	none := found
	none.Serial = "none"
	if err := s.Update(ctx, func(tx ca.Tx) error { return tx.Restore(ctx, none) }); !errors.Is(err, ca.ErrNotFound) {
		t.Errorf("a record that is not there: %v", err)
	}
	in(t, s, func(tx ca.Tx) error {
		for _, step := range []struct{ raise, want int64 }{{0, 0}, {7, 7}, {5, 7}, {9, 9}} {
			if step.raise > 0 {
				if err := tx.RaiseListNumber(ctx, "numbers", step.raise); err != nil {
					return err
				}
			}
			if got, err := tx.LastListNumber(ctx, "numbers"); err != nil || got != step.want {
				t.Errorf("raised to %d: %d, %v", step.raise, got, err)
			}
		}
		n, _, err := tx.NextListNumber(ctx, "numbers")
		if n != 10 {
			t.Errorf("the next number is %d", n)
		}
		return err
	})
}
