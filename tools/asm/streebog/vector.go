package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// The state is one register of 64 bytes: word j holds byte j of all eight rows that L multiplies next,
// because P transposes. So one affine instruction, with a matrix of 8×8 bits for each word, multiplies
// by eight of the 64 blocks of L's matrix, eight of them with words exchanged by all, and what comes
// out is transposed for the next L.
//
// Words are exchanged as j ^ x, and the bits of x are split: the lowest before the multiplication,
// where it is one cheap shuffle inside the lanes, the others after it, where the transposition takes
// them along. So one shuffle and four transpositions do the work of seven exchanges and one.

// Rows of the constants, 64 bytes each, as gost/streebog lays them out (vectors there).
const (
	rounds       = 0  // twelve round constants
	substitution = 12 // four quarters of π
	matrices     = 16 // block (j^2a, j^b) of L's matrix in word j of row 2a+b, a < 4, b < 2
	transposes   = 24 // order of bytes that exchanges words by 2a and transposes, a < 4
	top          = 28 // eight times the matrix that copies the top bit of a byte to all its bits
	rows         = 29
)

// Registers.
var (
	constants, h, n, sigma = RAX, RDI, RSI, RDX

	message, chain, key, state, next = Z13, Z14, Z15, Z16, Z17

	quarter   = [4]VecPhysical{Z18, Z19, Z20, Z21}
	matrix    = [8]VecPhysical{Z22, Z23, Z24, Z25, Z26, Z27, Z28, Z29}
	transpose = [4]VecPhysical{Z9, Z10, Z11, Z12}
	topBit    = Z30
)

// Truth tables for VPTERNLOGQ.
const (
	xor3   = U8(0x96) // a ⊕ b ⊕ c
	choose = U8(0xca) // bits of b where a is set, of c elsewhere; a is the destination
)

func row(i int) Mem { return Mem{Base: constants, Disp: 64 * i} }

// vectorAbsorb is stage 2 for whole blocks.
func (g generator) vectorAbsorb() {
	g.function("vectorAbsorb", fmt.Sprintf("func(c *[%d][8]uint64, h, n, sigma *[8]uint64, p *byte, blocks int, bits uint64)", rows),
		"vectorAbsorb does stage 2 for blocks > 0 whole blocks from p on, each of which counts as the given",
		"number of bits.")
	p, blocks, bits := R8, R9, R10
	g.start()
	g.Load(g.Param("p"), p)
	g.Load(g.Param("blocks"), blocks)
	g.Load(g.Param("bits"), bits)

	g.Label("block")
	g.VMOVDQU64(Mem{Base: p}, message)
	g.VPXORQ(Mem{Base: n}, chain, key)
	g.count(n, bits, sigma, p, R11)
	g.compress("round")
	g.ADDQ(U8(64), p)
	g.DECQ(blocks)
	g.JNZ(LabelRef("block"))
	g.end()
}

// vectorFinish is the end of stage 3.
func (g generator) vectorFinish() {
	g.function("vectorFinish", fmt.Sprintf("func(c *[%d][8]uint64, h, n, sigma *[8]uint64)", rows),
		"vectorFinish compresses the length and the sum, both with a counter of zero.")
	g.start()
	for _, m := range []struct {
		at    Register
		label string
	}{{n, "length"}, {sigma, "sum"}} {
		g.VMOVDQU64(Mem{Base: m.at}, message)
		g.VMOVDQA64(chain, key)
		g.compress(m.label)
	}
	g.end()
}

func (g generator) start() {
	g.Load(g.Param("c"), constants)
	g.Load(g.Param("h"), h)
	g.Load(g.Param("n"), n)
	g.Load(g.Param("sigma"), sigma)
	for i, z := range quarter {
		g.VMOVDQU64(row(substitution+i), z)
	}
	for i, z := range matrix {
		g.VMOVDQU64(row(matrices+i), z)
	}
	for i, z := range transpose {
		g.VMOVDQU64(row(transposes+i), z)
	}
	g.VMOVDQU64(row(top), topBit)
	g.VMOVDQU64(Mem{Base: h}, chain)
}

func (g generator) end() {
	g.VMOVDQU64(chain, Mem{Base: h})
	g.VZEROUPPER()
	g.RET()
}

// compress is the function g (section 8): chain becomes g(chain, message), where key holds chain ⊕ N.
// In each round the next key and the next state are made side by side.
func (g generator) compress(label string) {
	constant, last := R12, R13
	t := g.lps(key)
	g.nextKey(t, row(rounds))
	g.VPXORQ(message, next, state)
	g.LEAQ(row(rounds+1), constant)
	g.LEAQ(row(rounds+13), last) // the thirteenth is no constant, and nothing uses the key it makes
	g.Label(label)
	t = g.lps(key)
	g.nextKey(t, Mem{Base: constant})
	t = g.lps(state)
	g.VMOVDQA64(t[3], state)
	g.VPTERNLOGQ(xor3, next, t[0], t[1])
	g.VPTERNLOGQ(xor3, t[1], t[2], state)
	g.ADDQ(U8(64), constant)
	g.CMPQ(constant, last)
	g.JNE(LabelRef(label))
	g.VPTERNLOGQ(xor3, message, state, chain)
}

// nextKey sets next to the sum of t, which is the round's key, and key to that and the constant.
func (g generator) nextKey(t [4]VecPhysical, constant Mem) {
	g.VPTERNLOGQ(xor3, t[1], t[2], t[0])
	g.VPXORQ(t[3], t[0], next)
	g.VPXORQ(constant, next, key)
}

// lps returns four registers whose sum is L(P(S(x))); x is lost.
func (g generator) lps(x VecPhysical) [4]VecPhysical {
	// S: both halves of π are asked for the lower seven bits, and the top bit chooses.
	low, high, swapped := Z4, Z5, Z6
	g.VMOVDQA64(quarter[0], low)
	g.VMOVDQA64(quarter[2], high)
	g.VPERMT2B(quarter[1], x, low)
	g.VPERMT2B(quarter[3], x, high)
	g.VGF2P8AFFINEQB(U8(0), topBit, x, x)
	g.VPTERNLOGQ(choose, low, high, x)

	g.VPSHUFD(U8(0x4e), x, swapped)
	t := [4]VecPhysical{Z0, Z1, Z2, Z3}
	for a := range t {
		g.VGF2P8AFFINEQB(U8(0), matrix[2*a], x, t[a])
		g.VGF2P8AFFINEQB(U8(0), matrix[2*a+1], swapped, Z7)
		g.VPXORQ(Z7, t[a], t[a])
		g.VPERMB(t[a], transpose[a], t[a])
	}
	return t
}
