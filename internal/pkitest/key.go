package pkitest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"sync"
	"testing"

	"senim/algid"
	"senim/gost"
	"senim/pki"
)

// rsaKeys are made once for all tests of a program, by purpose: 2048 bits take a second here.
var rsaKeys sync.Map // string → func() (*rsa.PrivateKey, error)

// NewKey makes a key. RSA keys are shared: the second test asking gets the same one.
func NewKey(t testing.TB, kind algid.Key) crypto.Signer { return newKey(t, kind, "leaf") }

func newKey(t testing.TB, kind algid.Key, purpose string) crypto.Signer {
	t.Helper()
	var key crypto.Signer
	var err error
	switch kind {
	case algid.GOST512:
		key, err = gost.GenerateKey(gost.TC26_512A(), rand.Reader)
	case algid.GOST256:
		key, err = gost.GenerateKey(gost.TC26_256A(), rand.Reader)
	case algid.GOST2004:
		key, err = gost.GenerateKey(gost.CryptoProA(), rand.Reader)
	case algid.RSA:
		made, _ := rsaKeys.LoadOrStore(purpose, sync.OnceValues(func() (*rsa.PrivateKey, error) {
			return rsa.GenerateKey(rand.Reader, 2048)
		}))
		key, err = made.(func() (*rsa.PrivateKey, error))()
	default:
		t.Fatalf("pkitest: no keys of kind %v", kind)
	}
	if err != nil {
		t.Fatalf("pkitest: %v", err)
	}
	return key
}

// Request writes the PKCS #10 request (DER) of a key, for a subject of the usual form.
func Request(t testing.TB, key crypto.Signer, subject pki.Holder, emails ...string) []byte {
	t.Helper()
	der, err := pki.CreateRequest(rand.Reader, key, pki.RequestTemplate{Subject: pki.SubjectName(subject), Emails: emails})
	if err != nil {
		t.Fatalf("pkitest: %v", err)
	}
	return der
}
