package ca

import (
	"bytes"
	"context"
	"hash/maphash"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
)

// signed is an answer that may be given out again.
type signed struct {
	answer *Answer
	signer string // serial of the responder's certificate
	// renewing is true while somebody signs the one that follows: others get this one meanwhile.
	renewing atomic.Bool
}

// state of an answer at a moment.
type state int

const (
	useless state = iota // out of its dates, or of another responder
	aging                // past half its life: to be signed anew
	fresh
)

func (g *signed) at(now time.Time, signer string) state {
	a := g.answer
	switch left := a.NextUpdate.Sub(now); {
	case g.signer != signer || now.Before(a.ThisUpdate) || left < leastLeft:
		return useless
	case left < a.NextUpdate.Sub(a.ThisUpdate)/2:
		return aging
	}
	return fresh
}

// asked is a request by its bytes, and what answers it: no parsing, no search.
type asked struct {
	request []byte
	of      *authority
	known   *known
	signed  *signed
}

// newCache is a bounded cache that keeps what is asked for often, however many others are asked for
// once. It runs nothing in the background.
func newCache[K comparable, V any](most int) *otter.Cache[K, V] {
	return otter.Must(&otter.Options[K, V]{MaximumSize: most, Executor: func(f func()) { f() }})
}

// Kept returns the answer to the same bytes asked before, when that is still all there is to say. It
// costs no signature, and a look into the database once in leaseTime at most, whoever asks and
// however often. false: ask [Service.Answer].
func (s *Service) Kept(ctx context.Context, request []byte) (*Answer, bool) {
	k, ok := s.requests.GetIfPresent(maphash.Bytes(s.seed, request))
	if !ok || s.running() != nil || !bytes.Equal(k.request, request) {
		return nil, false
	}
	arrived := s.tick()
	if k.of.lease().hold(ctx, s, k.of, arrived) != nil || !k.of.lease().unchanged(k.known.epoch, k.known.bucket) {
		return nil, false
	}
	r, now := k.of.responder.Load(), s.now()
	if r == nil || r.stale(now) {
		return nil, false
	}
	switch k.signed.at(now, r.serial) {
	case fresh:
	case aging:
		if !k.signed.renewing.Load() {
			return nil, false
		}
	case useless:
		return nil, false
	}
	s.counts.kept.Add(1)
	return k.signed.answer, true
}

// maxKeptRequest bounds the requests kept by their bytes: one about one certificate is shorter.
const maxKeptRequest = 512

func (s *Service) keepRequest(request []byte, a *authority, k *known, g *signed) {
	if len(request) <= maxKeptRequest {
		s.requests.Set(maphash.Bytes(s.seed, request), &asked{bytes.Clone(request), a, k, g})
	}
}
