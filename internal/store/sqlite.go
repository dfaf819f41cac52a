package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"modernc.org/sqlite"
)

// sqliteEngine keeps two pools: one connection for everything that writes, shared with River, since
// SQLite has one writer anyway; and readers, who in WAL mode never wait for it.
type sqliteEngine struct {
	write, read *sql.DB
	inserter    *river.Client[*sql.Tx]
	log         *slog.Logger
}

func openSQLite(ctx context.Context, path string, maxPages int64, log *slog.Logger) (*sqliteEngine, error) {
	if path == "" {
		path = "senim.db"
	}
	path, err := filepath.Abs(strings.TrimPrefix(path, "file:"))
	if err != nil {
		return nil, fmt.Errorf("open sqlite: %w", err)
	}
	// immediate: a transaction that reads first and writes later would otherwise fail as busy.
	// full: a commit is on the disk when it returns, as an authority needs.
	const pragmas = "_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)"
	name := (&url.URL{Scheme: "file", Path: path}).String()
	// The writer's log is laid into the file every 32 MiB rather than 4, and the upper pages of its indices stay
	// in memory: a record of a random number costs fewer pages so, and loads of whole registries keep theirs at hand.
	bound := "&_pragma=wal_autocheckpoint(8000)&_pragma=cache_size(-32768)"
	if maxPages > 0 {
		bound += fmt.Sprintf("&_pragma=max_page_count(%d)", maxPages)
	}
	write, err := openPool(name + "?_txlock=immediate&" + pragmas + bound)
	if err != nil {
		return nil, fmt.Errorf("open sqlite: %w", err)
	}
	write.SetMaxOpenConns(1)
	e := &sqliteEngine{write: write, log: log}
	// Makes the file, before a reader looks for it. The change to WAL does not wait for others who open
	// the same new file at the same moment, whatever busy_timeout says.
	if err := e.locked(ctx, func() error { return write.PingContext(ctx) }); err != nil {
		return nil, errors.Join(fmt.Errorf("open sqlite: %w", err), write.Close())
	}
	read, err := openPool(name + "?" + pragmas + "&_pragma=query_only(1)")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open sqlite: %w", err), write.Close())
	}
	read.SetMaxOpenConns(8)
	inserter, err := river.NewClient(riversqlite.New(write), inserting(log))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open sqlite: jobs: %w", err), write.Close(), read.Close())
	}
	e.read, e.inserter = read, inserter
	return e, nil
}

func (e *sqliteEngine) single() bool { return true }

func (e *sqliteEngine) name() string { return "sqlite" }

func (e *sqliteEngine) close() error {
	return errors.Join(e.read.Close(), e.write.Close())
}

func (e *sqliteEngine) begin(ctx context.Context, write bool) (conn, error) {
	if write {
		return e.share(ctx)
	}
	t, err := e.read.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	return &sqliteConn{t: t}, nil
}

// share opens the writing transaction. No context ends it or a statement of it midway: SQLite answers
// an interrupted statement with the loss of the whole transaction, which is not one writer's.
func (e *sqliteEngine) share(ctx context.Context) (shared, error) {
	t, err := e.write.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return nil, err
	}
	return &sqliteConn{t: t, inserter: e.inserter, steady: true}, nil
}

// again: SQLITE_BUSY and SQLITE_LOCKED, which another process may cause.
func (e *sqliteEngine) again(err error) bool {
	if f, ok := errors.AsType[*sqlite.Error](err); ok {
		code := f.Code() & 0xff
		return code == 5 || code == 6
	}
	return false
}

// full: SQLITE_FULL and SQLITE_IOERR.
func (e *sqliteEngine) full(err error) bool {
	f, ok := errors.AsType[*sqlite.Error](err)
	return ok && (f.Code()&0xff == 13 || f.Code()&0xff == 10)
}

// locked runs f, and again when another process opened the same file at the same moment: its
// steps are transactions and look first what is done already.
func (e *sqliteEngine) locked(ctx context.Context, f func() error) error {
	var err error
	for n := range 5 {
		if err = f(); err == nil {
			return nil
		}
		if _, ok := errors.AsType[*sqlite.Error](err); !ok {
			return err
		}
		if p := pause(ctx, n+6); p != nil {
			return p
		}
	}
	return err
}

// ready has the writer keep in memory what a savepoint would take back. In a file, as it is by default once it is
// larger than 64 KiB, that cost a quarter of an issue. Migrations come before: what they sort may be large.
func (e *sqliteEngine) ready(ctx context.Context) error {
	_, err := e.write.ExecContext(ctx, "pragma temp_store=memory")
	return err
}

func (e *sqliteEngine) migrateJobs(ctx context.Context) error {
	m, err := rivermigrate.New(riversqlite.New(e.write), &rivermigrate.Config{Logger: quiet()})
	if err != nil {
		return err
	}
	_, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

func (e *sqliteEngine) work(ctx context.Context, w crew) (func(context.Context) error, error) {
	c := w.config(e.log)
	c.FetchPollInterval = 150 * time.Millisecond // SQLite tells nobody of new rows
	return startClient(ctx, riversqlite.New(e.write), c)
}

type sqliteConn struct {
	t        *sql.Tx
	inserter *river.Client[*sql.Tx]
	steady   bool // statements are not interrupted
	marks    int  // writers so far
}

// context is the one to run a statement with, or why it is not run.
func (c *sqliteConn) context(ctx context.Context) (context.Context, error) {
	if !c.steady {
		return ctx, nil
	}
	return context.WithoutCancel(ctx), ctx.Err()
}

func (c *sqliteConn) exec(ctx context.Context, q string, args []any) (int64, error) {
	ctx, err := c.context(ctx)
	if err != nil {
		return 0, err
	}
	r, err := c.t.ExecContext(ctx, q, args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

func (c *sqliteConn) query(ctx context.Context, q string, args []any) (rows, error) {
	ctx, err := c.context(ctx)
	if err != nil {
		return nil, err
	}
	r, err := c.t.QueryContext(ctx, q, args...) //nolint:rowserrcheck // the caller walks, checks and closes them
	if err != nil {
		return nil, err
	}
	return sqliteRows{r}, nil
}

func (c *sqliteConn) queryRow(ctx context.Context, q string, args []any) row {
	ctx, err := c.context(ctx)
	if err != nil {
		return failed{err}
	}
	return c.t.QueryRowContext(ctx, q, args...)
}

// failed is the row of a statement that was not run.
type failed struct{ err error }

func (f failed) Scan(...any) error { return f.err }

func (c *sqliteConn) insertJob(ctx context.Context, e envelope, at time.Time) error {
	ctx, err := c.context(ctx)
	if err != nil {
		return err
	}
	_, err = c.inserter.InsertTx(ctx, c.t, e, e.options(at))
	return err
}

func (c *sqliteConn) insertJobs(ctx context.Context, all []asked) error {
	ctx, err := c.context(ctx)
	if err != nil {
		return err
	}
	_, err = c.inserter.InsertManyTx(ctx, c.t, inserts(all))
	return err
}

// mark makes no savepoint for the first writer: what he may have to take back is the whole transaction, and
// SQLite copies no page for it. That spares who writes much, alone, as a list of a million entries.
func (c *sqliteConn) mark(ctx context.Context) error {
	if c.marks++; c.marks == 1 {
		return nil
	}
	_, err := c.exec(ctx, "savepoint writer", nil)
	return err
}

func (c *sqliteConn) keep(ctx context.Context) error {
	if c.marks == 1 {
		return nil
	}
	_, err := c.exec(ctx, "release writer", nil)
	return err
}

func (c *sqliteConn) undo(ctx context.Context) error {
	if c.marks == 1 {
		if _, err := c.exec(ctx, "rollback", nil); err != nil {
			return err
		}
		_, err := c.exec(ctx, "begin immediate", nil)
		return err
	}
	if _, err := c.exec(ctx, "rollback to writer", nil); err != nil {
		return err
	}
	return c.keep(ctx)
}

func (c *sqliteConn) commit(context.Context) error { return c.t.Commit() }

func (c *sqliteConn) rollback(context.Context) { _ = c.t.Rollback() }

type sqliteRows struct{ *sql.Rows }

func (r sqliteRows) Close() { _ = r.Rows.Close() }
