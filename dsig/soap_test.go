package dsig

import (
	"bytes"
	"encoding/base64"
	"errors"
	"regexp"
	"strings"
	"testing"

	"senim/algid"
	"senim/internal/pkitest"
	"senim/pki"
)

// The shape of crypto.md §15, to the letter.
func TestSignBodyShape(t *testing.T) {
	l := pkitest.New(t).Individual()
	out, err := SignBody(random, []byte(`<soap:Envelope xmlns:soap="`+spaceSOAP11+`"><soap:Body><sum>1</sum></soap:Body></soap:Envelope>`), Options{Key: l.Key, Certificate: l.Certificate})
	if err != nil {
		t.Fatal(err)
	}
	const b64 = `[A-Za-z0-9+/=]+`
	const id = `id-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`
	q := regexp.QuoteMeta
	shape := regexp.MustCompile(`^` + q(declaration) + `<soap:Envelope xmlns:soap="` + q(spaceSOAP11) + `"><soap:Header><wsse:Security xmlns:wsse="` + q(spaceWSSE) + `" soap:mustUnderstand="1">` +
		`<ds:Signature xmlns:ds="` + q(spaceDS) + `"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="` + q(uriExclusive) + `"/><ds:SignatureMethod Algorithm="` + q(methods[0].uri) + `"/>` +
		`<ds:Reference URI="#(` + id + `)"><ds:Transforms><ds:Transform Algorithm="` + q(uriExclusive) + `"/></ds:Transforms><ds:DigestMethod Algorithm="` + q(methods[0].digestURI) + `"/><ds:DigestValue>` + b64 +
		`</ds:DigestValue></ds:Reference></ds:SignedInfo><ds:SignatureValue>` + b64 + `</ds:SignatureValue><ds:KeyInfo><wsse:SecurityTokenReference><wsse:KeyIdentifier EncodingType="` + q(base64Binary) +
		`" ValueType="` + q(typeX509v3) + `">` + q(base64.StdEncoding.EncodeToString(l.Certificate.Raw)) + `</wsse:KeyIdentifier></wsse:SecurityTokenReference></ds:KeyInfo></ds:Signature>` +
		`</wsse:Security></soap:Header><soap:Body xmlns:wsu="` + q(spaceWSU) + `" wsu:Id="(` + id + `)"><sum>1</sum></soap:Body></soap:Envelope>$`)
	m := shape.FindSubmatch(out)
	if m == nil || !bytes.Equal(m[1], m[2]) {
		t.Fatalf("shape differs:\n%s", out)
	}
	v, err := parsed(t, string(out)).VerifyBody()
	if err != nil || v.ID != string(m[1]) || v.XAdES != nil {
		t.Errorf("%v: %+v", err, v)
	}
	again, err := SignBody(random, []byte(soap("", "<soap:Body/>")), Options{Key: l.Key, Certificate: l.Certificate})
	if err != nil || bytes.Contains(again, m[1]) {
		t.Errorf("the id is not fresh: %v", err)
	}
}

// Whatever the envelope looks like, its bytes stay and the result verifies.
func TestSignBody(t *testing.T) {
	a := pkitest.New(t)
	const s11, s12 = `xmlns:s="` + spaceSOAP11 + `"`, `xmlns:s="` + spaceSOAP12 + `"`
	for name, c := range map[string]struct{ in, kept, id string }{
		"SOAP 1.2":                 {`<s:Envelope ` + s12 + `><s:Body><a/></s:Body></s:Envelope>`, "<a/></s:Body></s:Envelope>", ""},
		"default namespace":        {`<Envelope xmlns="` + spaceSOAP11 + `"><Body><a xmlns=""/></Body></Envelope>`, `<a xmlns=""/></Body></Envelope>`, ""},
		"empty body":               {`<s:Envelope ` + s11 + `><s:Body/></s:Envelope>`, "></s:Envelope>", ""},
		"spaces in tags":           {`<s:Envelope ` + s11 + " ><s:Body\n ><a /></s:Body ></s:Envelope >", "<a /></s:Body ></s:Envelope >", ""},
		"empty header":             {`<s:Envelope ` + s11 + `><s:Header/><s:Body/></s:Envelope>`, `<s:Header><wsse:Security `, ""},
		"other headers":            {`<s:Envelope ` + s11 + `><s:Header><to xmlns="u:a">x</to></s:Header><s:Body/></s:Envelope>`, `<s:Header><to xmlns="u:a">x</to><wsse:Security `, ""},
		"security there":           {`<s:Envelope ` + s11 + `><s:Header><o:Security xmlns:o="` + spaceWSSE + `"/></s:Header><s:Body/></s:Envelope>`, `<o:KeyIdentifier `, ""},
		"security, other content":  {`<s:Envelope ` + s11 + `><s:Header><o:Security xmlns:o="` + spaceWSSE + `"><x/></o:Security></s:Header><s:Body/></s:Envelope>`, `<x/><ds:Signature `, ""},
		"security by default":      {`<s:Envelope ` + s11 + `><s:Header><Security xmlns="` + spaceWSSE + `"/></s:Header><s:Body/></s:Envelope>`, `<wsse:SecurityTokenReference xmlns:wsse=`, ""},
		"prefix wsu taken":         {`<s:Envelope ` + s11 + ` xmlns:wsu="u:x"><s:Body><wsu:a/></s:Body></s:Envelope>`, `<wsu:a/>`, ""},
		"prefixes wsu, wsu1 taken": {`<s:Envelope ` + s11 + ` xmlns:wsu="u:x"><s:Body xmlns:wsu1="u:y"><wsu1:a/></s:Body></s:Envelope>`, ` wsu2:Id="id-`, ""},
		"wsu under another prefix": {`<s:Envelope ` + s11 + ` xmlns:u="` + spaceWSU + `"><s:Body/></s:Envelope>`, ` u:Id="id-`, ""},
		"wsu by default":           {`<s:Envelope ` + s11 + ` xmlns="` + spaceWSU + `"><s:Body/></s:Envelope>`, ` wsu:Id="id-`, ""},
		"id there":                 {`<s:Envelope ` + s11 + `><s:Body xmlns:u="` + spaceWSU + `" u:Id="id-7"/></s:Envelope>`, ` u:Id="id-7"`, "id-7"},
		"plain id there":           {`<s:Envelope ` + s11 + `><s:Body Id="b"/></s:Envelope>`, ` Id="b" xmlns:wsu=`, ""},
		"declaration, comment":     {"<?xml version='1.0'?><!-- x --><s:Envelope " + s11 + `><s:Body><!-- y --><a/></s:Body></s:Envelope>`, "<!-- y --><a/></s:Body></s:Envelope>", ""},
		"prefix used in a value":   {`<s:Envelope ` + s11 + ` xmlns:x="u:x"><s:Body><a t="x:int"/></s:Body></s:Envelope>`, `<a t="x:int"/>`, ""},
	} {
		for _, kind := range []algid.Key{algid.GOST512, algid.GOST2004, algid.RSA} {
			l := a.Issue(pkitest.Spec{Kind: kind})
			out, err := SignBody(random, []byte(c.in), Options{Key: l.Key, Certificate: l.Certificate})
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			v, err := parsed(t, string(out)).VerifyBody()
			if err != nil || !strings.Contains(string(out), c.kept) {
				t.Errorf("%s, %v: %v\n%s", name, kind, err, out)
				continue
			}
			if v.Element.Local != "Body" || c.id != "" && v.ID != c.id || !bytes.Equal(v.Certificate.Raw, l.Certificate.Raw) {
				t.Errorf("%s: %+v", name, v)
			}
		}
	}
}

func TestSignBodyRefuses(t *testing.T) {
	a := pkitest.New(t)
	l := a.Individual()
	good := Options{Key: l.Key, Certificate: l.Certificate}
	wrapped, timed, foreign := good, good, good
	wrapped.Wrapped, timed.SigningTime, foreign.Certificate = true, moment, a.Individual().Certificate
	const body = "<soap:Body/>"
	done, err := SignBody(random, []byte(soap("", body)), good)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		in string
		o  Options
	}{
		"no SOAP":                 {"<a/>", good},
		"not XML":                 {"a", good},
		"another envelope":        {strings.ReplaceAll(soap("", body), spaceSOAP11, "urn:x"), good},
		"no body":                 {soap("", ""), good},
		"two bodies":              {soap("", body+body), good},
		"body beside, no prefix":  {soap("", body+"<Body/>"), good},
		"body of another space":   {soap("", "<Body/>"), good},
		"two headers":             {envelope("<soap:Header/><soap:Header/>" + body), good},
		"header of another space": {envelope("<Header/>" + body), good},
		"header after the body":   {envelope(body + "<soap:Header/>"), good},
		"two security elements":   {envelope(strings.Replace(header(""), "</soap:Header>", "<Security/></soap:Header>", 1) + body), good},
		"security of another":     {envelope("<soap:Header><Security/></soap:Header>" + body), good},
		"signed already":          {string(done), good},
		"signature elsewhere":     {soap("", signed(t, l, "<soap:Body xmlns:soap='"+spaceSOAP11+"'/>")[len(declaration):]), good},
		"instruction in the body": {soap("", "<soap:Body><?x?></soap:Body>"), good},
		"empty id":                {soap("", soapBody("", "")), good},
		"the same id twice":       {soap("", soapBody("x", `<a Id="x"/>`)), good},
		"doctype":                 {"<!DOCTYPE a>" + soap("", body), good},
		"line breaks":             {soap("", body), wrapped},
		"signing time":            {soap("", body), timed},
		"foreign certificate":     {soap("", body), foreign},
	} {
		if out, err := SignBody(random, []byte(c.in), c.o); err == nil {
			t.Errorf("%s: signed\n%s", name, out)
		}
	}
	for _, in := range []string{soap("", body), envelope(body)} {
		if _, err := parsed(t, in).VerifyBody(); !errors.Is(err, ErrUnsigned) {
			t.Errorf("unsigned message: %v", err)
		}
	}
	// Properties have no place on the state bus, whoever signs them.
	d := parsed(t, soap("", soapBody("id-1", "")))
	_, security, target, err := d.soapParts()
	if err != nil {
		t.Fatal(err)
	}
	qualified, err := d.sign(random, timed, plan{infoMethod: uriExclusive, uri: "#id-1", transforms: []string{uriExclusive}, target: target, parent: security,
		keyInfo: func(l layout, c *pki.Certificate) string { return l.keyIdentifier("wsse", c) }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parsed(t, string(qualified)).VerifyBody(); !errors.Is(err, ErrProfile) {
		t.Errorf("XAdES over a message: %v", err)
	}
}

func FuzzSignBody(f *testing.F) {
	l := pkitest.New(f).Individual()
	for _, s := range []string{soap("", "<soap:Body/>"), envelope("<soap:Body>x</soap:Body>"), `<Envelope xmlns="` + spaceSOAP12 + `"><Header/><Body/></Envelope>`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		out, err := SignBody(random, in, Options{Key: l.Key, Certificate: l.Certificate})
		if err != nil {
			return
		}
		d, err := Parse(out)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.VerifyBody(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	})
}
