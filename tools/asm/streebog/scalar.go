package main

import (
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// The version for processors without the vectors looks bytes up in the tables of the portable one,
// with less to do for each: a word gives two bytes at a time, AL and AH, and eight sums stay in
// registers. Key and state are on the stack.

var (
	tables = RDI
	word   = RAX
	sums   = [8]Register{R8, R9, R10, R11, R12, R13, R14, R15}
	left   = Mem{Base: RSP, Disp: 128} // blocks
	from   = Mem{Base: RSP, Disp: 136} // the block
)

const frame = 144

// words gives the memory of a number's words.
type words func(j int) Mem

func in(base Register, offset int) words {
	return func(j int) Mem { return Mem{Base: base, Disp: offset + 8*j} }
}

var keyWords, stateWords = in(RSP, 0), in(RSP, 64)

// scalarAbsorb is stage 2 for whole blocks.
func (g generator) scalarAbsorb() {
	g.function("scalarAbsorb", "func(t *[8][256]uint64, c *[12][8]uint64, h, n, sigma *[8]uint64, p *byte, blocks int, bits uint64)",
		"scalarAbsorb does stage 2 for blocks > 0 whole blocks from p on, each of which counts as the given",
		"number of bits.")
	g.AllocLocal(frame)
	g.Load(g.Param("t"), tables)
	g.Load(g.Param("p"), RSI)
	g.Load(g.Param("blocks"), RBX)
	g.MOVQ(RSI, from)
	g.MOVQ(RBX, left)

	g.Label("block")
	g.Load(g.Param("h"), RSI)
	g.Load(g.Param("n"), RBX)
	g.lookUp(in(RSI, 0), in(RBX, 0), keyWords)
	g.MOVQ(from, RSI)
	g.Load(g.Param("sigma"), RDX)
	g.Load(g.Param("bits"), RCX)
	g.count(RBX, RCX, RDX, RSI, RAX)
	g.scalarCompress("round")
	g.ADDQ(U8(64), from)
	g.DECQ(left)
	g.JNZ(LabelRef("block"))
	g.RET()
}

// scalarFinish is the end of stage 3.
func (g generator) scalarFinish() {
	g.function("scalarFinish", "func(t *[8][256]uint64, c *[12][8]uint64, h, n, sigma *[8]uint64)",
		"scalarFinish compresses the length and the sum, both with a counter of zero.")
	g.AllocLocal(frame)
	g.Load(g.Param("t"), tables)
	for _, m := range []string{"n", "sigma"} {
		g.Load(g.Param("h"), RSI)
		g.lookUp(in(RSI, 0), nil, keyWords)
		g.Load(g.Param(m), RSI)
		g.MOVQ(RSI, from)
		g.scalarCompress(m)
	}
	g.RET()
}

// scalarCompress is the rest of g when the first key is there; RSI and from hold the block.
func (g generator) scalarCompress(label string) {
	for j := range 8 {
		g.MOVQ(in(RSI, 0)(j), word)
		g.MOVQ(word, stateWords(j))
	}
	constant, last := RSI, RBX
	g.Load(g.Param("c"), constant)
	g.LEAQ(Mem{Base: constant, Disp: 12 * 64}, last)
	g.Label(label)
	g.lookUp(stateWords, keyWords, stateWords)
	g.lookUp(keyWords, in(constant, 0), keyWords)
	g.ADDQ(U8(64), constant)
	g.CMPQ(constant, last)
	g.JNE(LabelRef(label))
	g.Load(g.Param("h"), RBX)
	g.MOVQ(from, RSI)
	for j := range 8 {
		g.MOVQ(keyWords(j), word)
		g.XORQ(stateWords(j), word)
		g.XORQ(in(RSI, 0)(j), word)
		g.XORQ(word, in(RBX, 0)(j))
	}
}

// lookUp sets z to L(P(S(a ⊕ b))), or of a alone where there is no b.
func (g generator) lookUp(a, b, z words) {
	for j := range 8 {
		g.MOVQ(a(j), word)
		if b != nil {
			g.XORQ(b(j), word)
		}
		add := g.XORQ
		if j == 0 {
			add = g.MOVQ
		}
		for i := 0; i < 8; i += 2 {
			g.MOVBLZX(AL, ECX)
			g.MOVBLZX(AH, EDX)
			if i < 6 {
				g.SHRQ(U8(16), word)
			}
			add(Mem{Base: tables, Index: RCX, Scale: 8, Disp: 2048 * j}, sums[i])
			add(Mem{Base: tables, Index: RDX, Scale: 8, Disp: 2048 * j}, sums[i+1])
		}
	}
	for j := range 8 {
		g.MOVQ(sums[j], z(j))
	}
}
