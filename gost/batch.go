package gost

import (
	"senim/gost/internal/field"
	"senim/gost/internal/group"
)

// Signature is one of a batch: r‖s in Bytes, with the key and the digest it is to be verified with.
type Signature struct {
	Key    *PublicKey
	Digest []byte // 32 or 64 octets, as the key's curve wants
	Bytes  []byte // twice as many
}

// VerifyBatch reports for each signature what [PublicKey.Verify] of its key does, whatever it is given. Each is
// verified for itself, so one that is wrong does not touch the others.
//
// It is for many signatures on the 512-bit curve by keys that need not have anything in common: on amd64 with AVX-512
// IFMA, eight are computed side by side, about six times faster than one by one. Everything else takes as
// long as with Verify.
func VerifyBatch(signatures []Signature) []bool {
	good := make([]bool, len(signatures))
	b := batch{curve: TC26_512A(), all: signatures, good: good}
	for i := range signatures {
		if s := &signatures[i]; b.curve.eight == nil || s.Key.Curve() != b.curve {
			good[i] = s.verify()
		} else if b.add(i); b.n == len(b.at) {
			b.verify()
		}
	}
	b.finish()
	return good
}

func (s *Signature) verify() bool { return s.Key.Verify(s.Digest, s.Bytes) }

// batch are up to eight signatures on the 512-bit curve that wait until there are eight.
type batch struct {
	curve *Curve
	all   []Signature
	good  []bool

	n    int
	cost int // of verifying them one by one, as a prepared key does it
	at   [8]int
	keys [8]group.Point512
	// Of each: r, s and the digest's number.
	r, s, number [8]field.Scalar512
}

// worth is the cost from which on a computation of eight is cheaper, even if fewer are needed.
const worth = 5

// add takes signature i of all, unless its form alone is wrong.
func (b *batch) add(i int) {
	e, s, n := b.curve.wide, &b.all[i], b.n
	if len(s.Digest) != b.curve.size || !e.halves(&b.r[n], &b.s[n], s.Bytes) ||
		!e.curve.SetAffine(&b.keys[n], s.Key.xy[:64], s.Key.xy[64:]) {
		return
	}
	b.number[n] = e.digestNumber(s.Digest)
	b.at[n] = i
	b.n++
	b.cost++
	if s.Key.wide == nil {
		b.cost += 2
	}
}

// finish verifies what is left, with one of them repeated to fill eight if that pays.
func (b *batch) finish() {
	if b.cost < worth {
		for _, i := range b.at[:b.n] {
			b.good[i] = b.all[i].verify()
		}
		return
	}
	for ; b.n < len(b.at); b.n++ {
		b.at[b.n], b.keys[b.n] = b.at[0], b.keys[0]
		b.r[b.n], b.s[b.n], b.number[b.n] = b.r[0], b.s[0], b.number[0]
	}
	b.verify()
}

// verify verifies eight and makes place for the next.
func (b *batch) verify() {
	e := b.curve.wide
	var sums [8]group.Point512
	var u, v [8][64]byte
	b.multipliersVarTime(&u, &v)
	b.curve.eight.DoubleMultVarTime(&sums, &u, &b.keys, &v)
	for n, i := range b.at {
		b.good[i] = e.matches(&sums[n], b.all[i].Bytes)
	}
	b.n, b.cost = 0, 0
}

// multipliersVarTime is that of the engine, with one inversion for eight: no number is 0.
func (b *batch) multipliersVarTime(u, v *[8][64]byte) {
	order := b.curve.wide.order
	var before [8]field.Scalar512
	product := b.number[0]
	for n := 1; n < len(before); n++ {
		before[n] = product
		order.Mul(&product, &product, &b.number[n])
	}
	order.InvertVarTime(&product, &product)
	for n := len(before) - 1; n >= 0; n-- {
		inverse := product
		if n > 0 {
			order.Mul(&inverse, &product, &before[n])
			order.Mul(&product, &product, &b.number[n])
		}
		b.curve.wide.multipliers(&u[n], &v[n], &b.r[n], &b.s[n], &inverse)
	}
}
