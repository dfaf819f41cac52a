package gost

import (
	"bytes"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"senim/gost/internal/group"

	"pgregory.net/rapid"
)

// sideBySide runs a test with eight lanes, where the processor has them, and without.
func sideBySide(t *testing.T, f func(t *testing.T)) {
	c := TC26_512A()
	if c.eight != nil {
		t.Run("eight", f)
		defer func(before *group.Eight512) { c.eight = before }(c.eight)
		c.eight = nil
	} else {
		t.Log("this build or processor has no AVX-512 IFMA: eight lanes are not tested")
	}
	t.Run("one", f)
}

func order512() *big.Int {
	q := bigEndian("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF27E69532F48D89116FF22B8D4E0560609B4B38ABFAD2B85DCACDB1411F10B275", 64)
	return new(big.Int).SetBytes(q)
}

func little(x *big.Int) []byte {
	b := x.FillBytes(make([]byte, 64))
	slices.Reverse(b)
	return b
}

func privateKey(t testing.TB, d *big.Int) *PrivateKey {
	k, err := NewPrivateKey(TC26_512A(), little(d))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func signature(t testing.TB, k *PrivateKey, digest []byte) Signature {
	sig, err := k.Sign(nil, digest, nil)
	if err != nil {
		t.Fatal(err)
	}
	return Signature{k.PublicKey(), digest, sig}
}

// compare fails if a verdict is another than Verify's, and returns the verdicts.
func compare(t interface{ Errorf(string, ...any) }, names []string, batch []Signature) []bool {
	got := VerifyBatch(batch)
	if len(got) != len(batch) {
		t.Errorf("%d verdicts of %d", len(got), len(batch))
	}
	for i, s := range batch {
		if want := s.Key.Verify(s.Digest, s.Bytes); got[i] != want {
			t.Errorf("%d of %d, %s: %v, want %v", i, len(batch), names[i], got[i], want)
		}
	}
	return got
}

// kinds makes one signature of every kind: good ones, wrong ones and such as are none. Keys are small multiples of the
// base point too, for which the sums meet equal and opposite points.
func kinds(t testing.TB) (names []string, all []Signature) {
	add := func(name string, s Signature) { names, all = append(names, name), append(all, s) }
	q, r := order512(), rand.New(rand.NewPCG(7, 8))
	random := func() []byte {
		b := make([]byte, 64)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b
	}
	digest := random()
	var key *PrivateKey
	for i := range 4 {
		var err error
		if key, err = GenerateKey(TC26_512A(), nil); err != nil {
			t.Fatal(err)
		}
		add(fmt.Sprint("random key ", i), signature(t, key, random()))
	}
	good := signature(t, key, digest)
	prepared := good
	prepared.Key = good.Key.Prepare()
	add("prepared", prepared)
	for _, d := range []int64{1, 2, 3, 5, 16, 31, 32, 1023} {
		for _, d := range []*big.Int{big.NewInt(d), new(big.Int).Sub(q, big.NewInt(d))} {
			k := privateKey(t, d)
			add("key "+d.Text(16), signature(t, k, random()))
			// r at will, s = r·d: the sum is neutral.
			half := new(big.Int).Mod(new(big.Int).SetBytes(random()), q)
			add("neutral, key "+d.Text(16), Signature{k.PublicKey(), random(), append(little(half), little(half.Mul(half, d).Mod(half, q))...)})
			// Edges of r and s: small multipliers, and such as are next to the order.
			last := new(big.Int).Sub(q, big.NewInt(1))
			for _, a := range []*big.Int{big.NewInt(1), big.NewInt(2), last, new(big.Int).Rsh(q, 1)} {
				for _, b := range []*big.Int{big.NewInt(1), big.NewInt(3), last} {
					add("edges, key "+d.Text(16), Signature{k.PublicKey(), little(big.NewInt(1)), append(little(a), little(b)...)})
				}
			}
		}
	}
	for name, e := range map[string][]byte{"0": make([]byte, 64), "1": little(big.NewInt(1)), "q": little(q), "all ones": bytes.Repeat([]byte{0xff}, 64)} {
		add("digest "+name, signature(t, key, e))
	}
	change := func(name string, f func(s *Signature)) {
		s := Signature{good.Key, bytes.Clone(good.Digest), bytes.Clone(good.Bytes)}
		f(&s)
		add(name, s)
	}
	for bit := 0; bit < 1024; bit += 93 {
		change(fmt.Sprint("bit flipped ", bit), func(s *Signature) { s.Bytes[bit/8] ^= 1 << (bit % 8) })
	}
	change("digest flipped", func(s *Signature) { s.Digest[63] ^= 1 })
	change("digest short", func(s *Signature) { s.Digest = s.Digest[1:] })
	change("no digest", func(s *Signature) { s.Digest = nil })
	change("short", func(s *Signature) { s.Bytes = s.Bytes[1:] })
	change("long", func(s *Signature) { s.Bytes = append(s.Bytes, 0) })
	change("nothing", func(s *Signature) { s.Bytes = nil })
	change("r is 0", func(s *Signature) { clear(s.Bytes[:64]) })
	change("s is 0", func(s *Signature) { clear(s.Bytes[64:]) })
	change("r is q", func(s *Signature) { copy(s.Bytes, little(q)) })
	change("s is q", func(s *Signature) { copy(s.Bytes[64:], little(q)) })
	change("another key", func(s *Signature) { s.Key = all[0].Key })
	change("no key", func(s *Signature) { s.Key = nil })
	change("zero key", func(s *Signature) { s.Key = new(PublicKey) })
	change("key of another curve", func(s *Signature) { s.Key = mustGenerate(t, TC26_256A()).PublicKey() })
	for _, c := range []*Curve{TC26_256A(), CryptoProA()} {
		add("signature on "+c.String(), signature(t, mustGenerate(t, c), random()[:32]))
	}
	add("nothing at all", Signature{})
	beyond := beyondOrder(t)
	add("r is x - q", beyond)
	beyond.Digest = random()
	add("r is x - q, another digest", beyond)
	return names, all
}

func mustGenerate(t testing.TB, c *Curve) *PrivateKey {
	k, err := GenerateKey(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// beyondOrder makes a good signature whose point has an x of at least q: for such a point R, and any u and v, by the
// key (R - u·G)/v.
func beyondOrder(t testing.TB) Signature {
	c, q := TC26_512A(), order512()
	p := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 512), big.NewInt(569))
	b := new(big.Int).SetBytes(bigEndian("E8C2505DEDFC86DDC1BD0B2B6667F1DA34B82574761CB0E879BD081CFD0B6265EE3CB090F30D27614CB4574010DA90DD862EF9D4EBEE4761503190785A71C760", 64))
	var point group.Point512
	x := new(big.Int).Add(q, big.NewInt(1))
	for ; ; x.Add(x, big.NewInt(1)) {
		y := new(big.Int).Mul(x, x)
		y.Sub(y, big.NewInt(3)).Mul(y, x).Add(y, b).Mod(y, p)
		if y.ModSqrt(y, p) != nil && c.wide.curve.SetAffine(&point, little(x), little(y)) {
			break
		}
	}
	u, v := big.NewInt(0x1234567), new(big.Int).Sub(q, big.NewInt(0x7654321))
	over := new(big.Int).ModInverse(v, q)
	by := new(big.Int).Mul(u, over)
	by.Neg(by).Mod(by, q)
	c.wide.curve.DoubleMultVarTime(&point, (*[64]byte)(little(by)), &point, (*[64]byte)(little(over)))
	kx, ky, _ := point.Affine()
	key, err := NewPublicKey(c, append(kx[:], ky[:]...))
	if err != nil {
		t.Fatal(err)
	}
	// v = -r/e and u = s/e.
	r := new(big.Int).Sub(x, q)
	e := new(big.Int).Neg(r)
	e.Mul(e, over).Mod(e, q)
	s := new(big.Int).Mul(u, e)
	return Signature{key, little(e), append(little(r), little(s.Mod(s, q))...)}
}

func TestVerifyBatch(t *testing.T) {
	names, all := kinds(t)
	sideBySide(t, func(t *testing.T) {
		good := compare(t, names, all)
		for i, name := range names {
			wanted := map[string]bool{"prepared": true, "r is x - q": true, "random key 0": true, "key 1": true, "digest 0": true, "digest q": true}
			if wanted[name] && !good[i] {
				t.Errorf("%s does not verify", name)
			}
		}
		// Every kind in every lane.
		for i := range all {
			at := i % 8
			pick, of := slices.Clone(all[:8]), slices.Clone(names[:8])
			pick[at], of[at] = all[i], names[i]
			compare(t, of, pick)
		}
	})
}

// TestVerifyBatchLengths: any number of signatures, good ones and one that is not.
func TestVerifyBatchLengths(t *testing.T) {
	_, all := kinds(t)
	sideBySide(t, func(t *testing.T) {
		for n := range 20 {
			batch, names := make([]Signature, n), make([]string, n)
			for i := range batch {
				batch[i] = all[i%5]
			}
			if good := compare(t, names, batch); slices.Contains(good, false) {
				t.Errorf("of %d good ones: %v", n, good)
			}
			for wrong := range batch {
				other := slices.Clone(batch)
				other[wrong].Digest = all[(wrong+1)%5].Digest
				if good := VerifyBatch(other); good[wrong] || slices.Index(good, false) != wrong || slices.Contains(good[wrong+1:], false) {
					t.Errorf("of %d with number %d wrong: %v", n, wrong, good)
				}
			}
		}
	})
}

// TestVerifyBatchLaws: mixtures of all kinds have the verdicts of Verify.
func TestVerifyBatchLaws(t *testing.T) {
	names, all := kinds(t)
	sideBySide(t, func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			var batch []Signature
			var of []string
			for _, i := range rapid.SliceOfN(rapid.IntRange(0, len(all)-1), 0, 20).Draw(t, "kinds") {
				batch, of = append(batch, all[i]), append(of, names[i])
			}
			compare(t, of, batch)
		})
	})
}

// TestVerifyBatchAllocations: nothing but the verdicts.
func TestVerifyBatchAllocations(t *testing.T) {
	_, all := kinds(t)
	if n := testing.AllocsPerRun(10, func() { VerifyBatch(all[:19]) }); n > 2 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzVerifyBatch puts whatever comes among good ones: it has Verify's verdict, and they keep theirs.
func FuzzVerifyBatch(f *testing.F) {
	_, all := kinds(f)
	for i, s := range all {
		if s.Key.Curve() == TC26_512A() && i%5 == 0 {
			f.Add(s.Key.Bytes(), s.Digest, s.Bytes, byte(i))
		}
	}
	f.Fuzz(func(t *testing.T, xy, digest, sig []byte, lane byte) {
		k, err := NewPublicKey(TC26_512A(), xy)
		if err != nil {
			k = all[0].Key
		}
		batch := make([]Signature, 8)
		for i := range batch {
			batch[i] = all[i%5]
		}
		batch[lane%8] = Signature{k, digest, sig}
		for i, good := range compare(t, make([]string, 8), batch) {
			if i != int(lane%8) && !good {
				t.Errorf("a good one in lane %d does not verify", i)
			}
		}
	})
}

// TestVerifyBatchAtOnce: batches may run side by side.
func TestVerifyBatchAtOnce(t *testing.T) {
	names, all := kinds(t)
	var running sync.WaitGroup
	for range 4 {
		running.Go(func() { compare(t, names, all) })
	}
	running.Wait()
}
