package ocsp_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"math/big"
	"time"

	"senim/algid"
	"senim/gost"
	"senim/ocsp"
	"senim/pki"
)

// A question, its answer, and everything a relying party has to look at before it says good.
func Example() {
	now := time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)
	key, err := gost.GenerateKey(gost.TC26_512A(), rand.Reader)
	if err != nil {
		fmt.Println(err)
		return
	}
	issuer, err := exampleIssuer(key, now)
	if err != nil {
		fmt.Println(err)
		return
	}

	// The relying party asks.
	id, err := ocsp.NewCertID(algid.SHA256, issuer, big.NewInt(77))
	if err != nil {
		fmt.Println(err)
		return
	}
	nonce := []byte("32 random bytes in real life ...")
	question, err := ocsp.CreateRequest(ocsp.Request{IDs: []ocsp.CertID{id}, Nonce: nonce})
	if err != nil {
		fmt.Println(err)
		return
	}

	// The responder answers; here the issuer itself signs.
	asked, err := ocsp.ParseRequest(question)
	if err != nil {
		fmt.Println(err)
		return
	}
	answer, err := ocsp.CreateResponse(rand.Reader, key, issuer, ocsp.ResponseTemplate{
		ProducedAt: now, Nonce: asked.Nonce,
		Singles: []ocsp.Single{{ID: asked.IDs[0], Status: ocsp.Good, ThisUpdate: now, NextUpdate: now.Add(time.Hour)}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	// The relying party judges: who signed, is it my question, how fresh, what does it say.
	r, err := ocsp.ParseResponse(answer)
	if err != nil || r.Status != ocsp.Successful {
		fmt.Println("cannot say:", err)
		return
	}
	if _, err := ocsp.Verify(r, issuer, now); err != nil {
		fmt.Println("cannot say:", err)
		return
	}
	single, found := r.Find(issuer, big.NewInt(77))
	if !found || !bytes.Equal(r.Nonce, nonce) || now.After(single.NextUpdate) {
		fmt.Println("cannot say")
		return
	}
	fmt.Println(single.Status)
	// Output: good
}

func exampleIssuer(key *gost.PrivateKey, now time.Time) (*pki.Certificate, error) {
	der, err := pki.CreateCertificate(rand.Reader, key, &pki.Template{
		Serial: big.NewInt(1), Subject: pki.Name{pki.NewAttribute(pki.OIDCommonName, "ROOT")},
		NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(9, 0, 0), PublicKey: key.Public(),
		IsCA: true, MaxPathLen: -1, KeyUsage: pki.CertSign | pki.CRLSign,
	})
	if err != nil {
		return nil, err
	}
	return pki.ParseCertificate(der)
}

// When there is no answer, the reason is said without a signature; it proves nothing.
func ExampleErrorResponse() {
	r, err := ocsp.ParseResponse(ocsp.ErrorResponse(ocsp.Unauthorized))
	fmt.Println(r.Status, len(r.Singles), err)
	// Output: unauthorized 0 <nil>
}

// Answers that came along with a signature settle the status of a path, now or at an earlier moment.
func ExampleAnswers() {
	now := time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)
	key, err := gost.GenerateKey(gost.TC26_512A(), rand.Reader)
	if err != nil {
		fmt.Println(err)
		return
	}
	root, err := exampleIssuer(key, now)
	if err != nil {
		fmt.Println(err)
		return
	}
	der, err := pki.CreateCertificate(rand.Reader, key, &pki.Template{
		Serial: big.NewInt(77), RawIssuer: root.RawSubject, Subject: pki.Name{pki.NewAttribute(pki.OIDCommonName, "СЕРИКОВА АЙГУЛЬ")},
		NotBefore: now.AddDate(0, -1, 0), NotAfter: now.AddDate(0, 11, 0), PublicKey: key.Public(), KeyUsage: pki.DigitalSignature,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	leaf, err := pki.ParseCertificate(der)
	if err != nil {
		fmt.Println(err)
		return
	}
	id, err := ocsp.NewCertID(algid.SHA256, root, leaf.Serial)
	if err != nil {
		fmt.Println(err)
		return
	}
	later := now.AddDate(0, 1, 0)
	answer, err := ocsp.CreateResponse(rand.Reader, key, root, ocsp.ResponseTemplate{ProducedAt: later, Singles: []ocsp.Single{
		{ID: id, Status: ocsp.Revoked, RevokedAt: later, Reason: pki.Superseded, HasReason: true, ThisUpdate: later},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := ocsp.ParseResponse(answer)
	if err != nil {
		fmt.Println(err)
		return
	}
	pool := pki.NewPool()
	pool.AddRoot(root)
	for _, at := range []time.Time{later, now} {
		_, err := pool.Validate(leaf, pki.Rules{At: at, Now: later, Revocation: true, Evidence: ocsp.Answers{Responses: []*ocsp.Response{r}}})
		fmt.Println(at.Format(time.DateOnly), "good:", err == nil)
	}
	// Output:
	// 2026-10-01 good: false
	// 2026-09-01 good: true
}
