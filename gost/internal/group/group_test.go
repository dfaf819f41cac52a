package group

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"senim/gost/internal/field"

	"pgregory.net/rapid"
)

func hexInt(s string) *big.Int {
	x, ok := new(big.Int).SetString(s, 16)
	if !ok {
		panic("not hexadecimal: " + s)
	}
	return x
}

func littleEndian(x *big.Int, size int) []byte {
	b := x.FillBytes(make([]byte, size))
	slices.Reverse(b)
	return b
}

func number(b []byte) *big.Int {
	b = slices.Clone(b)
	slices.Reverse(b)
	return new(big.Int).SetBytes(b)
}

// reference is a curve in affine coordinates on math/big, as school books have it.
type reference struct {
	name          string
	size          int
	p, a, b, q, h *big.Int
	g             point
}

// point is affine; nil x is infinity.
type point struct{ x, y *big.Int }

func (p point) String() string { return fmt.Sprintf("(%x, %x)", p.x, p.y) }

func (p point) equal(q point) bool {
	if p.x == nil || q.x == nil {
		return p.x == nil && q.x == nil
	}
	return p.x.Cmp(q.x) == 0 && p.y.Cmp(q.y) == 0
}

func (c *reference) add(p, q point) point {
	if p.x == nil {
		return q
	}
	if q.x == nil {
		return p
	}
	up, down := new(big.Int).Sub(q.y, p.y), new(big.Int).Sub(q.x, p.x)
	if p.x.Cmp(q.x) == 0 {
		if sum := new(big.Int).Add(p.y, q.y); sum.Mod(sum, c.p).Sign() == 0 {
			return point{}
		}
		up.Mul(p.x, p.x).Mul(up, big.NewInt(3)).Add(up, c.a)
		down.Lsh(p.y, 1)
	}
	slope := down.ModInverse(down.Mod(down, c.p), c.p)
	slope.Mul(slope, up).Mod(slope, c.p)
	x := new(big.Int).Mul(slope, slope)
	x.Sub(x, p.x).Sub(x, q.x).Mod(x, c.p)
	y := new(big.Int).Sub(p.x, x)
	y.Mul(y, slope).Sub(y, p.y).Mod(y, c.p)
	return point{x, y}
}

func (c *reference) mult(k *big.Int, p point) (r point) {
	for i := k.BitLen() - 1; i >= 0; i-- {
		r = c.add(r, r)
		if k.Bit(i) == 1 {
			r = c.add(r, p)
		}
	}
	return r
}

// lift returns a point with the first x from the given one on that has one. p is 3 modulo 4.
func (c *reference) lift(x *big.Int) point {
	for x = new(big.Int).Mod(x, c.p); ; x = new(big.Int).Mod(x.Add(x, big.NewInt(1)), c.p) {
		y2 := new(big.Int).Mul(x, x)
		y2.Add(y2, c.a).Mul(y2, x).Add(y2, c.b).Mod(y2, c.p)
		y := new(big.Int).Exp(y2, new(big.Int).Rsh(new(big.Int).Add(c.p, big.NewInt(1)), 2), c.p)
		if s := new(big.Int).Mul(y, y); s.Mod(s, c.p).Cmp(y2) == 0 {
			return point{x, y}
		}
	}
}

// subject is the code under test, seen through affine points; a point of it is read and written at
// every step, and scaled by a random z where it is an argument.
type subject struct {
	reference
	sum, mixed     func(p, q point, z, w *big.Int) point
	double, negate func(p point, z *big.Int) point
	base           func(k *big.Int) point
	both           func(u *big.Int, p point, v *big.Int) point
	on             func(x, y *big.Int) bool
	inside         func(p point, z *big.Int) bool
	hasX           func(p point, z, x *big.Int) bool
	sumWithItself  func(p point) point
}

func subjects() []*subject {
	p512 := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 512), big.NewInt(569))
	p256 := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(617))
	return []*subject{
		subject512(reference{
			name: "512-A", size: 64, p: p512, h: big.NewInt(1), a: new(big.Int).Sub(p512, big.NewInt(3)),
			b: hexInt("E8C2505DEDFC86DDC1BD0B2B6667F1DA34B82574761CB0E879BD081CFD0B6265EE3CB090F30D27614CB4574010DA90DD862EF9D4EBEE4761503190785A71C760"),
			q: hexInt("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF27E69532F48D89116FF22B8D4E0560609B4B38ABFAD2B85DCACDB1411F10B275"),
			g: point{big.NewInt(3), hexInt("7503CFE87A836AE3A61B8816E25450E6CE5E1C93ACF1ABC1778064FDCBEFA921DF1626BE4FD036E93D75E6A50E3A41E98028FE5FC235F5B889A589CB5215F2A4")},
		}),
		subject256(reference{
			name: "256-A", size: 32, p: p256, h: big.NewInt(4),
			a: hexInt("C2173F1513981673AF4892C23035A27CE25E2013BF95AA33B22C656F277E7335"),
			b: hexInt("295F9BAE7428ED9CCC20E7C359A9D41A22FCCD9108E17BF7BA9337A6F8AE9513"),
			q: hexInt("400000000000000000000000000000000FD8CDDFC87B6635C115AF556C360C67"),
			g: point{hexInt("91E38443A5E82C0D880923425712B2BB658B9196932E02C78B2582FE742DAA28"), hexInt("32879423AB1A0375895786C4BB46E9565FDE0B5344766740AF268ADB32322E5C")},
		}),
		subject256(reference{
			name: "CryptoPro-A", size: 32, p: p256, h: big.NewInt(1),
			a: new(big.Int).Sub(p256, big.NewInt(3)), b: big.NewInt(0xA6),
			q: hexInt("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF6C611070995AD10045841B09B761B893"),
			g: point{big.NewInt(1), hexInt("8D91E471E0989CDA27DF505A453F2B7635294F2DDF23E3B122ACC99C9E9F1E14")},
		}),
	}
}

func subject512(r reference) *subject {
	le := func(x *big.Int) []byte { return littleEndian(x, 64) }
	c := NewCurve512(le(r.a), le(r.b), le(r.q), le(r.g.x), le(r.g.y), r.h.Cmp(big.NewInt(1)) == 0)
	in := func(p point, z *big.Int) (out Point512) {
		if p.x == nil {
			out.SetInfinity()
		} else if !c.SetAffine(&out, le(p.x), le(p.y)) {
			panic("not on the curve")
		}
		var s field.Element512
		s.SetBytes(le(z))
		out.x.Mul(&out.x, &s)
		out.y.Mul(&out.y, &s)
		out.z.Mul(&out.z, &s)
		return out
	}
	out := func(p *Point512) point {
		x, y, finite := p.Affine()
		if !finite {
			if p.infinite() != 1 {
				panic("(0:0:0)")
			}
			return point{}
		}
		return point{number(x[:]), number(y[:])}
	}
	return &subject{
		reference: r,
		sum: func(p, q point, z, w *big.Int) point {
			a, b := in(p, z), in(q, w)
			var r Point512
			c.Add(&r, &a, &b)
			left, right := a, b
			c.Add(&left, &left, &b)
			c.Add(&right, &a, &right)
			if left != r || right != r {
				panic("aliased arguments give another sum")
			}
			return out(&r)
		},
		mixed: func(p, q point, z, _ *big.Int) point {
			a, b := in(p, z), in(q, big.NewInt(1))
			c.addAffine(&a, &a, &affine512{b.x, b.y})
			return out(&a)
		},
		double: func(p point, z *big.Int) point { a := in(p, z); c.Double(&a, &a); return out(&a) },
		negate: func(p point, z *big.Int) point { a := in(p, z); a.Negate(&a); return out(&a) },
		base:   func(k *big.Int) point { var r Point512; c.BaseMult(&r, (*[64]byte)(le(k))); return out(&r) },
		both: func(u *big.Int, p point, v *big.Int) point {
			a := in(p, big.NewInt(5))
			c.DoubleMultVarTime(&a, (*[64]byte)(le(u)), &a, (*[64]byte)(le(v)))
			if p.x != nil { // the same with a table
				b, r := in(p, big.NewInt(1)), Point512{}
				c.DoubleTableVarTime(&r, (*[64]byte)(le(u)), c.Tabulate(&b), (*[64]byte)(le(v)))
				if !out(&r).equal(out(&a)) {
					panic("with a table another sum")
				}
			}
			return out(&a)
		},
		on:            func(x, y *big.Int) bool { var r Point512; return c.SetAffine(&r, le(x), le(y)) },
		inside:        func(p point, z *big.Int) bool { a := in(p, z); return c.InGroupVarTime(&a) },
		hasX:          func(p point, z, x *big.Int) bool { a := in(p, z); return a.HasX(le(x)) },
		sumWithItself: func(p point) point { a := in(p, big.NewInt(7)); c.Add(&a, &a, &a); return out(&a) },
	}
}

func subject256(r reference) *subject {
	le := func(x *big.Int) []byte { return littleEndian(x, 32) }
	c := NewCurve256(le(r.a), le(r.b), le(r.q), le(r.g.x), le(r.g.y), r.h.Cmp(big.NewInt(1)) == 0)
	in := func(p point, z *big.Int) (out Point256) {
		if p.x == nil {
			out.SetInfinity()
		} else if !c.SetAffine(&out, le(p.x), le(p.y)) {
			panic("not on the curve")
		}
		var s field.Element256
		s.SetBytes(le(z))
		out.x.Mul(&out.x, &s)
		out.y.Mul(&out.y, &s)
		out.z.Mul(&out.z, &s)
		return out
	}
	out := func(p *Point256) point {
		x, y, finite := p.Affine()
		if !finite {
			if p.infinite() != 1 {
				panic("(0:0:0)")
			}
			return point{}
		}
		return point{number(x[:]), number(y[:])}
	}
	return &subject{
		reference: r,
		sum: func(p, q point, z, w *big.Int) point {
			a, b := in(p, z), in(q, w)
			var r Point256
			c.Add(&r, &a, &b)
			left, right := a, b
			c.Add(&left, &left, &b)
			c.Add(&right, &a, &right)
			if left != r || right != r {
				panic("aliased arguments give another sum")
			}
			return out(&r)
		},
		mixed: func(p, q point, z, _ *big.Int) point {
			a, b := in(p, z), in(q, big.NewInt(1))
			c.addAffine(&a, &a, &affine256{b.x, b.y})
			return out(&a)
		},
		double: func(p point, z *big.Int) point { a := in(p, z); c.Double(&a, &a); return out(&a) },
		negate: func(p point, z *big.Int) point { a := in(p, z); a.Negate(&a); return out(&a) },
		base:   func(k *big.Int) point { var r Point256; c.BaseMult(&r, (*[32]byte)(le(k))); return out(&r) },
		both: func(u *big.Int, p point, v *big.Int) point {
			a := in(p, big.NewInt(5))
			c.DoubleMultVarTime(&a, (*[32]byte)(le(u)), &a, (*[32]byte)(le(v)))
			if p.x != nil { // the same with a table
				b, r := in(p, big.NewInt(1)), Point256{}
				c.DoubleTableVarTime(&r, (*[32]byte)(le(u)), c.Tabulate(&b), (*[32]byte)(le(v)))
				if !out(&r).equal(out(&a)) {
					panic("with a table another sum")
				}
			}
			return out(&a)
		},
		on:            func(x, y *big.Int) bool { var r Point256; return c.SetAffine(&r, le(x), le(y)) },
		inside:        func(p point, z *big.Int) bool { a := in(p, z); return c.InGroupVarTime(&a) },
		hasX:          func(p point, z, x *big.Int) bool { a := in(p, z); return a.HasX(le(x)) },
		sumWithItself: func(p point) point { a := in(p, big.NewInt(7)); c.Add(&a, &a, &a); return out(&a) },
	}
}

// draw returns a point of the group, often one near the neutral element or the base point.
func (s *subject) draw(t *rapid.T, name string) point {
	k := big.NewInt(rapid.Int64Range(-3, 3).Draw(t, name+" small"))
	if rapid.Bool().Draw(t, name+" large") {
		k = big.NewInt(rapid.Int64().Draw(t, name))
	}
	return s.mult(k.Mod(k, s.q), s.g)
}

func each(t *testing.T, f func(t *testing.T, s *subject)) {
	for _, s := range subjects() {
		t.Run(s.name, func(t *testing.T) { f(t, s) })
	}
}

func TestAddition(t *testing.T) {
	each(t, func(t *testing.T, s *subject) {
		rapid.Check(t, func(t *rapid.T) {
			p, q := s.draw(t, "p"), s.draw(t, "q")
			z := big.NewInt(rapid.Int64Range(1, 1<<62).Draw(t, "z"))
			w := big.NewInt(rapid.Int64Range(1, 1<<62).Draw(t, "w"))
			minus := s.negate(p, z)
			for _, pair := range [][2]point{{p, q}, {p, p}, {p, minus}, {p, {}}, {{}, q}, {{}, {}}} {
				want := s.add(pair[0], pair[1])
				if got := s.sum(pair[0], pair[1], z, w); !got.equal(want) {
					t.Errorf("sum %v, want %v", got, want)
				}
				if pair[1].x != nil {
					if got := s.mixed(pair[0], pair[1], z, w); !got.equal(want) {
						t.Errorf("mixed sum %v, want %v", got, want)
					}
				}
			}
			if got, want := s.double(p, z), s.add(p, p); !got.equal(want) || !s.sumWithItself(p).equal(want) {
				t.Errorf("double %v, want %v", got, want)
			}
			if !s.inside(p, z) {
				t.Error("a point of the group is said to be outside")
			}
			if p.x != nil && (!s.hasX(p, z, p.x) || s.hasX(p, z, s.add(p, s.add(p, p)).x) && !p.equal(s.add(p, s.add(p, p)))) {
				t.Error("HasX is wrong")
			}
		})
		if s.hasX(point{}, big.NewInt(1), new(big.Int)) || !s.double(point{}, big.NewInt(9)).equal(point{}) {
			t.Error("the neutral element misbehaves")
		}
	})
}

// edges are the scalars around which digits carry.
func (s *subject) edges() []*big.Int {
	one := big.NewInt(1)
	half := new(big.Int).Rsh(s.q, 1)
	list := []*big.Int{new(big.Int), one, big.NewInt(2), big.NewInt(15), big.NewInt(16), big.NewInt(17), big.NewInt(31), big.NewInt(32), big.NewInt(33),
		half, new(big.Int).Add(half, one), new(big.Int).Sub(s.q, one), new(big.Int).Sub(s.q, big.NewInt(2)), s.q, new(big.Int).Add(s.q, one),
		new(big.Int).Sub(new(big.Int).Lsh(one, uint(8*s.size)), one)}
	for _, digit := range []int64{15, 16, 17, 31} { // every window the same
		k := new(big.Int)
		for range 8*s.size/5 + 1 {
			k.Lsh(k, 5).Add(k, big.NewInt(digit))
		}
		list = append(list, k.Mod(k, s.q))
	}
	return list
}

func TestMultiplication(t *testing.T) {
	each(t, func(t *testing.T, s *subject) {
		// P = 16·G, so that additions meet equal and opposite points, and another P that does not.
		for _, by := range []int64{16, 987654321} {
			p := s.mult(big.NewInt(by), s.g)
			edges := s.edges()
			left, right := make([]point, len(edges)), make([]point, len(edges))
			for i, k := range edges {
				left[i], right[i] = s.mult(k, s.g), s.mult(k, p)
				if got := s.base(k); !got.equal(left[i]) {
					t.Errorf("%x·G = %v, want %v", k, got, left[i])
				}
			}
			for i, k := range edges {
				for j, v := range edges {
					if got, want := s.both(k, p, v), s.add(left[i], right[j]); !got.equal(want) {
						t.Fatalf("%x·G + %x·P = %v, want %v", k, v, got, want)
					}
				}
				if got := s.both(k, point{}, big.NewInt(5)); !got.equal(left[i]) {
					t.Errorf("%x·G + 5·O = %v, want %v", k, got, left[i])
				}
			}
		}
		random := rand.NewChaCha8([32]byte{1})
		for range 10 {
			b := make([]byte, 2*s.size)
			random.Read(b)
			k, v, p := number(b[:s.size]), number(b[s.size:]), s.mult(big.NewInt(3), s.g)
			if got, want := s.base(k), s.mult(k, s.g); !got.equal(want) {
				t.Errorf("base: %v, want %v", got, want)
			}
			if got, want := s.both(k, p, v), s.add(s.mult(k, s.g), s.mult(v, p)); !got.equal(want) {
				t.Errorf("both: %v, want %v", got, want)
			}
		}
	})
}

func TestOffTheCurve(t *testing.T) {
	each(t, func(t *testing.T, s *subject) {
		more := new(big.Int).Add(s.g.x, s.p)
		for name, p := range map[string]point{
			"(0, 0)": {new(big.Int), new(big.Int)}, "x+1": {new(big.Int).Add(s.g.x, big.NewInt(1)), s.g.y},
			"y+1": {s.g.x, new(big.Int).Add(s.g.y, big.NewInt(1))}, "(p, y)": {s.p, s.g.y},
		} {
			if s.on(p.x, p.y) {
				t.Errorf("%s is said to be on the curve", name)
			}
		}
		if more.BitLen() <= 8*s.size && s.on(more, s.g.y) {
			t.Error("x + p was taken")
		}
		if !s.on(s.g.x, s.g.y) {
			t.Error("the base point is said to be off the curve")
		}
	})
}

// TestOutsideTheGroup takes points of order 2, 4, 2q and 4q.
func TestOutsideTheGroup(t *testing.T) {
	each(t, func(t *testing.T, s *subject) {
		if s.h.Cmp(big.NewInt(1)) == 0 {
			if !s.inside(s.lift(big.NewInt(77)), big.NewInt(3)) {
				t.Error("with cofactor 1 every point is in the group")
			}
			return
		}
		found := map[string]point{}
		for x := int64(5); len(found) < 2 && x < 4000; x += 2 {
			small := s.mult(s.q, s.lift(big.NewInt(x)))
			switch {
			case small.x == nil:
			case s.add(small, small).x == nil:
				found["2"] = small
			default:
				found["4"] = small
				found["2"] = s.add(small, small)
			}
		}
		if len(found) != 2 {
			t.Fatalf("found points of order %v", found)
		}
		found["2q"] = s.add(found["2"], s.g)
		found["4q"] = s.add(found["4"], s.mult(big.NewInt(12345), s.g))
		for order, p := range found {
			if s.inside(p, big.NewInt(11)) {
				t.Errorf("a point of order %s is said to be in the group", order)
			}
		}
	})
}

func TestDigits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.SliceOfN(rapid.Byte(), 64, 64).Draw(t, "k")
		sum, carry := new(big.Int), uint64(0)
		for i := range 103 {
			var size, sign uint64
			size, sign, carry = digit(k, i, carry)
			if size > 16 || sign > 1 {
				t.Fatalf("digit %d is %d with sign %d", i, size, sign)
			}
			d := new(big.Int).Lsh(big.NewInt(int64(size)), uint(5*i))
			if sign == 1 {
				d.Neg(d)
			}
			sum.Add(sum, d)
		}
		if carry != 0 || sum.Cmp(number(k)) != 0 {
			t.Errorf("the digits of %x give %x, carry %d", number(k), sum, carry)
		}
		sum.SetInt64(0)
		for i, d := range naf(k) {
			if d != 0 && d%2 == 0 || d > 15 || d < -15 {
				t.Fatalf("digit %d is %d", i, d)
			}
			sum.Add(sum, new(big.Int).Lsh(big.NewInt(int64(d)), uint(i)))
		}
		if sum.Cmp(number(k)) != 0 {
			t.Errorf("the form of %x gives %x", number(k), sum)
		}
	})
}

func TestNoAllocations(t *testing.T) {
	s := subjects()[0]
	le := func(x *big.Int) []byte { return littleEndian(x, 64) }
	c := NewCurve512(le(s.a), le(s.b), le(s.q), le(s.g.x), le(s.g.y), true)
	k := [64]byte{7, 7, 7}
	var r Point512
	c.BaseMult(&r, &k)
	if n := testing.AllocsPerRun(5, func() { c.BaseMult(&r, &k); c.Add(&r, &r, &r); c.Double(&r, &r) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
