package pfx_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"time"

	"senim/gost"
	"senim/pfx"
	"senim/pki"
)

// exampleFile is a throw-away key with a certificate of its own.
func exampleFile() (pfx.File, error) {
	key, err := gost.GenerateKey(gost.TC26_512A(), rand.Reader)
	if err != nil {
		return pfx.File{}, err
	}
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	der, err := pki.CreateCertificate(rand.Reader, key, &pki.Template{
		Serial: big.NewInt(1), Subject: pki.Name{pki.NewAttribute(pki.OIDCommonName, "СЕРИКОВА АЙГУЛЬ")},
		NotBefore: from, NotAfter: from.AddDate(1, 0, 0), PublicKey: key.Public(), KeyUsage: pki.DigitalSignature,
	})
	if err != nil {
		return pfx.File{}, err
	}
	cert, err := pki.ParseCertificate(der)
	return pfx.File{Key: key, Certificate: cert}, err
}

// Write a key file and open it again.
func Example() {
	file, err := exampleFile()
	if err != nil {
		fmt.Println(err)
		return
	}
	der, err := pfx.Encode(rand.Reader, file, "Qwerty12", pfx.Modern)
	if err != nil {
		fmt.Println(err)
		return
	}
	opened, err := pfx.Decode(der, "Qwerty12")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(opened.Certificate.Subject, opened.Certificate.Key)
	fmt.Println(len(opened.Alias), "digits of alias,", len(opened.Others), "other certificates")
	_, err = pfx.Decode(der, "qwerty12")
	fmt.Println(errors.Is(err, pfx.ErrPassword))
	// Output:
	// CN=СЕРИКОВА АЙГУЛЬ GOST512
	// 40 digits of alias, 0 other certificates
	// true
}

// Another password is another file; the old one stays until somebody has opened the new.
func ExampleChangePassword() {
	file, err := exampleFile()
	if err != nil {
		fmt.Println(err)
		return
	}
	old, err := pfx.Encode(rand.Reader, file, "Qwerty12", pfx.NCA)
	if err != nil {
		fmt.Println(err)
		return
	}
	fresh, err := pfx.ChangePassword(rand.Reader, old, "Qwerty12", "Ytrewq21", pfx.NCA)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = pfx.Decode(fresh, "Ytrewq21")
	fmt.Println(err)
	_, err = pfx.ChangePassword(rand.Reader, old, "Qwerty12", "12345678", pfx.NCA)
	fmt.Println(err)
	// Output:
	// <nil>
	// password is a well-known default
}

// The rule for new passwords says what is missing.
func ExampleCheckPassword() {
	for _, p := range []string{"Qwerty12", "qwerty12", "Qw1", "Кверти12"} {
		fmt.Println(pfx.CheckPassword(p))
	}
	// Output:
	// <nil>
	// password needs a small letter, a capital letter and a digit
	// password must have 6 to 32 characters
	// password has a character that is not allowed
}

// A key that waits for its certificate is kept by itself, under random bytes.
func ExampleEncryptPrivateKey() {
	file, err := exampleFile()
	if err != nil {
		fmt.Println(err)
		return
	}
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		fmt.Println(err)
		return
	}
	der, err := pfx.EncryptPrivateKey(rand.Reader, file.Key, secret)
	if err != nil {
		fmt.Println(err)
		return
	}
	key, err := pfx.DecryptPrivateKey(der, secret)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(file.Certificate.PublicKey.(*gost.PublicKey).Equal(key.Public()))
	// Output: true
}
