package algid

import (
	"crypto"
	"fmt"
	"runtime"
	"sync"

	"senim/gost"
)

// Verifier verifies signatures for many callers. GOST ones on the 512-bit curve that are asked for at the same
// moment are computed side by side, which takes a fraction of the time (see [gost.VerifyBatch]); each is still
// judged for itself, as [Signature.VerifyDigest] does, and who comes alone waits for nobody. All others are
// verified by their caller at once.
//
// The zero value is ready; so is nil, which puts nobody together. It is safe for concurrent use and must not be copied.
type Verifier struct {
	mu      sync.Mutex
	waiting []*asked // under mu
	busy    bool     // under mu: somebody computes
}

// asked is one signature to be verified.
type asked struct {
	gost.Signature
	good bool
	told chan bool // true: compute for those who wait; false: good is known
}

// together is how many signatures are computed at a time: a multiple of the eight that lie side by side.
const together = 32

// Verify hashes the message and verifies the signature over it, as [Signature.Verify].
func (v *Verifier) Verify(s Signature, pub crypto.PublicKey, message, sig []byte) error {
	if !s.valid() {
		return fmt.Errorf("verify: %w", ErrUnknown)
	}
	return v.VerifyDigest(s, pub, s.Hash().Sum(message), sig)
}

// VerifyDigest verifies a signature over a digest made with s.Hash(), as [Signature.VerifyDigest].
func (v *Verifier) VerifyDigest(s Signature, pub crypto.PublicKey, digest, sig []byte) error {
	k, ok := pub.(*gost.PublicKey)
	if v == nil || !ok || s != GOST512Sig || KeyOf(k) != GOST512 || len(digest) != s.Hash().Size() {
		return s.VerifyDigest(pub, digest, sig)
	}
	if !v.check(gost.Signature{Key: k, Digest: digest, Bytes: sig}) {
		return fmt.Errorf("%v: %w", s, ErrSignature)
	}
	return nil
}

func (v *Verifier) check(s gost.Signature) bool {
	a := &asked{Signature: s, told: make(chan bool, 1)}
	v.mu.Lock()
	v.waiting = append(v.waiting, a)
	lead := !v.busy
	v.busy = true
	v.mu.Unlock()
	if lead || <-a.told {
		v.compute() // a is the first of those who wait
		<-a.told
	}
	return a.good
}

// compute verifies those who wait, and has the next of them go on.
func (v *Verifier) compute() {
	runtime.Gosched() // whoever is about to ask may do so first; alone, this is nothing
	batch := v.take()
	all := make([]gost.Signature, len(batch))
	for i, a := range batch {
		all[i] = a.Signature
	}
	for i, good := range gost.VerifyBatch(all) {
		batch[i].good = good
		batch[i].told <- false
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.busy = len(v.waiting) > 0; v.busy {
		v.waiting[0].told <- true
	}
}

// take takes those who wait for longest: full eights if there are any.
func (v *Verifier) take() []*asked {
	v.mu.Lock()
	defer v.mu.Unlock()
	n := min(len(v.waiting), together)
	if n >= 8 {
		n -= n % 8
	}
	batch := v.waiting[:n:n]
	v.waiting = v.waiting[n:]
	return batch
}
