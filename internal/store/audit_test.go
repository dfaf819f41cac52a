package store_test

import (
	"errors"
	"fmt"
	"path/filepath"
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
				if err := s.Unguard(t.Context()); err != nil {
					t.Fatal(err)
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

// What is recorded is never changed or deleted, whatever the statement.
func TestSec6AppendOnly(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		s := open(t, store.Config{URL: url, Node: "test"})
		for range 3 {
			if err := s.Record(t.Context(), audit.Event{Action: "test.act"}); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.AddCheckpoint(t.Context(), audit.Statement{Checkpoint: audit.Checkpoint{Node: "test", Number: 1, Size: 3}, Note: []byte("x")}); err != nil {
			t.Fatal(err)
		}
		statements := []string{
			`update audit set actor = 'h:00'`, `update audit set actor = 'h:00' where seq = 2`, `delete from audit where seq = 3`, `delete from audit`,
			`update audit_checkpoints set note = 'y'`, `delete from audit_checkpoints`,
			`insert into audit select * from audit where seq = 2 on conflict (node, seq) do update set actor = 'h:00'`,
			`insert into audit_checkpoints select * from audit_checkpoints where true on conflict (node, number) do update set note = 'y'`,
		}
		if s.Engine() == "sqlite" {
			statements = append(statements, `insert or replace into audit select * from audit where seq = 2`, `replace into audit_checkpoints select * from audit_checkpoints`,
				`insert into audit select node, seq + 7, at, action, actor, object, result, detail, prev, hash from audit where seq = 2`)
		} else {
			statements = append(statements, `truncate audit`, `truncate audit_checkpoints`)
		}
		for _, sql := range statements {
			if err := s.Do(t.Context(), func(tx *store.Tx) error { _, err := tx.Exec(t.Context(), sql); return err }); err == nil {
				t.Errorf("%s: done", sql)
			}
		}
		if good, err := s.VerifyAudit(t.Context()); err != nil || good != 3 {
			t.Errorf("%d good, %v", good, err)
		}
		if err := s.Record(t.Context(), audit.Event{Action: "test.act"}); err != nil {
			t.Errorf("nothing more can be recorded: %v", err)
		}
	})
}

// OpenAudit makes nothing, changes nothing, and reads a database in use.
func TestOpenAuditOnlyReads(t *testing.T) {
	if _, err := store.OpenAudit(t.Context(), filepath.Join(t.TempDir(), "none.db")); err == nil {
		t.Error("a database that is not there was opened")
	}
	engines(t, func(t *testing.T, url string) {
		s := open(t, store.Config{URL: url, Node: "test", Key: make([]byte, 32)})
		if err := s.Record(t.Context(), audit.Event{Action: "test.act"}); err != nil {
			t.Fatal(err)
		}
		r, err := store.OpenAudit(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		if nodes, err := r.AuditNodes(t.Context()); err != nil || len(nodes) != 1 {
			t.Errorf("%v %v", nodes, err)
		}
		if s.Engine() == "sqlite" {
			if err := r.Record(t.Context(), audit.Event{Action: "test.act"}); err == nil {
				t.Error("a record was written")
			}
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
}
