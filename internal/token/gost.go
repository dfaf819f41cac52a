package token

import (
	"crypto"
	"fmt"
	"io"
	"slices"

	"senim/gost"
)

// gostSigner is a GOST key in the token.
type gostSigner struct {
	t      *Token
	name   string
	public *gost.PublicKey
}

func (s *gostSigner) Public() crypto.PublicKey { return s.public }

// Sign gives r‖s, each little-endian, over a digest of Streebog-512. Drivers differ in the order they read the digest
// in and write the halves in; what verifies under the public half is the signature, and nothing else is given out.
func (s *gostSigner) Sign(_ io.Reader, digest []byte, _ crypto.SignerOpts) ([]byte, error) {
	if len(digest) != gostDigest {
		return nil, fmt.Errorf("sign with key %s of the token: digest of %d bytes", s.name, len(digest))
	}
	a, err := s.t.do(request{Op: opSign, Name: s.name, Digest: digest})
	if err != nil {
		return nil, fmt.Errorf("sign with key %s of the token: %w", s.name, err)
	}
	for _, sig := range orders(a.Signature) {
		if s.public.Verify(digest, sig) {
			return sig, nil
		}
	}
	return nil, fmt.Errorf("sign with key %s of the token: %w: what it gave does not verify", s.name, ErrFailed)
}

// orders are the ways to read two numbers of equal length: which half comes first, and which end of each.
func orders(sig []byte) [][]byte {
	if len(sig) != 2*gostDigest {
		return nil
	}
	backwards := func(b []byte) []byte {
		b = slices.Clone(b)
		slices.Reverse(b)
		return b
	}
	first, second := sig[:gostDigest], sig[gostDigest:]
	return [][]byte{
		sig, slices.Concat(second, first),
		slices.Concat(backwards(first), backwards(second)), backwards(sig),
	}
}
