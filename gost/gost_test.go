package gost_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"math/big"
	"slices"
	"testing"
	"testing/iotest"

	"senim/gost"
	"senim/gost/gost94"
	"senim/gost/streebog"

	"pgregory.net/rapid"
)

var _ crypto.Signer = (*gost.PrivateKey)(nil)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func reversed(b []byte) []byte {
	b = bytes.Clone(b)
	slices.Reverse(b)
	return b
}

// vectors are keys and signatures of the reference library (СТ РК): spki and pkcs8 are whole
// structures, of which the tail is the key.
var vectors = []struct {
	name       string
	curve      func() *gost.Curve
	d, xy, sig string
	digest     func() []byte
	bigEndianD bool
	order      string
}{
	{
		name: "512", curve: gost.TC26_512A,
		d: "7597f5f4ecca1a57473eb9ceb94815497769f235ed0e89804b7f9c05ea6dd8622ee0a13dd78de539fc5e9ab3541ccca1f467c1112f3cb43b2f9b49cbe9e86ce8",
		xy: "fa922af18959f9fc80840848b03ab13812397a02f2724ef31a6705e45149d1c43b95ec1937ba4c848abfd1c1356905afb98f948f07cc90c8001860dffff1c928" +
			"041232ad0868ea9215710313ac845761cac2a0de1fe287f8c74b4d11ba107ba6c607575ea806c7d90151ddf90b65299409d9c9bc0a5f3ae3cb010a171eb5e545",
		sig: "8d6c6a698664478e092159fb3570b0e93641b8eeb52e1735581099c8221c0d144415b08e27ebc77579ee65f70bd53f7932a7e9b885debd71e6be0e8018600364" +
			"d47013472a66eebceeb1efc9d2309981b4fc1f5d45d7d8b0ab1490574cee5e38b975491336c312db35b6cf666e695f6bba90806d1dda19726218554cad2f1666",
		digest: func() []byte { h := streebog.Sum512([]byte("ncalayer-rs test message")); return h[:] },
		order:  "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF27E69532F48D89116FF22B8D4E0560609B4B38ABFAD2B85DCACDB1411F10B275",
	},
	{
		name: "256", curve: gost.TC26_256A,
		d:      "fb8661602cc9d9afd2a1c724326526a456dfa66e6cc50079573d8ffbdee15234",
		xy:     "45468925c1ff1a67d7502356169bfd05c7ddcab564bfe3d0bd1050e3e5e3bd94a7fb8b46415422144a59e87a63e5492c0cb95cde386ab7ffce12da56f3a5a77f",
		sig:    "67f438fb5ed91ce2559a41c574a180fd488b89de8ba6db30d327e98b83876e161320a574159352f01a9adc266e1d1d617ab352fdf525ae71c024454a7ff99014",
		digest: func() []byte { h := streebog.Sum256([]byte("test")); return h[:] },
		order:  "400000000000000000000000000000000FD8CDDFC87B6635C115AF556C360C67",
	},
	{
		name: "2004", curve: gost.CryptoProA,
		d: "b5011d88383b8f0a68b612e890599b8809a212be7b1f65b4a191c18bac95a6fa", bigEndianD: true,
		xy:     "df9e911400e0f5666b5596d0a914267f900bcba48e9a96a596159bea4fd1a2bb70a14ee734b295d16f6abcf83672011157fb02cc3750ebde63a74b4f30874427",
		sig:    "721156130a60fe3032824229efbf8da21b748b5c8361f903d18272aaf09a329489525a8b5c8d6f1fb42a525479b34d6b4aa32515b66db16be3f2b520bbda03cf",
		digest: func() []byte { h := gost94.Sum([]byte("test")); return h[:] },
		order:  "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF6C611070995AD10045841B09B761B893",
	},
}

func TestVectors(t *testing.T) {
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			c, digest, sig := v.curve(), v.digest(), unhex(t, v.sig)
			d := unhex(t, v.d)
			if v.bigEndianD {
				slices.Reverse(d)
			}
			key, err := gost.NewPrivateKey(c, d)
			if err != nil {
				t.Fatal(err)
			}
			if got := key.PublicKey().Bytes(); hex.EncodeToString(got) != v.xy {
				t.Fatalf("public key %x, want %s", got, v.xy)
			}
			public, err := gost.NewPublicKey(c, unhex(t, v.xy))
			if err != nil {
				t.Fatal(err)
			}
			if !public.Equal(key.Public()) || !bytes.Equal(key.Bytes(), d) || public.Curve() != c {
				t.Error("the keys do not belong together")
			}
			if !public.Verify(digest, sig) {
				t.Error("the reference signature does not verify")
			}
			order, _ := new(big.Int).SetString(v.order, 16)
			refuse(t, public, digest, sig, order)
			own, err := key.Sign(rand.Reader, digest, nil)
			if err != nil {
				t.Fatal(err)
			}
			if !public.Verify(digest, own) {
				t.Error("an own signature does not verify")
			}
			refuse(t, public, digest, own, order)
			prepared := public.Prepare()
			if !prepared.Verify(digest, sig) || !prepared.Verify(digest, own) || !prepared.Equal(public) || prepared.Prepare() != prepared {
				t.Error("the prepared key verifies otherwise")
			}
			refuse(t, prepared, digest, sig, order)
		})
	}
}

// refuse tries every wrong form of a good signature.
func refuse(t *testing.T, k *gost.PublicKey, digest, sig []byte, order *big.Int) {
	t.Helper()
	n := k.Curve().Size()
	r, s := sig[:n], sig[n:]
	number := func(x *big.Int) []byte { return reversed(x.FillBytes(make([]byte, n))) }
	bad := map[string][]byte{
		"empty":             nil,
		"short":             sig[:len(sig)-1],
		"long":              append(bytes.Clone(sig), 0),
		"reversed":          reversed(sig),
		"halves swapped":    slices.Concat(s, r),
		"halves big-endian": slices.Concat(reversed(r), reversed(s)),
		"r is 0":            slices.Concat(make([]byte, n), s),
		"s is 0":            slices.Concat(r, make([]byte, n)),
		"both are 0":        make([]byte, 2*n),
		"r is q":            slices.Concat(number(order), s),
		"s is q":            slices.Concat(r, number(order)),
		"all ones":          bytes.Repeat([]byte{0xff}, 2*n),
	}
	for half, name := range []string{"r", "s"} {
		x := new(big.Int).SetBytes(reversed(sig[half*n : half*n+n]))
		for i := 1; ; i++ {
			if x.Add(x, order); x.BitLen() > 8*n {
				break
			}
			twin := bytes.Clone(sig)
			copy(twin[half*n:], number(x))
			bad[name+" more by q times "+string(rune('0'+i))] = twin
		}
	}
	for bit := range 8 * len(sig) {
		if bit%37 == 0 {
			flipped := bytes.Clone(sig)
			flipped[bit/8] ^= 1 << (bit % 8)
			bad["bit "+string(rune('0'+bit%10))+" flipped"] = flipped
		}
	}
	for name, sig := range bad {
		if k.Verify(digest, sig) {
			t.Errorf("verifies although %s", name)
		}
	}
	for name, digest := range map[string][]byte{
		"digest big-endian": reversed(digest), "digest short": digest[:n-1],
		"digest long": append(bytes.Clone(digest), 0), "no digest": nil, "another digest": make([]byte, n),
	} {
		if k.Verify(digest, sig) {
			t.Errorf("verifies although %s", name)
		}
	}
}

// TestPrivateKeyBounds tries 0, 1, q-1, q, q+1 and wrong lengths.
func TestPrivateKeyBounds(t *testing.T) {
	for _, v := range vectors {
		c := v.curve()
		order, _ := new(big.Int).SetString(v.order, 16)
		for name, x := range map[string]struct {
			d    *big.Int
			good bool
		}{
			"0": {new(big.Int), false}, "1": {big.NewInt(1), true},
			"q-1": {new(big.Int).Sub(order, big.NewInt(1)), true}, "q": {order, false},
			"q+1": {new(big.Int).Add(order, big.NewInt(1)), false},
		} {
			_, err := gost.NewPrivateKey(c, reversed(x.d.FillBytes(make([]byte, c.Size()))))
			if (err == nil) != x.good {
				t.Errorf("%s: d = %s: %v", c, name, err)
			}
		}
		for _, n := range []int{0, c.Size() - 1, c.Size() + 1} {
			if _, err := gost.NewPrivateKey(c, append([]byte{1}, make([]byte, n)...)[:n]); err == nil {
				t.Errorf("%s: a private key of %d bytes was taken", c, n)
			}
		}
	}
}

// TestOppositeKeys: d and q-d have opposite points, so their x is the same and their y add to p.
func TestOppositeKeys(t *testing.T) {
	for _, v := range vectors {
		c := v.curve()
		order, _ := new(big.Int).SetString(v.order, 16)
		one, _ := gost.NewPrivateKey(c, append([]byte{1}, make([]byte, c.Size()-1)...))
		last, err := gost.NewPrivateKey(c, reversed(new(big.Int).Sub(order, big.NewInt(1)).FillBytes(make([]byte, c.Size()))))
		if err != nil {
			t.Fatal(err)
		}
		a, b := one.PublicKey().Bytes(), last.PublicKey().Bytes()
		if !bytes.Equal(a[:c.Size()], b[:c.Size()]) || bytes.Equal(a, b) {
			t.Errorf("%s: G = %x, -G = %x", c, a, b)
		}
	}
}

func TestPublicKeyRefused(t *testing.T) {
	for _, v := range vectors {
		c, xy := v.curve(), unhex(t, v.xy)
		n := c.Size()
		off := bytes.Clone(xy)
		off[0] ^= 1
		beyond := bytes.Clone(xy) // x + p when it fits never does; all ones is above p
		for i := range n {
			beyond[i] = 0xff
		}
		for name, bad := range map[string][]byte{
			"nothing": nil, "one coordinate": xy[:n], "a byte short": xy[:2*n-1], "a byte long": append(bytes.Clone(xy), 0),
			"off the curve": off, "x not reduced": beyond, "zeros": make([]byte, 2*n), "big-endian": reversed(xy),
			"coordinates swapped": slices.Concat(xy[n:], xy[:n]),
		} {
			if _, err := gost.NewPublicKey(c, bad); err == nil {
				t.Errorf("%s: %s was taken", c, name)
			}
		}
	}
	if _, err := gost.NewPublicKey(gost.CryptoProA(), unhex(t, vectors[1].xy)); err == nil {
		t.Error("a point of another curve over the same field was taken")
	}
}

func TestZeroValues(t *testing.T) {
	var public gost.PublicKey
	var private gost.PrivateKey
	var curve gost.Curve
	digest := make([]byte, 64)
	if public.Verify(digest, make([]byte, 128)) || public.Verify(nil, nil) {
		t.Error("a zero public key verifies")
	}
	if public.Prepare().Verify(digest, make([]byte, 128)) || (*gost.PublicKey)(nil).Prepare() != nil {
		t.Error("a zero public key can be prepared")
	}
	if public.Equal(&public) || private.Equal(&private) || public.Equal(nil) || private.Equal(nil) {
		t.Error("a zero key equals something")
	}
	if public.Bytes() != nil || private.Bytes() != nil || public.Curve() != nil || private.PublicKey() != nil {
		t.Error("a zero key has contents")
	}
	if none := private.PublicKey(); none.Bytes() != nil || none.Curve() != nil || none.Verify(digest, nil) || none.Equal(none) {
		t.Error("the public key of no private key is something")
	}
	if _, err := private.Sign(rand.Reader, digest, nil); err == nil {
		t.Error("a zero private key signs")
	}
	for _, c := range []*gost.Curve{nil, &curve} {
		if _, err := gost.GenerateKey(c, rand.Reader); err == nil {
			t.Error("a key was made on no curve")
		}
		if _, err := gost.NewPrivateKey(c, nil); err == nil {
			t.Error("a private key was read on no curve")
		}
		if _, err := gost.NewPublicKey(c, nil); err == nil {
			t.Error("a public key was read on no curve")
		}
		if c.Size() != 0 || c.String() != "no curve" {
			t.Error("no curve has a size or a name")
		}
	}
}

// TestLaws: what is signed verifies, and nothing else does.
func TestLaws(t *testing.T) {
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			c := v.curve()
			rapid.Check(t, func(t *rapid.T) {
				seed := rapid.SliceOfN(rapid.Byte(), 2*c.Size(), 2*c.Size()).Draw(t, "seed")
				key, err := gost.GenerateKey(c, bytes.NewReader(append(seed, 1, 2, 3)))
				if err != nil {
					t.Skip("a seed of zero")
				}
				digest := rapid.SliceOfN(rapid.Byte(), c.Size(), c.Size()).Draw(t, "digest")
				sig, err := key.Sign(nil, digest, nil)
				if err != nil {
					t.Fatal(err)
				}
				if !key.PublicKey().Verify(digest, sig) || !key.PublicKey().Prepare().Verify(digest, sig) {
					t.Error("does not verify")
				}
				at := rapid.IntRange(0, 8*len(sig)-1).Draw(t, "bit")
				sig[at/8] ^= 1 << (at % 8)
				if key.PublicKey().Verify(digest, sig) {
					t.Error("verifies with a bit changed")
				}
				again, err := gost.NewPrivateKey(c, key.Bytes())
				if err != nil || !again.Equal(key) {
					t.Errorf("does not come back: %v", err)
				}
				if _, err := gost.NewPublicKey(c, key.PublicKey().Bytes()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestDigestZero: a digest that is 0 modulo q counts as 1.
func TestDigestZero(t *testing.T) {
	for _, v := range vectors {
		c := v.curve()
		key, err := gost.GenerateKey(c, nil)
		if err != nil {
			t.Fatal(err)
		}
		order, _ := new(big.Int).SetString(v.order, 16)
		zero, one := make([]byte, c.Size()), append([]byte{1}, make([]byte, c.Size()-1)...)
		q := reversed(order.FillBytes(make([]byte, c.Size())))
		sig, err := key.Sign(nil, zero, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, digest := range [][]byte{zero, one, q} {
			if !key.PublicKey().Verify(digest, sig) {
				t.Errorf("%s: the digest %x does not count as 1", c, digest)
			}
		}
	}
}

// TestHedge: with a stuck source the nonce still depends on digest and key, and a good source makes
// signatures differ.
func TestHedge(t *testing.T) {
	for _, v := range vectors {
		c := v.curve()
		n := c.Size()
		stuck := func() io.Reader { return bytes.NewReader(make([]byte, 64)) }
		key, _ := gost.GenerateKey(c, nil)
		other, _ := gost.GenerateKey(c, nil)
		one, two := bytes.Repeat([]byte{1}, n), bytes.Repeat([]byte{2}, n)
		sign := func(k *gost.PrivateKey, random io.Reader, digest []byte) []byte {
			sig, err := k.Sign(random, digest, nil)
			if err != nil {
				t.Fatal(err)
			}
			if !k.PublicKey().Verify(digest, sig) {
				t.Fatal("does not verify")
			}
			return sig
		}
		base := sign(key, stuck(), one)
		if !bytes.Equal(base, sign(key, stuck(), one)) {
			t.Error("with a stuck source the signature is not deterministic")
		}
		for name, sig := range map[string][]byte{
			"another digest": sign(key, stuck(), two), "another key": sign(other, stuck(), one), "a good source": sign(key, nil, one),
		} {
			if bytes.Equal(base[:n], sig[:n]) {
				t.Errorf("%s: %s has the same r, so the same nonce", c, name)
			}
		}
	}
}

func TestErrors(t *testing.T) {
	broken := errors.New("no randomness today")
	for _, v := range vectors {
		c := v.curve()
		if _, err := gost.GenerateKey(c, iotest.ErrReader(broken)); !errors.Is(err, broken) {
			t.Errorf("GenerateKey: %v", err)
		}
		key, _ := gost.GenerateKey(c, nil)
		if _, err := key.Sign(iotest.ErrReader(broken), make([]byte, c.Size()), nil); !errors.Is(err, broken) {
			t.Errorf("Sign: %v", err)
		}
		for _, n := range []int{0, 20, c.Size() - 1, c.Size() + 1} {
			if _, err := key.Sign(nil, make([]byte, n), nil); err == nil {
				t.Errorf("%s: a digest of %d bytes was signed", c, n)
			}
		}
	}
}

// TestKeysKeepTheirBytes: what was read or returned can be changed without changing the key.
func TestKeysKeepTheirBytes(t *testing.T) {
	for _, v := range vectors {
		key, _ := gost.GenerateKey(v.curve(), nil)
		d, xy := key.Bytes(), key.PublicKey().Bytes()
		clear(key.Bytes())
		clear(key.PublicKey().Bytes())
		again, _ := gost.NewPrivateKey(v.curve(), d)
		public, _ := gost.NewPublicKey(v.curve(), xy)
		clear(d)
		clear(xy)
		if !key.Equal(again) || !public.Equal(key.Public()) {
			t.Error("a key shares memory with its caller")
		}
	}
}

func FuzzVerify(f *testing.F) {
	for i, v := range vectors {
		f.Add(byte(i), unhex(f, v.xy), v.digest(), unhex(f, v.sig))
	}
	f.Fuzz(func(t *testing.T, which byte, xy, digest, sig []byte) {
		c := vectors[int(which)%len(vectors)].curve()
		k, err := gost.NewPublicKey(c, xy)
		if err != nil {
			return
		}
		if !bytes.Equal(k.Bytes(), xy) {
			t.Error("a public key comes back with other bytes")
		}
		if k.Verify(digest, sig) && (len(sig) != 2*c.Size() || len(digest) != c.Size()) {
			t.Error("a signature of a wrong length verifies")
		}
	})
}

// TestNoAllocations: signing into a buffer with room and verifying, with or without a table, leave nothing behind.
func TestNoAllocations(t *testing.T) {
	for _, c := range []*gost.Curve{gost.TC26_512A(), gost.TC26_256A(), gost.CryptoProA()} {
		key, err := gost.GenerateKey(c, nil)
		if err != nil {
			t.Fatal(err)
		}
		digest := bytes.Repeat([]byte{5}, c.Size())
		public, prepared := key.PublicKey(), key.PublicKey().Prepare()
		sig := make([]byte, 0, 2*c.Size())
		n := testing.AllocsPerRun(10, func() {
			var err error
			if sig, err = key.AppendSign(sig[:0], nil, digest); err != nil {
				t.Fatal(err)
			}
		})
		if n != 0 && !underRace { // the system's source of randomness has a pool
			t.Errorf("%s: %v allocations to sign", c, n)
		}
		if n := testing.AllocsPerRun(10, func() {
			if !public.Verify(digest, sig) || !prepared.Verify(digest, sig) {
				t.Fatal("does not verify")
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations to verify", c, n)
		}
		before := []byte("before")
		if got, err := key.AppendSign(before, nil, digest); err != nil || !bytes.HasPrefix(got, before) || !public.Verify(digest, got[len(before):]) {
			t.Errorf("%s: appended to something: %x, %v", c, got, err)
		}
		if got, err := key.AppendSign(before, nil, digest[1:]); err == nil || string(got) != "before" {
			t.Errorf("%s: a short digest gave %x, %v", c, got, err)
		}
	}
}
