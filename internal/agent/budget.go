package agent

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// What requests may hold in memory, from the first byte that is read of them until their answer is sent.
const (
	maxHeld       = 128 << 20 // of all connections together
	maxHeldOrigin = 96 << 20  // of one origin: a message of 64 MiB while its buffer grows
	ownShare      = 256 << 10 // of each connection, beside those: small messages wait for nobody
)

// errBusy: there is no room for a large message now.
var errBusy = errors.New("no room for a large message")

// budget counts the bytes that requests hold.
type budget struct {
	most, mostOrigin int64
	patience         time.Duration // how long a large message waits for room
	whole            time.Duration // how long a message may take from its first byte to its last

	mu      sync.Mutex
	all     int64            // under mu: without the connections' own shares
	origins map[string]int64 // under mu: likewise, by origin
	freed   chan struct{}    // under mu: closed when something was given back
}

func newBudget() *budget {
	return &budget{
		most: maxHeld, mostOrigin: maxHeldOrigin, patience: 5 * time.Second, whole: time.Minute,
		origins: map[string]int64{}, freed: make(chan struct{}),
	}
}

// share is what one connection holds.
type share struct {
	origin string
	held   int64 // under the budget's mu
}

// common is the part of what a connection holds that its own share does not cover.
func common(held int64) int64 { return max(0, held-ownShare) }

// take waits until a connection may hold n bytes more; [errBusy] when there is no room for too long.
// Nobody waits in a line: a message that fits passes one that does not.
func (b *budget) take(ctx context.Context, s *share, n int64) error {
	var late <-chan time.Time
	for {
		b.mu.Lock()
		more := common(s.held+n) - common(s.held)
		if more == 0 || b.all+more <= b.most && b.origins[s.origin]+more <= b.mostOrigin {
			b.move(s, n)
			b.mu.Unlock()
			return nil
		}
		freed := b.freed
		b.mu.Unlock()
		if late == nil {
			timer := time.NewTimer(b.patience)
			defer timer.Stop()
			late = timer.C
		}
		select {
		case <-freed:
		case <-late:
			return errBusy
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// give returns bytes.
func (b *budget) give(s *share, n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.move(s, -n)
	close(b.freed)
	b.freed = make(chan struct{})
}

// leave returns all that a connection holds: it is over.
func (b *budget) leave(s *share) {
	b.mu.Lock()
	held := s.held
	b.mu.Unlock()
	b.give(s, held)
}

// move changes what a connection holds; called under mu.
func (b *budget) move(s *share, n int64) {
	more := common(s.held+n) - common(s.held)
	s.held += n
	b.all += more
	if b.origins[s.origin] += more; b.origins[s.origin] == 0 {
		delete(b.origins, s.origin)
	}
}

// receive reads one message. Its capacity is what the budget counts, and what is to be given back. A
// message that is begun and not ended in time ends the connection by late.
func (b *budget) receive(ctx context.Context, s *share, r io.Reader, late func()) (message []byte, err error) {
	timer := time.AfterFunc(b.whole, late)
	defer timer.Stop()
	defer func() {
		if err != nil {
			b.give(s, int64(cap(message)))
		}
	}()
	var next [512]byte // of what does not fit: perhaps nothing comes any more
	for {
		n := 0
		if len(message) < cap(message) {
			n, err = r.Read(message[len(message):cap(message)])
			message = message[:len(message)+n]
		} else if n, err = r.Read(next[:]); len(message)+n > maxMessage {
			return message, websocket.ErrMessageTooBig
		} else if n > 0 {
			larger, full := b.grow(ctx, s, message)
			if full != nil {
				return message, full
			}
			message = append(larger, next[:n]...)
		}
		switch {
		case errors.Is(err, io.EOF):
			return message, nil
		case err != nil:
			return message, err
		}
	}
}

// grow gives a message a larger buffer, with room for what is read at once; both count until it is copied.
func (b *budget) grow(ctx context.Context, s *share, message []byte) ([]byte, error) {
	size := max(4<<10, 2*cap(message))
	if err := b.take(ctx, s, int64(size)); err != nil {
		return nil, err
	}
	larger := make([]byte, len(message), size)
	copy(larger, message)
	b.give(s, int64(cap(message)))
	return larger, nil
}
