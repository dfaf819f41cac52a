package dsig_test

import (
	"crypto"
	"crypto/rand"
	"encoding/asn1"
	"fmt"
	"math/big"
	"strings"
	"time"

	"senim/algid"
	"senim/dsig"
	"senim/gost"
	"senim/pki"
	"senim/tsp"
)

var now = time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)

// must keeps the examples short; a program handles its errors.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// exampleKey makes a key with a certificate that nobody should trust.
func exampleKey(name string, purposes ...asn1.ObjectIdentifier) (crypto.Signer, *pki.Certificate) {
	key := must(gost.GenerateKey(gost.TC26_512A(), rand.Reader))
	cert := must(pki.ParseCertificate(must(pki.CreateCertificate(rand.Reader, key, &pki.Template{
		Serial: big.NewInt(1), Subject: pki.Name{pki.NewAttribute(pki.OIDCommonName, name)},
		NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(1, 0, 0), PublicKey: key.Public(),
		KeyUsage: pki.DigitalSignature | pki.NonRepudiation, ExtKeyUsage: purposes, ExtKeyUsageCritical: len(purposes) > 0,
	}))))
	return key, cert
}

// Sign a document, and read it as it was signed.
func Example() {
	key, cert := exampleKey("АЙГУЛЬ")
	signed, err := dsig.SignEnveloped(rand.Reader, []byte("<order><sum>100</sum></order>"), dsig.Options{Key: key, Certificate: cert})
	if err != nil {
		fmt.Println(err)
		return
	}

	doc, err := dsig.Parse(signed)
	if err != nil {
		fmt.Println(err)
		return
	}
	v, err := doc.VerifyOne()
	if err != nil {
		fmt.Println(err)
		return
	}
	// Then: chain, purpose and revocation of the certificate, with pki. And read nothing but what was signed.
	fmt.Println(v.Certificate.Subject, v.Element.Child("sum").Text)

	changed := must(dsig.Parse([]byte(strings.Replace(string(signed), "100", "900", 1))))
	_, err = changed.VerifyOne()
	fmt.Println(err)
	// Output:
	// CN=АЙГУЛЬ 100
	// signature 1 of 1: digest of the signed part differs
}

// A message for the state bus gets the header it needs.
func ExampleSignBody() {
	key, cert := exampleKey("ЖҮЙЕ")
	message := `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><ping>1</ping></s:Body></s:Envelope>`
	signed := must(dsig.SignBody(rand.Reader, []byte(message), dsig.Options{Key: key, Certificate: cert}))

	v := must(must(dsig.Parse(signed)).VerifyBody())
	fmt.Println(v.Element.Local, v.Element.Child("ping").Text, strings.HasPrefix(v.ID, "id-"))
	// Output: Body 1 true
}

// XAdES: the time the signer claims, then a time-stamp that proves one.
func ExampleAddTimestamp() {
	key, cert := exampleKey("АЙГУЛЬ")
	signed := must(dsig.SignEnveloped(rand.Reader, []byte("<order/>"), dsig.Options{Key: key, Certificate: cert, SigningTime: now}))

	// What is sent to the time-stamping authority is a digest of this.
	covered := must(must(dsig.Parse(signed)).TimestampInput())
	token := exampleStamp(covered, now.Add(time.Minute))
	signed = must(dsig.AddTimestamp(signed, token))

	v := must(must(dsig.Parse(signed)).VerifyOne())
	fmt.Println(v.XAdES.Level, "claims", v.XAdES.SigningTime.Format(time.RFC3339))
	for _, s := range v.XAdES.Timestamps { // then: chain and revocation of s.Authority, with pki
		fmt.Println("existed at", s.Token.Time.Format(time.RFC3339), "says", s.Authority.Subject)
	}
	// Output:
	// XAdES-T claims 2026-09-01T10:00:00Z
	// existed at 2026-09-01T10:01:00Z says CN=TSA
}

// exampleStamp is a time-stamping authority.
func exampleStamp(data []byte, at time.Time) []byte {
	key, cert := exampleKey("TSA", pki.TimeStamping)
	request := &tsp.Request{Imprint: tsp.NewImprint(algid.Streebog512, data), Policy: tsp.PolicyGOST512, Certificate: true}
	answer := must(tsp.CreateResponse(rand.Reader, key, cert, request, tsp.Stamp{Policy: request.Policy, Serial: big.NewInt(1), Time: at}))
	return must(tsp.ParseResponse(answer)).Token.Raw()
}
