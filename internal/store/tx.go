package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// tx is one open transaction. Domain files embed it. It is used by one goroutine.
type tx struct {
	s *Store
	c conn
	// turn: the transaction is shared, and its writers take turns.
	turn bool
	// gather, when set, takes records and jobs until the end.
	gather *gathered
	// disturbed is the first error of a statement that calls for another try.
	disturbed error
}

// row is one row to scan, or the error instead of it.
type row interface{ Scan(dest ...any) error }

// rows are walked with Next, each scanned; Close always, then Err.
type rows interface {
	row
	Next() bool
	Err() error
	Close()
}

// exec runs a statement and returns how many rows it changed.
func (t *tx) exec(ctx context.Context, sql string, args ...any) (int64, error) {
	n, err := t.c.exec(ctx, sql, args)
	return n, t.note(err)
}

// query runs a select of many rows. [list] is shorter.
func (t *tx) query(ctx context.Context, sql string, args ...any) (rows, error) {
	r, err := t.c.query(ctx, sql, args)
	return r, t.note(err)
}

// queryRow runs a select of one row; no row is the error errNoRow at Scan. [one] is shorter.
func (t *tx) queryRow(ctx context.Context, sql string, args ...any) row {
	return noted{t, t.c.queryRow(ctx, sql, args)}
}

// now is the store's clock, in whole milliseconds.
func (t *tx) now() time.Time { return t.s.now().UTC().Truncate(time.Millisecond) }

func (t *tx) note(err error) error {
	if err != nil && t.disturbed == nil && t.s.engine.again(err) {
		t.disturbed = err
	}
	return err
}

type noted struct {
	t *tx
	r row
}

func (n noted) Scan(dest ...any) error { return n.t.note(n.r.Scan(dest...)) }

// errNoRow is what Scan of queryRow returns when there is none, on both engines.
var errNoRow = sql.ErrNoRows

// one scans the single row of a select; when there is none it returns missing, which is the
// domain's own ErrNotFound.
func one[T any](ctx context.Context, t *tx, missing error, scan func(row) (T, error), sql string, args ...any) (T, error) {
	v, err := scan(t.queryRow(ctx, sql, args...))
	if errors.Is(err, errNoRow) {
		var none T
		return none, missing
	}
	return v, err
}

// list scans every row of a select, in its order.
func list[T any](ctx context.Context, t *tx, scan func(row) (T, error), sql string, args ...any) ([]T, error) {
	r, err := t.query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var all []T
	for r.Next() {
		v, err := scan(r)
		if err != nil {
			return nil, t.note(err)
		}
		all = append(all, v)
	}
	return all, t.note(r.Err())
}

// value scans a row of one column, as in one(ctx, t, ErrNotFound, value[string], …).
func value[T any](r row) (v T, err error) { return v, r.Scan(&v) }

// ms is how a time is kept: Unix milliseconds, the zero time as 0.
func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// at is the reverse of [ms], in UTC.
func at(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// bit is how a boolean is kept.
func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// text is how a small structure is kept: as JSON. The reverse is [fromText].
func text(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("store: write json: %w", err)
	}
	return string(b), nil
}

// fromText reads what [text] wrote; the empty text leaves v as it is.
func fromText(s string, v any) error {
	if s == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(s), v); err != nil {
		return fmt.Errorf("store: read json: %w", err)
	}
	return nil
}

// domain makes a work package's Store interface (Update and View over its Tx) from the function
// that dresses a transaction.
type domain[T any] struct {
	s     *Store
	dress func(*tx) T
}

// Update runs f in one transaction and commits; f may be run again when others disturbed it.
func (d domain[T]) Update(ctx context.Context, f func(T) error) error {
	return d.s.update(ctx, func(t *tx) error { return f(d.dress(t)) })
}

// View runs f over one steady snapshot.
func (d domain[T]) View(ctx context.Context, f func(T) error) error {
	return d.s.view(ctx, func(t *tx) error { return f(d.dress(t)) })
}
