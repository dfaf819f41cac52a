package pades_test

import (
	"bytes"
	"crypto/rand"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"time"

	"senim/gost"
	"senim/pades"
	"senim/pki"
	"senim/tsp"
)

// A document is signed, checked, and found to be changed by somebody who saved it again.
func Example() {
	now := time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)
	document := exampleDocument()
	key, cert, err := exampleKey(now, &pki.Template{
		Subject:  pki.SubjectName(pki.Holder{CommonName: "ТЕСТОВ ТЕСТ", Surname: "ТЕСТОВ", IIN: "123456789011"}),
		KeyUsage: pki.DigitalSignature | pki.NonRepudiation,
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	// Sign: the signature is what to put after the document.
	d, err := pades.Parse(bytes.NewReader(document), int64(len(document)))
	if err != nil {
		fmt.Println(err)
		return
	}
	update, err := d.Sign(rand.Reader, pades.Options{Key: key, Certificate: cert, Time: now, Reason: "I agree"})
	if err != nil {
		fmt.Println(err)
		return
	}
	signed := append(document, update...)

	// Check: the signature here, the certificate with package pki.
	show := func(file []byte) {
		d, err := pades.Parse(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			fmt.Println(err)
			return
		}
		list, err := d.Verify()
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, v := range list {
			fmt.Println(v.Field, v.Outcome, v.Reason, v.Certificate.Holder().CommonName, errors.Is(v.Err, pades.ErrChanged))
		}
	}
	show(signed)
	show(append(signed, "4 0 obj (something else to show) endobj\n"...))
	// Output:
	// Signature1 valid I agree ТЕСТОВ ТЕСТ false
	// Signature1 invalid I agree ТЕСТОВ ТЕСТ true
}

// With a time-stamp the signature is PAdES-B-T. The function would ask an authority over the network.
func ExampleOptions_timestamp() {
	now := time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)
	document := exampleDocument()
	key, cert, err := exampleKey(now, &pki.Template{Subject: pki.SubjectName(pki.Holder{CommonName: "ТЕСТОВ ТЕСТ"})})
	if err != nil {
		fmt.Println(err)
		return
	}
	tsaKey, tsa, err := exampleKey(now, &pki.Template{
		Subject:     pki.Name{pki.NewAttribute(pki.OIDCommonName, "TIME-STAMPING AUTHORITY")},
		ExtKeyUsage: []asn1.ObjectIdentifier{pki.TimeStamping}, ExtKeyUsageCritical: true,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ask := func(imprint tsp.Imprint) ([]byte, error) {
		request := &tsp.Request{Imprint: imprint, Policy: tsp.PolicyGOST512, Certificate: true}
		answer, err := tsp.CreateResponse(rand.Reader, tsaKey, tsa, request, tsp.Stamp{Policy: tsp.PolicyGOST512, Serial: big.NewInt(1), Time: now.Add(time.Second)})
		if err != nil {
			return nil, err
		}
		r, err := tsp.ParseResponse(answer)
		if err != nil {
			return nil, err
		}
		return r.Token.Raw(), r.Answers(*request)
	}
	d, err := pades.Parse(bytes.NewReader(document), int64(len(document)))
	if err != nil {
		fmt.Println(err)
		return
	}
	update, err := d.Sign(rand.Reader, pades.Options{Key: key, Certificate: cert, Time: now, Timestamp: ask})
	if err != nil {
		fmt.Println(err)
		return
	}
	signed := append(document, update...)
	d, err = pades.Parse(bytes.NewReader(signed), int64(len(signed)))
	if err != nil {
		fmt.Println(err)
		return
	}
	list, err := d.Verify()
	if err != nil {
		fmt.Println(err)
		return
	}
	stamp := list[0].Timestamps[0]
	fmt.Println(list[0].Outcome, stamp.Err, stamp.Token.Time.Format(time.RFC3339), stamp.Certificate.Subject)
	// Output:
	// valid <nil> 2026-09-01T10:00:01Z CN=TIME-STAMPING AUTHORITY
}

// exampleKey makes a key with a certificate that it signs itself.
func exampleKey(now time.Time, t *pki.Template) (*gost.PrivateKey, *pki.Certificate, error) {
	key, err := gost.GenerateKey(gost.TC26_512A(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	t.Serial, t.NotBefore, t.NotAfter, t.PublicKey = big.NewInt(1), now.AddDate(0, 0, -1), now.AddDate(1, 0, 0), key.Public()
	der, err := pki.CreateCertificate(rand.Reader, key, t)
	if err != nil {
		return nil, nil, err
	}
	cert, err := pki.ParseCertificate(der)
	return key, cert, err
}

// exampleDocument writes the smallest document that has a page.
func exampleDocument() []byte {
	out := []byte("%PDF-1.7\n")
	var rows []byte
	for i, object := range []string{
		"<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>", "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 144] >>",
	} {
		rows = fmt.Appendf(rows, "%010d 00000 n \n", len(out))
		out = fmt.Appendf(out, "%d 0 obj\n%s\nendobj\n", i+1, object)
	}
	return fmt.Appendf(out, "xref\n0 4\n0000000000 65535 f \n%strailer\n<< /Size 4 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", rows, len(out))
}
