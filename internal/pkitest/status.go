package pkitest

import (
	"crypto/rand"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"

	"senim/algid"
	"senim/ocsp"
	"senim/pki"
)

// List signs a full revocation list of the issuing CA as of Now, number 1, good for a week.
func (a *Authority) List(entries ...pki.Entry) []byte {
	a.t.Helper()
	return a.ListOf(pki.ListTemplate{Number: big.NewInt(1), Entries: entries})
}

// ListOf signs any list; zero times become Now and Now + 7 days.
func (a *Authority) ListOf(t pki.ListTemplate) []byte {
	a.t.Helper()
	if t.ThisUpdate.IsZero() {
		t.ThisUpdate, t.NextUpdate = a.Now, a.Now.AddDate(0, 0, 7)
	}
	der, err := pki.CreateRevocationList(rand.Reader, a.CAKey, a.CA, t)
	if err != nil {
		a.t.Fatalf("pkitest: %v", err)
	}
	return der
}

// Revoked is the entry of a list for a certificate revoked an hour before Now.
func (a *Authority) Revoked(c *pki.Certificate, why pki.Reason) pki.Entry {
	return pki.Entry{Serial: c.Serial, RevokedAt: a.Now.Add(-time.Hour), Reason: why, HasReason: true}
}

// Responder issues the certificate of an OCSP responder.
func (a *Authority) Responder() *Leaf {
	a.t.Helper()
	return a.Issue(Spec{Kind: algid.KeyOf(a.CAKey.Public()), Holder: pki.Holder{CommonName: "OCSP RESPONDER", Organization: "TEST"},
		Change: func(t *pki.Template) {
			t.KeyUsage, t.ExtKeyUsage = pki.DigitalSignature, []asn1.ObjectIdentifier{pki.OCSPSigning}
			t.NoCheck, t.Emails, t.CRL, t.DeltaCRL, t.OCSP = true, nil, nil, nil, nil
		}})
}

// TSA issues the certificate of a time-stamping authority.
func (a *Authority) TSA() *Leaf {
	a.t.Helper()
	return a.Issue(Spec{Holder: pki.Holder{CommonName: "TIME-STAMPING AUTHORITY", Organization: "TEST"},
		Change: func(t *pki.Template) {
			t.KeyUsage, t.ExtKeyUsage = pki.DigitalSignature, []asn1.ObjectIdentifier{pki.TimeStamping}
			t.ExtKeyUsageCritical = true
			t.Policies = []pki.Policy{{OID: pki.PolicyTSA, CPS: "http://pki.example.kz/cps"}}
		}})
}

// Question writes the OCSP request (DER) about one certificate of an issuer; nonce may be nil.
func Question(t testing.TB, hash algid.Hash, issuer *pki.Certificate, serial *big.Int, nonce []byte) []byte {
	t.Helper()
	id, err := ocsp.NewCertID(hash, issuer, serial)
	if err != nil {
		t.Fatalf("pkitest: %v", err)
	}
	der, err := ocsp.CreateRequest(ocsp.Request{IDs: []ocsp.CertID{id}, Nonce: nonce})
	if err != nil {
		t.Fatalf("pkitest: %v", err)
	}
	return der
}

// Answer signs the OCSP answer about a certificate: as asked in request (DER), with its nonce.
// A nil entry means good. The answer is as of Now, good for a day.
func (a *Authority) Answer(responder *Leaf, request []byte, entry *pki.Entry) []byte {
	a.t.Helper()
	q, err := ocsp.ParseRequest(request)
	if err != nil {
		a.t.Fatalf("pkitest: %v", err)
	}
	t := ocsp.ResponseTemplate{ProducedAt: a.Now, Nonce: q.Nonce, ExtendedRevoke: true}
	for _, id := range q.IDs {
		s := ocsp.Single{ID: id, Status: ocsp.Good, ThisUpdate: a.Now, NextUpdate: a.Now.AddDate(0, 0, 1)}
		if entry != nil {
			s.Status, s.RevokedAt, s.Reason, s.HasReason = ocsp.Revoked, entry.RevokedAt, entry.Reason, entry.HasReason
		}
		t.Singles = append(t.Singles, s)
	}
	der, err := ocsp.CreateResponse(rand.Reader, responder.Key, responder.Certificate, t)
	if err != nil {
		a.t.Fatalf("pkitest: %v", err)
	}
	return der
}
