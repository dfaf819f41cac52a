// Package store keeps everything Senim must not forget, in SQLite or in PostgreSQL, with one text
// of SQL for both.
//
// [Open] gives a [Store]; its methods named after domains ([Store.Registry], …) give each work
// package the small Store interface it declares. Every change is one transaction, serializable, and
// the jobs, audit records and letters that follow from it are rows of the same transaction:
// [Store.Handle], [Store.Start] and [Store.Stop] run those jobs (River inside).
//
// # Writing a domain's file
//
// See registry.go for the pattern: a type that embeds *tx has Enqueue, Audit, Notify and Hash
// already; [domain] makes the Update and View pair; [one], [list], tx.exec do the rest. Rules:
//
//   - placeholders $1, $2 …; types text, bigint, blob; no autoincrement (use returning with
//     coalesce(max(id),0)+1, or ids of your own); columns by name; "on conflict … do nothing" and
//     a look at the count of rows instead of catching a duplicate (PostgreSQL gives up a
//     transaction after an error); booleans are bigint 0 and 1; times are [ms] and [at]
//   - migrations use "create table if not exists", "create index if not exists": a migration may
//     be run twice
//   - the function given to Update touches nothing but its transaction: it may be run again. It
//     never opens a second Update (on SQLite that waits for itself for ever)
//
// It refuses: a database written by a newer Senim, and a migration changed after it was applied.
package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"os"
	"strings"
	"sync"
	"time"

	"senim/internal/audit"
)

// Config says which database, and who we are.
type Config struct {
	// URL is postgres://… for PostgreSQL, else the path of an SQLite file; "" means senim.db in
	// the current directory. The file is made when it is not there.
	URL string
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Node names this process among those that share the database; it names the audit chain.
	// Empty means the host's name. Two live processes must not use one name.
	Node string
	// MaxPages bounds an SQLite file, in pages of 4 KiB; zero leaves it to the disk. A full one takes
	// nothing more, so nothing more is done.
	MaxPages int64
	// Log gets what operators should know; nil means slog.Default.
	Log *slog.Logger
	// Key is the installation key, 32 bytes: it seals addresses and keys the hashes of personal
	// numbers. Nil means a random key kept in the database itself, which guards against leaks
	// through logs and exports but not against one who reads the whole database: give a key from
	// a secret file in production. Opening with another key than before is refused.
	Key []byte
}

// Store is an open database. It is safe for concurrent use.
type Store struct {
	engine engine
	now    func() time.Time
	node   string
	log    *slog.Logger
	key    []byte

	// writers is where changes share transactions.
	writers group
	// last is the newest record of our audit chain as the writer whose turn it is left it. It may be out
	// of date, which inserting after it finds out.
	last audit.Record

	// jobs guards what follows.
	jobs    sync.Mutex
	started bool
	handled map[string]handling
	timed   []timed
	stop    func(context.Context) error
}

// Open opens the database, brings its tables up to date and returns it. Two nodes may open one
// database at the same moment. Close it with [Store.Close].
func Open(ctx context.Context, c Config) (*Store, error) {
	s := &Store{now: c.Now, node: c.Node, log: c.Log, handled: map[string]handling{}}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.node == "" {
		s.node, _ = os.Hostname()
	}
	var err error
	if strings.HasPrefix(c.URL, "postgres://") || strings.HasPrefix(c.URL, "postgresql://") {
		s.engine, err = openPostgres(ctx, c.URL, s.log)
	} else {
		s.engine, err = openSQLite(ctx, c.URL, c.MaxPages, s.log)
	}
	if err != nil {
		return nil, err
	}
	s.writers.begin, s.writers.long, s.writers.late = s.engine.share, groupLong, s.engine.single()
	if err = s.engine.locked(ctx, func() error { return s.migrate(ctx) }); err == nil {
		err = errors.Join(s.engine.ready(ctx), s.useKey(ctx, c.Key))
	}
	if err != nil {
		return nil, errors.Join(err, s.engine.close())
	}
	return s, nil
}

// Close stops jobs that still run (waiting up to ten seconds) and closes the database.
func (s *Store) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err := s.Stop(ctx)
	s.writers.close()
	return errors.Join(err, s.engine.close())
}

// engine is what SQLite and PostgreSQL do each in their own way.
type engine interface {
	// begin opens a transaction: serializable for writing, a steady snapshot for reading.
	begin(ctx context.Context, write bool) (conn, error)
	// share opens one for several writers in turn.
	share(ctx context.Context) (shared, error)
	// again reports that a transaction failed only because of others at the same time.
	again(err error) bool
	// full reports that there is no room to write.
	full(err error) bool
	// locked runs f while no other node that opens this database does the same.
	locked(ctx context.Context, f func() error) error
	// migrateJobs brings River's tables up to date.
	migrateJobs(ctx context.Context) error
	// ready prepares an up-to-date database for work.
	ready(ctx context.Context) error
	// work runs jobs until the returned function is called.
	work(ctx context.Context, w crew) (stop func(context.Context) error, err error)
	// leap is how jobs are moved in time.
	leap() leap
	// single reports that there is one writer at a time in any case.
	single() bool
	name() string
	close() error
}

// conn is an open transaction of an engine.
type conn interface {
	exec(ctx context.Context, sql string, args []any) (int64, error)
	query(ctx context.Context, sql string, args []any) (rows, error)
	queryRow(ctx context.Context, sql string, args []any) row
	// bulk writes many rows of a table at once.
	bulk(ctx context.Context, table string, columns []string, rows [][]any) error
	insertJob(ctx context.Context, e envelope, at time.Time) error
	insertJobs(ctx context.Context, all []asked) error
	commit(ctx context.Context) error
	rollback(ctx context.Context)
}

// tries bounds how often a transaction that others disturbed is run again.
const tries = 60

// update runs f in one serializable transaction and commits it; when others disturbed it, it is run
// again from the beginning. f's error, and only that, is returned as it is.
func (s *Store) update(ctx context.Context, f func(*tx) error) error {
	for n := 0; ; n++ {
		err := s.try(ctx, n > 0, f)
		if err != nil && s.engine.full(err) && !errors.Is(err, audit.ErrUnwritten) {
			err = fmt.Errorf("%w: %w", audit.ErrUnwritten, err)
		}
		if err == nil || !s.engine.again(err) && !errors.Is(err, errLost) {
			return err
		}
		if n == tries {
			return fmt.Errorf("store: transaction disturbed %d times: %w", n, err)
		}
		if err := pause(ctx, n); err != nil {
			return err
		}
	}
}

// try runs f once: in a transaction of its own where several may write at once and do not disturb each
// other, else in a shared one.
func (s *Store) try(ctx context.Context, again bool, f func(*tx) error) error {
	if again || s.engine.single() || s.writers.crowded() {
		return s.writers.do(ctx, func(c conn) error { return s.run(&tx{s: s, c: c, turn: true}, f) })
	}
	err := s.alone(ctx, f)
	if err != nil && s.engine.again(err) {
		s.writers.crowd()
	}
	return err
}

// alone runs f in a transaction of its own.
func (s *Store) alone(ctx context.Context, f func(*tx) error) (err error) {
	c, err := s.engine.begin(ctx, true)
	if err != nil {
		return fmt.Errorf("store: begin: %w", err)
	}
	done := false
	defer func() {
		if !done {
			c.rollback(context.WithoutCancel(ctx)) // f failed, or panicked
		}
	}()
	if err := s.run(&tx{s: s, c: c}, f); err != nil {
		return err
	}
	done = true
	return finish(ctx, c, true, nil)
}

// run gives f the transaction. A disturbance counts for more than what f made of it.
func (s *Store) run(t *tx, f func(*tx) error) error {
	err := f(t)
	if t.disturbed != nil {
		return t.disturbed // f may have hidden it, but the change is lost all the same
	}
	return err
}

// view runs f over one steady snapshot. Writing in it fails.
func (s *Store) view(ctx context.Context, f func(*tx) error) error {
	c, err := s.engine.begin(ctx, false)
	if err != nil {
		return fmt.Errorf("store: begin: %w", err)
	}
	defer c.rollback(context.WithoutCancel(ctx))
	return f(&tx{s: s, c: c})
}

// pause waits before the n-th further try: up to 1, 2, 4 … 64 ms, by chance.
func pause(ctx context.Context, n int) error {
	most := int64(time.Millisecond) << min(n, 6)
	d, err := rand.Int(rand.Reader, big.NewInt(most))
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Duration(d.Int64())):
		return nil
	}
}
