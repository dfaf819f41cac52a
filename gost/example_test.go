package gost_test

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"

	"senim/gost"
	"senim/gost/streebog"
)

// Make a key, sign the digest of a message, and verify.
func Example() {
	key, err := gost.GenerateKey(gost.TC26_512A(), rand.Reader)
	if err != nil {
		fmt.Println(err)
		return
	}
	digest := streebog.Sum512([]byte("Құжат"))
	sig, err := key.Sign(rand.Reader, digest[:], nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(sig), "bytes:", key.PublicKey().Verify(digest[:], sig))
	other := streebog.Sum512([]byte("құжат"))
	fmt.Println("another message:", key.PublicKey().Verify(other[:], sig))
	// Output:
	// 128 bytes: true
	// another message: false
}

// A public key is x‖y, little-endian, and is checked when it is read.
func ExampleNewPublicKey() {
	xy := make([]byte, 64)
	_, err := gost.NewPublicKey(gost.CryptoProA(), xy)
	fmt.Println(err)

	base, err := hex.DecodeString("0100000000000000000000000000000000000000000000000000000000000000" +
		"141e9f9e9cc9ac22b1e323df2d4f2935762b3f455a50df27da9c98e071e4918d")
	if err != nil {
		fmt.Println(err)
		return
	}
	key, err := gost.NewPublicKey(gost.CryptoProA(), base)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(key.Curve(), len(key.Bytes()), "bytes")
	// Output:
	// gost: public key is not a point of CryptoPro-A
	// CryptoPro-A 64 bytes
}

// A key that verifies often, as that of an authority, is prepared once.
func ExamplePublicKey_Prepare() {
	key, err := gost.GenerateKey(gost.TC26_512A(), rand.Reader)
	if err != nil {
		fmt.Println(err)
		return
	}
	authority := key.PublicKey().Prepare()
	good := 0
	for _, message := range []string{"бір", "екі", "үш"} {
		digest := streebog.Sum512([]byte(message))
		sig, err := key.Sign(rand.Reader, digest[:], nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		if authority.Verify(digest[:], sig) {
			good++
		}
	}
	fmt.Println(good, authority.Equal(key.PublicKey()))
	// Output: 3 true
}

// A private key is a number, little-endian, from 1 to the order of the group less one.
func ExampleNewPrivateKey() {
	curve := gost.TC26_256A()
	_, err := gost.NewPrivateKey(curve, make([]byte, curve.Size()))
	fmt.Println(err != nil)
	two := make([]byte, curve.Size())
	two[0] = 2
	key, err := gost.NewPrivateKey(curve, two)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(key.Bytes()[0], key.PublicKey().Curve())
	// Output:
	// true
	// 2 tc26-256-A
}
