package tsp_test

import (
	"crypto/rand"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"time"

	"senim/algid"
	"senim/gost"
	"senim/pki"
	"senim/tsp"
)

// Ask for a time-stamp over a document, get one, and check everything it proves.
func Example() {
	now := time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)
	document := []byte("Құжат")
	key, cert, err := exampleAuthority(now)
	if err != nil {
		fmt.Println(err)
		return
	}

	// The client asks.
	request := tsp.Request{
		Imprint: tsp.NewImprint(algid.Streebog512, document), Policy: tsp.PolicyGOST512,
		Nonce: big.NewInt(20260901), Certificate: true,
	}
	question, err := tsp.CreateRequest(request)
	if err != nil {
		fmt.Println(err)
		return
	}

	// The authority stamps.
	asked, err := tsp.ParseRequest(question)
	if err != nil {
		fmt.Println(err)
		return
	}
	answer, err := tsp.CreateResponse(rand.Reader, key, cert, asked, tsp.Stamp{Policy: asked.Policy, Serial: big.NewInt(1), Time: now})
	if err != nil {
		fmt.Println(err)
		return
	}

	// The client checks: my request, who made it, over what, when.
	r, err := tsp.ParseResponse(answer)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := r.Answers(request); err != nil {
		fmt.Println(err)
		return
	}
	maker, err := r.Token.Verify() // then: maker's chain and revocation, with pki
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(maker.Subject, r.Token.Time.Format(time.RFC3339))
	fmt.Println(r.Token.Covers(document), errors.Is(r.Token.Covers([]byte("құжат")), tsp.ErrImprint))
	// Output:
	// CN=TIME-STAMPING AUTHORITY,C=KZ 2026-09-01T10:00:00Z
	// <nil> true
}

// exampleAuthority makes a certificate for time-stamping alone.
func exampleAuthority(now time.Time) (*gost.PrivateKey, *pki.Certificate, error) {
	key, err := gost.GenerateKey(gost.TC26_512A(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	der, err := pki.CreateCertificate(rand.Reader, key, &pki.Template{
		Serial:    big.NewInt(1),
		Subject:   pki.Name{pki.NewAttribute(pki.OIDCommonName, "TIME-STAMPING AUTHORITY"), pki.NewAttribute(pki.OIDCountry, "KZ")},
		NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(1, 0, 0), PublicKey: key.Public(),
		KeyUsage: pki.DigitalSignature, ExtKeyUsage: []asn1.ObjectIdentifier{pki.TimeStamping}, ExtKeyUsageCritical: true,
	})
	if err != nil {
		return nil, nil, err
	}
	cert, err := pki.ParseCertificate(der)
	return key, cert, err
}

// An authority that may not stamp says why.
func ExampleRefuse() {
	r, err := tsp.ParseResponse(tsp.Refuse(tsp.TimeNotAvailable))
	fmt.Println(r.Token == nil, r.Failure == tsp.TimeNotAvailable, err)
	// Output: true true <nil>
}
