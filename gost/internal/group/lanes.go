package group

import (
	"encoding/binary"

	"senim/gost/internal/field"
)

const (
	limbBits = 52
	limbs    = 10
	low52    = 1<<limbBits - 1
)

// lanes are eight numbers modulo 2^512 - 569 side by side, limbs of 52 bits, the lowest first. The highest limb has
// room for eight bits more than a reduced number needs.
type lanes [limbs][8]uint64

// eightPoints are eight points (x/z², y/z³). What the last addition multiplied z by is in h.
type eightPoints struct{ x, y, z, h lanes }

// eightAffine are eight finite points.
type eightAffine struct{ x, y lanes }

// row is one finite point: the limbs of x, then those of y.
type row [2 * limbs]uint64

// set puts a number into a lane.
func (x *lanes) set(lane int, e *field.Element512) {
	var b [64 + 8]byte
	*(*[64]byte)(b[:]) = e.Bytes()
	for i := range x {
		at := limbBits * i
		x[i][lane] = binary.LittleEndian.Uint64(b[at/8:]) >> (at % 8) & low52
	}
}

// get returns the number in a lane, of less than 2^520.
func (x *lanes) get(lane int) (e field.Element512) {
	var l [limbs]uint64
	for i := range x {
		l[i] = x[i][lane]
	}
	// What is above 2^512 comes back as 569 each, which may carry once more.
	top := carry(&l, 0)
	for range 2 {
		top = carry(&l, 569*top)
	}
	// A number from p on goes above the top when 569 is added.
	if whole := l; carry(&whole, 569) > 0 {
		l = whole
	}
	var b [64 + 8]byte
	for i := range l {
		at := limbBits * i
		w := binary.LittleEndian.Uint64(b[at/8:]) | l[i]<<(at%8)
		binary.LittleEndian.PutUint64(b[at/8:], w)
	}
	e.SetBytes(b[:64])
	return e
}

// carry adds a small number, makes limbs of 52 bits and takes away and returns what is above 2^512.
func carry(l *[limbs]uint64, x uint64) (top uint64) {
	const last = 512 - limbBits*(limbs-1)
	l[0] += x
	for i := range limbs - 1 {
		l[i+1] += l[i] >> limbBits
		l[i] &= low52
	}
	top = l[limbs-1] >> last
	l[limbs-1] &= 1<<last - 1
	return top
}
