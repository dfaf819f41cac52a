package algid_test

import (
	"crypto/rand"
	"encoding/asn1"
	"errors"
	"fmt"

	"senim/algid"
	"senim/gost"
)

// The algorithm follows from the key: sign, and verify what was signed.
func Example() {
	key, err := gost.GenerateKey(gost.TC26_512A(), rand.Reader)
	if err != nil {
		fmt.Println(err)
		return
	}
	algorithm, err := algid.SignatureFor(key.Public())
	if err != nil {
		fmt.Println(err)
		return
	}
	value, err := algorithm.Sign(rand.Reader, key, []byte("Құжат"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(algorithm, len(value), "bytes")
	fmt.Println(algorithm.Verify(key.Public(), []byte("Құжат"), value))
	fmt.Println(errors.Is(algorithm.Verify(key.Public(), []byte("құжат"), value), algid.ErrSignature))
	// Output:
	// GOST512 128 bytes
	// <nil>
	// true
}

// Keys travel as SubjectPublicKeyInfo and PKCS #8.
func ExampleMarshalPublicKey() {
	key, err := gost.GenerateKey(gost.TC26_512A(), rand.Reader)
	if err != nil {
		fmt.Println(err)
		return
	}
	spki, err := algid.MarshalPublicKey(key.Public())
	if err != nil {
		fmt.Println(err)
		return
	}
	again, kind, err := algid.ParsePublicKey(spki)
	fmt.Println(kind, key.PublicKey().Equal(again), err)
	fmt.Println(len(algid.KeyID(again)), "bytes of key identifier")
	// Output:
	// GOST512 true <nil>
	// 20 bytes of key identifier
}

// An identifier found in a file becomes a hash, or is refused.
func ExampleHashByOID() {
	h, ok := algid.HashByOID(asn1.ObjectIdentifier{1, 2, 398, 3, 10, 1, 3, 3})
	fmt.Println(h, ok)
	fmt.Printf("%x…\n", h.Sum([]byte("abc"))[:8])
	_, ok = algid.HashByOID(asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 5}) // MD5
	fmt.Println(ok)
	// Output:
	// Streebog-512 true
	// 28156e28317da7c9…
	// false
}

// A name in a log or a message.
func ExampleSignature_String() {
	s, ok := algid.SignatureByOID(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11})
	fmt.Println(s, s.Key(), s.Hash(), ok)
	// Output: SHA256-RSA RSA SHA-256 true
}
