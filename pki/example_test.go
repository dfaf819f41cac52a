package pki_test

import (
	"errors"
	"fmt"
	"time"

	"senim/pki"
)

func ExampleSubjectName() {
	name := pki.SubjectName(pki.Holder{
		CommonName: "СЕРИКОВА АЙГУЛЬ", Surname: "СЕРИКОВА", Given: "БОЛАТОВНА",
		IIN: "123456789013", Organization: `ТОО "ДОСТЫК"`, BIN: "123456789025",
	})
	fmt.Println(name)
	fmt.Println(name.Get(pki.OIDSerialNumber))
	// Output:
	// CN=СЕРИКОВА АЙГУЛЬ,SURNAME=СЕРИКОВА,SERIALNUMBER=IIN123456789013,C=KZ,O=ТОО \"ДОСТЫК\",OU=BIN123456789025,GIVENNAME=БОЛАТОВНА
	// IIN123456789013
}

// The three outcomes of a chain: good, out of its dates, not trusted.
func ExamplePool_Chain() {
	judge := func(pool *pki.Pool, c *pki.Certificate, at time.Time) string {
		chain, err := pool.Chain(c, at)
		if dates, ok := errors.AsType[*pki.ValidityError](err); ok {
			return fmt.Sprintf("out of its dates; not yet valid: %v", dates.NotYet)
		}
		if err != nil {
			return "not trusted"
		}
		return fmt.Sprintf("trusted through %d certificates", len(chain))
	}
	fmt.Println(judge(pki.NewPool(), &pki.Certificate{}, time.Now()))
	// Output: not trusted
}
