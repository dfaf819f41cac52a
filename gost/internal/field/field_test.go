package field

import (
	"bytes"
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// ring is one kind of number seen as big integers, so that one suite tests all.
type ring struct {
	name                                  string
	m                                     *big.Int
	size                                  int
	add, sub, mul                         func(x, y *big.Int) *big.Int
	square, negate, inv, half, invVarTime func(x *big.Int) *big.Int // nil where there is none
	set                                   func(b []byte) bool
	zero                                  func(x *big.Int) uint64
}

func number(b []byte) *big.Int {
	b = slices.Clone(b)
	slices.Reverse(b)
	return new(big.Int).SetBytes(b)
}

func littleEndian(x *big.Int, size int) []byte {
	b := x.FillBytes(make([]byte, size))
	slices.Reverse(b)
	return b
}

func hexInt(s string) *big.Int {
	x, ok := new(big.Int).SetString(s, 16)
	if !ok {
		panic("not hexadecimal: " + s)
	}
	return x
}

const (
	order512  = "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF27E69532F48D89116FF22B8D4E0560609B4B38ABFAD2B85DCACDB1411F10B275"
	order256A = "400000000000000000000000000000000FD8CDDFC87B6635C115AF556C360C67"
	order256C = "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF6C611070995AD10045841B09B761B893"
)

func rings() []ring {
	p512 := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 512), big.NewInt(569))
	p256 := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(617))
	return []ring{
		elements512(p512), elements256(p256),
		scalars512("scalar 512", hexInt(order512)),
		scalars256("scalar 256-A", hexInt(order256A)),
		scalars256("scalar CryptoPro-A", hexInt(order256C)),
	}
}

func elements512(p *big.Int) ring {
	raw := func(x *big.Int) (e Element512) { // also numbers from p to 2^512, as results may be
		for i, w := range words512(littleEndian(x, 64)).l {
			e.l[i] = w
		}
		return e
	}
	two := func(f func(z, x, y *Element512)) func(x, y *big.Int) *big.Int {
		return func(x, y *big.Int) *big.Int {
			a, b := raw(x), raw(y)
			var z Element512
			f(&z, &a, &b)
			left, right := a, b // aliasing
			f(&left, &left, &b)
			f(&right, &a, &right)
			if z.Bytes() != left.Bytes() || z.Bytes() != right.Bytes() {
				panic("aliased arguments give another result")
			}
			if x.Cmp(y) == 0 {
				if f(&a, &a, &a); a.Bytes() != z.Bytes() {
					panic("thrice the same argument gives another result")
				}
			}
			out := z.Bytes()
			return number(out[:])
		}
	}
	one := func(f func(z, x *Element512)) func(x *big.Int) *big.Int {
		return func(x *big.Int) *big.Int {
			a := raw(x)
			var z Element512
			f(&z, &a)
			if f(&a, &a); a.Bytes() != z.Bytes() {
				panic("aliased argument gives another result")
			}
			out := z.Bytes()
			return number(out[:])
		}
	}
	return ring{
		name: "element 512", m: p, size: 64,
		add: two((*Element512).Add), sub: two((*Element512).Sub), mul: two((*Element512).Mul),
		square: one((*Element512).Square), negate: one((*Element512).Negate), inv: one((*Element512).Invert),
		half: one((*Element512).Halve), invVarTime: one((*Element512).InvertVarTime),
		set:  func(b []byte) bool { var e Element512; return e.SetBytes(b) },
		zero: func(x *big.Int) uint64 { a := raw(x); return a.IsZero() },
	}
}

func elements256(p *big.Int) ring {
	raw := func(x *big.Int) (e Element256) {
		for i, w := range words256(littleEndian(x, 32)).l {
			e.l[i] = w
		}
		return e
	}
	two := func(f func(z, x, y *Element256)) func(x, y *big.Int) *big.Int {
		return func(x, y *big.Int) *big.Int {
			a, b := raw(x), raw(y)
			var z Element256
			f(&z, &a, &b)
			left, right := a, b
			f(&left, &left, &b)
			f(&right, &a, &right)
			if z.Bytes() != left.Bytes() || z.Bytes() != right.Bytes() {
				panic("aliased arguments give another result")
			}
			out := z.Bytes()
			return number(out[:])
		}
	}
	one := func(f func(z, x *Element256)) func(x *big.Int) *big.Int {
		return func(x *big.Int) *big.Int {
			a := raw(x)
			var z Element256
			f(&z, &a)
			if f(&a, &a); a.Bytes() != z.Bytes() {
				panic("aliased argument gives another result")
			}
			out := z.Bytes()
			return number(out[:])
		}
	}
	return ring{
		name: "element 256", m: p, size: 32,
		add: two((*Element256).Add), sub: two((*Element256).Sub), mul: two((*Element256).Mul),
		square: one((*Element256).Square), negate: one((*Element256).Negate), inv: one((*Element256).Invert),
		half: one((*Element256).Halve), invVarTime: one((*Element256).InvertVarTime),
		set:  func(b []byte) bool { var e Element256; return e.SetBytes(b) },
		zero: func(x *big.Int) uint64 { a := raw(x); return a.IsZero() },
	}
}

func scalars512(name string, m *big.Int) ring {
	o := NewOrder512([64]byte(m.FillBytes(make([]byte, 64))))
	read := func(x *big.Int) (s Scalar512) { o.Reduce(&s, littleEndian(x, 64)); return s }
	write := func(s *Scalar512) *big.Int { b := o.Bytes(s); return number(b[:]) }
	two := func(f func(z, x, y *Scalar512)) func(x, y *big.Int) *big.Int {
		return func(x, y *big.Int) *big.Int {
			a, b := read(x), read(y)
			var z Scalar512
			f(&z, &a, &b)
			left, right := a, b
			f(&left, &left, &b)
			f(&right, &a, &right)
			if z != left || z != right {
				panic("aliased arguments give another result")
			}
			return write(&z)
		}
	}
	return ring{
		name: name, m: m, size: 64, add: two(o.Add), mul: two(o.Mul),
		negate:     func(x *big.Int) *big.Int { a := read(x); o.Negate(&a, &a); return write(&a) },
		invVarTime: func(x *big.Int) *big.Int { a := read(x); o.InvertVarTime(&a, &a); return write(&a) },
		set:        func(b []byte) bool { var s Scalar512; return o.SetBytes(&s, b) },
		zero:       func(x *big.Int) uint64 { a := read(x); return a.IsZero() },
	}
}

func scalars256(name string, m *big.Int) ring {
	o := NewOrder256([32]byte(m.FillBytes(make([]byte, 32))))
	read := func(x *big.Int) (s Scalar256) { o.Reduce(&s, littleEndian(x, 32)); return s }
	write := func(s *Scalar256) *big.Int { b := o.Bytes(s); return number(b[:]) }
	two := func(f func(z, x, y *Scalar256)) func(x, y *big.Int) *big.Int {
		return func(x, y *big.Int) *big.Int {
			a, b := read(x), read(y)
			var z Scalar256
			f(&z, &a, &b)
			left, right := a, b
			f(&left, &left, &b)
			f(&right, &a, &right)
			if z != left || z != right {
				panic("aliased arguments give another result")
			}
			return write(&z)
		}
	}
	return ring{
		name: name, m: m, size: 32, add: two(o.Add), mul: two(o.Mul),
		negate:     func(x *big.Int) *big.Int { a := read(x); o.Negate(&a, &a); return write(&a) },
		invVarTime: func(x *big.Int) *big.Int { a := read(x); o.InvertVarTime(&a, &a); return write(&a) },
		set:        func(b []byte) bool { var s Scalar256; return o.SetBytes(&s, b) },
		zero:       func(x *big.Int) uint64 { a := read(x); return a.IsZero() },
	}
}

// draw prefers the numbers around which carries and reductions turn.
func (r ring) draw(t *rapid.T, name string) *big.Int {
	top := new(big.Int).Lsh(big.NewInt(1), uint(8*r.size))
	near := func(x *big.Int) *big.Int {
		x = new(big.Int).Add(x, big.NewInt(rapid.Int64Range(-1300, 1300).Draw(t, name+" beside")))
		return x.Mod(x, top)
	}
	switch rapid.IntRange(0, 4).Draw(t, name+" kind") {
	case 0:
		return near(new(big.Int))
	case 1:
		return near(r.m)
	case 2: // words of ones and zeros
		b := make([]byte, 0, r.size)
		for range r.size / 8 {
			b = append(b, bytes.Repeat([]byte{rapid.SampledFrom([]byte{0, 0xff}).Draw(t, name+" word")}, 8)...)
		}
		return number(b)
	default:
		return number(rapid.SliceOfN(rapid.Byte(), r.size, r.size).Draw(t, name))
	}
}

func each(t *testing.T, f func(t *testing.T, r ring)) {
	implementations(t, func(t *testing.T) {
		for _, r := range rings() {
			t.Run(r.name, func(t *testing.T) { f(t, r) })
		}
	})
}

// TestAgainstBig compares every operation with math/big, with every aliasing of its arguments.
func TestAgainstBig(t *testing.T) {
	each(t, func(t *testing.T, r ring) {
		rapid.Check(t, func(t *rapid.T) {
			x, y := r.draw(t, "x"), r.draw(t, "y")
			expect := func(what string, got, want *big.Int) {
				t.Helper()
				if want = new(big.Int).Mod(want, r.m); got.Cmp(want) != 0 {
					t.Errorf("%s of %x and %x = %x, want %x", what, x, y, got, want)
				}
			}
			expect("sum", r.add(x, y), new(big.Int).Add(x, y))
			expect("double", r.add(x, x), new(big.Int).Add(x, x))
			expect("product", r.mul(x, y), new(big.Int).Mul(x, y))
			expect("square by product", r.mul(x, x), new(big.Int).Mul(x, x))
			expect("opposite", r.negate(x), new(big.Int).Neg(x))
			if r.sub != nil {
				expect("difference", r.sub(x, y), new(big.Int).Sub(x, y))
				expect("nothing", r.sub(x, x), new(big.Int))
				expect("square", r.square(x), new(big.Int).Mul(x, x))
				half := r.half(x)
				expect("twice the half", r.add(half, half), x)
			}
			if got, want := r.zero(x) == 1, new(big.Int).Mod(x, r.m).Sign() == 0; got != want {
				t.Errorf("zero(%x) = %v", x, got)
			}
			if got, want := r.set(littleEndian(x, r.size)), x.Cmp(r.m) < 0; got != want {
				t.Errorf("SetBytes(%x) = %v, want %v", x, got, want)
			}
			want := new(big.Int).ModInverse(new(big.Int).Mod(x, r.m), r.m)
			if want == nil {
				want = new(big.Int)
			}
			for _, inv := range []func(*big.Int) *big.Int{r.inv, r.invVarTime} {
				if inv != nil {
					expect("inverse", inv(x), want)
				}
			}
		})
	})
}

func TestReduceWide(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOfN(rapid.Byte(), 128, 128).Draw(t, "wide")
		m := hexInt(order512)
		o := NewOrder512([64]byte(m.FillBytes(make([]byte, 64))))
		var s Scalar512
		o.Reduce(&s, b)
		if got, want := o.Bytes(&s), new(big.Int).Mod(number(b), m); number(got[:]).Cmp(want) != 0 {
			t.Errorf("got %x, want %x", number(got[:]), want)
		}
		for _, name := range []string{order256A, order256C} {
			m := hexInt(name)
			o := NewOrder256([32]byte(m.FillBytes(make([]byte, 32))))
			var s Scalar256
			o.Reduce(&s, b[:64])
			if got, want := o.Bytes(&s), new(big.Int).Mod(number(b[:64]), m); number(got[:]).Cmp(want) != 0 {
				t.Errorf("got %x, want %x", number(got[:]), want)
			}
		}
	})
}

func TestSelect(t *testing.T) {
	x, y := Element512{[8]uint64{1, 2, 3}}, Element512{[8]uint64{4, 5, 6}}
	var z Element512
	if z.Select(&x, &y, 1); z != x {
		t.Error("Select(x, y, 1) is not x")
	}
	if z.Select(&x, &y, 0); z != y {
		t.Error("Select(x, y, 0) is not y")
	}
	z = Element512{}
	if z.MaskOr(&x, 0); z != (Element512{}) {
		t.Error("MaskOr(x, 0) changed zero")
	}
	if z.MaskOr(&x, 1); z != x {
		t.Error("MaskOr(x, 1) of zero is not x")
	}
	if x.Equal(&x) != 1 || x.Equal(&y) != 0 {
		t.Error("Equal is wrong")
	}
	p := Element512{[8]uint64{^uint64(0) - 568, ^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0)}}
	if p.Equal(&Element512{}) != 1 {
		t.Error("p is not 0")
	}
}

func TestLengths(t *testing.T) {
	for _, r := range rings() {
		for _, n := range []int{0, r.size - 1, r.size + 1} {
			if r.set(make([]byte, n)) {
				t.Errorf("%s: %d bytes were taken", r.name, n)
			}
		}
	}
}

func TestNoAllocations(t *testing.T) {
	x, y := One512(), Element512{[8]uint64{7}}
	n := testing.AllocsPerRun(10, func() {
		x.Mul(&x, &y)
		x.Invert(&x)
		if x.IsZero() == 1 {
			t.Fatal("a product of units is zero")
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkMul512(b *testing.B) {
	x, y := Element512{[8]uint64{3, 5, 7}}, Element512{[8]uint64{1, 2, 3, 4, 5, 6, 7, 8}}
	for b.Loop() {
		x.Mul(&x, &y)
	}
}

func BenchmarkSquare512(b *testing.B) {
	x := Element512{[8]uint64{1, 2, 3, 4, 5, 6, 7, 8}}
	for b.Loop() {
		x.Square(&x)
	}
}

func BenchmarkAdd512(b *testing.B) {
	x, y := Element512{[8]uint64{3, 5, 7}}, Element512{[8]uint64{1, 2, 3, 4, 5, 6, 7, 8}}
	for b.Loop() {
		x.Add(&x, &y)
	}
}

func BenchmarkInvert512(b *testing.B) {
	x := Element512{[8]uint64{1, 2, 3, 4, 5, 6, 7, 8}}
	for b.Loop() {
		x.Invert(&x)
	}
}

func BenchmarkMul256(b *testing.B) {
	x, y := Element256{[4]uint64{3, 5, 7}}, Element256{[4]uint64{1, 2, 3, 4}}
	for b.Loop() {
		x.Mul(&x, &y)
	}
}
