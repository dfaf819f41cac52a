// Package group holds the points of the curves y² = x³ + a·x + b under package gost: [Curve512] and
// [Curve256] with their base points, [Point512] and [Point256] in projective coordinates.
//
// Addition is by the complete formulas of Renes, Costello and Batina (ePrint 2015/1060), which need
// no exceptions in a group of odd order; so secrets steer nothing. BaseMult takes secret scalars and
// runs in constant time with masked reads of a table that is built on first use. What says VarTime
// is for public values. SetAffine refuses points off the curve and outside the group.
//
// The code of both sizes is written by gost/generate.go from the template in this directory.
package group

// digit returns the i-th digit of a little-endian number in base 32 with digits from -15 to 16, as
// size (0…16) and sign (1 if negative), and the carry into the next, in constant time.
func digit(k []byte, i int, carry uint64) (size, sign, next uint64) {
	at := 5 * i
	v := uint64(k[at/8]) >> (at % 8)
	if at/8+1 < len(k) { // depends on the position only
		v |= uint64(k[at/8+1]) << (8 - at%8)
	}
	v = v&31 + carry
	next = (v + 15) >> 5
	// v - 32·next, with sign and size told apart.
	size = (v ^ (v^(32-v))&-next) & 31
	return size, next, next
}

// same returns 1 if x and y are equal, else 0, for numbers below 2^63.
func same(x, y uint64) uint64 { return ((x ^ y) - 1) >> 63 }

// naf writes k, little-endian, in non-adjacent form of width five: digits are 0, or odd from -15 to 15
// and followed by four zeros. Its time depends on k.
func naf(k []byte) []int8 {
	const width = 5
	bit := func(i int) int {
		if i/8 >= len(k) {
			return 0
		}
		return int(k[i/8]>>(i%8)) & 1
	}
	digits := make([]int8, 8*len(k)+1)
	carry := 0
	for i := 0; i < len(digits); {
		if bit(i)+carry != 1 { // 0, or 2: the carry goes on
			i++
			continue
		}
		v := carry
		for j := range width {
			v += bit(i+j) << j
		}
		carry = v >> (width - 1)
		digits[i] = int8(v - carry<<width)
		i += width
	}
	return digits
}
