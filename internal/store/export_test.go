package store

import (
	"context"
	"strings"
	"time"
)

// Tx is the transaction, for tests that go below the domains.
type Tx = tx

// Do runs a transaction.
func (s *Store) Do(ctx context.Context, f func(*Tx) error) error { return s.update(ctx, f) }

// See runs a reading transaction.
func (s *Store) See(ctx context.Context, f func(*Tx) error) error { return s.view(ctx, f) }

// MigrateAgain forgets that migrations were run and runs them again.
func (s *Store) MigrateAgain(ctx context.Context) error {
	if err := s.update(ctx, func(t *tx) error { _, err := t.exec(ctx, `delete from migration`); return err }); err != nil {
		return err
	}
	return s.migrate(ctx)
}

// Exec runs a statement.
func (t *tx) Exec(ctx context.Context, sql string, args ...any) (int64, error) {
	return t.exec(ctx, sql, args...)
}

// Int reads one number.
func (t *tx) Int(ctx context.Context, sql string, args ...any) (int64, error) {
	return one(ctx, t, errNoRow, value[int64], sql, args...)
}

// Unguard takes the triggers of the audit away, as somebody who owns the database can.
func (s *Store) Unguard(ctx context.Context) error {
	return s.update(ctx, func(t *tx) error {
		drop := `drop trigger audit_append_only on audit; drop trigger audit_checkpoints_append_only on audit_checkpoints`
		if s.engine.name() == "sqlite" {
			drop = `drop trigger audit_no_update; drop trigger audit_no_delete; drop trigger audit_at_end;
				drop trigger audit_checkpoints_no_update; drop trigger audit_checkpoints_no_delete; drop trigger audit_checkpoints_at_end`
		}
		_, err := t.exec(ctx, drop)
		return err
	})
}

// Refuse makes the table of the audit take nothing.
func (s *Store) Refuse(ctx context.Context) error {
	return s.update(ctx, func(t *tx) error {
		sql := `create function refuse() returns trigger language plpgsql as 'begin raise exception ''full''; end';
			create trigger refuse before insert on audit for each statement execute function refuse()`
		if s.engine.name() == "sqlite" {
			sql = `create trigger refuse before insert on audit begin select raise(abort, 'full'); end`
		}
		_, err := t.exec(ctx, sql)
		return err
	})
}

// Engine names the database.
func (s *Store) Engine() string { return s.engine.name() }

// Crowd has writers share transactions for a while, and each transaction take in all who wait.
func (s *Store) Crowd() {
	s.writers.crowd()
	s.writers.long = time.Hour
}

// Waiting is how many writers wait for their turn.
func (s *Store) Waiting() int {
	s.writers.mu.Lock()
	defer s.writers.mu.Unlock()
	return len(s.writers.waiting)
}

// Intended is the select that lists what was left open.
const Intended = caIntended

// Plan is how SQLite goes about a select.
func (t *tx) Plan(ctx context.Context, sql string, args ...any) (string, error) {
	steps, err := list(ctx, t, func(r row) (s string, err error) {
		var id, parent, unused int64
		err = r.Scan(&id, &parent, &unused, &s)
		return s, err
	}, "explain query plan "+sql, args...)
	return strings.Join(steps, "; "), err
}
