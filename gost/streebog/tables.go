package streebog

import "sync"

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
// result gathers byte i of every word.
func (t *tables) lps(z, a, b *[8]uint64) {
	s0, s1, s2, s3 := a[0]^b[0], a[1]^b[1], a[2]^b[2], a[3]^b[3]
	s4, s5, s6, s7 := a[4]^b[4], a[5]^b[5], a[6]^b[6], a[7]^b[7]
	for i := range z {
		z[i] = t[0][byte(s0)] ^ t[1][byte(s1)] ^ t[2][byte(s2)] ^ t[3][byte(s3)] ^
			t[4][byte(s4)] ^ t[5][byte(s5)] ^ t[6][byte(s6)] ^ t[7][byte(s7)]
		s0, s1, s2, s3 = s0>>8, s1>>8, s2>>8, s3>>8
		s4, s5, s6, s7 = s4>>8, s5>>8, s6>>8, s7>>8
	}
}

// compress is the function g (section 8): h becomes g_N(h, m).
func (t *tables) compress(h, n, m *[8]uint64) {
	var key, state, next [8]uint64
	t.lps(&key, h, n)
	state = *m
	for i := range rounds {
		t.lps(&next, &state, &key)
		state = next
		t.lps(&next, &key, &rounds[i])
		key = next
	}
	for i := range h {
		h[i] ^= state[i] ^ key[i] ^ m[i]
	}
}
