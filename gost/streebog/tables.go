package streebog

import (
	"encoding/binary"
	"math/bits"
	"sync"
)

// tables holds the three transformations S, P and L joined: byte b standing at position j of a
// 64-bit row of the transposed state contributes tables[j][b] to the row's image.
type tables [8][256]uint64

// shared builds the tables (16 KiB) once, when the first hash is made.
var shared = sync.OnceValue(func() *tables {
	var t tables
	for j := range t {
		for b := range t[j] {
			row := uint64(pi[b]) << (8 * j)
			for bit := range 64 {
				if row>>(63-bit)&1 == 1 {
					t[j][b] ^= linear[bit]
				}
			}
		}
	}
	return &t
})

// lps sets z to L(P(S(a ⊕ b))). P transposes the state as an 8×8 matrix of bytes, so row i of the
// result gathers byte i of every word. z may be a or b.
//
// It is written out because shifts by constants, of words in registers, are what processors and the
// compiler do best: the loop takes 1.3 times as long.
func (t *tables) lps(z, a, b *[8]uint64) {
	s0, s1, s2, s3 := a[0]^b[0], a[1]^b[1], a[2]^b[2], a[3]^b[3]
	s4, s5, s6, s7 := a[4]^b[4], a[5]^b[5], a[6]^b[6], a[7]^b[7]
	z[0] = t[0][byte(s0)] ^ t[1][byte(s1)] ^ t[2][byte(s2)] ^ t[3][byte(s3)] ^
		t[4][byte(s4)] ^ t[5][byte(s5)] ^ t[6][byte(s6)] ^ t[7][byte(s7)]
	z[1] = t[0][byte(s0>>8)] ^ t[1][byte(s1>>8)] ^ t[2][byte(s2>>8)] ^ t[3][byte(s3>>8)] ^
		t[4][byte(s4>>8)] ^ t[5][byte(s5>>8)] ^ t[6][byte(s6>>8)] ^ t[7][byte(s7>>8)]
	z[2] = t[0][byte(s0>>16)] ^ t[1][byte(s1>>16)] ^ t[2][byte(s2>>16)] ^ t[3][byte(s3>>16)] ^
		t[4][byte(s4>>16)] ^ t[5][byte(s5>>16)] ^ t[6][byte(s6>>16)] ^ t[7][byte(s7>>16)]
	z[3] = t[0][byte(s0>>24)] ^ t[1][byte(s1>>24)] ^ t[2][byte(s2>>24)] ^ t[3][byte(s3>>24)] ^
		t[4][byte(s4>>24)] ^ t[5][byte(s5>>24)] ^ t[6][byte(s6>>24)] ^ t[7][byte(s7>>24)]
	z[4] = t[0][byte(s0>>32)] ^ t[1][byte(s1>>32)] ^ t[2][byte(s2>>32)] ^ t[3][byte(s3>>32)] ^
		t[4][byte(s4>>32)] ^ t[5][byte(s5>>32)] ^ t[6][byte(s6>>32)] ^ t[7][byte(s7>>32)]
	z[5] = t[0][byte(s0>>40)] ^ t[1][byte(s1>>40)] ^ t[2][byte(s2>>40)] ^ t[3][byte(s3>>40)] ^
		t[4][byte(s4>>40)] ^ t[5][byte(s5>>40)] ^ t[6][byte(s6>>40)] ^ t[7][byte(s7>>40)]
	z[6] = t[0][byte(s0>>48)] ^ t[1][byte(s1>>48)] ^ t[2][byte(s2>>48)] ^ t[3][byte(s3>>48)] ^
		t[4][byte(s4>>48)] ^ t[5][byte(s5>>48)] ^ t[6][byte(s6>>48)] ^ t[7][byte(s7>>48)]
	z[7] = t[0][byte(s0>>56)] ^ t[1][byte(s1>>56)] ^ t[2][byte(s2>>56)] ^ t[3][byte(s3>>56)] ^
		t[4][byte(s4>>56)] ^ t[5][byte(s5>>56)] ^ t[6][byte(s6>>56)] ^ t[7][byte(s7>>56)]
}

// compress is the function g (section 8): h becomes g_N(h, m).
func (t *tables) compress(h, n, m *[8]uint64) {
	var key, state [8]uint64
	t.lps(&key, h, n)
	state = *m
	for i := range rounds {
		t.lps(&state, &state, &key)
		t.lps(&key, &key, &rounds[i])
	}
	for i := range h {
		h[i] ^= state[i] ^ key[i] ^ m[i]
	}
}

// absorb is stage 2 with the whole blocks of p, each of which counts as so many bits.
func (t *tables) absorb(h, n, sigma *[8]uint64, p []byte, count uint64) {
	for ; len(p) > 0; p = p[BlockSize:] {
		var m [8]uint64
		for i := range m {
			m[i] = binary.LittleEndian.Uint64(p[8*i:])
		}
		t.compress(h, n, &m)
		add(n, &[8]uint64{count})
		add(sigma, &m)
	}
}

// finish is the end of stage 3: length and sum, both with a counter of zero.
func (t *tables) finish(h, n, sigma *[8]uint64) {
	var zero [8]uint64
	t.compress(h, &zero, n)
	t.compress(h, &zero, sigma)
}

// add sets z to z + x modulo 2^512.
func add(z, x *[8]uint64) {
	var c uint64
	for i := range z {
		z[i], c = bits.Add64(z[i], x[i], c)
	}
}
