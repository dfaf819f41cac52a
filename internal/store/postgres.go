package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

type postgresEngine struct {
	pool     *pgxpool.Pool
	inserter *river.Client[pgx.Tx]
	log      *slog.Logger
}

// openLock is the advisory lock held while a node opens the database. The number is ours.
const openLock = 0x53454e494d // "SENIM"

func openPostgres(ctx context.Context, url string, log *slog.Logger) (*postgresEngine, error) {
	c, err := pgxpool.ParseConfig(url)
	if err != nil {
		// pgx's message has the password already masked, but its address may be telling enough
		return nil, errors.New("open postgres: the database URL cannot be read")
	}
	if c.MaxConns < 16 {
		c.MaxConns = 16 // River listens on one and works on some
	}
	c.ConnConfig.RuntimeParams["timezone"] = "UTC"
	c.ConnConfig.RuntimeParams["application_name"] = "senim"
	pool, err := pgxpool.NewWithConfig(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("open postgres: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("open postgres: %w", err)
	}
	inserter, err := river.NewClient(riverpgxv5.New(pool), inserting(log))
	if err != nil {
		pool.Close()
		return nil, fmt.Errorf("open postgres: jobs: %w", err)
	}
	return &postgresEngine{pool: pool, inserter: inserter, log: log}, nil
}

func (e *postgresEngine) single() bool { return false }

func (e *postgresEngine) name() string { return "postgres" }

func (e *postgresEngine) close() error { e.pool.Close(); return nil }

func (e *postgresEngine) begin(ctx context.Context, write bool) (conn, error) {
	o := pgx.TxOptions{IsoLevel: pgx.Serializable}
	if !write {
		o = pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	}
	t, err := e.pool.BeginTx(ctx, o)
	if err != nil {
		return nil, err
	}
	return postgresConn{t, e.inserter, false}, nil
}

// again: serialization_failure and deadlock_detected.
func (e *postgresEngine) again(err error) bool {
	f, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (f.Code == "40001" || f.Code == "40P01")
}

// full: disk_full, and io_error of the system.
func (e *postgresEngine) full(err error) bool {
	f, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (f.Code == "53100" || f.Code == "58030")
}

func (e *postgresEngine) locked(ctx context.Context, f func() error) error {
	c, err := e.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("open postgres: %w", err)
	}
	defer c.Release()
	if _, err := c.Exec(ctx, "select pg_advisory_lock($1)", int64(openLock)); err != nil {
		return fmt.Errorf("open postgres: wait for other nodes: %w", err)
	}
	defer func() {
		_, _ = c.Exec(context.WithoutCancel(ctx), "select pg_advisory_unlock($1)", int64(openLock))
	}()
	// PostgreSQL has no blob; with this name the one text of SQL serves both.
	const blob = `do $$ begin create domain blob as bytea; exception when duplicate_object then null; end $$`
	if _, err := c.Exec(ctx, blob); err != nil {
		return fmt.Errorf("open postgres: %w", err)
	}
	return f()
}

func (e *postgresEngine) ready(context.Context) error { return nil }

func (e *postgresEngine) migrateJobs(ctx context.Context) error {
	m, err := rivermigrate.New(riverpgxv5.New(e.pool), &rivermigrate.Config{Logger: quiet()})
	if err != nil {
		return err
	}
	_, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

func (e *postgresEngine) work(ctx context.Context, w crew) (func(context.Context) error, error) {
	return startClient(ctx, riverpgxv5.New(e.pool), w.config(e.log))
}

// share opens a transaction for several writers: no one's context ends it or a statement of it midway.
func (e *postgresEngine) share(ctx context.Context) (shared, error) {
	t, err := e.pool.BeginTx(context.WithoutCancel(ctx), pgx.TxOptions{IsoLevel: pgx.Serializable})
	if err != nil {
		return nil, err
	}
	return postgresConn{t, e.inserter, true}, nil
}

type postgresConn struct {
	t        pgx.Tx
	inserter *river.Client[pgx.Tx]
	steady   bool // statements are not interrupted
}

// context is the one to run a statement with, or why it is not run.
func (c postgresConn) context(ctx context.Context) (context.Context, error) {
	if !c.steady {
		return ctx, nil
	}
	return context.WithoutCancel(ctx), ctx.Err()
}

func (c postgresConn) exec(ctx context.Context, q string, args []any) (int64, error) {
	ctx, err := c.context(ctx)
	if err != nil {
		return 0, err
	}
	r, err := c.t.Exec(ctx, q, args...)
	return r.RowsAffected(), err
}

func (c postgresConn) query(ctx context.Context, q string, args []any) (rows, error) {
	ctx, err := c.context(ctx)
	if err != nil {
		return nil, err
	}
	return c.t.Query(ctx, q, args...) //nolint:sqlclosecheck // the caller walks, checks and closes them
}

func (c postgresConn) queryRow(ctx context.Context, q string, args []any) row {
	ctx, err := c.context(ctx)
	if err != nil {
		return failed{err}
	}
	return c.t.QueryRow(ctx, q, args...)
}

func (c postgresConn) insertJob(ctx context.Context, e envelope, at time.Time) error {
	ctx, err := c.context(ctx)
	if err != nil {
		return err
	}
	_, err = c.inserter.InsertTx(ctx, c.t, e, e.options(at))
	return err
}

func (c postgresConn) insertJobs(ctx context.Context, all []asked) error {
	ctx, err := c.context(ctx)
	if err != nil {
		return err
	}
	_, err = c.inserter.InsertManyTx(ctx, c.t, inserts(all))
	return err
}

func (c postgresConn) mark(ctx context.Context) error {
	_, err := c.exec(ctx, "savepoint writer", nil)
	return err
}

func (c postgresConn) keep(ctx context.Context) error {
	_, err := c.exec(ctx, "release writer", nil)
	return err
}

func (c postgresConn) undo(ctx context.Context) error {
	if _, err := c.exec(ctx, "rollback to writer", nil); err != nil {
		return err
	}
	return c.keep(ctx)
}

func (c postgresConn) commit(ctx context.Context) error { return c.t.Commit(ctx) }

func (c postgresConn) rollback(ctx context.Context) { _ = c.t.Rollback(ctx) }
