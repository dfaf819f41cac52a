// Package pkitest makes throw-away authorities for tests: a root, an issuing CA and any holder the
// national PKI knows, in milliseconds.
//
// Start with [New]; then [Authority.Individual], [Authority.Head] and their like give a certificate
// with its key, and [Authority.List] and [Authority.Answer] its status. Nothing here is for use
// outside tests: keys live in memory, numbers and people are invented. A key file is one call away:
// pfx.Encode(rand, pfx.File{Key: leaf.Key, Certificate: leaf.Certificate}, password, pfx.NCA).
// (Not done here, so that pfx and cms may use this package in their own tests.)
package pkitest

import (
	"crypto"
	"crypto/rand"
	"math/big"
	"testing"
	"time"

	"senim/algid"
	"senim/pki"
)

// Config says what authority is wanted. The zero value is the usual one.
type Config struct {
	Key  algid.Key // of root and CA: GOST512 (default), GOST256, GOST2004 or RSA
	Now  time.Time // the moment the tests live at; default 2026-09-01 10:00 UTC
	Name string    // part of the authorities' names; default "TEST"
}

// Authority is a root and an issuing CA under it. Its methods may be called from many goroutines;
// they end the test when something fails.
type Authority struct {
	Root, CA       *pki.Certificate
	RootKey, CAKey crypto.Signer
	Now            time.Time

	t testing.TB
}

// Leaf is an end-entity certificate with its key.
type Leaf struct {
	Certificate *pki.Certificate
	Key         crypto.Signer
}

// New makes an authority. At most one Config is used.
func New(t testing.TB, configs ...Config) *Authority {
	t.Helper()
	c := Config{}
	if len(configs) > 0 {
		c = configs[0]
	}
	if c.Key == 0 {
		c.Key = algid.GOST512
	}
	if c.Now.IsZero() {
		c.Now = time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)
	}
	if c.Name == "" {
		c.Name = "TEST"
	}
	a := &Authority{Now: c.Now, t: t}
	a.RootKey = newKey(t, c.Key, "root")
	a.CAKey = newKey(t, c.Key, "ca")
	a.Root = a.authority("НЕГІЗГІ КУӘЛАНДЫРУШЫ ОРТАЛЫҚ "+c.Name, a.RootKey, nil, nil)
	a.CA = a.authority("ҰЛТТЫҚ КУӘЛАНДЫРУШЫ ОРТАЛЫҚ "+c.Name, a.CAKey, a.Root, a.RootKey)
	return a
}

// authority makes a CA certificate: self-signed when issuer is nil.
func (a *Authority) authority(name string, key crypto.Signer, issuer *pki.Certificate, issuerKey crypto.Signer) *pki.Certificate {
	a.t.Helper()
	t := &pki.Template{
		Serial:    randomSerial(a.t),
		Subject:   pki.Name{pki.NewAttribute(pki.OIDCommonName, name), pki.NewAttribute(pki.OIDCountry, "KZ")},
		NotBefore: a.Now.AddDate(-4, 0, 0),
		NotAfter:  a.Now.AddDate(20, 0, 0),
		PublicKey: key.Public(),
		KeyUsage:  pki.CertSign | pki.CRLSign,
		Policies:  []pki.Policy{{OID: pki.PolicyNCA, CPS: "http://pki.example.kz/cps"}},
		IsCA:      true, MaxPathLen: -1,
	}
	signer := key
	if issuer != nil {
		t.RawIssuer, t.AuthorityKeyID, signer = issuer.RawSubject, issuer.SubjectKeyID, issuerKey
	} else {
		t.AuthorityKeyID = algid.KeyID(key.Public())
	}
	return a.create(t, signer)
}

// create signs a template and parses the result.
func (a *Authority) create(t *pki.Template, key crypto.Signer) *pki.Certificate {
	a.t.Helper()
	der, err := pki.CreateCertificate(rand.Reader, key, t)
	if err != nil {
		a.t.Fatalf("pkitest: %v", err)
	}
	c, err := pki.ParseCertificate(der)
	if err != nil {
		a.t.Fatalf("pkitest: %v", err)
	}
	return c
}

// Pool is what trusts this authority: its root, with the issuing CA beside.
func (a *Authority) Pool() *pki.Pool {
	p := pki.NewPool()
	p.AddRoot(a.Root)
	p.AddIntermediate(a.CA)
	return p
}

func randomSerial(t testing.TB) *big.Int {
	t.Helper()
	b := make([]byte, 20)
	if _, err := rand.Read(b); err != nil {
		t.Fatalf("pkitest: %v", err)
	}
	b[0] = b[0]&0x7f | 0x10
	return new(big.Int).SetBytes(b)
}
