package storetest

import (
	"errors"
	"sync"
	"testing"
	"time"

	"senim/internal/store"
	"senim/internal/tsa"
)

// TSA is what the store of the time-stamping authority must do.
func TSA(t *testing.T, s *store.Store) {
	ctx := t.Context()
	at := time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)
	take := func(n int64, at time.Time) (first int64, latest time.Time, err error) {
		err = s.TSA().Update(ctx, func(tx tsa.Tx) (err error) {
			first, latest, err = tx.TakeSerials(ctx, n, at)
			return err
		})
		return first, latest, err
	}
	t.Run("grow", func(t *testing.T) {
		first, latest, err := take(10, at)
		if err != nil || first != 1 || !latest.Equal(at) {
			t.Fatalf("first block: %d %v %v", first, latest, err)
		}
		first, latest, err = take(5, at.Add(-time.Hour))
		if err != nil || first != 11 || !latest.Equal(at) {
			t.Errorf("with a clock set back: %d %v %v; want 11 and the later time", first, latest, err)
		}
	})
	t.Run("undone", func(t *testing.T) {
		err := s.TSA().Update(ctx, func(tx tsa.Tx) error {
			_, _, err := tx.TakeSerials(ctx, 100, at.Add(time.Hour))
			return errors.Join(err, errUndo)
		})
		if !errors.Is(err, errUndo) {
			t.Fatal(err)
		}
		first, latest, err := take(1, at)
		if err != nil || first != 16 || !latest.Equal(at) {
			t.Errorf("after an undone block: %d %v %v", first, latest, err)
		}
	})
	t.Run("at once", func(t *testing.T) {
		const callers, n = 16, 7
		var mu sync.Mutex
		var wait sync.WaitGroup
		seen := map[int64]bool{}
		for range callers {
			wait.Go(func() {
				first, _, err := take(n, at)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				for i := first; i < first+n; i++ {
					if seen[i] {
						t.Errorf("number %d given twice", i)
					}
					seen[i] = true
				}
			})
		}
		wait.Wait()
		if len(seen) != callers*n {
			t.Errorf("%d numbers, want %d", len(seen), callers*n)
		}
	})
}

var errUndo = errors.New("undo")
