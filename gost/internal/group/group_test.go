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

func (c *reference) negate(p point) point {
	if p.x == nil {
		return p
	}
	y := new(big.Int).Neg(p.y)
	return point{p.x, y.Mod(y, c.p)}
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
	variable func(p, q point, z *big.Int) point // addVarTime
	complete func(p, q point, z *big.Int) point // addComplete
	pairs    func(p, q []point) ([]point, bool)
	double   func(p point, z *big.Int) point
	base     func(k *big.Int) point
	both     func(u *big.Int, p point, v *big.Int) point
	table    func(u *big.Int, p point, v *big.Int) point
	entry    func(k *big.Int, i int) point // of the table of the base point
	on       func(x, y *big.Int) bool
	inside   func(p point, z *big.Int) bool
	hasX     func(p point, z, x *big.Int) bool
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
	fixed := func(x *big.Int) *[64]byte { return (*[64]byte)(le(x)) }
	c := NewCurve512(le(r.a), le(r.b), le(r.q), le(r.g.x), le(r.g.y), r.h.Cmp(big.NewInt(1)) == 0)
	in := func(p point, z *big.Int) (out Point512) {
		if p.x == nil {
			return out
		}
		if !c.SetAffine(&out, le(p.x), le(p.y)) {
			panic("not on the curve")
		}
		var s, t field.Element512
		s.SetBytes(le(z))
		t.Square(&s)
		out.x.Mul(&out.x, &t)
		t.Mul(&t, &s)
		out.y.Mul(&out.y, &t)
		out.z = s
		return out
	}
	flat := func(p point) affine512 { a := in(p, big.NewInt(1)); return affine512{a.x, a.y} }
	out := func(p *Point512) point {
		x, y, finite := p.Affine()
		if !finite {
			return point{}
		}
		return point{number(x[:]), number(y[:])}
	}
	return &subject{
		reference: r,
		variable: func(p, q point, z *big.Int) point {
			a, b := in(p, z), flat(q)
			c.addVarTime(&a, &b)
			return out(&a)
		},
		complete: func(p, q point, z *big.Int) point {
			a, b := in(p, z), flat(q)
			var x, y, w field.Element512
			c.addComplete(&x, &y, &w, &a, &b)
			if w.IsZero() == 1 {
				if x.IsZero() == 0 || y.IsZero() == 1 {
					panic("neither finite nor neutral")
				}
				return point{}
			}
			w.Invert(&w)
			x.Mul(&x, &w)
			y.Mul(&y, &w)
			xb, yb := x.Bytes(), y.Bytes()
			return point{number(xb[:]), number(yb[:])}
		},
		pairs: func(p, q []point) ([]point, bool) {
			left, right := make([]affine512, len(p)), make([]affine512, len(p))
			for i := range p {
				left[i], right[i] = flat(p[i]), flat(q[i])
			}
			ok := addPairs512VarTime(left, right)
			sums := make([]point, len(p))
			for i := range left {
				x, y := left[i].x.Bytes(), left[i].y.Bytes()
				sums[i] = point{number(x[:]), number(y[:])}
			}
			return sums, ok
		},
		double: func(p point, z *big.Int) point {
			a := in(p, z)
			var b Point512
			c.doubled(&b, &a)
			c.doubled(&a, &a)
			if a != b {
				panic("aliased arguments give another point")
			}
			return out(&a)
		},
		base: func(k *big.Int) point {
			x, y := c.BaseMult(fixed(k))
			return point{number(x[:]), number(y[:])}
		},
		both: func(u *big.Int, p point, v *big.Int) point {
			a := in(p, big.NewInt(5))
			c.DoubleMultVarTime(&a, fixed(u), &a, fixed(v))
			return out(&a)
		},
		table: func(u *big.Int, p point, v *big.Int) point {
			a, r := in(p, big.NewInt(1)), Point512{}
			c.DoubleTableVarTime(&r, fixed(u), c.Tabulate(&a), fixed(v))
			return out(&r)
		},
		entry: func(k *big.Int, i int) point {
			var half [8 + 1]uint64
			opposite := c.recode(&half, fixed(k))
			var e affine512
			c.base().read(&e, half[:], i)
			if opposite == 1 {
				e.negate()
			}
			x, y := e.x.Bytes(), e.y.Bytes()
			return point{number(x[:]), number(y[:])}
		},
		on:     func(x, y *big.Int) bool { var r Point512; return c.SetAffine(&r, le(x), le(y)) },
		inside: func(p point, z *big.Int) bool { a := in(p, z); return c.InGroupVarTime(&a) },
		hasX:   func(p point, z, x *big.Int) bool { a := in(p, z); return a.HasX(le(x)) },
	}
}

func subject256(r reference) *subject {
	le := func(x *big.Int) []byte { return littleEndian(x, 32) }
	fixed := func(x *big.Int) *[32]byte { return (*[32]byte)(le(x)) }
	c := NewCurve256(le(r.a), le(r.b), le(r.q), le(r.g.x), le(r.g.y), r.h.Cmp(big.NewInt(1)) == 0)
	in := func(p point, z *big.Int) (out Point256) {
		if p.x == nil {
			return out
		}
		if !c.SetAffine(&out, le(p.x), le(p.y)) {
			panic("not on the curve")
		}
		var s, t field.Element256
		s.SetBytes(le(z))
		t.Square(&s)
		out.x.Mul(&out.x, &t)
		t.Mul(&t, &s)
		out.y.Mul(&out.y, &t)
		out.z = s
		return out
	}
	flat := func(p point) affine256 { a := in(p, big.NewInt(1)); return affine256{a.x, a.y} }
	out := func(p *Point256) point {
		x, y, finite := p.Affine()
		if !finite {
			return point{}
		}
		return point{number(x[:]), number(y[:])}
	}
	return &subject{
		reference: r,
		variable: func(p, q point, z *big.Int) point {
			a, b := in(p, z), flat(q)
			c.addVarTime(&a, &b)
			return out(&a)
		},
		complete: func(p, q point, z *big.Int) point {
			a, b := in(p, z), flat(q)
			var x, y, w field.Element256
			c.addComplete(&x, &y, &w, &a, &b)
			if w.IsZero() == 1 {
				if x.IsZero() == 0 || y.IsZero() == 1 {
					panic("neither finite nor neutral")
				}
				return point{}
			}
			w.Invert(&w)
			x.Mul(&x, &w)
			y.Mul(&y, &w)
			xb, yb := x.Bytes(), y.Bytes()
			return point{number(xb[:]), number(yb[:])}
		},
		pairs: func(p, q []point) ([]point, bool) {
			left, right := make([]affine256, len(p)), make([]affine256, len(p))
			for i := range p {
				left[i], right[i] = flat(p[i]), flat(q[i])
			}
			ok := addPairs256VarTime(left, right)
			sums := make([]point, len(p))
			for i := range left {
				x, y := left[i].x.Bytes(), left[i].y.Bytes()
				sums[i] = point{number(x[:]), number(y[:])}
			}
			return sums, ok
		},
		double: func(p point, z *big.Int) point {
			a := in(p, z)
			var b Point256
			c.doubled(&b, &a)
			c.doubled(&a, &a)
			if a != b {
				panic("aliased arguments give another point")
			}
			return out(&a)
		},
		base: func(k *big.Int) point {
			x, y := c.BaseMult(fixed(k))
			return point{number(x[:]), number(y[:])}
		},
		both: func(u *big.Int, p point, v *big.Int) point {
			a := in(p, big.NewInt(5))
			c.DoubleMultVarTime(&a, fixed(u), &a, fixed(v))
			return out(&a)
		},
		table: func(u *big.Int, p point, v *big.Int) point {
			a, r := in(p, big.NewInt(1)), Point256{}
			c.DoubleTableVarTime(&r, fixed(u), c.Tabulate(&a), fixed(v))
			return out(&r)
		},
		entry: func(k *big.Int, i int) point {
			var half [4 + 1]uint64
			opposite := c.recode(&half, fixed(k))
			var e affine256
			c.base().read(&e, half[:], i)
			if opposite == 1 {
				e.negate()
			}
			x, y := e.x.Bytes(), e.y.Bytes()
			return point{number(x[:]), number(y[:])}
		},
		on:     func(x, y *big.Int) bool { var r Point256; return c.SetAffine(&r, le(x), le(y)) },
		inside: func(p point, z *big.Int) bool { a := in(p, z); return c.InGroupVarTime(&a) },
		hasX:   func(p point, z, x *big.Int) bool { a := in(p, z); return a.HasX(le(x)) },
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
	implementations(t, func(t *testing.T) {
		for _, s := range subjects() {
			t.Run(s.name, func(t *testing.T) { f(t, s) })
		}
	})
}

func TestAddition(t *testing.T) {
	each(t, func(t *testing.T, s *subject) {
		rapid.Check(t, func(t *rapid.T) {
			p, q := s.draw(t, "p"), s.draw(t, "q")
			z := big.NewInt(rapid.Int64Range(1, 1<<62).Draw(t, "z"))
			for _, pair := range [][2]point{{p, q}, {p, p}, {p, s.negate(p)}, {{}, q}} {
				if pair[1].x == nil {
					continue
				}
				want := s.add(pair[0], pair[1])
				if got := s.variable(pair[0], pair[1], z); !got.equal(want) {
					t.Errorf("sum %v, want %v", got, want)
				}
				if got := s.complete(pair[0], pair[1], z); !got.equal(want) {
					t.Errorf("complete sum %v, want %v", got, want)
				}
			}
			if got, want := s.double(p, z), s.add(p, p); !got.equal(want) {
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

// TestPairs adds many affine points at once: one pair of equal or opposite points refuses all.
func TestPairs(t *testing.T) {
	each(t, func(t *testing.T, s *subject) {
		var p, q, want []point
		for i := range int64(7) {
			p = append(p, s.mult(big.NewInt(3*i+1), s.g))
			q = append(q, s.mult(big.NewInt(50-i), s.g))
			want = append(want, s.add(p[i], q[i]))
		}
		got, ok := s.pairs(p, q)
		if !ok {
			t.Fatal("refused")
		}
		for i := range got {
			if !got[i].equal(want[i]) {
				t.Errorf("sum %d is %v, want %v", i, got[i], want[i])
			}
		}
		for _, bad := range []point{p[3], s.negate(p[3])} {
			q[3] = bad
			if got, ok := s.pairs(p, q); ok || !got[2].equal(p[2]) {
				t.Error("equal or opposite points were added, or points were changed")
			}
		}
	})
}

// edges are the scalars below the order around which digits carry.
func (s *subject) edges() []*big.Int {
	one := big.NewInt(1)
	half := new(big.Int).Rsh(s.q, 1)
	list := []*big.Int{one, big.NewInt(2), big.NewInt(15), big.NewInt(16), big.NewInt(17), big.NewInt(31), big.NewInt(32), big.NewInt(33),
		big.NewInt(63), big.NewInt(64), big.NewInt(65), half, new(big.Int).Add(half, one), new(big.Int).Sub(s.q, one), new(big.Int).Sub(s.q, big.NewInt(2))}
	for _, digit := range []int64{1, 15, 31, 32, 33, 63} { // every window the same
		k := new(big.Int)
		for range 8*s.size/window + 1 {
			k.Lsh(k, window).Add(k, big.NewInt(digit))
		}
		list = append(list, k.Mod(k, s.q))
	}
	return append(list, s.lastEqual()...)
}

// lastEqual are the numbers for which the sum before the last digit equals what the last digit adds: k that is
// twice an odd multiple of 64^(n-1), modulo the order, if the digits of k are such.
func (s *subject) lastEqual() (list []*big.Int) {
	n := (8*s.size + window - 1) / window
	for _, d := range []int64{1, 3, 5, 7} {
		k := big.NewInt(2 * d)
		k.Lsh(k, uint(window*(n-1)))
		k.Mod(k, s.q)
		list = append(list, k, new(big.Int).Sub(s.q, k))
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
					if (i+j)%3 != 0 {
						continue
					}
					if got, want := s.both(k, p, v), s.add(left[i], right[j]); !got.equal(want) {
						t.Fatalf("%x·G + %x·P = %v, want %v", k, v, got, want)
					}
				}
				j := (i + 1) % len(edges)
				if got, want := s.table(k, p, edges[j]), s.add(left[i], right[j]); !got.equal(want) {
					t.Fatalf("with a table %x·G + %x·P = %v, want %v", k, edges[j], got, want)
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
			k.Mod(k, s.q)
			v.Mod(v, s.q)
			if got, want := s.base(k), s.mult(k, s.g); !got.equal(want) {
				t.Errorf("base: %v, want %v", got, want)
			}
			want := s.add(s.mult(k, s.g), s.mult(v, p))
			if got := s.both(k, p, v); !got.equal(want) {
				t.Errorf("both: %v, want %v", got, want)
			}
			if got := s.table(k, p, v); !got.equal(want) {
				t.Errorf("with a table: %v, want %v", got, want)
			}
		}
	})
}

// TestTableOfTheSamePoint makes pairs equal and opposite: u·G ± u·G.
func TestTableOfTheSamePoint(t *testing.T) {
	each(t, func(t *testing.T, s *subject) {
		k := new(big.Int).Rsh(s.q, 3)
		if got, want := s.table(k, s.g, k), s.mult(new(big.Int).Lsh(k, 1), s.g); !got.equal(want) {
			t.Errorf("k·G + k·G = %v, want %v", got, want)
		}
		if got := s.table(k, s.g, new(big.Int).Sub(s.q, k)); !got.equal(point{}) {
			t.Errorf("k·G - k·G = %v", got)
		}
		if got := s.both(k, s.g, new(big.Int).Sub(s.q, k)); !got.equal(point{}) {
			t.Errorf("k·G - k·G without a table = %v", got)
		}
	})
}

// TestEntries adds up, with the schoolbook, what is read of the table.
func TestEntries(t *testing.T) {
	each(t, func(t *testing.T, s *subject) {
		for _, k := range s.edges() {
			var sum point
			for i := range (8*s.size + window - 1) / window {
				sum = s.add(sum, s.entry(k, i))
			}
			if want := s.mult(k, s.g); !sum.equal(want) {
				t.Errorf("the entries for %x give %v, want %v", k, sum, want)
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
		k[0] |= 1
		var half [9]uint64
		n := number(k)
		shifted := littleEndian(new(big.Int).Rsh(n, 1), 72)
		getWords(half[:], shifted)
		half[515/64] |= 1 << (515 % 64)
		sum := new(big.Int)
		for i := range 86 {
			index, sign := digit(half[:], i)
			if index >= entries || sign > 1 {
				t.Fatalf("digit %d is %d with sign %d", i, index, sign)
			}
			d := new(big.Int).Lsh(big.NewInt(int64(2*index+1)), uint(window*i))
			if sign == 1 {
				d.Neg(d)
			}
			sum.Add(sum, d)
		}
		if sum.Cmp(n) != 0 {
			t.Errorf("the digits of %x give %x", n, sum)
		}
		k[0] = rapid.Byte().Draw(t, "lowest")
		for _, width := range []int{pointWidth, baseWidth} {
			var digits [nafDigits]int16
			sum.SetInt64(0)
			top := naf(&digits, k, width)
			for i, d := range digits {
				if d != 0 && d%2 == 0 || d >= 1<<(width-1) || d <= -(1<<(width-1)) || d != 0 && i >= top {
					t.Fatalf("digit %d of %d is %d", i, top, d)
				}
				sum.Add(sum, new(big.Int).Lsh(big.NewInt(int64(d)), uint(i)))
			}
			if sum.Cmp(number(k)) != 0 {
				t.Errorf("the form of %x gives %x", number(k), sum)
			}
		}
	})
}

func TestNoAllocations(t *testing.T) {
	implementations(t, func(t *testing.T) {
		s := subjects()[0]
		le := func(x *big.Int) []byte { return littleEndian(x, 64) }
		c := NewCurve512(le(s.a), le(s.b), le(s.q), le(s.g.x), le(s.g.y), true)
		k := [64]byte{7, 7, 7}
		var p, r Point512
		c.SetAffine(&p, le(s.g.x), le(s.g.y))
		table := c.Tabulate(&p)
		if n := testing.AllocsPerRun(5, func() {
			c.BaseMult(&k)
			c.DoubleMultVarTime(&r, &k, &p, &k)
			c.DoubleTableVarTime(&r, &k, table, &k)
		}); n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
}
