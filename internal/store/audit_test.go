package store_test

import (
	"errors"
	"fmt"
	"testing"

	"senim/internal/audit"
	"senim/internal/store"
)

// What somebody does to the rows of the audit is found, and the first bad record named.
func TestSec6Tampering(t *testing.T) {
	for name, c := range map[string]struct {
		sql string
		bad int64
	}{
		"changed": {`update audit set actor = 'h:00' where seq = 4`, 4},
		"dropped": {`delete from audit where seq = 4`, 4},
		"swapped": {`update audit set seq = 9 - seq + 100 where seq in (4, 5)`, 4},
		"cut":     {`delete from audit where seq = 1`, 1},
	} {
		t.Run(name, func(t *testing.T) {
			engines(t, func(t *testing.T, url string) {
				s := open(t, store.Config{URL: url, Node: "test"})
				for n := range 8 {
					do(t, s, func(tx *store.Tx) error {
						return tx.Audit(t.Context(), audit.Event{Action: "test.act", Actor: "system", Object: fmt.Sprint(n)})
					})
				}
				if good, err := s.VerifyAudit(t.Context()); err != nil || good != 8 {
					t.Fatalf("%d good, %v", good, err)
				}
				do(t, s, func(tx *store.Tx) error { _, err := tx.Exec(t.Context(), c.sql); return err })
				_, err := s.VerifyAudit(t.Context())
				if broken, ok := errors.AsType[*audit.BrokenError](err); !ok || broken.Seq != c.bad {
					t.Errorf("%v, want record %d", err, c.bad)
				}
			})
		})
	}
}
