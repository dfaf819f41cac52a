package store

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"
)

// group lets writers who wait at the same moment share one transaction and one durable commit. SQLite
// has one writer anyway, and most of what a small change costs is its commit; on PostgreSQL, writers of
// one process all follow the end of its audit chain, and would disturb each other.
//
// Each writer runs in its own goroutine and inside its own savepoint, one after another, so that an
// error or a panic undoes that writer's change alone. Then everything is committed at once, and only
// then anybody learns that his change is kept. Who comes alone waits for nobody.
//
// A transaction sees the database as it was at its first statement. Who comes later may know of changes that it
// does not see, as his own of a moment ago, and waits for the next one.
type group struct {
	begin func(ctx context.Context) (shared, error)
	long  time.Duration // how long one transaction takes further writers in
	late  bool          // those who come later too: nobody else can have changed anything

	mu      sync.Mutex
	waiting []*member // under mu
	joined  uint64    // under mu: how many have come
	around  int       // under mu: who will write several times soon
	enough  chan bool // under mu: not nil while serve waits for more of them
	serving bool      // under mu
	crowds  time.Time // under mu: until when writers are to come here
	served  sync.WaitGroup
}

// Bounds of one shared transaction: a commit is not put off for longer, however many come.
const (
	groupMost = 256
	groupLong = 20 * time.Millisecond // group.long, except in tests
	// groupWait is how long a commit is put off for those who are around (group.attend).
	groupWait = 20 * time.Millisecond
	// groupStay is how long writers keep together after they disturbed each other, or had company.
	groupStay = time.Second
)

// shared is a transaction that several writers use in turn.
type shared interface {
	conn
	// mark begins the change of the next writer, keep ends it, undo takes it back.
	mark(ctx context.Context) error
	keep(ctx context.Context) error
	undo(ctx context.Context) error
}

// member is a writer who waits for his turn, and then for the commit.
type member struct {
	n    uint64      // his place among all who came; under group.mu
	turn chan ticket // once
	ran  chan bool   // once, after a turn with a transaction: is the change to be kept?
	done chan error  // once, when it was to be kept
}

type ticket struct {
	c   shared
	err error // there is no transaction
}

// errLost is the lot of a change that was in order when the transaction it shared was lost before the
// commit; it is tried again.
var errLost = errors.New("the shared transaction was lost")

// do runs f in a transaction shared with those who wait at the same moment, and returns when it is
// durable. A context that ends before f's turn is obeyed; afterwards the true result is returned.
func (g *group) do(ctx context.Context, f func(conn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m := &member{turn: make(chan ticket, 1), ran: make(chan bool, 1), done: make(chan error, 1)}
	g.join(m)
	select {
	case t := <-m.turn:
		return m.run(t, f)
	case <-ctx.Done():
		if !g.leave(m) { // its turn comes at this moment
			if t := <-m.turn; t.err == nil {
				m.ran <- false
			}
		}
		return ctx.Err()
	}
}

func (m *member) run(t ticket, f func(conn) error) error {
	if t.err != nil {
		return t.err
	}
	if err := m.own(t.c, f); err != nil {
		return err
	}
	return <-m.done
}

// own runs f and passes the turn on, even when f panics.
func (m *member) own(c conn, f func(conn) error) error {
	good := false
	defer func() { m.ran <- good }()
	err := f(c)
	good = err == nil
	return err
}

func (g *group) join(m *member) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.joined++
	m.n = g.joined
	g.waiting = append(g.waiting, m)
	g.call()
	if !g.serving {
		g.serving = true
		g.served.Go(g.serve)
	}
}

// attend says that somebody is at work who will write several times soon. While he is, a transaction begins
// when half of those who are around wait, or after groupWait: each of them costs less so.
func (g *group) attend() (leave func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.around++
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.around--
		g.call()
	}
}

// call wakes serve when enough wait; under mu.
func (g *group) call() {
	if g.enough != nil && 2*len(g.waiting) >= g.around {
		close(g.enough)
		g.enough = nil
	}
}

// missing is closed when enough wait; nil when they do already.
func (g *group) missing() chan bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if 2*len(g.waiting) < g.around {
		g.enough = make(chan bool)
	}
	return g.enough
}

// gather waits for those who are around.
func (g *group) gather() {
	enough := g.missing()
	if enough == nil {
		return
	}
	timer := time.NewTimer(groupWait)
	defer timer.Stop()
	select {
	case <-enough:
	case <-timer.C:
		g.mu.Lock()
		g.enough = nil
		g.mu.Unlock()
	}
}

// leave takes m out; false when it is out already.
func (g *group) leave(m *member) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, w := range g.waiting {
		if w == m {
			g.waiting = append(g.waiting[:i], g.waiting[i+1:]...)
			return true
		}
	}
	return false
}

// here is the number of the last writer whom a transaction that begins now may take in.
func (g *group) here() uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.late {
		return math.MaxUint64
	}
	return g.joined
}

// next takes the writer who waits for longest, of those up to a number; nil when there is none.
func (g *group) next(last uint64) *member {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.waiting) == 0 || g.waiting[0].n > last {
		return nil
	}
	m := g.waiting[0]
	g.waiting = g.waiting[1:]
	return m
}

// more reports whether anybody waits; when nobody does, serving ends.
func (g *group) more() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.serving = len(g.waiting) > 0
	return g.serving
}

// serve makes transactions as long as writers wait.
func (g *group) serve() {
	for g.more() {
		g.gather()
		g.batch()
	}
}

// batch makes one transaction of those who wait.
func (g *group) batch() {
	ctx := context.Background() // of nobody in particular
	c, err := g.begin(ctx)
	if err != nil {
		for m := g.next(math.MaxUint64); m != nil; m = g.next(math.MaxUint64) {
			m.turn <- ticket{err: fmt.Errorf("store: begin: %w", err)}
		}
		return
	}
	last := g.here() // its view of the database is younger than this
	var kept []*member
	var lost error
	end := time.Now().Add(g.long)
	for n := 0; n < groupMost && lost == nil && (n == 0 || time.Now().Before(end)); n++ {
		m := g.next(last)
		if m == nil {
			break
		}
		if lost = c.mark(ctx); lost != nil {
			m.turn <- ticket{err: fmt.Errorf("store: %w: %w", errLost, lost)}
			break
		}
		m.turn <- ticket{c: c}
		good := <-m.ran
		if good {
			if err = c.keep(ctx); err == nil {
				kept = append(kept, m)
				continue
			}
			m.done <- fmt.Errorf("store: %w", err) // it hid the error of a statement
		}
		lost = c.undo(ctx)
	}
	if len(kept) > 1 {
		g.crowd()
	}
	err = finish(ctx, c, len(kept) > 0, lost)
	for _, m := range kept {
		m.done <- err
	}
}

// finish commits what is to be kept. When it cannot, nothing is.
func finish(ctx context.Context, c conn, keep bool, lost error) error {
	if lost != nil || !keep {
		c.rollback(context.WithoutCancel(ctx))
		if lost != nil {
			return fmt.Errorf("store: %w: %w", errLost, lost)
		}
		return nil
	}
	if err := c.commit(ctx); err != nil {
		c.rollback(context.WithoutCancel(ctx))
		return fmt.Errorf("store: commit: %w", err)
	}
	return nil
}

// crowd has writers come here for a while.
func (g *group) crowd() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.crowds = time.Now().Add(groupStay)
}

func (g *group) crowded() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return time.Now().Before(g.crowds)
}

// close waits until nobody is served any more.
func (g *group) close() { g.served.Wait() }
