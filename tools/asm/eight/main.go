// Command eight writes the assembly of package gost/internal/group that works on eight points side by side, with
// the products of 52 bits of AVX-512 IFMA.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

func main() {
	ConstraintExpr("!purego")
	multiply()
	double()
	add()
	transpose()
	Generate()
}

// elementSize is an element of eight lanes in memory.
const elementSize = 64 * limbs

// elements are n of them, one after the other.
func elements(base Register, n int) []Mem {
	all := make([]Mem, n)
	for i := range all {
		all[i] = Mem{Base: base, Disp: elementSize * i}
	}
	return all
}

// room is space for n elements on the stack, at a multiple of 64: loads that cross cache lines cost twice.
func room(n int) []Mem {
	t := AllocLocal(elementSize*n + 64)
	LEAQ(t.Offset(63), RAX)
	ANDQ(I8(-64), RAX)
	return elements(RAX, n)
}

func finish() {
	VZEROUPPER()
	RET()
}

func multiply() {
	TEXT("mulIFMA", NOSPLIT, "func(z, x, y *[10][8]uint64)")
	Doc("mulIFMA sets z to x·y in every lane.")
	z, x, y := Load(Param("z"), RDI), Load(Param("x"), RSI), Load(Param("y"), RDX)
	p := product(Mem{Base: x.(Register)}, Mem{Base: y.(Register)})
	p.store(Mem{Base: z.(Register)})
	finish()

	TEXT("squareIFMA", NOSPLIT, "func(z, x *[10][8]uint64)")
	Doc("squareIFMA sets z to x² in every lane.")
	z, x = Load(Param("z"), RDI), Load(Param("x"), RSI)
	p = square(Mem{Base: x.(Register)})
	p.store(Mem{Base: z.(Register)})
	finish()
}

// double is p = 2·p on a curve with a = -3, 4 products and 4 squares: with A = 3·(x-z²)·(x+z²) and B = 4·x·y²,
// x becomes A² - 2·B, y becomes A·(B - x) - 8·y⁴, and z becomes 2·y·z.
func double() {
	TEXT("doubleIFMA", 0, "func(p *[4][10][8]uint64)")
	Doc("doubleIFMA sets p to 2·p in every lane, on a curve with a = -3.")
	Load(Param("p"), RDI)
	p := elements(RDI, 3)
	x, y, z := p[0], p[1], p[2]
	t := room(4)

	v := square(z)
	v.store(t[0])
	v = square(y)
	v.double()
	v.store(t[1]) // 2·y²
	difference(t[2], x, t[0])
	sum(t[3], x, t[0])
	v = product(t[2], t[3])
	v.triple()
	v.store(t[2]) // A
	v = product(x, t[1])
	v.double()
	v.store(t[3]) // B
	v = square(t[1])
	v.store(t[1]) // 4·y⁴
	v = square(t[2])
	v.sub(t[3], 2)
	v.store(x)
	v = product(y, z)
	v.double()
	v.store(z)
	difference(t[3], t[3], x)
	v = product(t[2], t[3])
	v.sub(t[1], 2)
	v.store(y)
	finish()
}

// add is p = p ± q for an affine q, 8 products and 3 squares.
func add() {
	TEXT("addIFMA", 0, "func(p *[4][10][8]uint64, q *[2][10][8]uint64, negative uint64)")
	Doc("addIFMA adds q to p in every lane, or subtracts it where the bit of negative is set. The fourth element of p",
		"becomes what z was multiplied by: 0 where the points were equal or opposite.")
	Load(Param("p"), RDI)
	Load(Param("q"), RSI)
	Load(Param("negative"), RCX)
	KMOVQ(RCX, K1)
	p, q := elements(RDI, 4), elements(RSI, 2)
	x, y, z, h := p[0], p[1], p[2], p[3]
	t := room(4)

	v := square(z)
	v.store(t[0])
	v = product(q[0], t[0])
	v.sub(x, 1)
	v.store(h)
	v = product(z, t[0])
	v.store(t[0])
	v = square(h)
	v.store(t[2]) // h²
	v = product(q[1], t[0])
	v.negate(K1)
	v.sub(y, 1)
	v.store(t[1]) // the slope
	v = product(x, t[2])
	v.store(t[3]) // x·h²
	v = product(h, t[2])
	v.store(t[2]) // h³
	v = square(t[1])
	v.sub(t[2], 1)
	v.sub(t[3], 2)
	v.store(x)
	v = product(z, h)
	v.store(z)
	v = product(y, t[2])
	v.store(t[2])
	difference(t[3], t[3], x)
	v = product(t[1], t[3])
	v.sub(t[2], 1)
	v.store(y)
	finish()
}
