package agent

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"senim/internal/keystore"
	"senim/internal/pkitest"
)

// slow signs when it is let.
type slow struct {
	key  *keystore.Key
	let  chan struct{}
	done atomic.Int64
}

func (s *slow) act(of int) func(context.Context, *keystore.Key) (any, error) {
	return func(_ context.Context, key *keystore.Key) (any, error) {
		for range of {
			<-s.let
			if _, err := key.Signer.Sign(nil, make([]byte, 64), nil); err != nil {
				return nil, err
			}
			s.done.Add(1)
		}
		return of, nil
	}
}

func slowKey(t *testing.T) *slow {
	leaf := pkitest.New(t).Individual()
	return &slow{key: &keystore.Key{Signer: leaf.Key, Certificate: leaf.Certificate}, let: make(chan struct{}, 8)}
}

// TestRunCounts: how far the signing is comes from the signatures themselves; the last step is the end.
func TestRunCounts(t *testing.T) {
	s := slowKey(t)
	r := start(context.Background(), s.key, 3, s.act(3))
	s.let <- struct{}{}
	s.let <- struct{}{}
	deadline := time.Now().Add(20 * time.Second)
	for {
		at, ended := r.step(context.Background())
		if ended || time.Now().After(deadline) {
			t.Fatalf("ended %v at %d", ended, at)
		}
		if at == 2 {
			break
		}
	}
	s.let <- struct{}{}
	for {
		if at, ended := r.step(context.Background()); ended {
			if at != 3 || r.err != nil || r.result != 3 {
				t.Errorf("%d, %v, %v", at, r.result, r.err)
			}
			return
		}
	}
}

// TestRunStops: who cancels gets nothing signed any more.
func TestRunStops(t *testing.T) {
	s := slowKey(t)
	r := start(context.Background(), s.key, 3, s.act(3))
	s.let <- struct{}{}
	for s.done.Load() == 0 {
		r.step(context.Background())
	}
	r.cancel()
	s.let <- struct{}{}
	r.stop()
	if !errors.Is(r.err, context.Canceled) || s.done.Load() != 1 || r.result != nil {
		t.Errorf("%v, %d signed, %v", r.err, s.done.Load(), r.result)
	}
	(*run)(nil).stop()
}

// TestCancelWhileSigning: the window can be cancelled while many are signed; the page gets a cancel.
func TestCancelWhileSigning(t *testing.T) {
	b := bring(t)
	b.key("a.p12", b.authority.Individual())
	let := make(chan struct{})
	s := &slow{let: make(chan struct{}, 8)}
	tk := &signing{wanted: wish{files: true}, count: 3, act: s.act(3)}
	ended := make(chan outcome)
	go func() {
		defer close(let)
		ended <- b.agent.show(context.Background(), siteOf(page), "ru", tk)
	}()
	h := b.window()
	id := h.unlock("")
	var step ending
	if status := h.post("/decide", Decision{Key: id}, &step); status != 200 || step.Done || step.Of != 3 {
		t.Fatalf("%d %+v", status, step)
	}
	s.let <- struct{}{} // what is being signed now still may be; nothing after it
	h.cancel()
	s.let <- struct{}{}
	s.let <- struct{}{}
	if out := <-ended; out.done || out.result != nil {
		t.Errorf("%+v", out)
	}
	<-let
	if p := b.agent.known.chosen(page); p != "" {
		t.Errorf("the key counts as used: %s", p)
	}
}
