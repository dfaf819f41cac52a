package algid_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"sync"
	"testing"

	"senim/algid"
	"senim/gost"
)

// signedDigest is a digest with a signature, good or not.
type signedDigest struct {
	by          algid.Signature
	key         crypto.PublicKey
	digest, sig []byte
	good        bool
}

func signedDigests(t *testing.T) (all []signedDigest) {
	t.Helper()
	sign := func(by algid.Signature, key crypto.Signer) signedDigest {
		digest := make([]byte, by.Hash().Size())
		rand.Read(digest)
		sig, err := by.SignDigest(nil, key, digest)
		if err != nil {
			t.Fatal(err)
		}
		return signedDigest{by, key.Public(), digest, sig, true}
	}
	for i := range 45 {
		key, err := gost.GenerateKey(gost.TC26_512A(), nil)
		if err != nil {
			t.Fatal(err)
		}
		s := sign(algid.GOST512Sig, key)
		switch i % 5 {
		case 1:
			s.key = key.PublicKey().Prepare()
		case 2:
			s.digest[3] ^= 1
			s.good = false
		case 3:
			s.sig[len(s.sig)-1-i] ^= 1
			s.good = false
		}
		all = append(all, s)
	}
	key, err := gost.GenerateKey(gost.TC26_256A(), nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	good := sign(algid.GOST512Sig, mustKey(t))
	short, mixed, none := good, good, good
	short.sig, short.good = good.sig[:127], false
	mixed.by, mixed.good = algid.GOST256Sig, false
	none.key, none.good = (*gost.PublicKey)(nil), false
	return append(all, sign(algid.GOST256Sig, key), sign(algid.SHA256WithRSA, r), short, mixed, none)
}

func mustKey(t *testing.T) *gost.PrivateKey {
	t.Helper()
	key, err := gost.GenerateKey(gost.TC26_512A(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// TestVerifier: alone, at once and with nobody put together, each signature has its own verdict, the one of
// [algid.Signature.VerifyDigest].
func TestVerifier(t *testing.T) {
	all := signedDigests(t)
	var v algid.Verifier
	var none *algid.Verifier
	verdict := func(v *algid.Verifier, s signedDigest) {
		err := v.VerifyDigest(s.by, s.key, s.digest, s.sig)
		alone := s.by.VerifyDigest(s.key, s.digest, s.sig)
		if (err == nil) != s.good || (alone == nil) != s.good || errors.Is(err, algid.ErrSignature) != errors.Is(alone, algid.ErrSignature) {
			t.Errorf("%v: %v, alone %v, want good %v", s.by, err, alone, s.good)
		}
	}
	var wg sync.WaitGroup
	for _, s := range all {
		verdict(none, s)
		verdict(&v, s)
		for range 4 {
			wg.Go(func() { verdict(&v, s) })
		}
	}
	wg.Wait()
	if err := v.Verify(0, all[0].key, nil, nil); !errors.Is(err, algid.ErrUnknown) {
		t.Errorf("no algorithm: %v", err)
	}
}
