package cms_test

import (
	"crypto/rand"
	"fmt"
	"io"
	"strings"
	"time"

	"senim/cms"
)

// Sign a document that is read, not held, and verify it in the same way.
func ExampleSignReader() {
	now := time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)
	document := func() io.Reader { return strings.NewReader("a file of any size") }
	key, cert := person("ТЕСТОВ ТЕСТ", now)

	signature, err := cms.SignReader(rand.Reader, cms.Options{Key: key, Certificate: cert, SigningTime: now}, document())
	if err != nil {
		fmt.Println(err)
		return
	}
	message, err := cms.Parse(signature)
	if err != nil {
		fmt.Println(err)
		return
	}
	verdicts, err := message.VerifyReader(document())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, v := range verdicts { // then: the chain and the revocation of v.Certificate
		fmt.Println(v.Certificate.Subject, v.Hash, v.Err)
	}
	// Output: CN=ТЕСТОВ ТЕСТ,C=KZ Streebog-512 <nil>
}
