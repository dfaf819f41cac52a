package agent

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestNobodyJoinsWhoEnds: the end of an agent waits for all who answer connections, and nobody begins after it.
func TestNobodyJoinsWhoEnds(t *testing.T) {
	var c crew
	if !c.join() {
		t.Fatal("nobody may join")
	}
	ended := make(chan struct{})
	go func() { defer close(ended); c.end() }()
	deadline := time.Now().Add(10 * time.Second)
	for c.join() {
		if time.Now().After(deadline) {
			t.Fatal("people join an agent that ends")
		}
		c.leave()
	}
	select {
	case <-ended:
		t.Fatal("it ended while somebody was here")
	default:
	}
	c.leave()
	<-ended
	if c.join() {
		t.Error("somebody joined after the end")
	}
}

// TestConnectionsWhileEnding: connections that come while the agent ends are refused, not served without it.
func TestConnectionsWhileEnding(t *testing.T) {
	b := bring(t)
	var all sync.WaitGroup
	var came atomic.Int64
	stop := make(chan struct{})
	for range 4 {
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if s, err := b.try(page); err == nil {
					came.Add(1)
					_ = s.c.CloseNow()
				}
			}
		})
	}
	becomes(t, func() bool { return came.Load() >= 8 }) // and they go on coming
	end, _ := served.LoadAndDelete(b.agent.config.Data)
	end.(func())()
	close(stop)
	all.Wait()
	if b.agent.crew.join() {
		t.Error("an agent that ended takes connections on")
	}
	b.agent.mu.Lock()
	defer b.agent.mu.Unlock()
	if len(b.agent.seats) != 0 {
		t.Errorf("%d sockets are left", len(b.agent.seats))
	}
}
