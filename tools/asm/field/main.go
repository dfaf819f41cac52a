// Command field writes the assembly of package gost/internal/field.
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
		multiply(p)
		square(p)
		montgomery(p)
	}
	Generate()
}

func multiply(p kernel.Prime) {
	TEXT(fmt.Sprintf("mulADX%d", p.Bits), NOSPLIT, fmt.Sprintf("func(z, x, y *[%d]uint64)", p.Limbs))
	Doc(fmt.Sprintf("mulADX%d sets z to x·y.", p.Bits))
	Load(Param("x"), RSI)
	Load(Param("y"), RDI)
	p.Mul(Mem{Base: RSI}, Mem{Base: RDI}, AllocLocal(8*p.Limbs))
	store(p)
}

func square(p kernel.Prime) {
	TEXT(fmt.Sprintf("squareADX%d", p.Bits), NOSPLIT, fmt.Sprintf("func(z, x *[%d]uint64)", p.Limbs))
	Doc(fmt.Sprintf("squareADX%d sets z to x².", p.Bits))
	Load(Param("x"), RSI)
	p.Square(Mem{Base: RSI}, AllocLocal(16*p.Limbs))
	store(p)
}

func montgomery(p kernel.Prime) {
	n := p.Limbs
	TEXT(fmt.Sprintf("montgomeryADX%d", p.Bits), NOSPLIT, fmt.Sprintf("func(z, x, y *[%d]uint64, o *[%d]uint64)", n, n+1))
	Doc(fmt.Sprintf("montgomeryADX%d sets z to x·y/2^%d modulo the first words of o; the next is -1/o modulo 2^64.", p.Bits, p.Bits))
	m, inv, t := AllocLocal(8*n), AllocLocal(8), AllocLocal(8*n)
	Load(Param("o"), RSI)
	for i := range n {
		MOVQ(Mem{Base: RSI, Disp: 8 * i}, RAX)
		MOVQ(RAX, m.Offset(8*i))
	}
	MOVQ(Mem{Base: RSI, Disp: 8 * n}, RAX)
	MOVQ(RAX, inv)
	Load(Param("x"), RSI)
	Load(Param("y"), RDI)
	p.Montgomery(Mem{Base: RSI}, Mem{Base: RDI}, m, inv, t)
	store(p)
}

func store(p kernel.Prime) {
	Load(Param("z"), RDI)
	p.Store(Mem{Base: RDI})
	RET()
}
