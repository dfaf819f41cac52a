package jwt_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"time"

	"senim/gost"
	"senim/jwt"
	"senim/pki"
)

// Sign a token for an hour, and check it as whoever receives it should.
func Example() {
	now := time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)
	key, cert, err := examplePerson(now)
	if err != nil {
		fmt.Println(err)
		return
	}
	claims, err := jwt.ClaimsFor(cert, now, time.Hour)
	if err != nil {
		fmt.Println(err)
		return
	}
	token, err := jwt.Sign(rand.Reader, key, claims)
	if err != nil {
		fmt.Println(err)
		return
	}

	// The receiver knows the certificate from elsewhere, and has checked its chain and revocation.
	t, err := jwt.Parse(token)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := t.Verify(cert.PublicKey); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(t.Algorithm, string(t.Payload))
	fmt.Println(t.ValidAt(now.Add(time.Minute)), t.Names(cert))
	fmt.Println(errors.Is(t.ValidAt(now.Add(time.Hour)), jwt.ErrExpired))
	// Output:
	// GG2015 {"sub":"IIN123456789013","iat":1788256800,"exp":1788260400}
	// <nil> true
	// true
}

// examplePerson makes a key with a certificate that nobody should trust.
func examplePerson(now time.Time) (*gost.PrivateKey, *pki.Certificate, error) {
	key, err := gost.GenerateKey(gost.TC26_512A(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	der, err := pki.CreateCertificate(rand.Reader, key, &pki.Template{
		Serial: big.NewInt(1), Subject: pki.SubjectName(pki.Holder{CommonName: "СЕРИКОВА АЙГУЛЬ", IIN: "123456789013"}),
		NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(1, 0, 0), PublicKey: key.Public(),
	})
	if err != nil {
		return nil, nil, err
	}
	cert, err := pki.ParseCertificate(der)
	return key, cert, err
}
