// Package shares divides a secret among n people so that any k of them have it and fewer have nothing
// (Shamir, over GF(2^8)).
//
// [Split] makes the shares, [Share.String] is one line to print and to type, [Parse] reads it, [Combine]
// gives the secret back. A share says to which set it belongs, which one it is, how many are needed, and
// has a checksum of its own, so that a mistyped one, one of another set and too few are each refused by
// name. Inside the secret lies a digest over set and secret, so that shares which fit in form but not in
// content give an error and never another secret. The secret's length is hidden to 32 bytes.
//
// Arithmetic on secrets has no tables, no branches and no early return.
package shares

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Bounds of a set.
const (
	MinThreshold = 2  // one share that is enough is a copy of the secret
	MaxShares    = 32 // people that come together
	MaxSecret    = 512
)

const (
	setSize    = 8
	digestSize = 16
	block      = 32
)

// Errors that callers tell apart.
var (
	// ErrTooFew: fewer shares than are needed.
	ErrTooFew = errors.New("too few shares")
	// ErrMixed: shares of two sets.
	ErrMixed = errors.New("shares of different sets")
	// ErrWrong: shares of one set that do not fit together: one of them was changed.
	ErrWrong = errors.New("the shares do not fit together: one of them was changed")
	// ErrDamaged: a share whose checksum is another, mistyped or cut off.
	ErrDamaged = errors.New("damaged share")
)

// Share is one person's part.
type Share struct {
	set       [setSize]byte
	number    byte // 1 to count
	count     byte // shares of the set
	threshold byte // shares that are needed
	value     []byte
}

// Number is which share it is, from 1; Count how many there are; Threshold how many are needed.
func (s Share) Number() int { return int(s.number) }

// Count is how many shares the set has.
func (s Share) Count() int { return int(s.count) }

// Threshold is how many shares of the set are needed.
func (s Share) Threshold() int { return int(s.threshold) }

// Set names the set in hex.
func (s Share) Set() string { return fmt.Sprintf("%x", s.set[:]) }

// Split divides a secret of 1 to [MaxSecret] bytes into count shares of which threshold are needed.
func Split(random io.Reader, secret []byte, count, threshold int) ([]Share, error) {
	switch {
	case len(secret) == 0 || len(secret) > MaxSecret:
		return nil, fmt.Errorf("split: a secret has 1 to %d bytes", MaxSecret)
	case threshold < MinThreshold:
		return nil, fmt.Errorf("split: a threshold of %d: at least %d are wanted", threshold, MinThreshold)
	case threshold > count:
		return nil, fmt.Errorf("split: %d of %d shares can never come together", threshold, count)
	case count > MaxShares:
		return nil, fmt.Errorf("split: %d shares, at most %d", count, MaxShares)
	}
	all := make([]Share, count)
	var set [setSize]byte
	if _, err := io.ReadFull(random, set[:]); err != nil {
		return nil, fmt.Errorf("split: %w", err)
	}
	for i := range all {
		all[i] = Share{set: set, number: byte(i + 1), count: byte(count), threshold: byte(threshold)}
	}
	message := wrap(secret, all[0])
	defer clear(message)
	higher := make([]byte, (threshold-1)*len(message))
	defer clear(higher)
	if _, err := io.ReadFull(random, higher); err != nil {
		return nil, fmt.Errorf("split: %w", err)
	}
	for i := range all {
		all[i].value = make([]byte, len(message))
		for j := range message { // Horner: the highest coefficient first, the secret last
			var y byte
			for c := threshold - 2; c >= 0; c-- {
				y = mul(y, all[i].number) ^ higher[c*len(message)+j]
			}
			all[i].value[j] = mul(y, all[i].number) ^ message[j]
		}
	}
	return all, nil
}

// wrap puts length, padding and digest around a secret.
func wrap(secret []byte, of Share) []byte {
	size := (2 + len(secret) + block - 1) / block * block
	out := make([]byte, size, size+digestSize)
	binary.BigEndian.PutUint16(out, uint16(len(secret)))
	copy(out[2:], secret)
	return append(out, digest(out, of)...)
}

// digest binds the secret to its set. It is inside what is divided: outside it would help guessing.
func digest(padded []byte, of Share) []byte {
	h := sha256.New()
	h.Write([]byte("senim-share/1"))
	h.Write(of.set[:])
	h.Write([]byte{of.count, of.threshold})
	h.Write(padded)
	return h.Sum(nil)[:digestSize]
}

// Combine gives the secret. More shares than needed are welcome: all must fit. The same share twice
// counts once. Errors match [ErrTooFew], [ErrMixed] or [ErrWrong].
func Combine(given []Share) ([]byte, error) {
	if len(given) == 0 {
		return nil, fmt.Errorf("combine: none given: %w", ErrTooFew)
	}
	first := given[0]
	var all []Share
	for _, s := range given {
		if s.set != first.set || s.count != first.count || s.threshold != first.threshold || len(s.value) != len(first.value) {
			return nil, fmt.Errorf("combine: share %d is of set %s, share %d of set %s: %w", first.number, first.Set(), s.number, s.Set(), ErrMixed)
		}
		at := slices.IndexFunc(all, func(o Share) bool { return o.number == s.number })
		if at < 0 {
			all = append(all, s)
		} else if subtle.ConstantTimeCompare(all[at].value, s.value) != 1 {
			return nil, fmt.Errorf("combine: share %d in two forms: %w", s.number, ErrWrong)
		}
	}
	k := first.Threshold()
	if len(all) < k {
		return nil, fmt.Errorf("combine: %d of set %s, %d are needed: %w", len(all), first.Set(), k, ErrTooFew)
	}
	message := interpolate(all[:k], 0)
	defer clear(message)
	for _, more := range all[k:] {
		if subtle.ConstantTimeCompare(interpolate(all[:k], more.number), more.value) != 1 {
			return nil, fmt.Errorf("combine: set %s: %w", first.Set(), ErrWrong)
		}
	}
	return unwrap(message, first)
}

func unwrap(message []byte, of Share) ([]byte, error) {
	padded := message[:len(message)-digestSize]
	if subtle.ConstantTimeCompare(digest(padded, of), message[len(padded):]) != 1 {
		return nil, fmt.Errorf("combine: set %s: %w", of.Set(), ErrWrong)
	}
	n := int(binary.BigEndian.Uint16(padded))
	if n == 0 || n > len(padded)-2 {
		return nil, fmt.Errorf("combine: set %s: %w", of.Set(), ErrWrong)
	}
	return slices.Clone(padded[2 : 2+n]), nil
}

// interpolate is the value at x of the polynomials through the points (Lagrange). The numbers of the
// shares are public, the values are not.
func interpolate(points []Share, x byte) []byte {
	out := make([]byte, len(points[0].value))
	for i, p := range points {
		weight := byte(1)
		for j, o := range points {
			if i != j {
				weight = mul(weight, mul(o.number^x, inverse(o.number^p.number)))
			}
		}
		for b, v := range p.value {
			out[b] ^= mul(weight, v)
		}
	}
	return out
}

// mul multiplies in GF(2^8) modulo x^8+x^4+x^3+x+1, in the same steps whatever the numbers are.
func mul(a, b byte) byte {
	var product byte
	for range 8 {
		product ^= a & -(b & 1)
		a = a<<1 ^ 0x1b&-(a>>7)
		b >>= 1
	}
	return product
}

// inverse is a^254; that of zero is zero.
func inverse(a byte) byte {
	out := byte(1)
	for range 254 {
		out = mul(out, a)
	}
	return out
}
