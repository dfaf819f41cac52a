package store_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"senim/internal/audit"
	"senim/internal/store"
)

// notes is a store with a table of numbers, and the chain of audit records that goes with it.
type notes struct {
	*store.Store
}

func newNotes(t *testing.T, url string) notes {
	t.Helper()
	s := open(t, store.Config{URL: url})
	do(t, s, func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), `create table note (id bigint primary key)`)
		return err
	})
	return notes{s}
}

func (n notes) add(ctx context.Context, id int, then func(*store.Tx) error) error {
	return n.Do(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec(ctx, `insert into note (id) values ($1)`, id); err != nil {
			return err
		}
		if err := tx.Audit(ctx, audit.Event{Action: "test.note", Object: fmt.Sprint(id)}); err != nil {
			return err
		}
		return then(tx)
	})
}

func nothing(*store.Tx) error { return nil }

// has compares what is kept with what is wanted, and the chain with both.
func (n notes) has(t *testing.T, want ...int) {
	t.Helper()
	err := n.See(t.Context(), func(tx *store.Tx) error {
		all, err := tx.Int(t.Context(), `select count(*) from note`)
		if err == nil && int(all) != len(want) {
			t.Errorf("%d notes, want %d", all, len(want))
		}
		for _, id := range want {
			if had, err := tx.Int(t.Context(), `select count(*) from note where id = $1`, id); err != nil || had != 1 {
				t.Errorf("note %d: %d, %v", id, had, err)
			}
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if good, err := n.VerifyAudit(t.Context()); err != nil || int(good) != len(want) {
		t.Errorf("audit: %d good of %d, %v", good, len(want), err)
	}
}

// together runs fs so that they share one transaction, in this order: a first writer, of note 0, holds
// one until all others wait, and then what is in between is done. On SQLite it is the same one. The error is the
// first writer's.
func (n notes) together(t *testing.T, between func(), fs ...func()) error {
	t.Helper()
	n.Crowd()
	held, release := make(chan bool, 1), make(chan bool)
	first := make(chan error)
	go func() {
		first <- n.add(context.WithoutCancel(t.Context()), 0, func(*store.Tx) error {
			select {
			case held <- true:
			default: // run again
			}
			<-release
			return nil
		})
	}()
	<-held
	var wait sync.WaitGroup
	for i, f := range fs {
		wait.Go(f)
		n.wait(i + 1)
	}
	between()
	close(release)
	wait.Wait()
	return <-first
}

func (n notes) wait(waiting int) {
	for n.Waiting() != waiting {
		runtime.Gosched()
	}
}

// One of several writers in a transaction fails, panics, is stopped, hides an error: the others do not
// notice, and the chain of audit records has no gap.
func TestSharedTransactionIsolatesItsWriters(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		n := newNotes(t, url)
		errNo := errors.New("no")
		ctx := context.WithoutCancel(t.Context())
		good := func(id int) func() {
			return func() {
				if err := n.add(ctx, id, nothing); err != nil {
					t.Errorf("note %d: %v", id, err)
				}
			}
		}
		stopped, stop := context.WithCancel(ctx)
		gone, leave := context.WithCancel(ctx)
		err := n.together(t, func() {
			leave()
			n.wait(12) // of the thirteen below
		}, good(1),
			func() {
				if err := n.add(ctx, 2, func(*store.Tx) error { return errNo }); !errors.Is(err, errNo) || err.Error() != errNo.Error() {
					t.Errorf("its own error: %v", err)
				}
			}, good(3),
			func() {
				panicked(t, func() { _ = n.add(ctx, 4, func(*store.Tx) error { panic("in the middle") }) })
			}, good(5),
			func() { // its context ends while it runs
				err := n.add(stopped, 6, func(tx *store.Tx) error {
					stop()
					_, err := tx.Int(stopped, `select count(*) from note`)
					return err
				})
				if !errors.Is(err, context.Canceled) {
					t.Errorf("stopped: %v", err)
				}
			}, good(7),
			func() { // its goroutine ends while it runs
				var wait sync.WaitGroup
				wait.Go(func() { _ = n.add(ctx, 8, func(*store.Tx) error { runtime.Goexit(); return nil }) })
				wait.Wait()
			}, good(9),
			func() { // it makes nothing of a failed statement: on PostgreSQL its change is lost by that
				err := n.add(ctx, 10, func(tx *store.Tx) error {
					_, _ = tx.Exec(ctx, `insert into note (id) values (10)`)
					return nil
				})
				if err != nil {
					good(10)()
				}
			}, good(11),
			func() { // it does not wait for its turn
				if err := n.add(gone, 12, nothing); !errors.Is(err, context.Canceled) {
					t.Errorf("gone before its turn: %v", err)
				}
			}, good(13))
		if err != nil {
			t.Error(err)
		}
		n.has(t, 0, 1, 3, 5, 7, 9, 10, 11, 13)
	})
}

// A commit that fails is everybody's: none of those who shared it is told that his change is kept.
func TestSharedCommitFails(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		n := newNotes(t, url)
		ctx := context.WithoutCancel(t.Context())
		do(t, n.Store, func(tx *store.Tx) error {
			_, err := tx.Exec(ctx, `create table answer (id bigint primary key references note (id) deferrable initially deferred)`)
			return err
		})
		fails := func(id int, then func(*store.Tx) error) func() {
			return func() {
				if err := n.add(ctx, id, then); err == nil {
					t.Errorf("note %d: kept", id)
				}
			}
		}
		err := n.together(t, func() {}, fails(1, nothing), fails(2, func(tx *store.Tx) error {
			_, err := tx.Exec(ctx, `insert into answer (id) values (99)`) // found out at the commit
			return err
		}), fails(3, nothing))
		var kept []int
		if n.Engine() == "postgres" { // the first one saw the database before the others came, and shares with none of them
			kept = []int{0}
		}
		if (err == nil) != (kept != nil) {
			t.Errorf("note 0: %v", err)
		}
		n.has(t, kept...)
		if err := n.add(ctx, 4, nothing); err != nil {
			t.Errorf("afterwards: %v", err)
		}
		n.has(t, append(kept, 4)...)
	})
}

// A thousand at once are all there when the database is opened again.
func TestThousandAtOnce(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		n := newNotes(t, url)
		var wait sync.WaitGroup
		for id := range 1000 {
			wait.Go(func() {
				if err := n.add(t.Context(), id, nothing); err != nil {
					t.Errorf("note %d: %v", id, err)
				}
			})
		}
		wait.Wait()
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
		again := notes{open(t, store.Config{URL: url, Node: "other"})}
		err := again.See(t.Context(), func(tx *store.Tx) error {
			sum, err := tx.Int(t.Context(), `select count(*) * 1000000 + sum(id) from note`)
			if sum != 1000*1000000+999*1000/2 {
				t.Errorf("sum %d", sum)
			}
			return err
		})
		if good, verr := again.VerifyAudit(t.Context()); err != nil || verr != nil || good != 1000 {
			t.Errorf("%v, audit: %d good, %v", err, good, verr)
		}
	})
}

// Two processes that write one chain, against the rule, still make a good one: each notices the other,
// and that what it remembers as the end is not.
func TestChainOfTwoProcesses(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		n := newNotes(t, url)
		other := notes{open(t, store.Config{URL: url})}
		for id := range 6 {
			who := n
			if id%3 == 1 {
				who = other
			}
			who.Crowd()
			if err := who.add(t.Context(), id, nothing); err != nil {
				t.Fatal(err)
			}
		}
		n.has(t, 0, 1, 2, 3, 4, 5)
	})
}

// What a start looks for is found by an index that holds nothing else, however much was issued.
func TestIntendedAreFoundByTheirIndex(t *testing.T) {
	s := open(t, store.Config{URL: filepath.Join(t.TempDir(), "senim.db")})
	do(t, s, func(tx *store.Tx) error {
		plan, err := tx.Plan(t.Context(), store.Intended, "", 10)
		if !strings.Contains(plan, "ca_certificates_intended") || strings.Contains(plan, "TEMP") {
			t.Errorf("plan: %s", plan)
		}
		return err
	})
}
