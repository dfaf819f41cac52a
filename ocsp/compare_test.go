package ocsp_test

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"testing"
	"time"

	other "golang.org/x/crypto/ocsp"

	"senim/algid"
	"senim/internal/pkitest"
	"senim/ocsp"
	"senim/pki"
)

// An independent implementation reads what we write and writes what we read, over RSA.
func TestAgainstXCrypto(t *testing.T) {
	a := pkitest.New(t, pkitest.Config{Key: algid.RSA})
	responder, leaf := a.Responder(), a.Individual().Certificate
	issuer, err := x509.ParseCertificate(a.CA.Raw)
	if err != nil {
		t.Fatal(err)
	}
	by, err := x509.ParseCertificate(responder.Certificate.Raw)
	if err != nil {
		t.Fatal(err)
	}
	about, err := x509.ParseCertificate(leaf.Raw)
	if err != nil {
		t.Fatal(err)
	}
	request := ask(t, a, leaf, nil)
	theirs, err := other.ParseRequest(request)
	if err != nil || theirs.SerialNumber.Cmp(leaf.Serial) != 0 {
		t.Fatalf("our request: %v", err)
	}
	ours, err := other.CreateRequest(about, issuer, &other.RequestOptions{Hash: crypto.SHA256})
	if err != nil || !bytes.Equal(ours, request) {
		t.Errorf("requests differ: %x and %x, %v", ours, request, err)
	}
	e := a.Revoked(leaf, pki.Superseded)
	answer, err := other.ParseResponseForCert(a.Answer(responder, request, &e), about, issuer)
	if err != nil || answer.Status != other.Revoked || answer.RevocationReason != other.Superseded || !answer.RevokedAt.Equal(e.RevokedAt) {
		t.Errorf("our answer: %+v, %v", answer, err)
	}
	for status, want := range map[int]ocsp.Status{other.Good: ocsp.Good, other.Revoked: ocsp.Revoked, other.Unknown: ocsp.Unknown} {
		der, err := other.CreateResponse(issuer, by, other.Response{Status: status, SerialNumber: leaf.Serial, ThisUpdate: a.Now,
			NextUpdate: a.Now.Add(time.Hour), RevokedAt: a.Now, RevocationReason: other.KeyCompromise, Certificate: by, IssuerHash: crypto.SHA1}, responder.Key)
		if err != nil {
			t.Fatal(err)
		}
		r := parse(t, der)
		if _, err := ocsp.Verify(r, a.CA, a.Now); err != nil {
			t.Error(err)
		}
		if s, ok := r.Find(a.CA, leaf.Serial); !ok || s.Status != want {
			t.Errorf("their %d: %+v", status, s)
		}
	}
}
