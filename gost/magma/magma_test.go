package magma_test

import (
	"bytes"
	"crypto/cipher"
	"encoding/hex"
	"testing"

	"senim/gost/magma"

	"pgregory.net/rapid"
)

var _ cipher.Block = (*magma.Cipher)(nil)

// TestVector is the first encryption of the worked example of GOST R 34.11-94 (RFC 5831, section
// 7.3.1: key K1 and h1 = 0 for the 32-byte message), in memory order.
func TestVector(t *testing.T) {
	key, _ := hex.DecodeString("546d203368656c326973652073736e62206167796967747473656865202c3d73")
	c, err := magma.New(key)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]byte, magma.BlockSize)
	c.Encrypt(got, make([]byte, magma.BlockSize))
	if want := "1b0bbc32cebcab42"; hex.EncodeToString(got) != want {
		t.Errorf("encryption of zero = %x, want %s", got, want)
	}
}

func TestDecryptUndoesEncrypt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SliceOfN(rapid.Byte(), magma.KeySize, magma.KeySize).Draw(t, "key")
		block := rapid.SliceOfN(rapid.Byte(), magma.BlockSize, magma.BlockSize).Draw(t, "block")
		c, err := magma.New(key)
		if err != nil {
			t.Fatal(err)
		}
		got := bytes.Clone(block)
		c.Encrypt(got, got)
		c.Decrypt(got, got)
		if !bytes.Equal(got, block) {
			t.Errorf("came back as %x", got)
		}
	})
}

func TestKeyLength(t *testing.T) {
	for _, n := range []int{0, 16, 31, 33} {
		if _, err := magma.New(make([]byte, n)); err == nil {
			t.Errorf("a key of %d bytes was taken", n)
		}
	}
}
