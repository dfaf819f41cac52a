package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"sort"
	"sync"
	"testing"
	"time"

	"senim/internal/job"
	"senim/internal/store"
)

// A job is run if and only if the transaction that asked for it committed.
func TestJobRunsIffCommitted(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		s := open(t, store.Config{URL: url})
		done := make(chan int, 100)
		s.Handle("test.note", func(_ context.Context, payload []byte) error {
			var n int
			err := json.Unmarshal(payload, &n)
			done <- n
			return err
		})
		errNo := errors.New("no")
		for n := range 20 {
			err := s.Do(t.Context(), func(tx *store.Tx) error {
				if err := tx.Enqueue(t.Context(), job.Job{Kind: "test.note", Payload: n}); err != nil {
					return err
				}
				if n%2 == 1 {
					return errNo
				}
				return nil
			})
			if n%2 == 1 != errors.Is(err, errNo) {
				t.Fatalf("%d: %v", n, err)
			}
		}
		panicked(t, func() {
			_ = s.Do(t.Context(), func(tx *store.Tx) error {
				_ = tx.Enqueue(t.Context(), job.Job{Kind: "test.note", Payload: 99})
				panic("crash between insert and commit")
			})
		})
		start(t, s)
		var got []int
		for range 10 {
			got = append(got, wait(t, done))
		}
		if err := s.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		sort.Ints(got)
		for i, n := range got {
			if n != 2*i {
				t.Fatalf("ran %v", got)
			}
		}
		if len(done) != 0 {
			t.Errorf("ran more: %d", <-done)
		}
	})
}

func TestJobAfterStartIsUniqueRetriedAndTimed(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		s := open(t, store.Config{URL: url})
		var mu sync.Mutex
		runs := map[string]int{}
		done := make(chan string, 100)
		s.Handle("test.run", func(_ context.Context, payload []byte) error {
			var name string
			if err := json.Unmarshal(payload, &name); err != nil {
				return err
			}
			mu.Lock()
			runs[name]++
			n := runs[name]
			mu.Unlock()
			if name == "flaky" && n == 1 {
				return errors.New("the first try fails")
			}
			if name == "hopeless" {
				done <- name
				return permanent{}
			}
			done <- name
			return nil
		})
		s.Every(time.Hour, job.Job{Kind: "test.run", Payload: "timed", Unique: "timed"})
		enqueue := func(j job.Job) {
			t.Helper()
			do(t, s, func(tx *store.Tx) error { return tx.Enqueue(t.Context(), j) })
		}
		for range 3 {
			enqueue(job.Job{Kind: "test.run", Payload: "once", Unique: "x", At: time.Now().Add(300 * time.Millisecond)})
		}
		start(t, s)
		enqueue(job.Job{Kind: "test.run", Payload: "flaky"})
		enqueue(job.Job{Kind: "test.run", Payload: "hopeless"})
		enqueue(job.Job{Kind: "test.nobody", Payload: 1})
		got := map[string]int{}
		for range 4 {
			got[wait(t, done)]++
		}
		for _, name := range []string{"once", "flaky", "hopeless", "timed"} {
			if got[name] != 1 {
				t.Errorf("%s ran %d times", name, got[name])
			}
		}
	})
}

type permanent struct{}

func (permanent) Error() string   { return "never" }
func (permanent) Permanent() bool { return true }

func start(t *testing.T, s *store.Store) {
	t.Helper()
	if err := s.Start(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
}

func wait[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(20 * time.Second):
		t.Fatal("waited for 20 seconds")
		panic("unreachable")
	}
}

func panicked(t *testing.T, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Error("the panic was lost")
		}
	}()
	f()
}

// A job's moment is by the store's clock, which a demonstration may have set elsewhere.
func TestJobMomentIsByTheStoresClock(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		s := open(t, store.Config{URL: url, Now: func() time.Time { return time.Now().AddDate(1, 0, 0) }})
		done := make(chan int, 10)
		s.Handle("test.note", func(_ context.Context, payload []byte) error {
			var n int
			err := json.Unmarshal(payload, &n)
			done <- n
			return err
		})
		do(t, s, func(tx *store.Tx) error {
			return errors.Join(
				tx.Enqueue(t.Context(), job.Job{Kind: "test.note", Payload: 1, At: time.Now().AddDate(1, 0, 0).Add(-time.Minute)}),
				tx.Enqueue(t.Context(), job.Job{Kind: "test.note", Payload: 2, At: time.Now().AddDate(1, 0, 0).Add(time.Hour)}))
		})
		start(t, s)
		if n := wait(t, done); n != 1 {
			t.Errorf("ran %d", n)
		}
		if err := s.Stop(t.Context()); err != nil || len(done) != 0 {
			t.Errorf("stop: %v, %d more", err, len(done))
		}
	})
}
