package main

import (
	"bytes"
	"crypto/rand"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"

	"senim/algid"
	"senim/cades"
	"senim/cms"
	"senim/internal/pkitest"
	"senim/ocsp"
	"senim/pades"
	"senim/pki"
	"senim/tsp"
)

// prepareStamped writes one signature in every state of its life: signed an hour ago, stamped at once,
// completed half an hour ago, archived ten minutes ago.
func prepareStamped(t *testing.T, a *pkitest.Authority, signer *pkitest.Leaf, write func(string, []byte)) {
	t.Helper()
	hour, ten := now.Add(-time.Hour), now.Add(-10*time.Minute)
	must := func(out []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	stamper := func(tsa *pkitest.Leaf, at time.Time) cades.Stamper {
		return func(i tsp.Imprint) ([]byte, error) {
			answer, err := tsp.CreateResponse(rand.Reader, tsa.Key, tsa.Certificate, &tsp.Request{Imprint: i, Certificate: true},
				tsp.Stamp{Policy: tsp.PolicyGOST512, Serial: big.NewInt(at.Unix()), Time: at})
			if err != nil {
				return nil, err
			}
			r, err := tsp.ParseResponse(answer)
			if err != nil {
				return nil, err
			}
			return r.Token.Raw(), nil
		}
	}
	list := func(at time.Time, entries ...pki.Entry) []byte {
		return a.ListOf(pki.ListTemplate{Number: big.NewInt(at.Unix()), ThisUpdate: at, NextUpdate: at.AddDate(0, 0, 7), Entries: entries})
	}
	parsed := func(der []byte) *pki.RevocationList {
		t.Helper()
		l, err := pki.ParseRevocationList(der)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	long := a.Issue(pkitest.Spec{NotAfter: now.AddDate(10, 0, 0), Change: func(t *pki.Template) {
		t.Subject = pki.Name{pki.NewAttribute(pki.OIDCommonName, "ARCHIVE TSA"), pki.NewAttribute(pki.OIDCountry, "KZ")}
		t.KeyUsage, t.ExtKeyUsage, t.ExtKeyUsageCritical = pki.DigitalSignature, []asn1.ObjectIdentifier{pki.TimeStamping}, true
	}})
	bes, err := cms.Sign(rand.Reader, cms.Options{Key: signer.Key, Certificate: signer.Certificate, Content: []byte("Шарт"), SigningTime: hour})
	write("level-bes.p7s", must(bes, err))
	stamped, err := cades.AddTimestamp(bes, 0, algid.Streebog512, stamper(a.TSA(), hour))
	write("level-t.p7s", must(stamped, err))
	pdf := func(o pades.Options) []byte {
		t.Helper()
		o.Key, o.Certificate, o.Time = signer.Key, signer.Certificate, hour
		d, err := pades.Parse(bytes.NewReader(document()), int64(len(document())))
		if err != nil {
			t.Fatal(err)
		}
		return append(document(), must(d.Sign(rand.Reader, o))...)
	}
	write("level-b.pdf", pdf(pades.Options{}))
	write("level-t.pdf", pdf(pades.Options{Timestamp: stamper(a.TSA(), hour)}))
	root, err := pki.CreateRevocationList(rand.Reader, a.RootKey, a.Root, pki.ListTemplate{Number: big.NewInt(1), ThisUpdate: now.Add(-30 * time.Minute), NextUpdate: now.AddDate(0, 6, 0)})
	must(root, err)
	complete, err := cades.AddEvidence(stamped, cades.Evidence{Certificates: []*pki.Certificate{a.CA},
		Lists: []*pki.RevocationList{parsed(root), parsed(list(now.Add(-30 * time.Minute)))}})
	write("level-lt.p7s", must(complete, err))
	archived, err := cades.AddArchiveTimestamp(complete, 0, cades.Document{}, algid.Streebog512, stamper(long, ten))
	write("level-lta.p7s", must(archived, err))

	other := pkitest.New(t, pkitest.Config{Now: now, Name: "OTHER"})
	strange, err := cades.AddTimestamp(bes, 0, algid.Streebog512, stamper(other.TSA(), hour))
	write("stamped-by-stranger.p7s", must(strange, err))

	write("late.crl", list(now.AddDate(2, 0, 0)))
	write("revoked-later.crl", list(now, pki.Entry{Serial: signer.Certificate.Serial, RevokedAt: now.Add(-5 * time.Minute), Reason: pki.KeyCompromise, HasReason: true}))
	question := pkitest.Question(t, algid.SHA256, a.CA, signer.Certificate.Serial, nil)
	write("answer.ocsp", a.Answer(a.Responder(), question, nil))
	write("later.ocsp", ocsp.ErrorResponse(ocsp.TryLater))
}
