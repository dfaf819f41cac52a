package feed

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"

	"senim/internal/audit"
	"senim/internal/tlog"
)

// Folder is the public log as somebody may write it. It is used by one goroutine.
type Folder interface {
	// Size is how many entries stand there for good.
	Size() (int64, error)
	// Append adds entries and returns when they stand there for good, the first of them at position
	// first. An error says nothing about how many do.
	Append(ctx context.Context, first int64, entries [][]byte) error
	// Close ends writing, when what was added is published.
	Close() error
}

// LogConfig is what a [Log] needs.
type LogConfig struct {
	Store Store
	// Open opens the folder for writing with the log's signing key (a signer's key of signed notes). It
	// fails while anybody else has it open.
	Open func(ctx context.Context, secret string) (Folder, error)
	// Fetch reads the files of the same folder.
	Fetch tlog.Fetch
	// Origin names the log when it is made; it is kept for ever. No spaces, no '+'.
	Origin string
	// Node names this process among those that share the database, in the lease; it may be empty.
	Node string
	Now  func() time.Time // nil is time.Now
	Log  *slog.Logger     // nil discards
	// Lease is how long the one who writes may be silent before another may take over; zero is 30 s.
	Lease time.Duration
	// Poll is how often it is asked what is new; zero is half a second.
	Poll time.Duration
	// Late is from when on a certificate that is not in the log is an alarm; zero is a minute.
	Late time.Duration
}

// Log puts every certificate issued into the public log, once, in the order of each node's audit chain.
//
// The database gives out the places: a transaction writes down which certificates get the next ones, and
// moves the cursor; then they are written there. What a crash leaves in between is written at the next
// start, to the places they have. One process writes: it holds a lease in the database, and the folder's
// lock; and since the places and the content are settled before, even two would write the same log.
type Log struct {
	c     LogConfig
	token string
	key   tlog.Key
	last  string // the node read last; of the goroutine that writes

	mu     sync.Mutex
	health Health // guarded by mu
}

// Health says how the log does.
type Health struct {
	// Writing: this process is the one that writes.
	Writing bool `json:"writing"`
	// Size is how many entries the log has.
	Size int64 `json:"size"`
	// Lag is the age of the oldest certificate that is not in the log, in seconds.
	Lag float64 `json:"lag_seconds"`
	// Late: Lag is over its bound.
	Late bool `json:"late"`
	// Trouble is why it stands still; "" when it does not.
	Trouble string `json:"-"`
}

// OpenLog opens the log of an installation; the first time it gets its key.
func OpenLog(ctx context.Context, c LogConfig) (*Log, error) {
	if c.Store == nil || c.Open == nil || c.Fetch == nil {
		return nil, errors.New("open the public log: a part is missing")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	for d, zero := range map[*time.Duration]time.Duration{&c.Lease: 30 * time.Second, &c.Poll: 500 * time.Millisecond, &c.Late: time.Minute} {
		if *d == 0 {
			*d = zero
		}
	}
	l := &Log{c: c, token: c.Node + "/" + rand.Text()}
	if err := l.found(ctx); err != nil {
		return nil, fmt.Errorf("open the public log: %w", err)
	}
	return l, nil
}

// found reads the log's key, and makes it where there is none.
func (l *Log) found(ctx context.Context) error {
	secret, public, err := note.GenerateKey(rand.Reader, l.c.Origin)
	if err != nil || strings.ContainsAny(l.c.Origin, " +\n") || l.c.Origin == "" {
		return fmt.Errorf("the log cannot be called %q", l.c.Origin)
	}
	var s State
	err = l.c.Store.Update(ctx, func(tx Tx) (err error) {
		if s, err = tx.State(ctx); !errors.Is(err, ErrNotFound) {
			return err
		}
		s = State{Origin: l.c.Origin, Key: public, Secret: []byte(secret)}
		if err := tx.SaveState(ctx, s); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.Event{Action: "log.key_made", Actor: "system", Object: s.Origin, Result: "ok", Detail: map[string]string{"key": s.Key}})
	})
	if err != nil {
		return err
	}
	l.key, err = tlog.ParseKey(s.Key)
	return err
}

// Key is the log's public key, as it is written for people.
func (l *Log) Key(ctx context.Context) (key string, err error) {
	err = l.c.Store.View(ctx, func(tx Tx) error {
		s, err := tx.State(ctx)
		key = s.Key
		return err
	})
	return key, err
}

// Health says how the log does.
func (l *Log) Health() Health {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.health
}

// Errors of the one who writes.
var (
	// errStandby: another process writes.
	errStandby = errors.New("another process writes the log")
	errLost    = errors.New("the lease on the log ran out")
)

// Run follows what is issued until ctx ends. Trouble does not end it: it is reported, and tried again.
func (l *Log) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		err := l.write(ctx)
		if ctx.Err() != nil {
			break
		}
		l.report(ctx, err)
		if !wait(ctx, min(l.c.Lease/6, 10*l.c.Poll)) {
			break
		}
	}
	return nil
}

// report keeps and logs why the log is not written by us.
func (l *Log) report(ctx context.Context, err error) {
	quiet := errors.Is(err, errStandby)
	l.mu.Lock()
	l.health.Writing, l.health.Trouble = false, ""
	if !quiet {
		l.health.Trouble = err.Error()
	}
	l.mu.Unlock()
	if !quiet {
		l.c.Log.ErrorContext(ctx, "the public log stands still", "error", err)
	}
	if b, nerr := next(ctx, l.c.Store, logFeed, ""); nerr == nil {
		l.lag(ctx, b)
	}
}

// lag notes the age of the oldest certificate that waits, and alarms when it is over its bound.
func (l *Log) lag(ctx context.Context, b batch) {
	lag := time.Duration(0)
	if len(b.issued) > 0 {
		lag = l.c.Now().Sub(b.issued[0].At)
	}
	l.mu.Lock()
	was := l.health.Late
	l.health.Lag, l.health.Late = lag.Seconds(), lag > l.c.Late
	late := l.health.Late
	l.mu.Unlock()
	switch {
	case late && !was:
		l.c.Log.ErrorContext(ctx, "certificates wait to get into the public log", "oldest", lag.String())
	case was && !late:
		l.c.Log.InfoContext(ctx, "the public log is up to date again")
	}
}

// write takes the lease and writes until something is wrong or ctx ends.
func (l *Log) write(ctx context.Context) (err error) {
	s, err := l.hold(ctx, func(Tx, *State) error { return nil })
	if err != nil {
		return err
	}
	folder, err := l.c.Open(ctx, string(s.Secret))
	if err != nil {
		return errors.Join(err, l.release(ctx))
	}
	defer func() { err = errors.Join(err, folder.Close(), l.release(ctx)) }()
	if err := l.recover(ctx, folder); err != nil {
		return err
	}
	for {
		n, err := l.step(ctx, folder)
		if err != nil {
			return err
		}
		if n == 0 && !wait(ctx, l.c.Poll) {
			return nil
		}
		if ctx.Err() != nil {
			return nil
		}
	}
}

// hold makes a change as the one who writes: it takes or renews the lease in the same transaction.
func (l *Log) hold(ctx context.Context, change func(Tx, *State) error) (s State, err error) {
	err = l.c.Store.Update(ctx, func(tx Tx) (err error) {
		if s, err = tx.State(ctx); err != nil {
			return err
		}
		now := l.c.Now()
		if s.Writer != l.token && now.Before(s.Until) {
			return errStandby
		}
		s.Writer, s.Until = l.token, now.Add(l.c.Lease)
		if err := change(tx, &s); err != nil {
			return err
		}
		return tx.SaveState(ctx, s)
	})
	return s, err
}

// release gives the lease back, so that another need not wait for its end.
func (l *Log) release(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	return l.c.Store.Update(ctx, func(tx Tx) error {
		s, err := tx.State(ctx)
		if err != nil || s.Writer != l.token {
			return err
		}
		s.Writer, s.Until = "", time.Time{}
		return tx.SaveState(ctx, s)
	})
}

// Origin is the log's name.
func (l *Log) Origin() string { return l.key.Origin() }
