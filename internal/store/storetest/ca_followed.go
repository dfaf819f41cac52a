package storetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"senim/internal/ca"
)

// caFollowed: of orders that renew one certificate at the same moment, as two nodes would, one alone is reserved.
func caFollowed(t *testing.T, s ca.Store) {
	for round := range 20 {
		old := fmt.Sprintf("%040x", 1<<41+round)
		var won atomic.Int32
		var wg sync.WaitGroup
		for n := range 4 {
			wg.Go(func() {
				r := caRecord(700000 + 10*round + n)
				r.Replaces = old
				var first bool
				err := s.Update(t.Context(), func(tx ca.Tx) error {
					other, err := tx.Followed(t.Context(), old, r.Order)
					if first = err == nil && !other; !first {
						return err
					}
					return tx.Reserve(t.Context(), r)
				})
				if err != nil {
					t.Error(err)
				}
				if first {
					won.Add(1)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Fatalf("round %d: %d orders renewed one certificate", round, won.Load())
		}
	}
	r, next := caRecord(700300), caRecord(700301)
	r.Replaces = fmt.Sprintf("%040x", 1<<42)
	followed := func(what, order string, want bool) {
		t.Helper()
		in(t, s, func(tx ca.Tx) error {
			got, err := tx.Followed(t.Context(), r.Replaces, order)
			if got != want {
				t.Errorf("%s: followed %v", what, got)
			}
			return err
		})
	}
	followed("nothing yet", next.Order, false)
	in(t, s, func(tx ca.Tx) error { return tx.Reserve(t.Context(), r) })
	followed("reserved", next.Order, true)
	followed("the same order", r.Order, false)
	in(t, s, func(tx ca.Tx) error {
		return tx.AddRevocation(t.Context(), r.CA, r.Serial, ca.Revocation{At: caStart, Recorded: caStart, Reason: ca.CertificateHold, By: "t"})
	})
	followed("on hold", next.Order, true)
	in(t, s, func(tx ca.Tx) error {
		return tx.ChangeRevocation(t.Context(), r.CA, r.Serial, caStart, ca.Revocation{At: caStart, Recorded: caStart, Reason: ca.KeyCompromise, By: "t"})
	})
	followed("revoked for good", next.Order, false)
	closed := caRecord(700302)
	closed.Replaces, closed.State = fmt.Sprintf("%040x", 1<<42+2), ca.Closed
	in(t, s, func(tx ca.Tx) error { return tx.Reserve(t.Context(), closed) })
	r.Replaces = closed.Replaces
	followed("given up", "another", false)
}
