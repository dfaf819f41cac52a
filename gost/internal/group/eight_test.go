package group

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"

	"senim/gost/internal/field"

	"pgregory.net/rapid"
)

func needIFMA(t testing.TB) {
	if !useIFMA {
		t.Skip("this build or processor has no AVX-512 IFMA: eight lanes are not tested")
	}
}

// Bounds of the highest limb: what the assembly writes, and what it takes as a factor.
const (
	writtenTop = 1<<46 - 1
	factorTop  = 1<<48 - 1
)

// value is the number in a lane as it stands, not reduced.
func (x *lanes) value(lane int) *big.Int {
	v := new(big.Int)
	for i := limbs - 1; i >= 0; i-- {
		v.Lsh(v, limbBits).Add(v, new(big.Int).SetUint64(x[i][lane]))
	}
	return v
}

// written fails if a limb is greater than the assembly may leave it.
func (x *lanes) written(t *rapid.T, name string) {
	t.Helper()
	for i := range x {
		for lane, l := range x[i] {
			if l > low52 || i == limbs-1 && l > writtenTop {
				t.Errorf("%s: limb %d of lane %d is %#x", name, i, lane, l)
			}
		}
	}
}

// drawLanes gives numbers of any limbs up to the bounds, edges among them more often than chance has it.
func drawLanes(t *rapid.T, name string, top uint64, p *big.Int) (x lanes) {
	for lane := range 8 {
		limb := func(i int) uint64 {
			most := uint64(low52)
			if i == limbs-1 {
				most = top
			}
			return rapid.OneOf(rapid.Uint64Range(0, most), rapid.SampledFrom([]uint64{0, 1, most - 1, most})).Draw(t, fmt.Sprint(name, lane, i))
		}
		switch rapid.IntRange(0, 5).Draw(t, name+"kind") {
		case 0: // all limbs as great as they may be
			for i := range x {
				x[i][lane] = low52
			}
			x[limbs-1][lane] = top
		case 1: // a multiple of p, or next to it
			v := new(big.Int).Mul(p, big.NewInt(rapid.Int64Range(0, int64(top>>44)-1).Draw(t, name+"times")))
			v.Add(v, big.NewInt(rapid.Int64Range(0, 2).Draw(t, name+"more")))
			for i := range x {
				x[i][lane] = new(big.Int).And(v, big.NewInt(low52)).Uint64()
				v.Rsh(v, limbBits)
			}
		default:
			for i := range x {
				x[i][lane] = limb(i)
			}
		}
	}
	return x
}

// sameLanes compares modulo p.
func sameLanes(t *rapid.T, name string, p *big.Int, got *lanes, want func(lane int) *big.Int) {
	t.Helper()
	got.written(t, name)
	for lane := range 8 {
		w := want(lane)
		if d := new(big.Int).Sub(got.value(lane), w); d.Mod(d, p).Sign() != 0 {
			t.Errorf("%s, lane %d: %x, want %x", name, lane, got.value(lane), w.Mod(w, p))
		}
	}
}

func TestLanesProducts(t *testing.T) {
	needIFMA(t)
	p := subjects()[0].p
	rapid.Check(t, func(t *rapid.T) {
		x, y := drawLanes(t, "x", factorTop, p), drawLanes(t, "y", factorTop, p)
		var z, s lanes
		mulIFMA(&z, &x, &y)
		product := func(lane int) *big.Int { return new(big.Int).Mul(x.value(lane), y.value(lane)) }
		sameLanes(t, "product", p, &z, product)
		squareIFMA(&s, &x)
		sameLanes(t, "square", p, &s, func(lane int) *big.Int { return new(big.Int).Mul(x.value(lane), x.value(lane)) })
		left, right, both, alone := x, y, x, x
		mulIFMA(&left, &left, &y)
		mulIFMA(&right, &x, &right)
		mulIFMA(&both, &both, &both)
		squareIFMA(&alone, &alone)
		if left != z || right != z || alone != s {
			t.Error("aliased arguments give another result")
		}
		sameLanes(t, "product with itself", p, &both, func(lane int) *big.Int { return s.value(lane) })
	})
}

// TestLanesPoints compares the formulas with themselves on big numbers, also where there is no such point.
func TestLanesPoints(t *testing.T) {
	needIFMA(t)
	p := subjects()[0].p
	mul := func(x, y *big.Int, times int64) *big.Int {
		z := new(big.Int).Mul(x, y)
		return z.Mul(z, big.NewInt(times)).Mod(z, p)
	}
	sub := func(x, y *big.Int, times int64) *big.Int {
		return new(big.Int).Sub(x, new(big.Int).Mul(y, big.NewInt(times)))
	}
	rapid.Check(t, func(t *rapid.T) {
		from := eightPoints{x: drawLanes(t, "x", writtenTop, p), y: drawLanes(t, "y", writtenTop, p), z: drawLanes(t, "z", writtenTop, p)}
		q := eightAffine{drawLanes(t, "qx", writtenTop, p), drawLanes(t, "qy", writtenTop, p)}
		negative := uint64(rapid.Uint8().Draw(t, "negative"))
		var want [8]struct{ dx, dy, dz, x, y, z, h *big.Int }
		for i := range want {
			w, x, y, z := &want[i], from.x.value(i), from.y.value(i), from.z.value(i)
			zz, yy := mul(z, z, 1), mul(y, y, 1)
			slope := mul(sub(x, zz, 1), sub(x, zz, -1), 3)
			w.dx = sub(mul(slope, slope, 1), mul(x, yy, 8), 1)
			w.dy = sub(mul(slope, sub(mul(x, yy, 4), w.dx, 1), 1), mul(yy, yy, 8), 1)
			w.dz = mul(y, z, 2)
			w.h = sub(mul(q.x.value(i), zz, 1), x, 1)
			up := mul(q.y.value(i), mul(zz, z, 1), 1-2*int64(negative>>i&1))
			slope = sub(up, y, 1)
			hh := mul(w.h, w.h, 1)
			w.x = sub(sub(mul(slope, slope, 1), mul(w.h, hh, 1), 1), mul(x, hh, 2), 1)
			w.y = sub(mul(slope, sub(mul(x, hh, 1), w.x, 1), 1), mul(y, mul(w.h, hh, 1), 1), 1)
			w.z = mul(z, w.h, 1)
		}
		twice := from
		doubleIFMA(&twice)
		sameLanes(t, "x of double", p, &twice.x, func(i int) *big.Int { return want[i].dx })
		sameLanes(t, "y of double", p, &twice.y, func(i int) *big.Int { return want[i].dy })
		sameLanes(t, "z of double", p, &twice.z, func(i int) *big.Int { return want[i].dz })
		added := from
		addIFMA(&added, &q, negative)
		sameLanes(t, "h", p, &added.h, func(i int) *big.Int { return want[i].h })
		sameLanes(t, "x of sum", p, &added.x, func(i int) *big.Int { return want[i].x })
		sameLanes(t, "y of sum", p, &added.y, func(i int) *big.Int { return want[i].y })
		sameLanes(t, "z of sum", p, &added.z, func(i int) *big.Int { return want[i].z })
	})
}

func TestTranspose(t *testing.T) {
	needIFMA(t)
	var rows [8]*row
	for lane := range rows {
		rows[lane] = new(row)
		for i := range rows[lane] {
			rows[lane][i] = uint64(100*lane + i)
		}
	}
	var q eightAffine
	transposeIFMA(&q, &rows)
	for lane := range rows {
		for i := range limbs {
			if q.x[i][lane] != rows[lane][i] || q.y[i][lane] != rows[lane][limbs+i] {
				t.Errorf("lane %d, limb %d: %d and %d", lane, i, q.x[i][lane], q.y[i][lane])
			}
		}
	}
}

// TestLanesConversion: any number of 520 bits is read, and comes back reduced.
func TestLanesConversion(t *testing.T) {
	p := subjects()[0].p
	rapid.Check(t, func(t *rapid.T) {
		x := drawLanes(t, "x", low52, p)
		var again lanes
		for lane := range 8 {
			e := x.get(lane)
			b := e.Bytes()
			want := new(big.Int).Mod(x.value(lane), p)
			if number(b[:]).Cmp(want) != 0 {
				t.Fatalf("%x became %x", x.value(lane), b)
			}
			if again.set(lane, &e); again.value(lane).Cmp(want) != 0 {
				t.Fatalf("%x became %x", want, again.value(lane))
			}
		}
	})
}

func TestInvertLanes(t *testing.T) {
	needIFMA(t)
	p := subjects()[0].p
	rapid.Check(t, func(t *rapid.T) {
		x := drawLanes(t, "x", writtenTop, p)
		inverse, zero := x, false
		for lane := range 8 {
			zero = zero || new(big.Int).Mod(x.value(lane), p).Sign() == 0
		}
		if inverse.invertVarTime() == zero {
			t.Fatal("does not see a zero, or sees one where there is none")
		}
		if !zero {
			mulIFMA(&x, &x, &inverse)
			sameLanes(t, "product with the inverse", p, &x, func(int) *big.Int { return big.NewInt(1) })
		}
	})
}

func eightCurve() (*subject, *Curve512) {
	s := subjects()[0]
	return s, NewCurve512(littleEndian(s.a, 64), littleEndian(s.b, 64), littleEndian(s.q, 64), littleEndian(s.g.x, 64), littleEndian(s.g.y, 64), true)
}

// TestEightDigits: digits add up to the scalar and have the sizes their tables are for.
func TestEightDigits(t *testing.T) {
	s, c := eightCurve()
	scalars := s.edges()
	r := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		b := make([]byte, 64)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		scalars = append(scalars, new(big.Int).Mod(number(b), s.q))
	}
	for _, k := range scalars {
		for _, form := range []struct{ window, n int }{{keyWindow, keyDigits}, {wideWindow, wideDigits}} {
			d := c.digits((*[64]byte)(littleEndian(k, 64)), form.window*form.n)
			sum := new(big.Int)
			for i := form.n - 1; i >= 0; i-- {
				index, sign := d.at(form.window, i)
				if index >= 1<<(form.window-1) || sign > 1 {
					t.Fatalf("digit %d of %x: %d, %d", i, k, index, sign)
				}
				sum.Lsh(sum, uint(form.window)).Add(sum, big.NewInt(int64(2*index+1)*(1-2*int64(sign))))
			}
			if sum.Sub(sum, k).Mod(sum, s.q).Sign() != 0 {
				t.Errorf("the digits of %x are not its own", k)
			}
		}
	}
}

// keys are points by their multiples of G: such as meet the odd multiples of G on the way, and others.
func (s *subject) keys() (list []*big.Int) {
	for _, k := range []int64{1, 2, 3, 4, 5, 7, 16, 31, 32, 33, 1023, 1024, 0x123456789} {
		list = append(list, big.NewInt(k), new(big.Int).Sub(s.q, big.NewInt(k)))
	}
	half := new(big.Int).Rsh(new(big.Int).Add(s.q, big.NewInt(1)), 1) // 1/2
	return append(list, half, new(big.Int).Rsh(s.q, 1), new(big.Int).Rsh(s.q, 200))
}

// TestEight tries every edge of a scalar with every kind of key in every lane.
func TestEight(t *testing.T) {
	needIFMA(t)
	implementations(t, func(t *testing.T) {
		s, c := eightCurve()
		e := NewEight512(c)
		keys, edges := s.keys(), s.edges()
		points := make([]Point512, len(keys))
		for i, k := range keys {
			x, y := c.BaseMult((*[64]byte)(littleEndian(k, 64)))
			if !c.SetAffine(&points[i], x[:], y[:]) {
				t.Fatal("no point")
			}
		}
		r := rand.New(rand.NewPCG(3, 4))
		random := func() *big.Int {
			b := make([]byte, 64)
			for i := range b {
				b[i] = byte(r.Uint32())
			}
			return new(big.Int).Mod(number(b), s.q)
		}
		scalar := func() *big.Int {
			if r.IntN(2) == 0 {
				return edges[r.IntN(len(edges))]
			}
			return random()
		}
		rounds, alone, neutral := 60, 0, 0
		for round := range rounds {
			var p, got [8]Point512
			var u, v [8][64]byte
			for lane := range p {
				i := (8*round + lane) % len(keys)
				p[lane] = points[i]
				a, b := scalar(), scalar()
				if r.IntN(4) == 0 { // a + b·key = 0
					a = new(big.Int).Mul(b, keys[i])
					a.Neg(a).Mod(a, s.q)
					neutral++
				}
				u[lane], v[lane] = [64]byte(littleEndian(a, 64)), [64]byte(littleEndian(b, 64))
			}
			room := new(eightRoom)
			e.doubleMultVarTime(room, &got, &u, &p, &v)
			for lane := range got {
				if z := room.sum.z.get(lane); z.IsZero() == 1 {
					alone++
				}
				var want Point512
				c.DoubleMultVarTime(&want, &u[lane], &p[lane], &v[lane])
				if !samePoint(&got[lane], &want) {
					t.Errorf("lane %d: %x·G + %x·P is wrong", lane, number(u[lane][:]), number(v[lane][:]))
				}
			}
		}
		if neutral == 0 || alone < neutral {
			t.Errorf("of %d sums %d are neutral and %d lanes were computed alone", 8*rounds, neutral, alone)
		}
	})
}

// samePoint compares points through their affine coordinates.
func samePoint(p, q *Point512) bool {
	px, py, finite := p.Affine()
	qx, qy, other := q.Affine()
	return finite == other && (!finite || px == qx && py == qy)
}

// TestEightNoInverse: a lane whose multiples are not finite does not harm the others.
func TestEightNoInverse(t *testing.T) {
	needIFMA(t)
	s, c := eightCurve()
	e := NewEight512(c)
	var p, got [8]Point512
	var u, v [8][64]byte
	for lane := range p {
		p[lane] = Point512{c.odd()[lane].x, c.odd()[lane].y, field.One512()}
		u[lane], v[lane] = [64]byte{byte(lane)}, [64]byte{9}
	}
	// With y = 0 the double has no z, and no lane an inverse.
	p[5].y = field.Element512{}
	e.DoubleMultVarTime(&got, &u, &p, &v)
	for lane := range p {
		if lane == 5 {
			continue
		}
		k := big.NewInt(int64(lane + 9*(2*lane+1)))
		x, _, _ := got[lane].Affine()
		if want := s.mult(k, s.g); number(x[:]).Cmp(want.x) != 0 {
			t.Errorf("lane %d: x = %x, want %x", lane, x, want.x)
		}
	}
}

func TestBaseRows(t *testing.T) {
	s, c := eightCurve()
	rows := c.rows()
	for _, j := range []int{0, 1, 2, 255, 256, 510, 511} {
		var x lanes
		for i := range limbs {
			x[i][0], x[i][1] = rows[j][i], rows[j][limbs+i]
		}
		if want, got := s.mult(big.NewInt(int64(2*j+1)), s.g), (point{x.value(0), x.value(1)}); !got.equal(want) {
			t.Errorf("entry %d is %s, want %s", j, got, want)
		}
	}
}

func BenchmarkDoubleEight(b *testing.B) {
	needIFMA(b)
	var p eightPoints
	for b.Loop() {
		doubleIFMA(&p)
	}
}

func BenchmarkAddEight(b *testing.B) {
	needIFMA(b)
	var p eightPoints
	var q eightAffine
	for b.Loop() {
		addIFMA(&p, &q, 0)
	}
}

func BenchmarkMulEight(b *testing.B) {
	needIFMA(b)
	var x lanes
	for b.Loop() {
		mulIFMA(&x, &x, &x)
	}
}
