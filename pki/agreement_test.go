package pki_test

import (
	"crypto/rand"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/algid"
	"senim/gost"
	"senim/internal/pkitest"
	"senim/pki"
)

// An encryption certificate, as procurement portals use, chains like any other and says what its key
// is; nothing signs with it.
func TestEncryptionCertificate(t *testing.T) {
	a := pkitest.New(t)
	leaf := a.Issue(pkitest.Spec{Change: func(t *pki.Template) { t.KeyUsage = pki.KeyEncipherment | pki.DataEncipherment }})
	tbs := replaced(t, leaf.Certificate.RawTBS, atKey, agreementSPKI(leaf.Key.(*gost.PrivateKey).PublicKey()))
	sig, err := algid.GOST512Sig.Sign(rand.Reader, a.CAKey, tbs)
	if err != nil {
		t.Fatal(err)
	}
	c, err := pki.ParseCertificate(pki.Assemble(tbs, algid.GOST512Sig, sig))
	if err != nil {
		t.Fatal(err)
	}
	if c.Key != algid.GOST512Agreement || c.KeyUsage != pki.KeyEncipherment|pki.DataEncipherment || c.ForSigning() || c.ForSignIn() {
		t.Errorf("key %v, usage %b, signing %v", c.Key, c.KeyUsage, c.ForSigning())
	}
	if path, err := a.Pool().Chain(c, a.Now); err != nil || len(path) != 3 {
		t.Errorf("chain: %v", err)
	}
	if err := c.CheckSignatureFrom(c); err == nil {
		t.Error("verifies with a key for agreement")
	}
}

func agreementSPKI(pub *gost.PublicKey) []byte {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier([]int{1, 2, 398, 3, 10, 1, 4, 1, 2})
			b.AddASN1NULL()
		})
		b.AddASN1(cbasn1.BIT_STRING, func(b *cryptobyte.Builder) {
			b.AddUint8(0)
			b.AddASN1OctetString(pub.Bytes())
		})
	})
	return b.BytesOrPanic()
}

// elements splits what stands in a SEQUENCE.
func elements(t testing.TB, der []byte) (list [][]byte) {
	t.Helper()
	in := cryptobyte.String(der)
	var body cryptobyte.String
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) {
		t.Fatal("no SEQUENCE")
	}
	for !body.Empty() {
		var element cryptobyte.String
		var tag cbasn1.Tag
		if !body.ReadAnyASN1Element(&element, &tag) {
			t.Fatal("no DER")
		}
		list = append(list, element)
	}
	return list
}

// sequenceOf puts elements together again.
func sequenceOf(list ...[]byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, e := range list {
			b.AddBytes(e)
		}
	})
	return b.BytesOrPanic()
}

// The elements of the TBS of a certificate.
const (
	atSerial    = 1
	atAlgorithm = 2
	atValidity  = 4
	atKey       = 6
)

// replaced is the TBS with another element in one place.
func replaced(t *testing.T, tbs []byte, at int, element []byte) []byte {
	t.Helper()
	list := elements(t, tbs)
	list[at] = element
	return sequenceOf(list...)
}
