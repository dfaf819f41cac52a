package storetest

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// Measured runs f and tells how long it took and the most heap that was in use.
func Measured(t *testing.T, f func() error) (took time.Duration, peak uint64) {
	t.Helper()
	runtime.GC()
	var most atomic.Uint64
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most.Store(max(most.Load(), m.HeapInuse))
			select {
			case <-stop:
				return
			case <-tick.C:
			}
		}
	}()
	begin := time.Now()
	err := f()
	took = time.Since(begin)
	close(stop)
	<-done
	if err != nil {
		t.Fatal(err)
	}
	return took, most.Load()
}
