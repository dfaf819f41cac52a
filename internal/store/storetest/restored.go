package storetest

import (
	"testing"
	"time"

	"senim/internal/notice"
	"senim/internal/store"
)

// Restored is what putting an older copy back needs: bytes of random serials that no node had, and
// messages that nobody sends a second time.
func Restored(t *testing.T, s *store.Store) {
	ctx := t.Context()
	number := func(node string) byte {
		t.Helper()
		s.UseNode(node)
		b, err := s.Instance(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	one, two := number("one"), number("two")
	if one == 0 || two == 0 || one == two || number("one") != one {
		t.Errorf("nodes have %d and %d", one, two)
	}
	if err := s.SkipInstances(ctx); err != nil {
		t.Fatal(err)
	}
	if a, b := number("two"), number("one"); a <= two || b <= two || a == b {
		t.Errorf("after an older copy was put back the nodes have %d and %d, and had %d and %d", b, a, one, two)
	}

	now := time.Now()
	err := s.Notice().Update(ctx, func(tx notice.Tx) error {
		return tx.Notify(ctx, notice.Message{N: "N-11", Key: "restored", To: "p@example.kz", Lang: "ru", Channel: notice.Email})
	})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := s.HoldOutbox(ctx, now.Add(-time.Hour)); err != nil || n != 0 {
		t.Errorf("due later than the copy: %d, %v", n, err)
	}
	if n, err := s.HoldOutbox(ctx, time.Time{}); err != nil || n != 1 {
		t.Errorf("held %d, %v", n, err)
	}
	if n, err := s.HoldOutbox(ctx, time.Time{}); err != nil || n != 0 {
		t.Errorf("held again %d, %v", n, err)
	}
}
