package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// transpose reads eight affine points of 20 limbs in a row and writes them side by side: two squares of 8×8 words and
// a strip of 4×8.
func transpose() {
	TEXT("transposeIFMA", NOSPLIT, "func(q *[2][10][8]uint64, rows *[8]*[20]uint64)")
	Doc("transposeIFMA sets q to the points of the rows, one in each lane.")
	Load(Param("q"), RDI)
	Load(Param("rows"), RSI)
	pointers := []GPPhysical{R8, R9, R10, R11, R12, R13, RAX, RBX}
	for i, r := range pointers {
		MOVQ(Mem{Base: RSI, Disp: 8 * i}, r)
	}
	word := func(row, i int) Mem { return Mem{Base: pointers[row], Disp: 8 * i} }
	put := func(r VecPhysical, i int) { VMOVDQU64(r, Mem{Base: RDI, Disp: 64 * i}) }
	const even, odd = 0x88, 0xdd // quarters 0 and 2, or 1 and 3, of both
	for at := 0; at < 16; at += 8 {
		rows := make([]VecPhysical, 8)
		for i := range rows {
			rows[i] = load(word(i, at))
		}
		for half := range 2 { // even words, then odd ones
			var pairs [4]VecPhysical
			for i := range pairs {
				pairs[i] = unpack(half, rows[2*i], rows[2*i+1])
			}
			for quarter, which := range []uint64{even, odd} { // words 0 and 4, then 2 and 6
				a, b := shuffle(which, pairs[0], pairs[1]), shuffle(which, pairs[2], pairs[3])
				first, second := shuffle(even, a, b), shuffle(odd, a, b)
				put(first, at+2*quarter+half)
				put(second, at+2*quarter+half+4)
				give(a, b, first, second)
			}
			give(pairs[:]...)
		}
		give(rows...)
	}
	// Rows 0 and 2, 1 and 3, 4 and 6, 5 and 7 share a register here.
	var rows [4]VecPhysical
	for i, row := range []int{0, 1, 4, 5} {
		rows[i] = take()
		VMOVDQU64(word(row, 16), rows[i].(Vec).AsY())
		VINSERTI64X4(Imm(1), word(row+2, 16), rows[i], rows[i])
	}
	for half := range 2 {
		a, b := unpack(half, rows[0], rows[1]), unpack(half, rows[2], rows[3])
		first, second := shuffle(even, a, b), shuffle(odd, a, b)
		put(first, 16+half)
		put(second, 18+half)
		give(a, b, first, second)
	}
	give(rows[:]...)
	finish()
	if len(free) != 32 {
		panic(fmt.Sprintf("eight: %d registers were not given back", 32-len(free)))
	}
}

func unpack(half int, x, y VecPhysical) VecPhysical {
	r := take()
	if half == 0 {
		VPUNPCKLQDQ(y, x, r)
	} else {
		VPUNPCKHQDQ(y, x, r)
	}
	return r
}

func shuffle(which uint64, x, y VecPhysical) VecPhysical {
	r := take()
	VSHUFI64X2(Imm(which), y, x, r)
	return r
}
