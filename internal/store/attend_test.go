package store

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// counted is a shared transaction that only counts.
type counted struct {
	shared
	commits *[]int
	writers int
}

func (c *counted) mark(context.Context) error { return nil }
func (c *counted) keep(context.Context) error { c.writers++; return nil }
func (c *counted) commit(context.Context) error {
	*c.commits = append(*c.commits, c.writers)
	return nil
}

// Those who will come again are waited for, until half of them are here or a moment has passed; who is alone, or
// comes when nobody attends, waits for nobody.
func TestCommitsWaitForThoseWhoAttend(t *testing.T) {
	for name, c := range map[string]struct {
		attend  int
		arrive  []time.Duration
		commits []int
		took    time.Duration
	}{
		"alone":             {1, []time.Duration{0}, []int{1}, 0},
		"nobody attends":    {0, []time.Duration{0}, []int{1}, 0},
		"half of them":      {8, []time.Duration{0, 1, 2, 3}, []int{4}, 3 * time.Millisecond},
		"the others linger": {8, []time.Duration{0, 50}, []int{1, 1}, 70 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var commits []int
				g := &group{long: groupLong, begin: func(context.Context) (shared, error) { return &counted{commits: &commits}, nil }}
				var leave []func()
				for range c.attend {
					leave = append(leave, g.attend())
				}
				begin := time.Now()
				var all sync.WaitGroup
				for _, after := range c.arrive {
					all.Go(func() {
						time.Sleep(after * time.Millisecond) //nolint:forbidigo // of the bubble's own clock
						if err := g.do(t.Context(), func(conn) error { return nil }); err != nil {
							t.Error(err)
						}
					})
				}
				all.Wait()
				if took := time.Since(begin); took != c.took {
					t.Errorf("took %v, want %v", took, c.took)
				}
				if len(commits) != len(c.commits) || commits[0] != c.commits[0] {
					t.Errorf("transactions of %v writers, want %v", commits, c.commits)
				}
				for _, f := range leave {
					f()
				}
				g.close()
			})
		})
	}
}

// Who leaves without a word does not keep the others waiting.
func TestLeavingWakesThoseWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var commits []int
		g := &group{long: groupLong, begin: func(context.Context) (shared, error) { return &counted{commits: &commits}, nil }}
		stay, first, second := g.attend(), g.attend(), g.attend()
		begin := time.Now()
		time.AfterFunc(2*time.Millisecond, func() { first(); second() })
		if err := g.do(t.Context(), func(conn) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took != 2*time.Millisecond {
			t.Errorf("waited %v for those who had left after 2ms", took)
		}
		stay()
		g.close()
	})
}
