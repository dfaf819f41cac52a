// Package group holds the points of the curves y² = x³ + a·x + b under package gost: [Curve512] and
// [Curve256] with their base points, [Point512] and [Point256] in Jacobian coordinates.
//
// BaseMult takes secret scalars and runs in constant time: every digit of a scalar is odd, so that no addition
// is left out; entries of the table are read with masks; and a proof beside the code shows that no addition but the
// last can meet equal or opposite points, for which the last has complete formulas. What says VarTime is for
// public values: it looks for such cases and treats them apart. SetAffine refuses points off the curve.
//
// [Eight512] computes for eight public points at a time, with elements of its own kind: a vector holds one limb of
// eight numbers. What it cannot do it leaves to Curve512.
//
// The code of both sizes is written by gost/generate.go from the templates in this directory, the assembly by
// tools/asm/group and tools/asm/eight.
package group

// window is the number of bits of a digit, half the number of odd digits of one sign.
const (
	window  = 6
	entries = 1 << (window - 1)
)

// digit returns digit i of the odd number k, given shifted down by one bit and with the bit 6·n - 1 set, for n
// digits: an odd number from -63 to 63, as (size-1)/2 and sign (1 if negative), in constant time.
//
// Read as signs, a bit 1 is +1 and a bit 0 is -1; six of them from position 6i on make digit i. That the sum is k:
// it is 2·half - (2^(6n) - 1), and k = 2·(half - 2^(6n-1)) + 1.
func digit(half []uint64, i int) (index, sign uint64) {
	at := window * i
	v := half[at/64] >> (at % 64)
	if at%64 > 64-window { // depends on the position only
		v |= half[at/64+1] << (64 - at%64)
	}
	v &= 1<<window - 1
	sign = 1 - v>>(window-1)
	// For a set highest bit the rest is the index, else what is missing to it.
	return (v ^ -sign) & (entries - 1), sign
}

// nafDigits is the room for the digits of a scalar.
const nafDigits = 513

// naf writes k, little-endian, in non-adjacent form: digits are 0, or odd of less than width bits with sign and
// followed by width-1 zeros. It returns the number of digits up to the highest that is not 0. Its time depends on k.
func naf(digits *[nafDigits]int16, k []byte, width int) (n int) {
	*digits = [nafDigits]int16{}
	bit := func(i int) int {
		if i/8 >= len(k) {
			return 0
		}
		return int(k[i/8]>>(i%8)) & 1
	}
	carry := 0
	for i := 0; i <= 8*len(k); {
		if bit(i)+carry != 1 { // 0, or 2: the carry goes on
			i++
			continue
		}
		v := carry
		for j := range width {
			v += bit(i+j) << j
		}
		carry = v >> (width - 1)
		digits[i] = int16(v - carry<<width)
		n = i + 1
		i += width
	}
	return n
}
