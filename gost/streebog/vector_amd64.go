//go:build !purego

package streebog

import "sync"

// vectors builds what the vector version has in registers; tools/asm/streebog/vector.go names the
// rows and says how they are used.
var vectors = sync.OnceValue(func() *[29][8]uint64 {
	var c [29][8]uint64
	copy(c[:], rounds[:])
	for i := range len(pi) {
		c[12+i/64][i%64/8] |= uint64(pi[i]) << (i % 8 * 8)
	}
	for word := range 8 {
		for x := range 8 {
			c[16+x][word] = affine(word^x&^1, word^x&1)
		}
		for a := range 4 {
			for i := range 8 {
				c[24+a][word] |= uint64(8*(i^2*a)+word) << (8 * i)
			}
		}
		c[28][word] = 0x8080808080808080
	}
	return &c
})

// affine returns the 8×8 block of L's matrix that takes byte j of a row to byte i of its image, as
// VGF2P8AFFINEQB reads it: the highest byte makes the lowest bit.
func affine(i, j int) (m uint64) {
	for to := range 8 {
		for from := range 8 {
			m |= linear[63-8*j-from] >> (8*i + to) & 1 << (8*(7-to) + from)
		}
	}
	return m
}
