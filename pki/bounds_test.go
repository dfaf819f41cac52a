package pki_test

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"math/big"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/algid"
	"senim/internal/pkitest"
	"senim/pki"
)

// Ten certificates are a path, eleven are not.
func TestSec3PathDepth(t *testing.T) {
	for _, n := range []int{10, 11} {
		pool := pki.NewPool()
		parent, key := ca(t, "root", nil, nil, nil)
		pool.AddRoot(parent)
		for i := range n - 2 {
			parent, key = ca(t, "authority "+string(rune('a'+i)), parent, key, nil)
			pool.AddIntermediate(parent)
		}
		path, err := pool.Chain(end(t, parent, key, nil), testNow)
		if good := err == nil; good != (n == 10) || good && len(path) != n || !good && !strings.Contains(err.Error(), "too long") {
			t.Errorf("%d certificates: %v", n, err)
		}
	}
}

// A thousand signatures are looked at for one path and no more, whoever fills the pool: here with
// authorities of the right name and the wrong key.
func TestSec3PathChecks(t *testing.T) {
	root, rootKey := ca(t, "root", nil, nil, nil)
	middle, key := ca(t, "middle", root, rootKey, nil)
	leaf := end(t, middle, key, nil)
	other, tpl := keyAndTemplate(t)
	tpl.Subject, tpl.Signature = middle.Subject, algid.GOST512Sig
	tpl.PublicKey = other.Public()
	wrongs := make([]*pki.Certificate, 999)
	for i := range wrongs {
		tpl.Serial = big.NewInt(int64(i + 1))
		tbs, err := tpl.TBS()
		if err != nil {
			t.Fatal(err)
		}
		if wrongs[i], err = pki.ParseCertificate(pki.Assemble(tbs, algid.GOST512Sig, make([]byte, 128))); err != nil {
			t.Fatal(err)
		}
	}
	for _, wrong := range []int{998, 999} { // and one for the right authority, and one for the root
		pool := pki.NewPool()
		pool.AddRoot(root)
		for _, c := range wrongs[:wrong] {
			pool.AddIntermediate(c)
		}
		pool.AddIntermediate(middle)
		_, err := pool.Chain(leaf, testNow)
		if (err == nil) != (wrong == 998) {
			t.Errorf("%d signatures: %v", wrong+2, err)
		}
	}
}

// What is too large is refused before it is read. The bound itself passes: then the bytes are no DER.
func TestSec3Sizes(t *testing.T) {
	for _, c := range []struct {
		name  string
		bound int
		parse func([]byte) error
	}{
		{"certificate", 256 << 10, func(b []byte) error { _, err := pki.ParseCertificate(b); return err }},
		{"request", 16 << 10, func(b []byte) error { _, err := pki.ParseRequest(b); return err }},
		{"list", 64 << 20, func(b []byte) error { _, err := pki.ParseRevocationList(b); return err }},
		{"name", 256 << 10, func(b []byte) error { _, err := pki.ParseName(b); return err }},
		{"file", 64 << 20, func(b []byte) error { _, err := pki.Decode(b); return err }},
	} {
		large := bytes.Repeat([]byte{0xff}, c.bound+1) // of no form whatever
		for _, n := range []int{c.bound, c.bound + 1} {
			err := c.parse(large[:n])
			if err == nil {
				t.Fatalf("%s of %d bytes read", c.name, n)
			}
			told := strings.Contains(err.Error(), "more than") || strings.Contains(err.Error(), "too many")
			if told != (n > c.bound) {
				t.Errorf("%s of %d bytes: %v", c.name, n, err)
			}
		}
	}
}

// Numbers of things in a certificate, a name, a request.
func TestSec3Counts(t *testing.T) {
	parts := func(n int) error {
		der, err := slices.Repeat(pki.Name{pki.NewAttribute(pki.OIDUnit, "x")}, n).Marshal()
		if err != nil {
			return err
		}
		_, err = pki.ParseName(der)
		return err
	}
	key, tpl := keyAndTemplate(t)
	extensions := func(n int) error {
		made := *tpl
		for i := range n - 3 { // basicConstraints, keyUsage and SKI are there
			made.Extra = append(made.Extra, pki.Extension{OID: asn1.ObjectIdentifier{1, 2, 398, 9, i}, Value: []byte{5, 0}})
		}
		_, err := parseSigned(t, key, &made)
		return err
	}
	names := func(n int) error {
		made := *tpl
		made.Emails = slices.Repeat([]string{"a@b.kz"}, n)
		_, err := parseSigned(t, key, &made)
		return err
	}
	depth := func(n int) error { // SEQUENCE, SEQUENCE, [0], attribute, SET
		_, err := pki.ParseRequest(requestWith(t, key, n-5))
		return err
	}
	serial := func(n int) error {
		made := *tpl
		made.Serial = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), uint(n)), big.NewInt(1))
		made.Signature = algid.GOST512Sig
		_, err := made.TBS()
		return err
	}
	for name, c := range map[string]struct {
		bound int
		try   func(int) error
	}{
		"parts of a name": {128, parts}, "extensions": {64, extensions}, "names of a holder": {1024, names},
		"depth of a request": {32, depth}, "bits of a serial": {159, serial},
	} {
		if err := c.try(c.bound); err != nil {
			t.Errorf("%d %s: %v", c.bound, name, err)
		}
		if err := c.try(c.bound + 1); err == nil {
			t.Errorf("%d %s accepted", c.bound+1, name)
		}
	}
}

// requestWith signs a request with an attribute nobody knows, as deep as asked.
func requestWith(t *testing.T, key crypto.Signer, deep int) []byte {
	t.Helper()
	subject, err := pki.SubjectName(pkitest.Person()).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	spki, err := algid.MarshalPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	var nest func(b *cryptobyte.Builder, n int)
	nest = func(b *cryptobyte.Builder, n int) {
		if n > 0 {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { nest(b, n-1) })
		}
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(0)
		b.AddBytes(subject)
		b.AddBytes(spki)
		b.AddASN1(cbasn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(asn1.ObjectIdentifier{1, 2, 398, 9, 9})
				b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) { nest(b, deep) })
			})
		})
	})
	return pki.Assemble(b.BytesOrPanic(), algid.GOST512Sig, make([]byte, 128))
}
