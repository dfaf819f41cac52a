// Package gost94 implements the hash GOST R 34.11-94 (ГОСТ 34.311-95, RFC 5831) with the "test"
// substitution box and a start value of zero, which is how Kazakhstan's GOST 2004 certificates and
// older time stamps use it.
//
// The calls most want are [Sum] and [New]. Results are bytes in memory order. The hash is broken in
// theory and slow: it is here to check old signatures. As in package magma, time depends on the data
// through caches, so hash public data only: there is no HMAC and no key derivation (VKO) over it here,
// because what the national PKI derives with it is not known.
package gost94

import (
	"encoding/binary"
	"hash"
	"math/bits"

	"senim/gost/magma"
)

// Lengths in bytes.
const (
	Size      = 32 // of a result
	BlockSize = 32
)

// New returns a new hash. It also implements hash.Cloner.
func New() hash.Hash { return new(digest) }

// Sum returns the hash of b.
func Sum(b []byte) [Size]byte {
	var d digest
	d.write(b)
	return d.finish()
}

// word is a number of 256 bits, lowest word first.
type word [4]uint64

type digest struct {
	h, sum word
	count  uint64 // bytes hashed
	block  [BlockSize]byte
	held   int // bytes waiting in block, always < BlockSize
}

// Reset implements [hash.Hash].
func (d *digest) Reset() { *d = digest{} }

// Size implements [hash.Hash].
func (d *digest) Size() int { return Size }

// BlockSize implements [hash.Hash].
func (d *digest) BlockSize() int { return BlockSize }

// Write implements [hash.Hash]; it never fails.
func (d *digest) Write(p []byte) (int, error) {
	d.write(p)
	return len(p), nil
}

func (d *digest) write(p []byte) {
	d.count += uint64(len(p))
	for len(p) > 0 {
		if d.held == 0 && len(p) >= BlockSize {
			d.absorb((*[BlockSize]byte)(p))
			p = p[BlockSize:]
			continue
		}
		k := copy(d.block[d.held:], p)
		p = p[k:]
		if d.held += k; d.held == BlockSize {
			d.absorb(&d.block)
			d.held = 0
		}
	}
}

// Sum implements [hash.Hash]: it appends the hash of what was written and changes nothing.
func (d *digest) Sum(b []byte) []byte {
	last := *d
	out := last.finish()
	return append(b, out[:]...)
}

// Clone implements [hash.Cloner].
func (d *digest) Clone() (hash.Cloner, error) {
	c := *d
	return &c, nil
}

func (d *digest) absorb(block *[BlockSize]byte) {
	var m word
	var carry uint64
	for i := range m {
		m[i] = binary.LittleEndian.Uint64(block[8*i:])
		d.sum[i], carry = bits.Add64(d.sum[i], m[i], carry)
	}
	step(&d.h, &m)
}

// finish pads a short last block with zeros and adds the length in bits and the sum of the blocks.
func (d *digest) finish() [Size]byte {
	if d.held > 0 {
		clear(d.block[d.held:])
		d.absorb(&d.block)
	}
	step(&d.h, &word{d.count << 3, d.count >> 61})
	step(&d.h, &d.sum)
	return d.h.bytes()
}

func (w *word) bytes() (out [32]byte) {
	for i, x := range w {
		binary.LittleEndian.PutUint64(out[8*i:], x)
	}
	return out
}

// step is the step function of section 5: keys, encryption, mixing.
func step(h, m *word) {
	var s word
	u, v := *h, *m
	for i := range s {
		if i > 0 {
			u = turn(u)
			v = turn(turn(v))
		}
		if i == 2 {
			for j, c := range third {
				u[j] ^= c
			}
		}
		s[i] = encrypt(word{u[0] ^ v[0], u[1] ^ v[1], u[2] ^ v[2], u[3] ^ v[3]}, h[i])
	}
	mix(h, m, &s)
}

// third is the constant C3; C2 and C4 are zero.
var third = word{0xff00ff00ff00ff00, 0x00ff00ff00ff00ff, 0xff0000ff00ffff00, 0xff00ffff000000ff}

// turn is the transformation A.
func turn(y word) word { return word{y[1], y[2], y[3], y[0] ^ y[1]} }

// encrypt permutes w (transformation P) into a key and encrypts one word of the state with it.
func encrypt(w word, block uint64) uint64 {
	in := w.bytes()
	var key [magma.KeySize]byte
	for i := range 4 {
		for k := range 8 {
			key[i+4*k] = in[8*i+k]
		}
	}
	c, err := magma.New(key[:])
	if err != nil {
		panic(err) // the length is right by its type
	}
	var b [magma.BlockSize]byte
	binary.LittleEndian.PutUint64(b[:], block)
	c.Encrypt(b[:], b[:])
	return binary.LittleEndian.Uint64(b[:])
}

// mix sets h to ψ⁶¹(h ⊕ ψ(m ⊕ ψ¹²(s))). The sixteen-bit words stand in one long row, of which every
// turn of ψ appends one and leaves one.
func mix(h, m, s *word) {
	var row [16 + 74]uint16
	load(row[:], s)
	shift(row[:], 12)
	xor(row[12:], m)
	shift(row[12:], 1)
	xor(row[13:], h)
	shift(row[13:], 61)
	for i := range h {
		h[i] = 0
		for j := range 4 {
			h[i] |= uint64(row[74+4*i+j]) << (16 * j)
		}
	}
}

// shift applies ψ n times to the sixteen words at the start of row; the result begins at row[n].
func shift(row []uint16, n int) {
	for range n {
		row[16] = row[0] ^ row[1] ^ row[2] ^ row[3] ^ row[12] ^ row[15]
		row = row[1:]
	}
}

func load(row []uint16, w *word) {
	clear(row[:16])
	xor(row, w)
}

func xor(row []uint16, w *word) {
	for i := range 16 {
		row[i] ^= uint16(w[i/4] >> (16 * (i % 4)))
	}
}
