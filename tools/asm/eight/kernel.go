package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// A number modulo p = 2^512 - 569 is ten limbs of 52 bits, the highest of 44 and more. A register holds one limb of
// eight numbers. The products of AVX-512 IFMA read the low 52 bits of a factor, so factors have limbs below 2^52:
// the highest of what [value.store] leaves is below 2^46, and of what sum and difference leave, below 2^48.

const (
	limbs    = 10
	bits     = 52
	topBits  = 512 - bits*(limbs-1)
	fold     = 569
	foldOver = fold << (bits*limbs - 512) // 2^520 modulo p
)

// Numbers that every lane reads.
const (
	mask52 = 1<<bits - 1
	mask44 = 1<<topBits - 1
	unit44 = 1 << topBits
)

var constants = map[uint64]Mem{}

func constant(x uint64) Mem {
	if _, ok := constants[x]; !ok {
		constants[x] = ConstData(fmt.Sprintf("lane%x", x), U64(x))
	}
	return constants[x]
}

// free are the registers not in use. The next one taken is the one that was given back longest ago.
var free = []VecPhysical{
	Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15,
	Z16, Z17, Z18, Z19, Z20, Z21, Z22, Z23, Z24, Z25, Z26, Z27, Z28, Z29, Z30, Z31,
}

func take() VecPhysical {
	r := free[0]
	free = free[1:]
	return r
}

func zero() VecPhysical {
	r := take()
	VPXORQ(r, r, r)
	return r
}

func load(m Mem) VecPhysical {
	r := take()
	VMOVDQU64(m, r)
	return r
}

func broadcast(m Mem) VecPhysical {
	r := take()
	VPBROADCASTQ(m, r)
	return r
}

func give(r ...VecPhysical) { free = append(free, r...) }

// value is a number in flight: limbs are signed numbers of less than 2^60 in size, and the number is the sum of
// limbs times 2^52i.
type value struct {
	limb [limbs]VecPhysical
	// owed is a number of 2^512 that makes the highest limb positive when it is added.
	owed int
}

// columns are the sums of products of the same weight, made from the highest row down: after row i, column i+10 has
// all its products and is folded to columns i and i+1. So eleven are in use at a time.
type columns map[int]VecPhysical

func (c columns) at(k int) VecPhysical {
	if _, ok := c[k]; !ok {
		c[k] = zero()
	}
	return c[k]
}

// foldTo takes column k away, of less than 2^58, and adds it to the columns of to: its low 52 bits times 2^520, which
// is a number of 18 bits modulo p, and the few bits above them times the same.
func (c columns) foldTo(k int, to columns, times VecPhysical) {
	r := c[k]
	VPMADD52LUQ(times, r, to.at(k-limbs))
	VPMADD52HUQ(times, r, to.at(k-limbs+1))
	VPSRLQ(Imm(bits), r, r)
	VPMADD52LUQ(times, r, to.at(k-limbs+1))
	give(r)
	delete(c, k)
}

// product is x·y. Limbs are below 2^57: there are twenty summands of 2^52, and what is folded.
func product(x, y Mem) *value {
	var b [limbs]VecPhysical
	for j := range b {
		b[j] = load(y.Offset(64 * j))
	}
	times := broadcast(constant(foldOver))
	c := columns{}
	for i := limbs - 1; i >= 0; i-- {
		a := load(x.Offset(64 * i))
		for j := range b {
			VPMADD52LUQ(b[j], a, c.at(i+j))
		}
		for j := range b {
			VPMADD52HUQ(b[j], a, c.at(i+j+1))
		}
		give(a)
		c.foldTo(i+limbs, c, times)
	}
	give(times)
	give(b[:]...)
	return c.value()
}

func (c columns) value() *value {
	v := new(value)
	for k := range v.limb {
		v.limb[k] = c[k]
	}
	return v
}

// square is x². Products of different limbs are in c and count twice; squares of limbs and what is folded are in once.
func square(x Mem) *value {
	var a [limbs]VecPhysical
	for j := limbs - 1; j >= 0; j-- {
		a[j] = load(x.Offset(64 * j))
	}
	times := broadcast(constant(foldOver))
	c, once := columns{}, columns{}
	diagonal := func(k int, to columns) {
		if r := a[k/2]; k%2 == 0 {
			VPMADD52LUQ(r, r, to.at(k))
		} else {
			VPMADD52HUQ(r, r, to.at(k))
		}
	}
	for i := limbs - 1; i >= 0; i-- {
		for j := i + 1; j < limbs; j++ {
			VPMADD52LUQ(a[j], a[i], c.at(i+j))
		}
		for j := i + 1; j < limbs; j++ {
			VPMADD52HUQ(a[j], a[i], c.at(i+j+1))
		}
		k := i + limbs
		if r, ok := c[k]; ok {
			VPADDQ(r, r, r)
		}
		diagonal(k, c)
		if over, ok := once[k]; ok {
			VPADDQ(over, c[k], c[k])
			give(over)
			delete(once, k)
		}
		c.foldTo(k, once, times)
	}
	give(times)
	for k := range limbs {
		diagonal(k, once)
	}
	give(a[:]...)
	for k := range limbs {
		if r, ok := c[k]; ok {
			VPADDQ(r, r, r)
			VPADDQ(r, once[k], once[k])
			give(r)
		}
	}
	return once.value()
}

// double and triple multiply by a number.
func (v *value) double() {
	for _, r := range v.limb {
		VPADDQ(r, r, r)
	}
}

func (v *value) triple() {
	t := take()
	for _, r := range v.limb {
		VPADDQ(r, r, t)
		VPADDQ(t, r, r)
	}
	give(t)
}

// negate negates the lanes of the mask. The number must be a product as it comes, so the highest limb is below 2^57.
func (v *value) negate(k Register) {
	none := zero()
	for _, r := range v.limb {
		VPSUBQ(r, none, k, r)
	}
	give(none)
	v.owed += 1 << (57 - topBits)
}

// sub subtracts a number at x so many times; its highest limb is below 2^46.
func (v *value) sub(x Mem, times int) {
	for i, r := range v.limb {
		for range times {
			VPSUBQ(x.Offset(64*i), r, r)
		}
	}
	v.owed += times << (46 - topBits)
}

// store writes the number to z. First what is above 2^512 comes back as 569 each, so that the carries that
// follow end in the highest limb. A number that owes keeps one 2^512: else a carry of -1 could make it negative.
func (v *value) store(z Mem) {
	top, low := v.limb[limbs-1], v.limb[0]
	over := take()
	if v.owed > 0 {
		VPADDQ_BCST(constant(uint64(v.owed)<<topBits), top, top)
	}
	VPSRLQ(Imm(topBits), top, over)
	VPANDQ_BCST(constant(mask44), top, top)
	VPMADD52LUQ_BCST(constant(fold), over, low)
	if v.owed > 0 {
		VPADDQ_BCST(constant(unit44), top, top)
		VPADDQ_BCST(constant(-uint64(fold*(v.owed+1))), low, low)
	}
	give(over)
	v.carry(z)
}

// carry makes limbs of 52 bits and writes them to z.
func (v *value) carry(z Mem) {
	over, mask := take(), broadcast(constant(mask52))
	for i, r := range v.limb {
		if i < limbs-1 {
			VPSRAQ(Imm(bits), r, over)
			VPANDQ(mask, r, r)
			VPADDQ(over, v.limb[i+1], v.limb[i+1])
		}
		VMOVDQU64(r, z.Offset(64*i))
	}
	give(over, mask)
	give(v.limb[:]...)
}

// sum writes x + y to z, and difference x - y, for numbers whose highest limbs are below 2^46.
func sum(z, x, y Mem) {
	v := new(value)
	for i := range v.limb {
		v.limb[i] = load(x.Offset(64 * i))
		VPADDQ(y.Offset(64*i), v.limb[i], v.limb[i])
	}
	v.carry(z)
}

func difference(z, x, y Mem) {
	const owed = 1<<(46-topBits) + 1 // more than y, and one 2^512 as in store
	v := new(value)
	for i := range v.limb {
		v.limb[i] = load(x.Offset(64 * i))
		VPSUBQ(y.Offset(64*i), v.limb[i], v.limb[i])
	}
	VPADDQ_BCST(constant(owed<<topBits), v.limb[limbs-1], v.limb[limbs-1])
	VPADDQ_BCST(constant(1<<64-fold*owed), v.limb[0], v.limb[0])
	v.carry(z)
}
