package gost

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/sha512"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
)

// PrivateKey is a secret scalar with its public key. It implements [crypto.Signer]. The zero value
// signs nothing.
type PrivateKey struct {
	public *PublicKey
	d      []byte
}

// maxSize is the greatest [Curve.Size].
const maxSize = 64

var errNoKey = errors.New("gost: no private key")

// GenerateKey makes a key from twice [Curve.Size] bytes of random, so that the scalar is as good as
// uniform. A nil reader means crypto/rand.Reader. Errors are those of the reader.
func GenerateKey(c *Curve, random io.Reader) (*PrivateKey, error) {
	if !c.valid() {
		return nil, errNoCurve
	}
	var wide [2 * maxSize]byte
	var d [maxSize]byte
	defer func() { clear(wide[:]); clear(d[:]) }()
	for {
		if err := read(random, wide[:2*c.size]); err != nil {
			return nil, fmt.Errorf("gost: generate a key: %w", err)
		}
		if c.reduce(d[:c.size], wide[:2*c.size]) {
			return NewPrivateKey(c, d[:c.size])
		}
	}
}

// NewPrivateKey reads a scalar of [Curve.Size] bytes, little-endian, above 0 and below the order.
func NewPrivateKey(c *Curve, d []byte) (*PrivateKey, error) {
	if !c.valid() {
		return nil, errNoCurve
	}
	xy, ok := c.publicOf(d)
	if !ok {
		return nil, fmt.Errorf("gost: not a private key of %s", c)
	}
	return &PrivateKey{&PublicKey{curve: c, xy: xy}, bytes.Clone(d)}, nil
}

// Bytes returns the scalar, little-endian, nil for a zero value. The caller keeps it secret.
func (k *PrivateKey) Bytes() []byte { return bytes.Clone(k.d) }

// Public returns the *PublicKey as [crypto.Signer] wants it.
func (k *PrivateKey) Public() crypto.PublicKey { return k.public }

// PublicKey returns the public key, nil for a zero value.
func (k *PrivateKey) PublicKey() *PublicKey { return k.public }

// Equal reports, in constant time, whether x is a *PrivateKey with the same curve and scalar. A zero
// value equals none.
func (k *PrivateKey) Equal(x crypto.PrivateKey) bool {
	o, ok := x.(*PrivateKey)
	return ok && k != nil && o != nil && k.public != nil && o.public != nil &&
		k.public.curve == o.public.curve && subtle.ConstantTimeCompare(k.d, o.d) == 1
}

// Sign returns r‖s, each little-endian, over a digest of [Curve.Size] bytes in the order the hash
// gave them. A nil reader means crypto/rand.Reader; the options are not looked at.
//
// The nonce comes from random bytes, the key and the digest together, so a broken source of
// randomness alone does not give the key away: with constant "random" bytes the signature becomes a
// deterministic one.
func (k *PrivateKey) Sign(random io.Reader, digest []byte, _ crypto.SignerOpts) ([]byte, error) {
	return k.AppendSign(nil, random, digest)
}

// AppendSign is [PrivateKey.Sign] that appends the signature to b. It allocates nothing if b has room, or on an
// error, when b is returned as it was, but for what a reader other than crypto/rand.Reader needs.
func (k *PrivateKey) AppendSign(b []byte, random io.Reader, digest []byte) ([]byte, error) {
	if k == nil || k.public == nil {
		return b, errNoKey
	}
	c := k.public.curve
	if len(digest) != c.size {
		return b, fmt.Errorf("gost: digest of %d bytes, %s takes %d", len(digest), c, c.size)
	}
	var sig [2 * maxSize]byte
	var nonce [maxSize]byte
	defer clear(nonce[:])
	for {
		usable, err := k.nonce(nonce[:c.size], random, digest)
		if err != nil {
			return b, err
		}
		// A zero nonce or half is as likely as guessing the key; the standard says try again.
		if usable && c.sign(sig[:2*c.size], k.d, digest, nonce[:c.size]) {
			return append(b, sig[:2*c.size]...), nil
		}
	}
}

// nonce sets n to SHA-512(1 ‖ …) ‖ SHA-512(2 ‖ …) modulo q over the mark, the key, fresh random bytes
// and the digest, all of fixed length, and reports whether it is not 0. Streebog may look the key up in tables and
// so show it to the caches; SHA-512 does not.
func (k *PrivateKey) nonce(n []byte, random io.Reader, digest []byte) (usable bool, err error) {
	const mark = "senim gost nonce"
	var in [len(mark) + 2 + 3*maxSize]byte
	defer clear(in[:])
	copy(in[:], mark)
	in[len(mark)+1] = byte(k.public.curve.size)
	parts := in[len(mark)+2:]
	copy(parts[:maxSize], k.d)
	if err := read(random, parts[maxSize:2*maxSize]); err != nil {
		return false, fmt.Errorf("gost: sign: %w", err)
	}
	copy(parts[2*maxSize:], digest)
	var wide [2 * sha512.Size]byte
	defer clear(wide[:])
	for i := range 2 {
		in[len(mark)] = byte(i + 1)
		half := sha512.Sum512(in[:])
		copy(wide[i*sha512.Size:], half[:])
	}
	return k.public.curve.reduce(n, wide[:2*k.public.curve.size]), nil
}

// read fills b with random bytes; nil is the system's source, which cannot fail. A reader of the caller's gets a
// buffer of its own, so that b may stay on the stack.
func read(random io.Reader, b []byte) error {
	if random == nil || random == rand.Reader {
		_, err := rand.Read(b)
		return err
	}
	own := make([]byte, len(b))
	defer clear(own)
	_, err := io.ReadFull(random, own)
	copy(b, own)
	return err
}
