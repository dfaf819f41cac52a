package group

import (
	"encoding/binary"
	"math/bits"
)

const (
	// Widths of the non-adjacent forms, and how many odd multiples each takes.
	baseWidth  = 10
	baseOdd    = 1 << (baseWidth - 2)
	pointWidth = 5
	pointOdd   = 1 << (pointWidth - 2)
	// worthAnInversion is the number of pairs from which on adding affine points with a common inversion is
	// cheaper than adding them one by one.
	worthAnInversion = 16
)

// same returns 1 if x and y are equal, else 0, for numbers below 2^63.
func same(x, y uint64) uint64 { return ((x ^ y) - 1) >> 63 }

func getWords(w []uint64, b []byte) {
	for i := range w {
		w[i] = binary.LittleEndian.Uint64(b[8*i:])
	}
}

func putWords(b []byte, w []uint64) {
	for i := range w {
		binary.LittleEndian.PutUint64(b[8*i:], w[i])
	}
}

// subtract sets z to x - y, modulo a power of two.
func subtract(z, x, y []uint64) {
	var borrow uint64
	for i := range z {
		z[i], borrow = bits.Sub64(x[i], y[i], borrow)
	}
}
