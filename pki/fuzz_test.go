package pki_test

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
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
