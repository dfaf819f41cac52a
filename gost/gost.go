// Package gost holds keys and signatures of GOST R 34.10-2012 (СТ РК ГОСТ Р 34.10-2015) and of its
// elder GOST R 34.10-2001 (СТ РК ГОСТ 34.310-2004), in the byte forms of Kazakhstan's national PKI.
//
// The two calls most callers want are [NewPublicKey] followed by [PublicKey.Verify], and
// [GenerateKey] followed by [PrivateKey.Sign]. A signature is made over a digest that the caller has
// computed (with package streebog or gost94); this package never hashes a message itself.
//
// Everything is little-endian, as the national PKI writes it: coordinates, scalars, the digest read
// as a number, and both halves of a signature r‖s. That is the exact byte reversal of RFC 9215.
//
// What it refuses: points off the curve or outside the subgroup of prime order, the point at
// infinity, coordinates and scalars that are not fully reduced, signature halves of 0 or not below
// the group order, keys made as zero values, and digests whose length is not the curve's.
//
// Operations on secrets run in constant time: no branch, index or loop bound depends on a private
// key or a nonce. Verification works on public data only and takes variable time.
package gost

import (
	"crypto"
	"errors"
	"io"
)

// Curve is one of the three groups in use. It is immutable and safe for concurrent use. The zero
// value is no curve: every call that takes it returns an error.
type Curve struct {
	name string
	size int
}

var errNotYet = errors.New("not yet")

// TC26_512A returns the 512-bit curve id-tc26-gost-3410-12-512-paramSetA (RFC 7836), cofactor 1.
func TC26_512A() *Curve { return nil }

// TC26_256A returns id-tc26-gost-3410-2012-256-paramSetA (RFC 7836), cofactor 4.
func TC26_256A() *Curve { return nil }

// CryptoProA returns id-GostR3410-2001-CryptoPro-A-ParamSet (RFC 4357), cofactor 1.
func CryptoProA() *Curve { return nil }

// Size returns the number of bytes of one coordinate, of a scalar and of a digest: 64 or 32.
func (c *Curve) Size() int { return c.size }

// String returns a short name for people: "tc26-512-A", "tc26-256-A" or "CryptoPro-A".
func (c *Curve) String() string { return c.name }

// PublicKey is a checked point of a curve.
type PublicKey struct{ curve *Curve }

// NewPublicKey reads x‖y, each Size bytes, little-endian.
func NewPublicKey(c *Curve, xy []byte) (*PublicKey, error) { return nil, errNotYet }

// Curve returns the key's curve.
func (k *PublicKey) Curve() *Curve { return k.curve }

// Bytes returns x‖y little-endian.
func (k *PublicKey) Bytes() []byte { return nil }

// Equal reports whether x is the same *PublicKey value.
func (k *PublicKey) Equal(x crypto.PublicKey) bool { return false }

// Verify reports whether sig (r‖s little-endian) is good for digest.
func (k *PublicKey) Verify(digest, sig []byte) bool { return false }

// PrivateKey is a secret scalar with its public key. It implements [crypto.Signer].
type PrivateKey struct{ public *PublicKey }

// GenerateKey makes a key from rand; nil means crypto/rand.Reader.
func GenerateKey(c *Curve, rand io.Reader) (*PrivateKey, error) { return nil, errNotYet }

// NewPrivateKey reads a little-endian scalar.
func NewPrivateKey(c *Curve, d []byte) (*PrivateKey, error) { return nil, errNotYet }

// Bytes returns the scalar, little-endian, Size bytes.
func (k *PrivateKey) Bytes() []byte { return nil }

// Public returns the *PublicKey.
func (k *PrivateKey) Public() crypto.PublicKey { return k.public }

// PublicKey returns the public key.
func (k *PrivateKey) PublicKey() *PublicKey { return k.public }

// Equal reports whether x is the same private key.
func (k *PrivateKey) Equal(x crypto.PrivateKey) bool { return false }

// Sign signs a digest; r‖s little-endian.
func (k *PrivateKey) Sign(rand io.Reader, digest []byte, _ crypto.SignerOpts) ([]byte, error) {
	return nil, errNotYet
}
