package algid_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/algid"
	"senim/gost"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// vectors are the keys and signatures made by the reference library (crypto.md §16).
var vectors = []struct {
	name                  string
	kind                  algid.Key
	sig                   algid.Signature
	spki, pkcs8, ski      string
	message, signatureHex string
}{
	{"GOST512", algid.GOST512, algid.GOST512Sig,
		"3081ac302306092a830e030a010102023016060a2a830e030a010102020106082a830e030a01030303818400048180fa922af18959f9fc80840848b03ab13812397a02f2724ef31a6705e45149d1c43b95ec1937ba4c848abfd1c1356905afb98f948f07cc90c8001860dffff1c928041232ad0868ea9215710313ac845761cac2a0de1fe287f8c74b4d11ba107ba6c607575ea806c7d90151ddf90b65299409d9c9bc0a5f3ae3cb010a171eb5e545",
		"306c020100302306092a830e030a010102023016060a2a830e030a010102020106082a830e030a010303044204407597f5f4ecca1a57473eb9ceb94815497769f235ed0e89804b7f9c05ea6dd8622ee0a13dd78de539fc5e9ab3541ccca1f467c1112f3cb43b2f9b49cbe9e86ce8",
		"da45ecf71bfd48a92a83705299d0801d1422f2d4", "ncalayer-rs test message",
		"8d6c6a698664478e092159fb3570b0e93641b8eeb52e1735581099c8221c0d144415b08e27ebc77579ee65f70bd53f7932a7e9b885debd71e6be0e8018600364d47013472a66eebceeb1efc9d2309981b4fc1f5d45d7d8b0ab1490574cee5e38b975491336c312db35b6cf666e695f6bba90806d1dda19726218554cad2f1666"},
	{"GOST2004", algid.GOST2004, algid.GOST2004Sig,
		"306c302506092a830e030a010101013018060a2a830e030a0101010101060a2a830e030a01030101000343000440df9e911400e0f5666b5596d0a914267f900bcba48e9a96a596159bea4fd1a2bb70a14ee734b295d16f6abcf83672011157fb02cc3750ebde63a74b4f30874427",
		"304f020100302506092a830e030a010101013018060a2a830e030a0101010101060a2a830e030a01030101000423022100b5011d88383b8f0a68b612e890599b8809a212be7b1f65b4a191c18bac95a6fa",
		"", "test",
		"721156130a60fe3032824229efbf8da21b748b5c8361f903d18272aaf09a329489525a8b5c8d6f1fb42a525479b34d6b4aa32515b66db16be3f2b520bbda03cf"},
	{"GOST256", algid.GOST256, algid.GOST256Sig,
		"306a302306092a830e030a010102013016060a2a830e030a010102010106082a830e030a010302034300044045468925c1ff1a67d7502356169bfd05c7ddcab564bfe3d0bd1050e3e5e3bd94a7fb8b46415422144a59e87a63e5492c0cb95cde386ab7ffce12da56f3a5a77f",
		"304c020100302306092a830e030a010102013016060a2a830e030a010102010106082a830e030a01030204220420fb8661602cc9d9afd2a1c724326526a456dfa66e6cc50079573d8ffbdee15234",
		"", "test",
		"67f438fb5ed91ce2559a41c574a180fd488b89de8ba6db30d327e98b83876e161320a574159352f01a9adc266e1d1d617ab352fdf525ae71c024454a7ff99014"},
}

func TestReferenceVectors(t *testing.T) {
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			spki, pkcs8, sig := unhex(t, v.spki), unhex(t, v.pkcs8), unhex(t, v.signatureHex)
			pub, kind, err := algid.ParsePublicKey(spki)
			if err != nil || kind != v.kind {
				t.Fatalf("public key: %v, %v", kind, err)
			}
			key, err := algid.ParsePrivateKey(pkcs8)
			if err != nil {
				t.Fatal(err)
			}
			if !pub.(*gost.PublicKey).Equal(key.Public()) {
				t.Error("the private key is of another public key")
			}
			if again, err := algid.MarshalPublicKey(pub); err != nil || !bytes.Equal(again, spki) {
				t.Errorf("public key written %x, %v", again, err)
			}
			if again, err := algid.MarshalPrivateKey(key); err != nil || !bytes.Equal(again, pkcs8) {
				t.Errorf("private key written %x, %v", again, err)
			}
			if got := hex.EncodeToString(algid.KeyID(pub)); v.ski != "" && got != v.ski {
				t.Errorf("key id %s", got)
			}
			checkSignatures(t, v.sig, pub, []byte(v.message), sig)
			own, err := v.sig.Sign(rand.Reader, key, []byte(v.message))
			if err != nil {
				t.Fatal(err)
			}
			checkSignatures(t, v.sig, pub, []byte(v.message), own)
			if s, err := algid.SignatureFor(pub); err != nil || s != v.sig {
				t.Errorf("signature for the key: %v, %v", s, err)
			}
		})
	}
}

// checkSignatures wants sig to verify and every near miss of it not to.
func checkSignatures(t *testing.T, s algid.Signature, pub any, message, sig []byte) {
	t.Helper()
	if err := s.Verify(pub, message, sig); err != nil {
		t.Errorf("good signature: %v", err)
	}
	half := len(sig) / 2
	turned := bytes.Clone(sig)
	for i, b := range sig {
		turned[len(sig)-1-i] = b
	}
	flipped := bytes.Clone(sig)
	flipped[3] ^= 4
	for name, bad := range map[string][]byte{
		"reversed": turned, "halves swapped": append(bytes.Clone(sig[half:]), sig[:half]...), "bit": flipped,
		"short": sig[1:], "long": append(bytes.Clone(sig), 0), "zero": make([]byte, len(sig)), "empty": nil,
	} {
		if err := s.Verify(pub, message, bad); !errors.Is(err, algid.ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := s.Verify(pub, append(bytes.Clone(message), '.'), sig); err == nil {
		t.Error("another message verifies")
	}
}

func TestFixedBytes(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{hex.EncodeToString(algid.GOST512Sig.Identifier()), "300e060a2a830e030a01010203020500"},
		{hex.EncodeToString(algid.GOST2004Sig.Identifier()), "300d06092a830e030a010101020500"},
		{hex.EncodeToString(algid.Streebog512.Identifier()), "300c06082a830e030a0103030500"},
		{hex.EncodeToString(algid.GOST34311.Identifier()), "300c06082a830e030a0103010500"},
	} {
		if c.got != c.want {
			t.Errorf("%s, want %s", c.got, c.want)
		}
	}
}

func TestTableIsClosed(t *testing.T) {
	for h := algid.Streebog512; h <= algid.SHA512; h++ {
		if got, ok := algid.HashByOID(h.OID()); !ok || got != h || len(h.Sum(nil)) != h.Size() {
			t.Errorf("%v: %v %v", h, got, ok)
		}
	}
	for s := algid.GOST512Sig; s <= algid.SHA1WithRSA; s++ {
		if got, ok := algid.SignatureByOID(s.OID()); !ok || got != s || s.Hash().Size() == 0 || s.Key() == 0 {
			t.Errorf("%v: %v %v", s, got, ok)
		}
	}
}

func TestRSA(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	want, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := algid.MarshalPublicKey(&key.PublicKey); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%x, %v", got, err)
	}
	want, _ = x509.MarshalPKCS8PrivateKey(key)
	if got, err := algid.MarshalPrivateKey(key); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%x, %v", got, err)
	}
	back, err := algid.ParsePrivateKey(want)
	if err != nil || !key.Equal(back) {
		t.Errorf("read back: %v", err)
	}
	sig, err := algid.SHA256WithRSA.Sign(rand.Reader, key, []byte("message"))
	if err != nil {
		t.Fatal(err)
	}
	if err := algid.SHA256WithRSA.Verify(&key.PublicKey, []byte("message"), sig); err != nil {
		t.Error(err)
	}
	if err := algid.SHA256WithRSA.Verify(&key.PublicKey, []byte("Message"), sig); err == nil {
		t.Error("another message verifies")
	}
	if err := algid.GOST512Sig.Verify(&key.PublicKey, []byte("message"), sig); err == nil {
		t.Error("GOST with an RSA key")
	}
	for name, bad := range map[string]*rsa.PublicKey{
		"small": {N: new(big.Int).Rsh(key.N, 1024), E: 65537}, "even": {N: key.N, E: 65536}, "one": {N: key.N, E: 1},
	} {
		der, err := x509.MarshalPKIXPublicKey(bad)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := algid.ParsePublicKey(der); err == nil {
			t.Errorf("%s key accepted", name)
		}
	}
}

func TestRefused(t *testing.T) {
	spki, pkcs8 := unhex(t, vectors[0].spki), unhex(t, vectors[0].pkcs8)
	for i := range spki {
		bad := bytes.Clone(spki)
		bad[i] ^= 1
		if _, _, err := algid.ParsePublicKey(bad); err == nil {
			t.Errorf("public key with byte %d changed accepted", i)
		}
	}
	if _, _, err := algid.ParsePublicKey(append(bytes.Clone(spki), 0)); err == nil {
		t.Error("trailing byte accepted")
	}
	if _, err := algid.ParsePrivateKey(append(bytes.Clone(pkcs8), 0)); err == nil {
		t.Error("trailing byte accepted")
	}
	raw := append(bytes.Clone(pkcs8[:len(pkcs8)-68]), append([]byte{4, 64}, pkcs8[len(pkcs8)-64:]...)...)
	raw[1] -= 2
	if _, err := algid.ParsePrivateKey(raw); err == nil {
		t.Error("64 bytes without the inner OCTET STRING accepted")
	}
	if _, err := algid.SHA1WithRSA.Sign(rand.Reader, nil, nil); err == nil {
		t.Error("signs with SHA-1")
	}
}

// The old key form: INTEGER inside a GOST512 key is read (crypto.md §4).
func TestIntegerScalar(t *testing.T) {
	pkcs8 := unhex(t, vectors[0].pkcs8)
	le := pkcs8[len(pkcs8)-64:]
	be := make([]byte, 64)
	for i, b := range le {
		be[63-i] = b
	}
	head := unhex(t, "306d020100302306092a830e030a010102023016060a2a830e030a010102020106082a830e030a0103030443024100")
	key, err := algid.ParsePrivateKey(append(head, be...))
	if err != nil {
		t.Fatal(err)
	}
	if again, err := algid.MarshalPrivateKey(key); err != nil || !bytes.Equal(again, pkcs8) {
		t.Errorf("%x, %v", again, err)
	}
}

// The GT arc: no public material is at hand, so the form of the key and the order of the signature
// are those of crypto.md §3.1, over a key of ours.
func TestGT(t *testing.T) {
	key, err := gost.GenerateKey(gost.CryptoProA(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	bits := append(unhex(t, "06020000"+"3aaa0000"+"45433100"+"00020000"), key.PublicKey().Bytes()...)
	head := unhex(t, "3000300e060a2b06010401b5110105080500")
	spki := slices.Concat(head, []byte{3, byte(len(bits) + 1), 0}, bits)
	spki[1] = byte(len(spki) - 2)
	pub, kind, err := algid.ParsePublicKey(spki)
	if err != nil || kind != algid.GT {
		t.Fatalf("%v, %v", kind, err)
	}
	sig, err := algid.GOST2004Sig.Sign(rand.Reader, key, []byte("old document"))
	if err != nil {
		t.Fatal(err)
	}
	if err := algid.GTSig.Verify(key.Public(), []byte("old document"), sig); err != nil {
		t.Errorf("r‖s with a key of the new form: %v", err)
	}
	slices.Reverse(sig)
	checkSignatures(t, algid.GTSig, pub, []byte("old document"), sig)
	if _, err := algid.MarshalPublicKey(pub); err == nil {
		t.Error("the GT form is written")
	}
	if _, err := algid.GTSig.Sign(rand.Reader, key, []byte("new document")); err == nil {
		t.Error("GT signs")
	}
}

// The SPKI of an encryption certificate is read, says what it is, and verifies nothing. Only its
// identifier and its curve are known (crypto.md §17), so any parameters pass and another form of the
// point is another algorithm.
func TestAgreementKey(t *testing.T) {
	for _, c := range []struct {
		curve *gost.Curve
		kind  algid.Key
		arc   byte
	}{{gost.TC26_512A(), algid.GOST512Agreement, 2}, {gost.TC26_256A(), algid.GOST256Agreement, 1}} {
		key, err := gost.GenerateKey(c.curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		spki := func(params []byte, point []byte) []byte {
			var b cryptobyte.Builder
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(asn1.ObjectIdentifier{1, 2, 398, 3, 10, 1, 4, 1, int(c.arc)})
					b.AddBytes(params)
				})
				b.AddASN1BitString(point)
			})
			return b.BytesOrPanic()
		}
		var inner cryptobyte.Builder
		inner.AddASN1OctetString(key.PublicKey().Bytes())
		point := inner.BytesOrPanic()
		for _, params := range [][]byte{nil, {5, 0}, unhex(t, "300c060a2a830e030a0104010201")} {
			pub, kind, err := algid.ParsePublicKey(spki(params, point))
			agreement, ok := pub.(*algid.AgreementPublicKey)
			if err != nil || kind != c.kind || algid.KeyOf(pub) != c.kind || !ok || !agreement.Point.Equal(key.Public()) {
				t.Fatalf("%x: %v, %T, %v", params, kind, pub, err)
			}
			if !agreement.Equal(&algid.AgreementPublicKey{Point: key.PublicKey()}) || agreement.Equal(key.Public()) {
				t.Error("equal to something else, or not to itself")
			}
			for s := algid.GOST512Sig; s <= algid.SHA1WithRSA; s++ {
				if err := s.Verify(pub, []byte("x"), make([]byte, 128)); err == nil {
					t.Errorf("%v verifies", s)
				}
			}
			if _, err := algid.MarshalPublicKey(pub); !errors.Is(err, algid.ErrUnknown) {
				t.Errorf("written: %v", err)
			}
			if _, err := algid.SignatureFor(pub); !errors.Is(err, algid.ErrUnknown) {
				t.Errorf("signs: %v", err)
			}
		}
		if _, _, err := algid.ParsePublicKey(spki(nil, key.PublicKey().Bytes())); !errors.Is(err, algid.ErrUnknown) {
			t.Errorf("another form: %v", err)
		}
		off := bytes.Clone(point)
		off[len(off)-1] ^= 1
		if _, _, err := algid.ParsePublicKey(spki(nil, off)); err == nil || errors.Is(err, algid.ErrUnknown) {
			t.Errorf("off the curve: %v", err)
		}
	}
}

// fuzzPublicKey: what is written at all is written as it was read, an RSA key with its NULL.
func fuzzPublicKey(t *testing.T, der []byte, pub any, kind algid.Key) {
	again, err := algid.MarshalPublicKey(pub)
	switch kind {
	case algid.GT, algid.GOST512Agreement, algid.GOST256Agreement:
		if err == nil {
			t.Errorf("%v written", kind)
		}
	case algid.RSA:
		if err != nil || bytes.Contains(der, unhex(t, "300d06092a864886f70d0101010500")) && !bytes.Equal(again, der) {
			t.Errorf("public key %x written %x, %v", der, again, err)
		}
	default:
		if err != nil || !bytes.Equal(again, der) {
			t.Errorf("public key %x written %x, %v", der, again, err)
		}
	}
	if algid.KeyOf(pub) != kind {
		t.Errorf("read as %v, is %v", kind, algid.KeyOf(pub))
	}
}

func FuzzParseKey(f *testing.F) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		f.Fatal(err)
	}
	spki, err := algid.MarshalPublicKey(&key.PublicKey)
	if err != nil {
		f.Fatal(err)
	}
	pkcs8, err := algid.MarshalPrivateKey(key)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(spki)
	f.Add(pkcs8)
	for _, v := range vectors {
		f.Add(unhex(f, v.spki))
		f.Add(unhex(f, v.pkcs8))
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		if pub, kind, err := algid.ParsePublicKey(der); err == nil {
			fuzzPublicKey(t, der, pub, kind)
		}
		key, err := algid.ParsePrivateKey(der)
		if err != nil {
			return
		}
		once, err := algid.MarshalPrivateKey(key)
		if err != nil {
			t.Fatalf("private key read but not written: %v", err)
		}
		// INTEGER in a GOST512 key, attributes, and what PKCS #1 may leave out are not written again.
		again, err := algid.ParsePrivateKey(once)
		if err != nil {
			t.Fatalf("%x written %x: %v", der, once, err)
		}
		if twice, err := algid.MarshalPrivateKey(again); err != nil || !bytes.Equal(twice, once) {
			t.Errorf("written %x, then %x, %v", once, twice, err)
		}
	})
}

// The bounds of security.md §3 on keys: 2048 to 8192 bits, an odd exponent from 3 below 2³².
func TestSec3RSAKeys(t *testing.T) {
	modulus := func(bits int) *big.Int {
		n := new(big.Int).Lsh(big.NewInt(1), uint(bits-1))
		return n.Add(n, big.NewInt(1))
	}
	for _, c := range []struct {
		bits int
		e    int64
		good bool
	}{
		{2047, 65537, false}, {2048, 65537, true}, {4096, 65537, true}, {8192, 65537, true}, {8193, 65537, false},
		{2048, 3, true}, {2048, 1, false}, {2048, 2, false}, {2048, 65536, false}, {2048, 1<<31 - 1, true}, {2048, 1<<32 + 1, false}, {2048, -3, false}, {2048, 0, false},
	} {
		inner, err := asn1.Marshal(struct{ N, E *big.Int }{modulus(c.bits), big.NewInt(c.e)})
		if err != nil {
			t.Fatal(err)
		}
		var b cryptobyte.Builder
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddBytes(unhex(t, "300d06092a864886f70d0101010500"))
			b.AddASN1BitString(inner)
		})
		spki := b.BytesOrPanic()
		pub, _, err := algid.ParsePublicKey(spki)
		if (err == nil) != c.good {
			t.Errorf("%d bits, exponent %d: %v", c.bits, c.e, err)
		}
		if err != nil {
			continue
		}
		if again, err := algid.MarshalPublicKey(pub); err != nil || !bytes.Equal(again, spki) {
			t.Errorf("%d bits: written %x, %v", c.bits, again, err)
		}
	}
	for _, n := range []int{16 << 10, 16<<10 + 1} {
		_, _, pubErr := algid.ParsePublicKey(make([]byte, n))
		_, keyErr := algid.ParsePrivateKey(make([]byte, n))
		for _, err := range []error{pubErr, keyErr} {
			if err == nil || strings.Contains(err.Error(), "too many") != (n > 16<<10) {
				t.Errorf("%d bytes: %v", n, err)
			}
		}
	}
}
