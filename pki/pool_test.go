package pki_test

import (
	"crypto"
	"crypto/rand"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"senim/algid"
	"senim/internal/pkitest"
	"senim/pki"
)

func TestChain(t *testing.T) {
	for _, kind := range []algid.Key{algid.GOST512, algid.RSA} {
		a := pkitest.New(t, pkitest.Config{Key: kind})
		pool := a.Pool()
		for _, leaf := range []*pkitest.Leaf{a.Individual(), a.Head(), a.Operator(), a.InfoSystem(), a.Responder(), a.TSA()} {
			chain, err := pool.Chain(leaf.Certificate, a.Now)
			if err != nil || len(chain) != 3 || chain[1] != a.CA || chain[2] != a.Root {
				t.Errorf("%v: %d, %v", kind, len(chain), err)
			}
		}
		if chain, err := pool.Chain(a.Root, a.Now); err != nil || len(chain) != 1 {
			t.Errorf("the root itself: %v", err)
		}
		var dates *pki.ValidityError
		if _, err := pool.Chain(a.Expired().Certificate, a.Now); !errors.As(err, &dates) || dates.NotYet || errors.Is(err, pki.ErrUntrusted) {
			t.Errorf("expired: %v", err)
		}
		if _, err := pool.Chain(a.NotYetValid().Certificate, a.Now); !errors.As(err, &dates) || !dates.NotYet {
			t.Errorf("not yet valid: %v", err)
		}
		if _, err := pool.Chain(a.Foreign().Certificate, a.Now); !errors.Is(err, pki.ErrUntrusted) || !errors.Is(err, algid.ErrSignature) {
			t.Errorf("foreign: %v", err)
		}
	}
}

func TestChainDatesBothEnds(t *testing.T) {
	a := pkitest.New(t)
	c := a.Individual().Certificate
	for _, p := range []struct {
		at time.Time
		ok bool
	}{{c.NotBefore, true}, {c.NotBefore.Add(-1), false}, {c.NotAfter, true}, {c.NotAfter.Add(1), false}} {
		if _, err := a.Pool().Chain(c, p.at); (err == nil) != p.ok {
			t.Errorf("%v: %v", p.at, err)
		}
	}
}

// ca makes an authority certificate of its own kind under issuer.
func ca(t testing.TB, name string, issuer *pki.Certificate, issuerKey crypto.Signer, change func(*pki.Template)) (*pki.Certificate, crypto.Signer) {
	t.Helper()
	key, tpl := keyAndTemplate(t)
	tpl.Subject = pki.Name{pki.NewAttribute(pki.OIDCommonName, name)}
	signer := key
	if issuer != nil {
		tpl.RawIssuer, signer = issuer.RawSubject, issuerKey
	}
	if change != nil {
		change(tpl)
	}
	der, err := pki.CreateCertificate(rand.Reader, signer, tpl)
	if err != nil {
		t.Fatal(err)
	}
	c, err := pki.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c, key
}

// The rules an issuer can break, one at a time: root → broken → leaf.
func TestIssuersRefused(t *testing.T) {
	now := time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)
	root, rootKey := ca(t, "root", nil, nil, nil)
	extra := func(oid asn1.ObjectIdentifier, critical bool) func(*pki.Template) {
		return func(t *pki.Template) {
			t.Extra = []pki.Extension{{OID: oid, Critical: critical, Value: []byte{0x30, 0}}}
		}
	}
	for name, c := range map[string]struct {
		change func(*pki.Template)
		why    string // "" = good
	}{
		"good":                         {nil, ""},
		"no basicConstraints":          {func(t *pki.Template) { t.IsCA, t.KeyUsage = false, 0 }, "not an authority"},
		"keyCertSign and no authority": {func(t *pki.Template) { t.IsCA = false }, "is no authority"},
		"no keyCertSign":               {func(t *pki.Template) { t.KeyUsage = pki.CRLSign }, "may not sign"},
		"no keyUsage":                  {func(t *pki.Template) { t.KeyUsage = 0 }, ""},
		"pathLen 0":                    {func(t *pki.Template) { t.MaxPathLen = 0 }, ""},
		"unknown extension":            {extra(asn1.ObjectIdentifier{1, 2, 3}, false), ""},
		"unknown critical extension":   {extra(asn1.ObjectIdentifier{1, 2, 3}, true), "not known"},
		"explicit policy": {func(t *pki.Template) {
			t.Extra = []pki.Extension{{OID: asn1.ObjectIdentifier{2, 5, 29, 36}, Critical: true, Value: []byte{0x30, 3, 0x80, 1, 0}}}
		}, "no certificate policy"},
		"name constraints": {func(t *pki.Template) { // permitted: names under C=US
			t.Extra = []pki.Extension{{OID: asn1.ObjectIdentifier{2, 5, 29, 30}, Value: []byte{
				0x30, 21, 0xa0, 19, 0x30, 17, 0xa4, 15, 0x30, 13, 0x31, 11, 0x30, 9, 6, 3, 0x55, 4, 6, 0x13, 2, 'U', 'S',
			}}}
		}, "outside the permitted"},
		"expired": {func(t *pki.Template) { t.NotAfter = now.Add(-time.Hour) }, "expired"},
		"not yet": {func(t *pki.Template) { t.NotBefore = now.Add(time.Hour) }, "not valid before"},
	} {
		middle, middleKey := ca(t, "middle", root, rootKey, c.change)
		leaf, _ := ca(t, "leaf", middle, middleKey, func(t *pki.Template) { t.IsCA, t.KeyUsage = false, pki.DigitalSignature })
		pool := pki.NewPool()
		pool.AddRoot(root)
		pool.AddIntermediate(middle)
		_, err := pool.Chain(leaf, now)
		if (err == nil) != (c.why == "") || err != nil && !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPathLength(t *testing.T) {
	now := time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)
	for limit := -1; limit < 4; limit++ {
		for _, depth := range []int{0, 1, 2, 3, 8, 9} {
			parent, key := ca(t, "root", nil, nil, func(t *pki.Template) { t.MaxPathLen = limit })
			pool := pki.NewPool()
			pool.AddRoot(parent)
			for i := range depth {
				parent, key = ca(t, fmt.Sprint("ca ", i), parent, key, nil)
				pool.AddIntermediate(parent)
			}
			leaf, _ := ca(t, "leaf", parent, key, func(t *pki.Template) { t.IsCA, t.KeyUsage = false, pki.DigitalSignature })
			want := (limit < 0 || depth <= limit) && depth+2 <= 10
			if _, err := pool.Chain(leaf, now); (err == nil) != want {
				t.Errorf("limit %d, %d between: %v", limit, depth, err)
			}
		}
	}
}

// Many certificates with the same names must not make a chain expensive.
func TestChainBounded(t *testing.T) {
	now := time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)
	pool := pki.NewPool()
	a, aKey := ca(t, "a", nil, nil, nil)
	for range 40 {
		c, _ := ca(t, "a", a, aKey, nil) // same name, other keys: each a candidate for the other
		pool.AddIntermediate(c)
	}
	pool.AddIntermediate(a)
	leaf, _ := ca(t, "leaf", a, aKey, func(t *pki.Template) { t.IsCA = false })
	if _, err := pool.Chain(leaf, now); !errors.Is(err, pki.ErrUntrusted) {
		t.Errorf("%v", err)
	}
}

// Two authorities of one name, after a change of key: the key identifier is a hint, the signature
// decides.
func TestSameNameTwoKeys(t *testing.T) {
	now := time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)
	pool := pki.NewPool()
	first, firstKey := ca(t, "root", nil, nil, nil)
	second, _ := ca(t, "root", nil, nil, nil)
	pool.AddRoot(first)
	pool.AddRoot(second)
	leaf, _ := ca(t, "leaf", first, firstKey, func(t *pki.Template) {
		t.IsCA, t.KeyUsage, t.AuthorityKeyID = false, pki.DigitalSignature, second.SubjectKeyID // a wrong hint
	})
	if chain, err := pool.Chain(leaf, now); err != nil || chain[1] != first {
		t.Errorf("%v", err)
	}
}

// keyAndTemplate is what ca begins with.
func keyAndTemplate(t testing.TB) (crypto.Signer, *pki.Template) {
	t.Helper()
	key := pkitest.NewKey(t, algid.GOST512)
	return key, &pki.Template{
		Serial: big.NewInt(77), Subject: pki.Name{pki.NewAttribute(pki.OIDCommonName, "root")},
		NotBefore: testNow.AddDate(-1, 0, 0), NotAfter: testNow.AddDate(1, 0, 0), PublicKey: key.Public(),
		KeyUsage: pki.CertSign | pki.CRLSign, IsCA: true, MaxPathLen: -1,
	}
}

// parseSigned signs the template and reads the certificate.
func parseSigned(t testing.TB, key crypto.Signer, tpl *pki.Template) (*pki.Certificate, error) {
	t.Helper()
	der, err := pki.CreateCertificate(rand.Reader, key, tpl)
	if err != nil {
		t.Fatal(err)
	}
	return pki.ParseCertificate(der)
}

// A pool with more to go through trusts no more, and leaves the one it is made of as it was.
func TestPoolWith(t *testing.T) {
	a := pkitest.New(t)
	leaf := a.Individual().Certificate
	bare := pki.NewPool()
	bare.AddRoot(a.Root)
	more := bare.With(a.CA, a.CA, a.Root)
	if chain, err := more.Chain(leaf, a.Now); err != nil || len(chain) != 3 || len(more.Certificates()) != 2 || !more.Has(a.CA) {
		t.Errorf("%d in the chain, %d in the pool, %v", len(chain), len(more.Certificates()), err)
	}
	if _, err := bare.Chain(leaf, a.Now); !errors.Is(err, pki.ErrNoIssuer) || !errors.Is(err, pki.ErrUntrusted) || bare.Has(a.CA) {
		t.Errorf("the first pool: %v", err)
	}
	if _, err := pki.NewPool().With(a.CA, a.Root).Chain(leaf, a.Now); !errors.Is(err, pki.ErrUntrusted) {
		t.Errorf("a root among intermediates: %v", err)
	}
	if _, err := a.Pool().Chain(a.Foreign().Certificate, a.Now); errors.Is(err, pki.ErrNoIssuer) {
		t.Errorf("another key under the issuer's name: %v", err)
	}
}

// Several calls can share one bound of signatures.
func TestSharedBound(t *testing.T) {
	a := pkitest.New(t)
	leaf := a.Individual().Certificate
	checks := 900
	for i := range 100 {
		_, err := a.Pool().Validate(leaf, pki.Rules{At: a.Now, Checks: &checks})
		if checks > 1000 && err == nil {
			t.Fatalf("call %d: %d signatures verified", i, checks)
		}
		if err != nil {
			if i < 20 || !errors.Is(err, pki.ErrUntrusted) {
				t.Fatalf("call %d, %d signatures: %v", i, checks, err)
			}
			break
		}
		checks += 2 // as if another had verified as many
	}
	if checks <= 1000 {
		t.Errorf("%d signatures counted", checks)
	}
}
