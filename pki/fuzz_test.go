package pki_test

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"testing"

	"senim/algid"
	"senim/internal/pkitest"
	"senim/pki"
)

func FuzzParseCertificate(f *testing.F) {
	for _, kind := range []algid.Key{algid.GOST512, algid.RSA} {
		a := pkitest.New(f, pkitest.Config{Key: kind})
		f.Add(a.Root.Raw)
		f.Add(a.Head().Certificate.Raw)
		f.Add(a.TSA().Certificate.Raw)
	}
	pool := pki.NewPool()
	f.Fuzz(func(t *testing.T, der []byte) {
		c, err := pki.ParseCertificate(der)
		if err != nil {
			return
		}
		if !bytes.Equal(c.Raw, der) {
			t.Error("Raw is not what was given")
		}
		for _, n := range []struct {
			name pki.Name
			raw  []byte
		}{{c.Subject, c.RawSubject}, {c.Issuer, c.RawIssuer}} {
			if got, err := n.name.Marshal(); err != nil || !bytes.Equal(got, n.raw) {
				t.Errorf("name %x written %x, %v", n.raw, got, err)
			}
		}
		_, _, _, _ = c.Subject.String(), c.Holder(), c.ForSigning(), c.ForSignIn()
		if _, err := pool.Chain(c, c.NotBefore); err == nil {
			t.Error("trusted by an empty pool")
		}
		if x, err := x509.ParseCertificate(der); err == nil {
			if x.SerialNumber.Cmp(c.Serial) != 0 || !bytes.Equal(x.RawSubject, c.RawSubject) || x.IsCA != c.IsCA || !x.NotAfter.Equal(c.NotAfter) || x.KeyUsage != x509.KeyUsage(c.KeyUsage) {
				t.Error("read otherwise by crypto/x509")
			}
		}
	})
}

func FuzzParseRequest(f *testing.F) {
	key := pkitest.NewKey(f, algid.GOST512)
	der, err := pki.CreateRequest(rand.Reader, key, pki.RequestTemplate{Subject: pki.SubjectName(pkitest.Person()), Emails: []string{"a@b.kz"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(der)
	f.Fuzz(func(t *testing.T, der []byte) {
		r, err := pki.ParseRequest(der)
		if err != nil {
			return
		}
		if got, err := r.Subject.Marshal(); err != nil || !bytes.Equal(got, r.RawSubject) {
			t.Errorf("name %x written %x, %v", r.RawSubject, got, err)
		}
		_ = r.CheckSignature()
	})
}

func FuzzParseRevocationList(f *testing.F) {
	a := pkitest.New(f)
	f.Add(a.List())
	f.Add(a.List(a.Revoked(a.CA, pki.KeyCompromise), pki.Entry{Serial: big.NewInt(5), RevokedAt: a.Now}))
	f.Fuzz(func(t *testing.T, der []byte) {
		l, err := pki.ParseRevocationList(der)
		if err != nil {
			return
		}
		n := 0
		for _, e := range l.Entries {
			n++
			if _, ok := l.Find(e.Serial); !ok {
				t.Errorf("%x not found", e.Serial)
			}
		}
		if n != l.Len() {
			t.Errorf("%d entries of %d", n, l.Len())
		}
	})
}

func FuzzDecode(f *testing.F) {
	a := pkitest.New(f)
	f.Add(a.CA.Raw)
	f.Add(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.CA.Raw}))
	f.Add([]byte("MAA="))
	f.Fuzz(func(t *testing.T, data []byte) {
		blocks, err := pki.Decode(data)
		if (err == nil) != (len(blocks) > 0) {
			t.Errorf("%d blocks and %v", len(blocks), err)
		}
	})
}

// FuzzPathExtensions puts any bytes into an extension of path validation, of the authority, the leaf
// or the list. Nothing may panic or take long; and since the bytes only ever add conditions, a leaf
// on the list stays refused.
func FuzzPathExtensions(f *testing.F) {
	for i, seed := range [][]byte{
		{0x30, 3, 0x80, 1, 0}, {0x02, 1, 0}, {0x30, 8, 0x30, 6, 6, 1, 42, 6, 1, 43}, {0x30, 3, 0x82, 1, 0xff},
		{0x30, 8, 0xa0, 6, 0x30, 4, 0x82, 2, 'k', 'z'}, {0x30, 4, 0x83, 2, 5, 0x60}, {0x30, 4, 0xa0, 2, 0xa0, 0},
	} {
		f.Add(uint8(i), seed)
	}
	arcs := []int{36, 54, 33, 28, 30, 31, 32, 17, 46, 29}
	rootKey, tpl := keyAndTemplate(f)
	root, err := parseSigned(f, rootKey, tpl)
	if err != nil {
		f.Fatal(err)
	}
	revoked := list(f, root, rootKey, pki.ListTemplate{Number: big.NewInt(1), Entries: entry(5, pki.KeyCompromise)})
	f.Fuzz(func(t *testing.T, which uint8, value []byte) {
		if len(value) > 4<<10 {
			return
		}
		e := pki.Extension{OID: asn1.ObjectIdentifier{2, 5, 29, arcs[int(which)%len(arcs)]}, Value: value}
		with := func(name string, serial int64, isCA bool) (*pki.Certificate, error) {
			made := *tpl
			made.Subject = pki.Name{pki.NewAttribute(pki.OIDCommonName, name)}
			made.Serial, made.RawIssuer, made.IsCA, made.Extra = big.NewInt(serial), root.RawSubject, isCA, []pki.Extension{e}
			if !isCA {
				made.KeyUsage = pki.DigitalSignature
			}
			return parseSigned(t, rootKey, &made)
		}
		pool := pki.NewPool()
		pool.AddRoot(root)
		if middle, err := with("root", 4, true); err == nil { // self-issued, the same key
			pool.AddIntermediate(middle)
		}
		if leaf, err := with("leaf", 5, false); err == nil {
			_, err := pool.Validate(leaf, pki.Rules{At: testNow, Revocation: true, ExplicitPolicy: which&16 != 0, Lists: []*pki.RevocationList{revoked}})
			if err == nil {
				t.Error("a revoked leaf passed")
			}
		}
	})
}
