package kernel

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// Montgomery leaves in R the product x·y/2^Bits modulo the odd number at m, below it, if one of x and y is below
// it. inv is -1/m modulo 2^64. Only Limbs counts of p. The 8·Limbs bytes at t are room to work.
func (p Prime) Montgomery(x, y, m, inv, t Mem) {
	n := p.Limbs
	acc := append(append([]GPPhysical{}, p.R()...), RCX)
	for i := range n {
		MOVQ(x.Offset(8*i), RDX)
		if i == 0 {
			MULXQ(y, acc[0], acc[1])
			for j := 1; j < n; j++ {
				MULXQ(y.Offset(8*j), RAX, acc[j+1])
				if j == 1 {
					ADDQ(RAX, acc[j])
				} else {
					ADCQ(RAX, acc[j])
				}
			}
			ADCQ(Imm(0), acc[n])
			MOVQ(U32(0), RBX)
		} else {
			p.addRow(y, acc)
			MOVQ(U32(0), RBX)
			ADCXQ(RAX, RBX)
			ADOXQ(RAX, RBX)
		}
		MOVQ(RBX, t)
		MOVQ(acc[0], RDX)
		IMULQ(inv, RDX)
		p.addRow(m, acc)
		// The lowest word is zero now, and takes what went beyond the highest.
		MOVQ(t, acc[0])
		ADCXQ(RAX, acc[0])
		ADOXQ(RAX, acc[0])
		acc = append(acc[1:], acc[0])
	}
	// Less m, once, if that is possible.
	for i, r := range acc[:n] {
		MOVQ(r, t.Offset(8*i))
	}
	for i, r := range acc[:n] {
		if i == 0 {
			SUBQ(m, r)
		} else {
			SBBQ(m.Offset(8*i), r)
		}
	}
	SBBQ(Imm(0), acc[n])
	for i, r := range acc[:n] {
		CMOVQCS(t.Offset(8*i), r)
	}
	// n rounds of n+1 registers have turned by n: move the words to where R has them.
	for i, r := range acc[:n] {
		MOVQ(r, t.Offset(8*i))
	}
	p.Load(t)
}

// addRow adds RDX times the number at y to acc, of a word more. It leaves zero in RAX and what goes beyond in
// both carries.
func (p Prime) addRow(y Mem, acc []GPPhysical) {
	XORL(EAX, EAX)
	for j := range p.Limbs {
		MULXQ(y.Offset(8*j), RAX, RBX)
		ADCXQ(RAX, acc[j])
		ADOXQ(RBX, acc[j+1])
	}
	MOVQ(U32(0), RAX)
	ADCXQ(RAX, acc[p.Limbs])
}
