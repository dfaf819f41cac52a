package cades_test

import (
	"crypto"
	"crypto/rand"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"time"

	"senim/algid"
	"senim/cades"
	"senim/cms"
	"senim/gost"
	"senim/pki"
	"senim/tsp"
)

var now = time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)

// A signature is made, stamped, completed and archived; two years later, when the signer's certificate
// has long ended, it is still proved.
func Example() {
	a, err := newAuthority()
	if err != nil {
		fmt.Println(err)
		return
	}
	h := algid.Streebog512
	message, err := cms.Sign(rand.Reader, cms.Options{Key: a.signerKey, Certificate: a.signer, Content: []byte("Шарт"), SigningTime: now})
	if err != nil {
		fmt.Println(err)
		return
	}

	// T: a time-stamp over the signature. A real Stamper asks an authority on the network.
	message, err = cades.AddTimestamp(message, 0, h, a.stamper(now.Add(time.Minute)))
	if err != nil {
		fmt.Println(err)
		return
	}

	// LT: what the message lacks is asked about and put in.
	sd, err := cms.Parse(message)
	if err != nil {
		fmt.Println(err)
		return
	}
	report, err := cades.Validate(sd, cades.Document{}, cades.Trust{Pool: a.pool, At: now.Add(time.Hour)})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, q := range report.Missing() {
		fmt.Println("ask about", q.Certificate.Subject.Get(pki.OIDCommonName))
	}
	list, err := a.list(now.Add(time.Hour))
	if err != nil {
		fmt.Println(err)
		return
	}
	message, err = cades.AddEvidence(message, cades.Evidence{Certificates: report.Chain(), Lists: []*pki.RevocationList{list}})
	if err != nil {
		fmt.Println(err)
		return
	}

	// LTA: a time-stamp over all of it.
	message, err = cades.AddArchiveTimestamp(message, 0, cades.Document{}, h, a.stamper(now.Add(2*time.Hour)))
	if err != nil {
		fmt.Println(err)
		return
	}

	// Two years later. The list says how the archiving authority stands today.
	later := now.AddDate(2, 0, 0)
	today, err := a.list(later)
	if err != nil {
		fmt.Println(err)
		return
	}
	if sd, err = cms.Parse(message); err != nil {
		fmt.Println(err)
		return
	}
	report, err = cades.Validate(sd, cades.Document{}, cades.Trust{Pool: a.pool, At: later, Lists: []*pki.RevocationList{today}})
	if err != nil {
		fmt.Println(err)
		return
	}
	s := report.Signers[0]
	fmt.Println(s.Outcome, s.Level, "proved at", s.Proved.Format(time.RFC3339))
	fmt.Println("certificate ended", s.Certificate.NotAfter.Format(time.DateOnly))
	// Output:
	// ask about SIGNER
	// ask about TIME-STAMPING AUTHORITY
	// valid CAdES-LTA proved at 2026-09-01T10:01:00Z
	// certificate ended 2027-09-01
}

// What cannot be checked is never called valid, and the report says why.
func ExampleValidate() {
	a, err := newAuthority()
	if err != nil {
		fmt.Println(err)
		return
	}
	message, err := cms.Sign(rand.Reader, cms.Options{Key: a.signerKey, Certificate: a.signer, Content: []byte("Шарт"), SigningTime: now})
	if err != nil {
		fmt.Println(err)
		return
	}
	sd, err := cms.Parse(message)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, at := range []time.Time{now, now.AddDate(2, 0, 0)} {
		report, err := cades.Validate(sd, cades.Document{}, cades.Trust{Pool: a.pool, At: at})
		if err != nil {
			fmt.Println(err)
			return
		}
		s := report.Signers[0]
		var dates *pki.ValidityError
		fmt.Println(s.Outcome, s.Level, errors.Is(s.Err, pki.ErrUndetermined), errors.As(s.Err, &dates))
	}
	// Output:
	// cannot say CAdES-BES true false
	// invalid CAdES-BES false true
}

// authority is a root with a signer and a time-stamping authority below it.
type authority struct {
	pool                *pki.Pool
	root, signer, tsa   *pki.Certificate
	rootKey, signerKey  crypto.Signer
	tsaKey              crypto.Signer
	serial, listsNumber int64
}

func newAuthority() (*authority, error) {
	a := &authority{pool: pki.NewPool()}
	var err error
	if a.rootKey, a.root, err = a.certificate("ROOT", 20, func(t *pki.Template) {
		t.IsCA, t.MaxPathLen, t.KeyUsage = true, -1, pki.CertSign|pki.CRLSign
	}); err != nil {
		return nil, err
	}
	a.pool.AddRoot(a.root)
	if a.signerKey, a.signer, err = a.certificate("SIGNER", 1, func(t *pki.Template) {
		t.KeyUsage, t.ExtKeyUsage = pki.DigitalSignature|pki.NonRepudiation, []asn1.ObjectIdentifier{pki.EmailProtection}
	}); err != nil {
		return nil, err
	}
	a.tsaKey, a.tsa, err = a.certificate("TIME-STAMPING AUTHORITY", 3, func(t *pki.Template) {
		t.KeyUsage, t.ExtKeyUsage, t.ExtKeyUsageCritical = pki.DigitalSignature, []asn1.ObjectIdentifier{pki.TimeStamping}, true
	})
	return a, err
}

// certificate is made for so many years, signed by the root, or by itself when there is none yet.
func (a *authority) certificate(name string, years int, change func(*pki.Template)) (crypto.Signer, *pki.Certificate, error) {
	key, err := gost.GenerateKey(gost.TC26_512A(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	a.serial++
	t := &pki.Template{
		Serial: big.NewInt(a.serial), Subject: pki.Name{pki.NewAttribute(pki.OIDCommonName, name), pki.NewAttribute(pki.OIDCountry, "KZ")},
		NotBefore: now.AddDate(0, 0, -1), NotAfter: now.AddDate(years, 0, 0), PublicKey: key.Public(),
	}
	var by crypto.Signer = key
	if a.root != nil {
		t.RawIssuer, t.AuthorityKeyID, by = a.root.RawSubject, a.root.SubjectKeyID, a.rootKey
	}
	change(t)
	der, err := pki.CreateCertificate(rand.Reader, by, t)
	if err != nil {
		return nil, nil, err
	}
	c, err := pki.ParseCertificate(der)
	return key, c, err
}

func (a *authority) list(at time.Time) (*pki.RevocationList, error) {
	a.listsNumber++
	der, err := pki.CreateRevocationList(rand.Reader, a.rootKey, a.root, pki.ListTemplate{
		Number: big.NewInt(a.listsNumber), ThisUpdate: at, NextUpdate: at.AddDate(0, 0, 7)})
	if err != nil {
		return nil, err
	}
	return pki.ParseRevocationList(der)
}

// stamper stands for a time-stamping authority whose clock shows at.
func (a *authority) stamper(at time.Time) cades.Stamper {
	return func(i tsp.Imprint) ([]byte, error) {
		a.serial++
		answer, err := tsp.CreateResponse(rand.Reader, a.tsaKey, a.tsa, &tsp.Request{Imprint: i, Certificate: true},
			tsp.Stamp{Policy: tsp.PolicyGOST512, Serial: big.NewInt(a.serial), Time: at})
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
