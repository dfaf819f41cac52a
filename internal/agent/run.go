package agent

import (
	"context"
	"crypto"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"senim/internal/keystore"
)

// stepTime is how long the page waits for news of an act that goes on.
const stepTime = 300 * time.Millisecond

// run is the signing of several documents under one consent. It counts the signatures, so that the
// page can say how far it is, and it ends early when the person cancels: then nothing was signed.
type run struct {
	of     int
	signed atomic.Int64
	cancel context.CancelFunc
	done   chan struct{}
	result any // after done
	err    error
}

// counted is a key that counts what it signs and refuses when the act was cancelled.
type counted struct {
	crypto.Signer
	ctx  context.Context //nolint:containedctx // crypto.Signer has no place for it
	done func()
}

func (c counted) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if err := c.ctx.Err(); err != nil {
		return nil, err
	}
	b, err := c.Signer.Sign(random, digest, opts)
	if err == nil {
		c.done()
	}
	return b, err
}

// start begins the act of signing that many documents with a key.
func start(ctx context.Context, key *keystore.Key, of int, act func(context.Context, *keystore.Key) (any, error)) *run {
	return begin(ctx, of, func(ctx context.Context, done func()) (any, error) {
		return act(ctx, &keystore.Key{Signer: counted{key.Signer, ctx, done}, Certificate: key.Certificate})
	})
}

// begin begins an act of that many steps, which calls done after each; it outlives the request that began it, but not
// ctx, which is the window's.
func begin(ctx context.Context, of int, act func(ctx context.Context, done func()) (any, error)) *run {
	ctx, cancel := context.WithCancel(ctx)
	r := &run{of: of, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		defer func() {
			if p := recover(); p != nil { // as of a request: the agent goes on
				r.result, r.err = nil, fmt.Errorf("the act died: %T", p)
			}
		}()
		r.result, r.err = act(ctx, func() { r.signed.Add(1) })
	}()
	return r
}

// step waits for the end, but not for long: ended false comes with how many were signed.
func (r *run) step(ctx context.Context) (at int, ended bool) {
	timer := time.NewTimer(stepTime)
	defer timer.Stop()
	select {
	case <-r.done:
		return r.of, true
	case <-timer.C:
	case <-ctx.Done():
	}
	return min(int(r.signed.Load()), r.of-1), false
}

// stop ends the act and waits for it. A nil run is none.
func (r *run) stop() {
	if r == nil {
		return
	}
	r.cancel()
	<-r.done
}

// goOn is a step of what goes on: how far it is, or, at its end, the run with what came of it. Called in turn.
func (w *window) goOn(ctx context.Context) (so outcome, over *run, p *Problem) {
	run := w.run
	at, ended := run.step(ctx)
	switch {
	case ctx.Err() != nil:
		return outcome{}, nil, &Problem{Code: "over"}
	case !ended:
		return outcome{at: at, of: run.of}, nil, nil
	}
	w.run = nil
	return outcome{}, run, nil
}
