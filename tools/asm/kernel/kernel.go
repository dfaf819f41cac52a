// Package kernel writes the multiplication modulo 2^(64n) - fold for amd64 with MULX, ADCX and ADOX, as
// pieces that other generators put together.
//
// A number in flight sits in the n registers [Prime.R], lowest word first, below 2^(64n) but perhaps not
// below the prime. Pieces may use AX, BX, CX and DX; SI and DI point to operands. No piece branches.
package kernel

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// Prime is 2^(64·Limbs) - Fold.
type Prime struct {
	Bits, Limbs int
	Fold        uint64
}

// The two primes of package field.
var (
	P512 = Prime{512, 8, 569}
	P256 = Prime{256, 4, 617}
)

var registers = []GPPhysical{R8, R9, R10, R11, R12, R13, R14, R15}

// R are the registers of a number in flight.
func (p Prime) R() []GPPhysical { return registers[:p.Limbs] }

// Mul leaves in R the product of the numbers at x and y. The low words of the product pass through the
// 8·Limbs bytes at low.
func (p Prime) Mul(x, y, low Mem) {
	n := p.Limbs
	acc := append(append([]GPPhysical{}, p.R()[1:]...), p.R()[0]) // comes round n-1 times
	MOVQ(x, RDX)
	MULXQ(y, RAX, acc[0])
	MOVQ(RAX, low)
	for j := 1; j < n; j++ {
		MULXQ(y.Offset(8*j), RAX, acc[j])
		if j == 1 {
			ADDQ(RAX, acc[j-1])
		} else {
			ADCQ(RAX, acc[j-1])
		}
	}
	ADCQ(Imm(0), acc[n-1])
	for i := 1; i < n; i++ {
		MOVQ(x.Offset(8*i), RDX)
		XORL(EAX, EAX) // clears both carries
		high := []GPPhysical{RBX, RCX}
		MULXQ(y, RAX, high[0])
		ADCXQ(RAX, acc[0])
		MOVQ(acc[0], low.Offset(8*i))
		for j := 1; j < n; j++ {
			ADOXQ(high[(j-1)%2], acc[j])
			h := high[j%2]
			if j == n-1 {
				h = acc[0]
			}
			MULXQ(y.Offset(8*j), RAX, h)
			ADCXQ(RAX, acc[j])
		}
		MOVQ(U32(0), RAX)
		ADCXQ(RAX, acc[0])
		ADOXQ(RAX, acc[0])
		acc = append(acc[1:], acc[0])
	}
	p.reduce(acc, low)
}

// reduce leaves in R the number whose low words are at low and whose high ones are in the registers high.
// The high half is worth Fold times itself, and what that carries out once more.
func (p Prime) reduce(high []GPPhysical, low Mem) {
	n := p.Limbs
	MOVQ(U32(p.Fold), RDX)
	XORL(EAX, EAX)
	over := []GPPhysical{RBX, RCX}
	for j := range n {
		MULXQ(high[j], high[j], over[j%2])
		ADCXQ(low.Offset(8*j), high[j])
		if j > 0 {
			ADOXQ(over[(j-1)%2], high[j])
		}
	}
	top := over[(n-1)%2]
	MOVQ(U32(0), RAX)
	ADCXQ(RAX, top)
	ADOXQ(RAX, top)
	IMULQ(RDX, top)
	ADDQ(top, high[0])
	for j := 1; j < n; j++ {
		ADCQ(Imm(0), high[j])
	}
	// A last carry meets a lowest word that is small.
	SBBQ(RAX, RAX)
	ANDQ(RDX, RAX)
	ADDQ(RAX, high[0])
	if high[0] != p.R()[0] {
		panic("kernel: registers came round otherwise than thought")
	}
}

// Square leaves in R the square of the number at x. The words of the double product pass through the
// 16·Limbs bytes at t.
func (p Prime) Square(x, t Mem) {
	n := p.Limbs
	// The products of different words: row i adds x[i]·x[j], j > i, at i+j; words 2i+1 and 2i+2 are then done.
	at := map[int]GPPhysical{} // position -> register
	free := append([]GPPhysical{}, p.R()...)
	if n < 8 {
		free = registers
	}
	free = append([]GPPhysical{}, free...)
	take := func(k int) GPPhysical {
		r := free[0]
		free = free[1:]
		at[k] = r
		return r
	}
	drop := func(k int) {
		MOVQ(at[k], t.Offset(8*k))
		free = append(free, at[k])
		delete(at, k)
	}
	MOVQ(x, RDX)
	take(1)
	take(2)
	MULXQ(x.Offset(8), at[1], at[2])
	for j := 2; j < n; j++ {
		take(j + 1)
		MULXQ(x.Offset(8*j), RAX, at[j+1])
		if j == 2 {
			ADDQ(RAX, at[j])
		} else {
			ADCQ(RAX, at[j])
		}
	}
	ADCQ(Imm(0), at[n])
	drop(1)
	drop(2)
	for i := 1; i < n-1; i++ {
		MOVQ(x.Offset(8*i), RDX)
		XORL(EAX, EAX)
		high := []GPPhysical{RBX, RCX}
		for j := i + 1; j < n; j++ {
			h := high[j%2]
			if j == n-1 {
				h = take(i + n)
			}
			MULXQ(x.Offset(8*j), RAX, h)
			ADCXQ(RAX, at[i+j])
			if j > i+1 {
				ADOXQ(high[(j-1)%2], at[i+j])
			}
		}
		MOVQ(U32(0), RAX)
		ADCXQ(RAX, at[i+n])
		ADOXQ(RAX, at[i+n])
		drop(2*i + 1)
		drop(2*i + 2)
	}
	// Twice that, and the squares.
	acc := p.R()
	XORL(EAX, EAX)
	for i := range n {
		MOVQ(x.Offset(8*i), RDX)
		MULXQ(RDX, RAX, RBX)
		p.twice(t, acc, 2*i, RAX)
		p.twice(t, acc, 2*i+1, RBX)
	}
	p.reduce(acc, t)
}

// twice makes word k of a square: twice word k of t and the word square, with two carries.
func (p Prime) twice(t Mem, acc []GPPhysical, k int, square GPPhysical) {
	n := p.Limbs
	to := RCX
	if k >= n {
		to = acc[k-n]
	}
	switch k {
	case 0:
		MOVQ(square, t)
		return
	case 2*n - 1:
		MOVQ(U32(0), to)
		ADCXQ(to, to)
	default:
		MOVQ(t.Offset(8*k), to)
		ADCXQ(to, to)
	}
	ADOXQ(square, to)
	if k < n {
		MOVQ(to, t.Offset(8*k))
	}
}
