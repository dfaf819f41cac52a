package dsig

import (
	"math/big"
	"strings"
	"testing"
	"time"

	"senim/algid"
	"senim/internal/pkitest"
	"senim/tsp"
)

// kindOf is a kind of signature that every attack is tried on.
type kindOf string

const (
	plainKind kindOf = "plain"
	besKind   kindOf = "XAdES-BES"
	tKind     kindOf = "XAdES-T"
)

var kinds = []kindOf{plainKind, besKind, tKind}

// moment is when test signers say they sign.
var moment = time.Date(2026, 9, 1, 9, 0, 0, 0, time.UTC)

// signedAs signs a document, or one element of it by its id, with the key of a new person.
func signedAs(t testing.TB, a *pkitest.Authority, k kindOf, xml, id, parent string) string {
	t.Helper()
	return signedBy(t, a, a.Individual(), k, xml, id, parent)
}

func signedBy(t testing.TB, a *pkitest.Authority, l *pkitest.Leaf, k kindOf, xml, id, parent string) string {
	t.Helper()
	o := Options{Key: l.Key, Certificate: l.Certificate}
	if k != plainKind {
		o.SigningTime = moment
	}
	var out []byte
	var err error
	if id == "" {
		out, err = SignEnveloped(random, []byte(xml), o)
	} else {
		out, err = SignElement(random, []byte(xml), id, parent, o)
	}
	if err != nil {
		t.Fatal(err)
	}
	if k != tKind {
		return string(out)
	}
	return stamped(t, a, string(out))
}

// stamped puts a time-stamp over the newest signature.
func stamped(t testing.TB, a *pkitest.Authority, xml string) string {
	t.Helper()
	covered, err := parsed(t, xml).TimestampInput()
	if err != nil {
		t.Fatal(err)
	}
	out, err := AddTimestamp([]byte(xml), token(t, a.TSA(), covered, a.Now))
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// token is a time-stamp by an authority of its own.
func token(t testing.TB, tsa *pkitest.Leaf, covered []byte, at time.Time) []byte {
	t.Helper()
	return tokenOver(t, tsa, tsp.NewImprint(algid.Streebog512, covered), at)
}

func tokenOver(t testing.TB, tsa *pkitest.Leaf, imprint tsp.Imprint, at time.Time) []byte {
	t.Helper()
	q := &tsp.Request{Imprint: imprint, Policy: tsp.PolicyGOST512, Certificate: true}
	der, err := tsp.CreateResponse(random, tsa.Key, tsa.Certificate, q, tsp.Stamp{Policy: q.Policy, Serial: big.NewInt(7), Time: at})
	if err != nil {
		t.Fatal(err)
	}
	r, err := tsp.ParseResponse(der)
	if err != nil || r.Token == nil {
		t.Fatal(err)
	}
	return r.Token.Raw()
}

// hide puts an original into every place inside a signature where it might be overlooked.
func hide(sig, original string) map[string]string {
	out := map[string]string{
		"in an object":        inObject(sig, original),
		"bare":                within(sig, original),
		"in key information":  strings.Replace(sig, "</ds:KeyInfo>", original+"</ds:KeyInfo>", 1),
		"in SignedInfo":       strings.Replace(sig, "</ds:SignedInfo>", original+"</ds:SignedInfo>", 1),
		"in a transform":      strings.Replace(sig, "</ds:Transforms>", original+"</ds:Transforms>", 1),
		"in the signed value": strings.Replace(sig, "</ds:SignatureValue>", original+"</ds:SignatureValue>", 1),
	}
	if !strings.Contains(sig, "xades:") {
		return out
	}
	for _, name := range []string{"ds:Object", "xades:QualifyingProperties", "xades:SignedProperties", "xades:SignedSignatureProperties",
		"xades:UnsignedProperties", "xades:UnsignedSignatureProperties", "xades:SignatureTimeStamp", "xades:Cert"} {
		if end := "</" + name + ">"; strings.Contains(sig, end) {
			out["in "+name] = strings.Replace(sig, end, original+end, 1)
		}
	}
	if !strings.Contains(sig, "xades:UnsignedProperties") {
		const end = "</xades:QualifyingProperties>"
		out["among new unsigned properties"] = strings.Replace(sig, end, "<xades:UnsignedProperties><xades:UnsignedSignatureProperties>"+
			original+"</xades:UnsignedSignatureProperties></xades:UnsignedProperties>"+end, 1)
	}
	return out
}
