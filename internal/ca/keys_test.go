package ca

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"math/big"
	"slices"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/algid"
	"senim/internal/pkitest"
	"senim/internal/weakkey"
	"senim/pki"
)

// info writes what a request signs, with any SubjectPublicKeyInfo.
func info(t *testing.T, spki []byte) []byte {
	t.Helper()
	subject, err := pki.SubjectName(pkitest.Person()).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(0)
		b.AddBytes(subject)
		b.AddBytes(spki)
	})
	return b.BytesOrPanic()
}

// requestOf signs a request for a key in any encoding.
func requestOf(t *testing.T, key crypto.Signer, spki []byte) []byte {
	t.Helper()
	sig, err := algid.SignatureFor(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	tbs := info(t, spki)
	value, err := sig.Sign(rand.Reader, key, tbs)
	if err != nil {
		t.Fatal(err)
	}
	return pki.Assemble(tbs, sig, value)
}

func spkiOf(t *testing.T, pub crypto.PublicKey) []byte {
	t.Helper()
	spki, err := algid.MarshalPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	return spki
}

// absent is the same RSA key with its parameters left out instead of NULL.
func absent(t *testing.T, pub crypto.PublicKey) []byte {
	t.Helper()
	bits, err := algid.PublicKeyBits(spkiOf(t, pub))
	if err != nil {
		t.Fatal(err)
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1})
		})
		b.AddASN1BitString(bits)
	})
	return b.BytesOrPanic()
}

func refusedWith(t *testing.T, b *bench, o Order, code string) {
	t.Helper()
	_, err := b.Issue(t.Context(), o)
	if refusal, ok := errors.AsType[*Refusal](err); !ok || refusal.Code != code {
		t.Errorf("%s: %v, want %s", o.ID, err, code)
	}
}

// Possession is proved by a signature of the key itself, over the request as it stands, with an
// algorithm whose signatures cannot be made up.
func TestProofLies(t *testing.T) {
	b := newBench(t)
	key, other, rsaSigner := gostKey(t), gostKey(t), pkitest.NewKey(t, algid.RSA).(*rsa.PrivateKey)
	tbs := info(t, spkiOf(t, key.Public()))
	rsaTBS := info(t, spkiOf(t, rsaSigner.Public()))
	gostSign := func(k crypto.Signer, what []byte) []byte {
		value, err := algid.GOST512Sig.Sign(rand.Reader, k, what)
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	rsaSign := func(h crypto.Hash) []byte {
		d := h.New()
		d.Write(rsaTBS)
		value, err := rsa.SignPKCS1v15(rand.Reader, rsaSigner, h, d.Sum(nil))
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	md5 := slices.Concat([]byte{0x30, 0x0d, 0x06, 0x09}, []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x04}, []byte{5, 0})
	good := gostSign(key, tbs)
	turned := slices.Clone(good)
	slices.Reverse(turned)
	before := len(b.store.snapshot().records)
	for name, csr := range map[string][]byte{
		"signed by another key":     pki.Assemble(tbs, algid.GOST512Sig, gostSign(other, tbs)),
		"over another request":      pki.Assemble(tbs, algid.GOST512Sig, gostSign(key, info(t, spkiOf(t, other.Public())))),
		"bytes turned":              pki.Assemble(tbs, algid.GOST512Sig, turned),
		"no signature":              pki.Assemble(tbs, algid.GOST512Sig, nil),
		"zeros":                     pki.Assemble(tbs, algid.GOST512Sig, make([]byte, len(good))),
		"another algorithm's name":  pki.Assemble(tbs, algid.GOST256Sig, good),
		"RSA's name for a GOST key": pki.Assemble(tbs, algid.SHA256WithRSA, good),
		"SHA-1":                     pki.Assemble(rsaTBS, algid.SHA1WithRSA, rsaSign(crypto.SHA1)),
		"MD5":                       bytes.Replace(pki.Assemble(rsaTBS, algid.SHA256WithRSA, rsaSign(crypto.MD5)), algid.SHA256WithRSA.Identifier(), md5, 1),
		"SHA-256 under SHA-512":     pki.Assemble(rsaTBS, algid.SHA512WithRSA, rsaSign(crypto.SHA256)),
		"something follows":         append(pki.Assemble(tbs, algid.GOST512Sig, good), 0),
	} {
		o := order(t, name)
		o.CSR = csr
		refusedWith(t, b, o, CodeCSRInvalid)
	}
	if n := len(b.store.snapshot().records); n != before {
		t.Errorf("%d records, %d before: something was reserved for a lie", n, before)
	}
	o := order(t, "the truth")
	o.CSR = pki.Assemble(tbs, algid.GOST512Sig, good)
	mustIssue(t, b, o)
}

// A key is certified once: not under another order, profile or authority, nor in another encoding.
// The two keys of a person's classic set differ for the same reason.
func TestKeyOnce(t *testing.T) {
	b := newBench(t, gostPlan(), rsaPlan())
	key := rsaKey(t)
	o := order(t, "sign-in")
	o.Profile, o.CSR = "individual-auth", request(t, key)
	i, _ := mustIssue(t, b, o)
	for id, csr := range map[string][]byte{"the pair": request(t, key), "without NULL": requestOf(t, key, absent(t, key.Public()))} {
		o.ID, o.Profile, o.CSR = id, "individual-sign", csr
		refusedWith(t, b, o, CodeKeyReused)
	}
	point := gostKey(t)
	o = order(t, "gost")
	o.CSR = request(t, point)
	mustIssue(t, b, o)
	o.ID, o.Profile, o.Subject = "gost again", "head-sign", head()
	refusedWith(t, b, o, CodeKeyReused)
	// Another order of parameters is no key of ours at all.
	spki := spkiOf(t, point.Public())
	o.ID, o.CSR = "gost otherwise", requestOf(t, point, bytes.Replace(spki, []byte{0x01, 0x02, 0x02, 0x01}, []byte{0x01, 0x02, 0x02, 0x02}, 1))
	refusedWith(t, b, o, CodeCSRInvalid)

	if _, err := b.Revoke(t.Context(), i.Serial, KeyCompromise, "tester", start); err != nil {
		t.Fatal(err)
	}
	o = order(t, "compromised")
	o.Profile, o.CSR = "individual-sign", request(t, key)
	refusedWith(t, b, o, CodeKeyReused)
}

// Keys of authorities, of their services, and weak ones get no certificate.
func TestKeysRefused(t *testing.T) {
	b := newBench(t)
	for name, code := range map[string]string{"gost": CodeKeyUnsuitable, "root_gost": CodeKeyUnsuitable, "gost_ocsp_1": CodeKeyReused} {
		key, err := b.keys.Key(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		o := order(t, "key of "+name)
		o.CSR = request(t, key)
		refusedWith(t, b, o, code)
	}
	good := pkitest.NewKey(t, algid.RSA).Public().(*rsa.PublicKey)
	weak := &pki.Request{Key: algid.RSA, PublicKey: &rsa.PublicKey{N: new(big.Int).Sub(good.N, big.NewInt(1)), E: 65537}}
	if _, err := b.suitable(b.profiles["individual-sign"], weak); err == nil {
		t.Error("a weak key is suitable")
	}
	small := b.profiles["individual-sign"]
	small.Keys = slices.Clone(small.Keys)
	small.Keys[0].MinBits = 3072
	if _, err := b.suitable(small, &pki.Request{Key: algid.RSA, PublicKey: good}); err == nil {
		t.Error("2048 bits where the profile wants 3072")
	}
}

// The list of compromised keys is read at Open and with every Tend; one that cannot be read refuses
// to open, and later leaves the old one in force.
func TestCompromisedList(t *testing.T) {
	b := newBench(t)
	key := gostKey(t)
	sum := sha256.Sum256(spkiOf(t, key.Public()))
	var file string
	c := Config{Store: b.store, Keys: b.keys, Now: b.clock.now, Compromised: func(context.Context) (weakkey.List, error) {
		return weakkey.ParseList([]byte(file))
	}}
	open := func() (err error) { b.Service, err = Open(t.Context(), c); return err }
	if err := open(); err != nil {
		t.Fatal(err)
	}
	file = hex.EncodeToString(sum[:]) + " lost\n"
	if err := b.Tend(t.Context()); err != nil {
		t.Fatal(err)
	}
	o := order(t, "listed")
	o.CSR = request(t, key)
	refusedWith(t, b, o, CodeKeyUnsuitable)
	file = "nonsense"
	if err := b.Tend(t.Context()); err == nil {
		t.Error("a broken list went unnoticed")
	}
	refusedWith(t, b, o, CodeKeyUnsuitable)
	if err := open(); err == nil {
		t.Error("opened without the list")
	}
}

// SKI and serial are those of crypto.md §16.
func TestKeyVectors(t *testing.T) {
	spki, err := hex.DecodeString("3081ac302306092a830e030a010102023016060a2a830e030a010102020106082a830e030a01030303818400048180fa922af18959f9fc80840848b03ab13812397a02f2724ef31a6705e45149d1c43b95ec1937ba4c848abfd1c1356905afb98f948f07cc90c8001860dffff1c928041232ad0868ea9215710313ac845761cac2a0de1fe287f8c74b4d11ba107ba6c607575ea806c7d90151ddf90b65299409d9c9bc0a5f3ae3cb010a171eb5e545")
	if err != nil {
		t.Fatal(err)
	}
	pub, _, err := algid.ParsePublicKey(spki)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := keySerial(pub)
	if err != nil || hex.EncodeToString(serial) != "5a45ecf71bfd48a92a83705299d0801d1422f2d4" || hex.EncodeToString(algid.KeyID(pub)) != "da45ecf71bfd48a92a83705299d0801d1422f2d4" {
		t.Errorf("serial %x of key %x: %v", serial, algid.KeyID(pub), err)
	}
}
