package ca

import (
	"fmt"
	"runtime"
	"sync"

	"senim/algid"
	"senim/gost"
	"senim/pki"
)

// proofs verifies the signatures of an issue: on the request, and our own on the certificate. Those that
// are asked for at the same moment are computed side by side, which takes a fraction of the time (see
// [gost.VerifyBatch]); each is still judged for itself. The zero value is ready.
type proofs struct {
	keys algid.PreparedKeys // of our authorities

	mu      sync.Mutex
	waiting []*proof // under mu
	busy    bool     // under mu: somebody computes
}

// proof is one signature to be verified.
type proof struct {
	gost.Signature
	good bool
	told chan bool // true: compute for those who wait; false: good is known
}

// most is how many signatures are computed at a time: a multiple of the eight that lie side by side.
const most = 32

// request checks that whoever wrote a request holds its private key.
func (p *proofs) request(r *pki.Request) error {
	k, ok := r.PublicKey.(*gost.PublicKey)
	if !ok || r.Signature != algid.GOST512Sig || r.Key != algid.GOST512 {
		return r.CheckSignature()
	}
	if !p.check(k, r.RawInfo, r.SignatureValue) {
		return fmt.Errorf("certificate request: %w", algid.ErrSignature)
	}
	return nil
}

// certificate checks a signature of one of our authorities.
func (p *proofs) certificate(c, issuer *pki.Certificate) error {
	k, ok := p.keys.Use(issuer.PublicKey).(*gost.PublicKey)
	if !ok || c.Signature != algid.GOST512Sig || issuer.Key != algid.GOST512 {
		return c.CheckSignatureFrom(issuer)
	}
	if !p.check(k, c.RawTBS, c.SignatureValue) {
		return fmt.Errorf("certificate %s: %w", c.SerialHex(), algid.ErrSignature)
	}
	return nil
}

func (p *proofs) check(k *gost.PublicKey, message, value []byte) bool {
	q := &proof{Signature: gost.Signature{Key: k, Digest: algid.Streebog512.Sum(message), Bytes: value}, told: make(chan bool, 1)}
	p.mu.Lock()
	p.waiting = append(p.waiting, q)
	lead := !p.busy
	p.busy = true
	p.mu.Unlock()
	if lead || <-q.told {
		p.compute() // q is the first of those who wait
		<-q.told
	}
	return q.good
}

// compute verifies those who wait, and has the next of them go on.
func (p *proofs) compute() {
	runtime.Gosched() // whoever is about to ask may do so first; alone, this is nothing
	batch := p.take()
	all := make([]gost.Signature, len(batch))
	for i, q := range batch {
		all[i] = q.Signature
	}
	for i, good := range gost.VerifyBatch(all) {
		batch[i].good = good
		batch[i].told <- false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.busy = len(p.waiting) > 0; p.busy {
		p.waiting[0].told <- true
	}
}

// take takes those who wait for longest: full eights if there are any.
func (p *proofs) take() []*proof {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := min(len(p.waiting), most)
	if n >= 8 {
		n -= n % 8
	}
	batch := p.waiting[:n:n]
	p.waiting = p.waiting[n:]
	return batch
}
