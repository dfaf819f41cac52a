package group

import (
	"sync"

	"senim/gost/internal/field"
)

const (
	// Bits of a digit of a scalar, how many digits there are, and how many odd multiples they choose from: for
	// points that come once, and for the base point, which takes part in every second step.
	keyWindow  = 5
	keyDigits  = 103
	keyOdd     = 1 << (keyWindow - 1)
	wideWindow = 2 * keyWindow
	wideDigits = (keyDigits + 1) / 2
	wideOdd    = 1 << (wideWindow - 1)
)

// Eight512 makes sums of multiples on a curve of 512 bits for eight points at a time, where the processor has AVX-512
// IFMA. It is safe for concurrent use.
type Eight512 struct {
	curve *Curve512
	base  func() *[wideOdd]row
	room  sync.Pool
}

// NewEight512 returns the one of a curve, and nil on a processor that cannot do it.
func NewEight512(c *Curve512) *Eight512 {
	if !useIFMA {
		return nil
	}
	e := &Eight512{curve: c}
	e.base = sync.OnceValue(func() *[wideOdd]row { return c.rows() })
	e.room.New = func() any { return new(eightRoom) }
	return e
}

// rows are the odd multiples of the base point.
func (c *Curve512) rows() *[wideOdd]row {
	g := &c.odd()[0]
	odd := make([]affine512, wideOdd)
	c.oddMultiplesVarTime(odd, make([]Point512, wideOdd), &Point512{g.x, g.y, field.One512()})
	rows := new([wideOdd]row)
	var x lanes
	for j := range odd {
		x.set(0, &odd[j].x)
		x.set(1, &odd[j].y)
		for i := range x {
			rows[j][i], rows[j][limbs+i] = x[i][0], x[i][1]
		}
	}
	return rows
}

// eightRoom is what one computation needs: 65 KiB, so the allocator puts it at a multiple of 64.
type eightRoom struct {
	sum  eightPoints
	by   eightAffine
	t    [2]lanes
	odd  [keyOdd]eightPoints
	rows [8][keyOdd]row // odd multiples of each point
}

// DoubleMultVarTime sets each r to u·G + v·p for public numbers of 64 bytes, little-endian and below the order, and
// public points set by SetAffine.
//
// The formulas are not for points that are equal, opposite or neutral. They make z zero then, and from zero nothing
// comes back: doubling and addition multiply z. So a lane that ends with another z was right at every step, and
// one that ends with zero is computed again by itself.
func (e *Eight512) DoubleMultVarTime(r *[8]Point512, u *[8][64]byte, p *[8]Point512, v *[8][64]byte) {
	room := e.room.Get().(*eightRoom)
	e.doubleMultVarTime(room, r, u, p, v)
	e.room.Put(room)
}

func (e *Eight512) doubleMultVarTime(room *eightRoom, r *[8]Point512, u *[8][64]byte, p *[8]Point512, v *[8][64]byte) {
	var of, by [8]digits
	for i := range p {
		of[i] = e.curve.digits(&u[i], wideWindow*wideDigits)
		by[i] = e.curve.digits(&v[i], keyWindow*keyDigits)
	}
	known := room.oddMultiplesVarTime(p)
	if known {
		e.add(room, &of, &by)
	}
	for i := range r {
		if known {
			r[i] = Point512{room.sum.x.get(i), room.sum.y.get(i), room.sum.z.get(i)}
		}
		if !known || r[i].z.IsZero() == 1 {
			e.curve.DoubleMultVarTime(&r[i], &u[i], &p[i], &v[i])
		}
	}
}

// add leaves the sums in the room, which has the odd multiples.
func (e *Eight512) add(room *eightRoom, of, by *[8]digits) {
	var rows [8]*row
	var negative uint64
	base := e.base()
	for i := keyDigits - 1; i >= 0; i-- {
		if i < keyDigits-1 {
			for range keyWindow {
				doubleIFMA(&room.sum)
			}
		}
		negative = 0
		for lane := range rows {
			index, sign := by[lane].at(keyWindow, i)
			rows[lane] = &room.rows[lane][index]
			negative |= sign << lane
		}
		transposeIFMA(&room.by, &rows)
		if i == keyDigits-1 {
			room.start(negative)
		} else {
			addIFMA(&room.sum, &room.by, negative)
		}
		if i%2 == 1 {
			continue
		}
		negative = 0
		for lane := range rows {
			index, sign := of[lane].at(wideWindow, i/2)
			rows[lane] = &base[index]
			negative |= sign << lane
		}
		transposeIFMA(&room.by, &rows)
		addIFMA(&room.sum, &room.by, negative)
	}
}

// digits is a scalar as digits of a curve's table have it, for another length.
type digits struct {
	half     [8 + 1]uint64
	opposite uint64 // 1 if it is the scalar's opposite
}

// digits writes k, below the order, as an odd number for so many bits, from 513 to 576.
func (c *Curve512) digits(k *[64]byte, bits int) (d digits) {
	d.opposite = c.recode(&d.half, k)
	d.half[8] = 1 << (bits - 1 - 512)
	return d
}

// at returns digit i of so many bits, an odd number, as (size-1)/2 and sign.
func (d *digits) at(window, i int) (index, sign uint64) {
	at := window * i
	v := d.half[at/64] >> (at % 64)
	if at%64 > 64-window {
		v |= d.half[at/64+1] << (64 - at%64)
	}
	v &= 1<<window - 1
	sign = 1 - v>>(window-1)
	return (v ^ -sign) & (1<<(window-1) - 1), sign ^ d.opposite
}

// start sets the sum to the points in by, or their opposites.
func (room *eightRoom) start(negative uint64) {
	room.sum.x, room.sum.y, room.sum.z = room.by.x, room.by.y, one8
	for lane := range 8 {
		if negative>>lane&1 == 1 {
			y := room.by.y.get(lane)
			y.Negate(&y)
			room.sum.y.set(lane, &y)
		}
	}
}

var one8 = lanes{{1, 1, 1, 1, 1, 1, 1, 1}}

// oddMultiplesVarTime makes the rows of 1, 3, 5 … times each point. It reports false if one of them is neutral.
//
// With 2·P = (X, Y, Z) the steps are from (x·Z², y·Z³) by (X, Y), which are affine points of a curve of the same
// shape: what its z says is to be multiplied by Z.
func (room *eightRoom) oddMultiplesVarTime(p *[8]Point512) bool {
	sum, by, t := &room.sum, &room.by, &room.t
	for i := range p {
		sum.x.set(i, &p[i].x)
		sum.y.set(i, &p[i].y)
	}
	sum.z = one8
	first := &room.odd[0]
	first.x, first.y = sum.x, sum.y
	doubleIFMA(sum)
	by.x, by.y = sum.x, sum.y
	scale := sum.z
	squareIFMA(&t[0], &scale)
	mulIFMA(&sum.x, &first.x, &t[0])
	mulIFMA(&t[0], &t[0], &scale)
	mulIFMA(&sum.y, &first.y, &t[0])
	sum.z = one8
	for j := range room.odd[1:] {
		addIFMA(sum, by, 0)
		room.odd[j+1] = *sum
	}
	inverse := &t[1]
	mulIFMA(inverse, &sum.z, &scale)
	if !inverse.invertVarTime() {
		return false
	}
	for j := keyOdd - 1; j > 0; j-- {
		q := &room.odd[j]
		squareIFMA(&t[0], inverse)
		mulIFMA(&q.x, &q.x, &t[0])
		mulIFMA(&t[0], &t[0], inverse)
		mulIFMA(&q.y, &q.y, &t[0])
		mulIFMA(inverse, inverse, &q.h)
	}
	for j := range room.odd {
		q := &room.odd[j]
		for i := range limbs {
			for lane := range 8 {
				to := &room.rows[lane][j]
				to[i], to[limbs+i] = q.x[i][lane], q.y[i][lane]
			}
		}
	}
	return true
}

// invertVarTime inverts all lanes with one inversion, and reports false if one of them is zero.
func (x *lanes) invertVarTime() bool {
	var before [8]field.Element512
	product := field.One512()
	for lane := range before {
		before[lane] = product
		e := x.get(lane)
		product.Mul(&product, &e)
	}
	if product.IsZero() == 1 {
		return false
	}
	product.InvertVarTime(&product)
	for lane := 7; lane >= 0; lane-- {
		e := x.get(lane)
		before[lane].Mul(&before[lane], &product)
		product.Mul(&product, &e)
		x.set(lane, &before[lane])
	}
	return true
}
