package gost

import (
	"encoding/hex"
	"slices"
	"testing"
)

// TestFixedNonce signs with a known nonce: the second vector of the 512-bit key.
func TestFixedNonce(t *testing.T) {
	number := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		slices.Reverse(b)
		return b
	}
	d := number("e86ce8e9cb499b2f3bb43c2f11c167f4a1cc1c54b39a5efc39e58dd73da1e02e62d86dea059c7f4b80890eed35f26977491548b9ceb93e47571acaecf4f59775")
	k := number("fe703662abc4f06369f495dd315bbf95eb2b7e749f209dea0b134ff61b10843c696e168600f5be7a5d6ce38db57ce41c2511e453feb0160c389f6f483e5cb34d")
	// Streebog-512 of "test".
	digest, _ := hex.DecodeString("7200bf5dea560f0d7960d07fdc8874ad9f3b86ece2e45f5502ae2e176f2c928e0e581152281f5aee818318bed7cbe6aa69999589234723ceb33175598365b5c8")
	const want = "a40fd1d38b722c2e58367b7c2b7ad58fc0cb054f4dcb19b4fc4e34002c76af0f549e93da20a947d4e9ab3f389e7a58fd33aa3711e5679dea4f46f40cc5d36243" +
		"5b1c2810f90d67980e1bf64bf9d0e27ebdf5cc418f5f36e50ce2e8b508d5b76cfa9105c773982d39f3cd6351cd54edfd19e9598979e3aa0d8f7e8740b7cf76cd"
	got := make([]byte, 128)
	if ok := TC26_512A().sign(got, d, digest, k); !ok || hex.EncodeToString(got) != want {
		t.Errorf("signature\n%x, want\n%s", got, want)
	}
}

// TestNonceZeroIsRefused: the reduction says when a nonce is 0.
func TestNonceZeroIsRefused(t *testing.T) {
	for _, c := range []*Curve{TC26_512A(), TC26_256A(), CryptoProA()} {
		if c.reduce(make([]byte, c.size), make([]byte, 2*c.size)) {
			t.Errorf("%s: a nonce of 0", c)
		}
	}
}
