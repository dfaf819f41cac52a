package pki_test

import (
	"crypto"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"time"

	"senim/algid"
	"senim/gost"
	"senim/pki"
)

// must keeps the examples short; a program handles its errors.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// A throw-away root and the certificate of a person under it.
func exampleRoot() (root, leaf *pki.Certificate, key crypto.Signer) {
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	rootKey := must(gost.GenerateKey(gost.TC26_512A(), rand.Reader))
	root = must(pki.ParseCertificate(must(pki.CreateCertificate(rand.Reader, rootKey, &pki.Template{
		Serial: big.NewInt(1), Subject: pki.Name{pki.NewAttribute(pki.OIDCommonName, "ROOT")},
		NotBefore: from, NotAfter: from.AddDate(20, 0, 0), PublicKey: rootKey.Public(),
		IsCA: true, MaxPathLen: -1, KeyUsage: pki.CertSign | pki.CRLSign,
	}))))
	personKey := must(gost.GenerateKey(gost.TC26_512A(), rand.Reader))
	leaf = must(pki.ParseCertificate(must(pki.CreateCertificate(rand.Reader, rootKey, &pki.Template{
		Serial: big.NewInt(2), RawIssuer: root.RawSubject, AuthorityKeyID: root.SubjectKeyID,
		Subject:   pki.SubjectName(pki.Holder{CommonName: "СЕРИКОВА АЙГУЛЬ", Surname: "СЕРИКОВА", IIN: "123456789013"}),
		NotBefore: from, NotAfter: from.AddDate(1, 0, 0), PublicKey: personKey.Public(),
		KeyUsage: pki.DigitalSignature | pki.NonRepudiation,
	}))))
	return root, leaf, rootKey
}

// Read a certificate, find its way to a trusted root, and say whose it is.
func Example() {
	root, leaf, _ := exampleRoot()

	cert, err := pki.ParseCertificate(leaf.Raw)
	if err != nil {
		fmt.Println(err)
		return
	}
	pool := pki.NewPool()
	pool.AddRoot(root)
	chain, err := pool.Chain(cert, time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC))
	fmt.Println(len(chain), err)
	holder := cert.Holder()
	fmt.Println(holder.CommonName, holder.IIN)
	// Output:
	// 2 <nil>
	// СЕРИКОВА АЙГУЛЬ 123456789013
}

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
	root, leaf, _ := exampleRoot()
	pool := pki.NewPool()
	fmt.Println(judge(pool, leaf, leaf.NotBefore))
	pool.AddRoot(root)
	fmt.Println(judge(pool, leaf, leaf.NotBefore))
	fmt.Println(judge(pool, leaf, leaf.NotAfter.AddDate(1, 0, 0)))
	// Output:
	// not trusted
	// trusted through 2 certificates
	// out of its dates; not yet valid: false
}

// With lists at hand a path is good, revoked, or not determined, which is never good.
func ExamplePool_Validate() {
	root, leaf, key := exampleRoot()
	pool := pki.NewPool()
	pool.AddRoot(root)
	now := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	judge := func(lists ...*pki.RevocationList) {
		path, err := pool.Validate(leaf, pki.Rules{At: now, Revocation: true, Lists: lists})
		revoked, isRevoked := errors.AsType[*pki.RevokedError](err)
		switch {
		case isRevoked:
			fmt.Println("revoked, reason", revoked.Entry.Reason)
		case errors.Is(err, pki.ErrUndetermined):
			fmt.Println("cannot say")
		case err != nil:
			fmt.Println("not trusted")
		default:
			fmt.Println("good, through", len(path.Chain))
		}
	}
	list := func(entries ...pki.Entry) *pki.RevocationList {
		return must(pki.ParseRevocationList(must(pki.CreateRevocationList(rand.Reader, key, root, pki.ListTemplate{
			Number: big.NewInt(1), ThisUpdate: now, NextUpdate: now.AddDate(0, 0, 7), Entries: entries,
		}))))
	}
	judge()
	judge(list())
	judge(list(pki.Entry{Serial: leaf.Serial, RevokedAt: now, Reason: pki.Superseded}))
	// Output:
	// cannot say
	// good, through 2
	// revoked, reason 4
}

// An issuing authority keeps the three steps apart: the exact bytes, the signature, the whole.
func ExampleTemplate_TBS() {
	key := must(gost.GenerateKey(gost.TC26_512A(), rand.Reader))
	template := pki.Template{
		Signature: algid.GOST512Sig, Serial: big.NewInt(1),
		Subject:   pki.Name{pki.NewAttribute(pki.OIDCommonName, "OCSP RESPONDER"), pki.NewAttribute(pki.OIDCountry, "KZ")},
		NotBefore: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC),
		PublicKey: key.Public(), KeyUsage: pki.DigitalSignature, NoCheck: true,
	}
	tbs := must(template.TBS())
	value := must(algid.GOST512Sig.Sign(rand.Reader, key, tbs))
	cert := must(pki.ParseCertificate(pki.Assemble(tbs, algid.GOST512Sig, value)))
	fmt.Println(cert.Subject, cert.CheckSignatureFrom(cert))
	// Output: CN=OCSP RESPONDER,C=KZ <nil>
}

// A request proves that whoever made it holds the key.
func ExampleCreateRequest() {
	key := must(gost.GenerateKey(gost.TC26_512A(), rand.Reader))
	der := must(pki.CreateRequest(rand.Reader, key, pki.RequestTemplate{
		Subject: pki.SubjectName(pki.Holder{CommonName: "СЕРИКОВА АЙГУЛЬ", IIN: "123456789013"}),
		Emails:  []string{"a.serikova@example.kz"},
	}))
	request := must(pki.ParseRequest(der))
	fmt.Println(request.CheckSignature(), request.Emails)
	// Output: <nil> [a.serikova@example.kz]
}

// A signature of the past: its certificate was revoked later, which changes nothing about it.
func ExampleRules() {
	root, leaf, key := exampleRoot()
	pool := pki.NewPool()
	pool.AddRoot(root)
	signed, now := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	list := must(pki.ParseRevocationList(must(pki.CreateRevocationList(rand.Reader, key, root, pki.ListTemplate{
		Number: big.NewInt(2), ThisUpdate: now, NextUpdate: now.AddDate(0, 0, 7),
		Entries: []pki.Entry{{Serial: leaf.Serial, RevokedAt: signed.AddDate(0, 0, 14), Reason: pki.Superseded}},
	}))))
	for _, at := range []time.Time{signed, now} {
		_, err := pool.Validate(leaf, pki.Rules{At: at, Now: now, Revocation: true, Lists: []*pki.RevocationList{list}})
		fmt.Println(at.Format(time.DateOnly), "good:", err == nil)
	}
	// Output:
	// 2026-09-01 good: true
	// 2026-10-01 good: false
}

// A large list is read once and asked many times; its entries range in order.
func ExampleRevocationList_Find() {
	root, leaf, key := exampleRoot()
	now := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	list := must(pki.ParseRevocationList(must(pki.CreateRevocationList(rand.Reader, key, root, pki.ListTemplate{
		Number: big.NewInt(1), ThisUpdate: now, NextUpdate: now.AddDate(0, 0, 7),
		Entries: []pki.Entry{{Serial: big.NewInt(9), RevokedAt: now, HasReason: true}, {Serial: big.NewInt(5), RevokedAt: now, Reason: pki.CertificateHold}},
	}))))
	if err := list.CheckSignatureFrom(root); err != nil {
		fmt.Println(err)
		return
	}
	for i, e := range list.Entries {
		fmt.Println(i, e.Serial, e.Reason)
	}
	_, revoked := list.Find(leaf.Serial)
	_, held := list.Find(big.NewInt(5))
	fmt.Println(revoked, held)
	// Output:
	// 0 9 0
	// 1 5 6
	// false true
}
