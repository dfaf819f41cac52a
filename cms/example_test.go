package cms_test

import (
	"crypto/rand"
	"fmt"
	"log"
	"math/big"
	"time"

	"senim/cms"
	"senim/gost"
	"senim/pki"
)

// person makes a throw-away key with a certificate signed by itself. Real ones come from a key file (package pfx).
func person(name string, now time.Time) (*gost.PrivateKey, *pki.Certificate) {
	key, err := gost.GenerateKey(gost.TC26_512A(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	der, err := pki.CreateCertificate(rand.Reader, key, &pki.Template{
		Serial: big.NewInt(1), Subject: pki.SubjectName(pki.Holder{CommonName: name}), PublicKey: key.Public(),
		NotBefore: now, NotAfter: now.AddDate(1, 0, 0), KeyUsage: pki.DigitalSignature | pki.NonRepudiation,
	})
	if err != nil {
		log.Fatal(err)
	}
	cert, err := pki.ParseCertificate(der)
	if err != nil {
		log.Fatal(err)
	}
	return key, cert
}

// Sign a document with its content inside, and look at the verdict.
func ExampleSign() {
	now := time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)
	key, cert := person("ТЕСТОВ ТЕСТ", now)
	der, err := cms.Sign(rand.Reader, cms.Options{Key: key, Certificate: cert, Content: []byte("Шарт"), SigningTime: now})
	if err != nil {
		log.Fatal(err)
	}

	message, err := cms.Parse(der)
	if err != nil {
		log.Fatal(err)
	}
	verdicts, err := message.Verify(nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: %v\n", message.Content(), verdicts[0].Err)
	// Output: Шарт: <nil>
}

// A second person signs the same message. Each signature has a verdict of its own; count only those without an error,
// and each certificate once.
func ExampleAddSigner() {
	now := time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)
	key, cert := person("ТЕСТОВ ТЕСТ", now)
	der, err := cms.Sign(rand.Reader, cms.Options{Key: key, Certificate: cert, Content: []byte("Шарт"), SigningTime: now})
	if err != nil {
		log.Fatal(err)
	}
	key, cert = person("ТЕСТТОВ ТЕСТТ", now)
	if der, err = cms.AddSigner(rand.Reader, der, cms.Options{Key: key, Certificate: cert, SigningTime: now}); err != nil {
		log.Fatal(err)
	}

	message, err := cms.Parse(der)
	if err != nil {
		log.Fatal(err)
	}
	verdicts, err := message.Verify(nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, v := range verdicts {
		if v.Err == nil {
			fmt.Println(v.Certificate.Subject)
		}
	}
	// Output:
	// CN=ТЕСТТОВ ТЕСТТ,C=KZ
	// CN=ТЕСТОВ ТЕСТ,C=KZ
}
