package kernel

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// Load puts the number at x into R.
func (p Prime) Load(x Mem) {
	for i, r := range p.R() {
		MOVQ(x.Offset(8*i), r)
	}
}

// Store writes the number in R to x.
func (p Prime) Store(x Mem) {
	for i, r := range p.R() {
		MOVQ(r, x.Offset(8*i))
	}
}

// Sub subtracts the number at x. A borrow is paid with Fold; if that borrows too, the lowest word is large
// and pays the second Fold alone.
func (p Prime) Sub(x Mem) {
	r := p.R()
	for i := range r {
		if i == 0 {
			SUBQ(x, r[0])
		} else {
			SBBQ(x.Offset(8*i), r[i])
		}
	}
	p.pay(SUBQ, SBBQ)
}

// Add adds the number at x. A carry comes back as Fold, as in Sub.
func (p Prime) Add(x Mem) {
	r := p.R()
	for i := range r {
		if i == 0 {
			ADDQ(x, r[0])
		} else {
			ADCQ(x.Offset(8*i), r[i])
		}
	}
	p.pay(ADDQ, ADCQ)
}

func (p Prime) pay(first, next func(a, b Op)) {
	r := p.R()
	SBBQ(RAX, RAX)
	ANDQ(U32(p.Fold), RAX)
	first(RAX, r[0])
	for _, w := range r[1:] {
		next(Imm(0), w)
	}
	SBBQ(RAX, RAX)
	ANDQ(U32(p.Fold), RAX)
	first(RAX, r[0])
}

// Halve divides by two: an odd number gets the prime added before.
func (p Prime) Halve() {
	r := p.R()
	MOVQ(r[0], RAX)
	ANDQ(Imm(1), RAX)
	MOVQ(RAX, RBX)
	NEGQ(RBX)
	ANDQ(U32(p.Fold), RBX)
	SUBQ(RBX, r[0])
	for _, w := range r[1:] {
		SBBQ(Imm(0), w)
	}
	SBBQ(Imm(0), RAX) // the 2^Bits of the prime, less the borrow
	for i, w := range r {
		if i+1 < len(r) {
			SHRQ(Imm(1), r[i+1], w)
		} else {
			SHRQ(Imm(1), RAX, w)
		}
	}
}
