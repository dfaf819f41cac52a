// Command group writes the assembly of package gost/internal/group: the two steps of a multiplication that
// matter, each without a call inside, and the reading of a table.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	"senim/tools/asm/kernel"
)

func main() {
	ConstraintExpr("!purego")
	for _, p := range []kernel.Prime{kernel.P512, kernel.P256} {
		mixed(p)
		if p == kernel.P512 {
			doubleMinus3(p)
		} else {
			doubleAny(p)
		}
		lookup(p)
	}
	Generate()
}

// elements are the coordinates that stand one after the other at base.
func elements(p kernel.Prime, base Register, n int) []Mem {
	all := make([]Mem, n)
	for i := range all {
		all[i] = Mem{Base: base, Disp: 8 * p.Limbs * i}
	}
	return all
}

// mixed is addition of an affine point: r = p + q, 8 products and 3 squares.
func mixed(p kernel.Prime) {
	n := p.Limbs
	TEXT(fmt.Sprintf("addADX%d", p.Bits), 0, fmt.Sprintf("func(r, p *[%d]uint64, q *[%d]uint64)", 3*n, 2*n))
	Doc(fmt.Sprintf("addADX%d sets r to p + q, which must not be equal, opposite or neutral. r may be p.", p.Bits))
	t := AllocLocal(16 * n)
	a, h, s, v := AllocLocal(8*n), AllocLocal(8*n), AllocLocal(8*n), AllocLocal(8*n)
	Load(Param("p"), RSI)
	Load(Param("q"), RDI)
	from, to, q := elements(p, RSI, 3), elements(p, RDI, 3), elements(p, RDI, 2)
	x, y, z := from[0], from[1], from[2]
	p.Square(z, t)
	p.Store(a)
	p.Mul(q[0], a, t)
	p.Sub(x)
	p.Store(h)
	p.Mul(z, a, t)
	p.Store(a)
	p.Mul(q[1], a, t)
	p.Sub(y)
	p.Store(s)
	Load(Param("r"), RDI)
	p.Square(h, t)
	p.Store(a)
	p.Mul(z, h, t)
	p.Store(to[2])
	p.Mul(x, a, t)
	p.Store(v)
	p.Mul(h, a, t)
	p.Store(h)
	p.Square(s, t)
	p.Sub(h)
	p.Sub(v)
	p.Sub(v)
	p.Store(to[0])
	p.Mul(y, h, t)
	p.Store(a)
	p.Load(v)
	p.Sub(to[0])
	p.Store(v)
	p.Mul(s, v, t)
	p.Sub(a)
	p.Store(to[1])
	RET()
}

// doubleMinus3 is r = 2·p on a curve with a = -3, 4 products and 4 squares. With z halved against the usual
// formulas, one halving replaces several doublings.
func doubleMinus3(p kernel.Prime) {
	n := p.Limbs
	TEXT(fmt.Sprintf("doubleADX%d", p.Bits), 0, fmt.Sprintf("func(r, p *[%d]uint64)", 3*n))
	Doc(fmt.Sprintf("doubleADX%d sets r to 2·p on a curve with a = -3. r may be p.", p.Bits))
	t := AllocLocal(16 * n)
	a, b, c, d := AllocLocal(8*n), AllocLocal(8*n), AllocLocal(8*n), AllocLocal(8*n)
	Load(Param("p"), RSI)
	Load(Param("r"), RDI)
	from, to := elements(p, RSI, 3), elements(p, RDI, 3)
	x, y, z := from[0], from[1], from[2]
	p.Square(z, t)
	p.Store(a)
	p.Load(x)
	p.Add(a)
	p.Store(b)
	p.Load(x)
	p.Sub(a)
	p.Store(a)
	p.Square(y, t)
	p.Store(c)
	p.Mul(y, z, t)
	p.Store(to[2])
	p.Mul(a, b, t)
	p.Store(a)
	p.Halve()
	p.Add(a)
	p.Store(a) // 3/2·(x-z²)(x+z²)
	p.Mul(x, c, t)
	p.Store(b) // x·y²
	p.Square(c, t)
	p.Store(d) // y⁴
	finishDouble(p, to, a, b, d, t)
}

// doubleAny is r = 2·p on any curve, 4 products and 6 squares.
func doubleAny(p kernel.Prime) {
	n := p.Limbs
	TEXT(fmt.Sprintf("doubleADX%d", p.Bits), 0, fmt.Sprintf("func(r, p *[%d]uint64, a *[%d]uint64)", 3*n, n))
	Doc(fmt.Sprintf("doubleADX%d sets r to 2·p on the curve with the given a. r may be p.", p.Bits))
	t := AllocLocal(16 * n)
	a, b, c, d := AllocLocal(8*n), AllocLocal(8*n), AllocLocal(8*n), AllocLocal(8*n)
	Load(Param("p"), RSI)
	Load(Param("a"), RDI)
	from, to := elements(p, RSI, 3), elements(p, RDI, 3)
	x, y, z := from[0], from[1], from[2]
	p.Square(z, t)
	p.Store(a)
	p.Square(x, t)
	p.Store(b)
	p.Square(a, t)
	p.Store(a)
	p.Square(y, t)
	p.Store(c)
	p.Mul(Mem{Base: RDI}, a, t)
	p.Add(b)
	p.Add(b)
	p.Add(b)
	p.Halve()
	p.Store(a) // (3·x² + a·z⁴)/2
	Load(Param("r"), RDI)
	p.Mul(y, z, t)
	p.Store(to[2])
	p.Mul(x, c, t)
	p.Store(b) // x·y²
	p.Square(c, t)
	p.Store(d) // y⁴
	finishDouble(p, to, a, b, d, t)
}

// finishDouble makes x = a² - 2b and y = a·(b - x) - d.
func finishDouble(p kernel.Prime, to []Mem, a, b, d, t Mem) {
	p.Square(a, t)
	p.Sub(b)
	p.Sub(b)
	p.Store(to[0])
	p.Load(b)
	p.Sub(to[0])
	p.Store(b)
	p.Mul(a, b, t)
	p.Sub(d)
	p.Store(to[1])
	RET()
}

// lookup reads one of 32 affine points, touching all of them.
func lookup(p kernel.Prime) {
	n := 2 * p.Limbs
	TEXT(fmt.Sprintf("lookupAVX%d", p.Bits), NOSPLIT, fmt.Sprintf("func(r *[%d]uint64, table *[32][%d]uint64, index uint64)", n, n))
	Doc(fmt.Sprintf("lookupAVX%d sets r to table[index] in constant time.", p.Bits))
	Load(Param("r"), RDI)
	Load(Param("table"), RSI)
	Load(Param("index"), RAX)
	wanted, here, one, mask := Y0, Y1, Y2, Y3
	parts := []VecPhysical{Y4, Y5, Y6, Y7}[:n/4]
	word := Y8
	VMOVQ(RAX, X0)
	VPBROADCASTQ(X0, wanted)
	MOVQ(U32(1), RAX)
	VMOVQ(RAX, X2)
	VPBROADCASTQ(X2, one)
	VPXOR(here, here, here)
	for _, part := range parts {
		VPXOR(part, part, part)
	}
	MOVQ(U32(32), RCX)
	Label(fmt.Sprintf("entry%d", p.Bits))
	VPCMPEQQ(wanted, here, mask)
	VPADDQ(one, here, here)
	for i, part := range parts {
		VPAND(Mem{Base: RSI, Disp: 32 * i}, mask, word)
		VPOR(word, part, part)
	}
	ADDQ(Imm(uint64(8*n)), RSI)
	DECQ(RCX)
	JNZ(LabelRef(fmt.Sprintf("entry%d", p.Bits)))
	for i, part := range parts {
		VMOVDQU(part, Mem{Base: RDI, Disp: 32 * i})
	}
	VZEROUPPER()
	RET()
}
