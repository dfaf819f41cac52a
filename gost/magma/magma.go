// Package magma implements the block cipher of GOST 28147-89 (RFC 5830) with the "test" substitution
// box id-GostR3411-94-TestParamSet (1.2.643.2.2.30.0), as the hash GOST R 34.11-94 uses it.
//
// The calls are [New] and [Cipher.Encrypt]; the type is a cipher.Block. It is here for package
// gost94, not for hiding data: substitution by tables leaks through the processor's caches, a block
// of 64 bits is too short for modern use, and no mode of operation is given. It refuses only keys of
// another length than [KeySize].
//
// There is no encryption of messages here on purpose. Kazakhstan registers five substitution boxes
// for ГОСТ 28147-89 (1.2.398.3.10.1.2.1.0 to .4); which of them, in which mode, with which derivation
// and wrap of keys its programs use is published nowhere we know.
package magma

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"sync"
)

// Lengths in bytes.
const (
	BlockSize = 8
	KeySize   = 32
)

// boxes are K1…K8: K1 replaces the lowest four bits of a word, K8 the highest. The first hexadecimal
// digit is the image of 0, the last that of F.
var boxes = [8]uint64{
	0x4A92D80E6B1C7F53, 0xEB4C6DFA23810759, 0x581DA342EFC7609B, 0x7DA1089FE46CB253,
	0x6C715FD84A9E03B2, 0x4BA0721D36859CFE, 0xDB413F590AE7682C, 0x1FD057A4923E6B8C,
}

func replace(box, nibble int) uint32 { return uint32(boxes[box]>>(60-4*nibble)) & 15 }

// tables joins two boxes and the rotation by 11 bits for every byte of a word.
type tables [4][256]uint32

var shared = sync.OnceValue(func() *tables {
	var t tables
	for i := range t {
		for b := range t[i] {
			pair := replace(2*i, b&15) | replace(2*i+1, b>>4)<<4
			t[i][b] = bits.RotateLeft32(pair<<(8*i), 11)
		}
	}
	return &t
})

// Cipher is the cipher under one key. Its zero value panics; copies are independent; it may be used
// by several goroutines at once.
type Cipher struct {
	key [8]uint32
	t   *tables
}

// New returns the cipher under a key of [KeySize] bytes.
func New(key []byte) (*Cipher, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("magma: key of %d bytes, want %d", len(key), KeySize)
	}
	c := &Cipher{t: shared()}
	for i := range c.key {
		c.key[i] = binary.LittleEndian.Uint32(key[4*i:])
	}
	return c, nil
}

// BlockSize returns [BlockSize].
func (c *Cipher) BlockSize() int { return BlockSize }

// Encrypt replaces the first block of src by its image in dst. They may be the same slice; both must
// hold a block, else it panics.
func (c *Cipher) Encrypt(dst, src []byte) {
	a, b := binary.LittleEndian.Uint32(src), binary.LittleEndian.Uint32(src[4:8])
	for i := 0; i < 24; i += 2 {
		b ^= c.round(a + c.key[i%8])
		a ^= c.round(b + c.key[(i+1)%8])
	}
	for i := 7; i > 0; i -= 2 {
		b ^= c.round(a + c.key[i])
		a ^= c.round(b + c.key[i-1])
	}
	put(dst, b, a)
}

// Decrypt undoes Encrypt.
func (c *Cipher) Decrypt(dst, src []byte) {
	a, b := binary.LittleEndian.Uint32(src), binary.LittleEndian.Uint32(src[4:8])
	for i := 0; i < 8; i += 2 {
		b ^= c.round(a + c.key[i])
		a ^= c.round(b + c.key[i+1])
	}
	for i := 23; i > 0; i -= 2 {
		b ^= c.round(a + c.key[i%8])
		a ^= c.round(b + c.key[(i-1)%8])
	}
	put(dst, b, a)
}

func (c *Cipher) round(x uint32) uint32 {
	return c.t[0][byte(x)] ^ c.t[1][byte(x>>8)] ^ c.t[2][byte(x>>16)] ^ c.t[3][byte(x>>24)]
}

func put(dst []byte, low, high uint32) {
	binary.LittleEndian.PutUint32(dst, low)
	binary.LittleEndian.PutUint32(dst[4:8], high)
}
