package dsig

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"senim/algid"
	"senim/internal/pkitest"
)

// cut splits a signed document into what stands before the signature, the signature, and the rest.
func cut(t *testing.T, doc string) (before, sig, after string) {
	t.Helper()
	i, j := strings.Index(doc, "<ds:Signature "), strings.Index(doc, "</ds:Signature>")
	if i < 0 || j < 0 {
		t.Fatal("no signature in the document")
	}
	j += len("</ds:Signature>")
	return doc[:i], doc[i:j], doc[j:]
}

// within puts markup into the signature as its last child.
func within(sig, markup string) string {
	return strings.TrimSuffix(sig, "</ds:Signature>") + markup + "</ds:Signature>"
}

// inObject is the same inside ds:Object.
func inObject(sig, markup string) string {
	return within(sig, "<ds:Object>"+markup+"</ds:Object>")
}

// refusedBy checks that no way to verify takes the document.
func refusedBy(t *testing.T, name, doc string, more ...func(*Document) (*Verified, error)) {
	t.Helper()
	d, err := Parse([]byte(doc))
	if err != nil {
		return
	}
	all := append(more, (*Document).VerifyOne, (*Document).VerifyBody, func(d *Document) (*Verified, error) {
		vs, err := d.Verify()
		if err != nil {
			return nil, err
		}
		return &vs[0], nil
	})
	for i, verify := range all {
		if v, err := verify(d); err == nil {
			t.Errorf("%s, way %d: verifies\n%s\nsigned %s", name, i, doc, v.Signed)
		}
	}
}

// The nine samples of security.md §2 over an enveloped signature: S is over the document
// <root><sum>1</sum></root>, the reader wants /root/sum.
func TestSec2WrappingEnveloped(t *testing.T) {
	a := pkitest.New(t)
	for _, k := range kinds {
		t.Run(string(k), func(t *testing.T) { wrapEnveloped(t, a, k) })
	}
}

func wrapEnveloped(t *testing.T, a *pkitest.Authority, k kindOf) {
	_, s, _ := cut(t, signedAs(t, a, k, "<root><sum>1</sum></root>", "", ""))
	const evil, o = "<sum>9</sum>", "<root><sum>1</sum></root>"
	if _, err := parsed(t, "<root><sum>1</sum>"+s+"</root>").VerifyOne(); err != nil {
		t.Fatal(err)
	}
	for name, hidden := range hide(s, o) {
		refusedBy(t, "1, 6, 8 original "+name, "<root>"+evil+hidden+"</root>")
	}
	for name, hidden := range hide(s, "<sum>1</sum>") {
		refusedBy(t, "8 part "+name, "<root>"+evil+hidden+"</root>")
	}
	for name, doc := range map[string]string{
		"1 original in the signature":     "<root>" + evil + inObject(s, o) + "</root>",
		"2 original before the signature": "<root>" + evil + o + s + "</root>",
		"3 evil sibling before":           "<x><root>" + evil + "</root><root><sum>1</sum>" + s + "</root></x>",
		"3 as second root":                "<root>" + evil + "</root><root><sum>1</sum>" + s + "</root>",
		"4 evil around":                   "<root>" + evil + "<root><sum>1</sum>" + s + "</root></root>",
		"5 original follows":              "<x><root>" + evil + s + "</root>" + o + "</x>",
		"5 original follows as a root":    "<root>" + evil + s + "</root>" + o,
		"6 original bare in signature":    "<root>" + evil + within(s, o) + "</root>",
		"7 original in an extension":      "<root><ext>" + o + "</ext>" + evil + s + "</root>",
		"8 object, evil with the name":    "<root><sum>9</sum>" + inObject(s, "<sum>1</sum>") + "</root>",
		"9 unknown wrapper":               "<root><w>" + o + "</w><sum>9</sum>" + s + "</root>",
		"added beside":                    "<root><sum>1</sum>" + evil + s + "</root>",
		"added after":                     "<root><sum>1</sum>" + s + evil + "</root>",
		"added in KeyInfo":                "<root><sum>1</sum>" + strings.Replace(s, "<ds:X509Data>", evil+"<ds:X509Data>", 1) + "</root>",
		"signature alone":                 s,
		"signature deep, foreign root":    "<foreign><root><sum>1</sum>" + s + "</root></foreign>",
		"signature deep":                  "<root><sum>1</sum><deep>" + s + "</deep></root>",
		"signature of another document":   "<other><sum>1</sum>" + s + "</other>",
	} {
		refusedBy(t, name, doc)
	}
}

// The nine samples over one element by its id: the reader wants /root/order.
func TestSec2WrappingElement(t *testing.T) {
	a := pkitest.New(t)
	for _, k := range kinds {
		t.Run(string(k), func(t *testing.T) { wrapElement(t, a, k) })
	}
}

func wrapElement(t *testing.T, a *pkitest.Authority, k kindOf) {
	const o = `<order Id="o"><sum>1</sum></order>`
	_, s, _ := cut(t, signedAs(t, a, k, "<root>"+o+"</root>", "o", ""))
	place := func(d *Document) (*Verified, error) {
		return d.VerifyElement(Place{Element: "/root/order", Parent: "/root"})
	}
	if v, err := place(parsed(t, "<root>"+o+s+"</root>")); err != nil || v.Element.At("sum").Text != "1" {
		t.Fatal(err)
	}
	evil := func(id, inner string) string {
		if id != "" {
			id = ` Id="` + id + `"`
		}
		return "<order" + id + "><sum>9</sum>" + inner + "</order>"
	}
	for name, hidden := range hide(s, o) {
		refusedBy(t, "1 in evil, original "+name, "<root>"+evil("", hidden)+"</root>", place)
		refusedBy(t, "6 at its place, original "+name, "<root>"+evil("e", "")+hidden+"</root>", place)
		refusedBy(t, "8 same id, original "+name, "<root>"+evil("o", "")+hidden+"</root>", place)
		refusedBy(t, "8 no id, original "+name, "<root>"+evil("", "")+hidden+"</root>", place)
	}
	for name, doc := range map[string]string{
		"1 original in the signature":     evil("", inObject(s, o)),
		"1 under the root":                "<root>" + evil("", inObject(s, o)) + "</root>",
		"2 original before the signature": "<root>" + evil("e", o+s) + "</root>",
		"3 evil sibling before":           "<root>" + evil("e", "") + o + s + "</root>",
		"3 signature in the original":     "<root>" + evil("e", "") + strings.Replace(o, "</order>", s+"</order>", 1) + "</root>",
		"4 evil around":                   "<root>" + evil("e", o) + s + "</root>",
		"5 signature in evil":             "<root>" + evil("e", s) + o + "</root>",
		"6 original bare in signature":    "<root>" + evil("e", within(s, o)) + "</root>",
		"6 signature at its place":        "<root>" + evil("e", "") + within(s, o) + "</root>",
		"7 same id in an extension":       "<root><ext>" + o + "</ext>" + evil("o", "") + s + "</root>",
		"8 same id in an object":          "<root>" + evil("o", "") + inObject(s, o) + "</root>",
		"9 unknown wrapper":               "<root><w>" + o + "</w>" + evil("e", "") + s + "</root>",
		"9 no id":                         "<root><w>" + o + "</w>" + evil("", "") + s + "</root>",
		"id in another attribute":         "<root><w>" + o + "</w>" + strings.Replace(evil("", ""), "<order", `<order ID="o"`, 1) + s + "</root>",
		"doctype that declares ids":       `<!DOCTYPE root [<!ATTLIST order x ID #IMPLIED>]><root><w>` + o + `</w><order x="o"/>` + s + "</root>",
		"two signatures":                  "<root>" + o + s + s + "</root>",
		"broken before good":              "<root>" + o + strings.Replace(s, "DigestValue>", "DigestValue>AAAA", 1) + s + "</root>",
		"foreign root":                    "<foreign><root>" + o + s + "</root></foreign>",
		"other parent":                    "<root>" + o + "<p>" + s + "</p></root>",
		"other root":                      "<toor>" + o + s + "</toor>",
	} {
		refusedBy(t, name, doc, place)
	}
}

// soap makes an envelope around what stands in the security header, and the body.
func soap(security, body string) string { return envelope(header(security) + body) }

func envelope(inner string) string {
	return `<soap:Envelope xmlns:soap="` + spaceSOAP11 + `">` + inner + `</soap:Envelope>`
}

func header(security string) string {
	return `<soap:Header><wsse:Security xmlns:wsse="` + spaceWSSE + `" soap:mustUnderstand="1">` + security + `</wsse:Security></soap:Header>`
}

func soapBody(id, inner string) string {
	return `<soap:Body xmlns:wsu="` + spaceWSU + `" wsu:Id="` + id + `">` + inner + `</soap:Body>`
}

// list is a prefix list as SOAP stacks write it.
func list(prefixes string) string {
	return `<ec:InclusiveNamespaces xmlns:ec="` + uriExclusive + `" PrefixList="` + prefixes + `"/>`
}

// soapSignature signs the body of soap("", body) as the state bus does.
func soapSignature(t *testing.T, l *pkitest.Leaf, body string, prefixes string) string {
	t.Helper()
	d := parsed(t, soap("", body))
	o := Options{Key: l.Key, Certificate: l.Certificate}
	m, err := o.check()
	if err != nil {
		t.Fatal(err)
	}
	exclusive := method{exclusive: true, prefixes: prefixes}
	p := pointer{uri: "#id-1", transforms: []string{uriExclusive}, digest: m.signature.Hash().Sum(exclusive.canonicalize(d.ids["id-1"]))}
	sig := markup{keyInfo: layout{}.keyIdentifier("wsse", l.Certificate)}
	sig.info = sig.signedInfo(uriExclusive, m, []pointer{p})
	if prefixes != "" {
		sig.info = strings.NewReplacer(uriExclusive+`"/></ds:Transforms`, uriExclusive+`">`+list(prefixes)+`</ds:Transform></ds:Transforms`,
			uriExclusive+`"/><ds:SignatureMethod`, uriExclusive+`">`+list(prefixes)+`</ds:CanonicalizationMethod><ds:SignatureMethod`).Replace(sig.info)
	}
	placed := parsed(t, soap(string(sig.bytes()), body)).allSignatures()[0].elements()[0]
	if sig.value, err = m.signature.Sign(random, l.Key, exclusive.canonicalize(placed)); err != nil {
		t.Fatal(err)
	}
	return string(sig.bytes())
}

// The nine samples over a SOAP body by its wsu:Id.
func TestSec2WrappingSOAP(t *testing.T) {
	l := pkitest.New(t).Individual()
	o := soapBody("id-1", "<sum>1</sum>")
	listed := soapSignature(t, l, o, "soap wsse")
	if _, err := parsed(t, soap(listed, o)).VerifyBody(); err != nil || !strings.Contains(listed, "PrefixList") {
		t.Errorf("with a prefix list: %v", err)
	}
	whole, err := SignBody(random, []byte(soap("", o)), Options{Key: l.Key, Certificate: l.Certificate})
	if err != nil {
		t.Fatal(err)
	}
	_, s, _ := cut(t, string(whole))
	v, err := parsed(t, soap(s, o)).VerifyBody()
	if err != nil || v.Element.At("sum").Text != "1" || v.ID != "id-1" {
		t.Fatal(err)
	}
	evil := func(id, inner string) string { return soapBody(id, "<sum>9</sum>"+inner) }
	for name, doc := range map[string]string{
		"1 original in the signature":     soap("", evil("e", inObject(strings.Replace(s, "<ds:Signature", `<ds:Signature xmlns:wsse="`+spaceWSSE+`"`, 1), o))),
		"2 original before the signature": soap(o+s, evil("e", "")),
		"3 evil sibling before":           soap(s, evil("e", "")+o),
		"3 evil sibling after":            soap(s, o+evil("e", "")),
		"4 evil around":                   soap(s, evil("e", o)),
		"5 signature in evil":             soap("", evil("e", strings.Replace(s, "<ds:Signature", `<ds:Signature xmlns:wsse="`+spaceWSSE+`"`, 1))+o),
		"6 original bare in signature":    soap(within(s, o), evil("e", "")),
		"7 same id in an extension":       soap("<ext>"+o+"</ext>"+s, evil("id-1", "")),
		"8 same id in an object":          soap(inObject(s, o), evil("id-1", "")),
		"9 unknown wrapper":               soap(s+"<w>"+o+"</w>", evil("e", "")),
		"9 no id":                         soap(s+"<w>"+o+"</w>", "<soap:Body><sum>9</sum></soap:Body>"),
		"body twice, first unsigned":      soap(s, "<soap:Body><sum>9</sum></soap:Body>"+o),
		"body of another namespace":       soap(s, strings.ReplaceAll(o, "soap:Body", "Body")),
		"two headers":                     strings.Replace(soap(s, o), "<soap:Header>", "<soap:Header></soap:Header><soap:Header>", 1),
		"two security elements":           strings.Replace(soap(s, o), "<wsse:Security", `<Security/><wsse:Security`, 1),
		"8 no id, original in an object":  soap(inObject(s, o), "<soap:Body><sum>9</sum></soap:Body>"),
		"6 no id, original bare":          soap(within(s, o), "<soap:Body><sum>9</sum></soap:Body>"),
		"no header":                       strings.NewReplacer("<soap:Header>", "", "</soap:Header>", "").Replace(soap(s, o)),
		"header after the body":           envelope(o + header(s)),
		"header of another namespace":     strings.NewReplacer("soap:Header", "Header").Replace(soap(s, o)),
		"security of another namespace":   strings.Replace(soap(s, o), `xmlns:wsse="`+spaceWSSE, `xmlns:wsse="urn:x`, 1),
		"envelope of another namespace":   strings.Replace(soap(s, o), spaceSOAP11, "urn:soap", 1),
		"envelope inside another":         "<x>" + soap(s, o) + "</x>",
		"signature beside security":       envelope("<soap:Header>" + strings.Replace(s, "<ds:Signature", `<ds:Signature xmlns:wsse="`+spaceWSSE+`"`, 1) + "</soap:Header>" + o),
		"signature deeper in security":    soap("<x>"+s+"</x>", o),
		"two signatures":                  soap(s+s, o),
		"id under another name":           soap(s, "<soap:Body xmlns:wsu=\""+spaceWSU+"\" wsu:Id=\"e\"><sum>9</sum></soap:Body><w Id=\"id-1\"/>"),
		"two SignedInfo":                  soap(strings.Replace(s, "</ds:SignedInfo>", "</ds:SignedInfo><ds:SignedInfo/>", 1), o),
		"external reference":              soap(strings.Replace(s, `URI="#id-1"`, `URI="http://example.kz/#id-1"`, 1), o),
		"prefix rebound":                  soap(s, strings.Replace(o, "<soap:Body", `<soap:Body xmlns:soap="`+spaceSOAP12+`"`, 1)),
		"doctype":                         "<!DOCTYPE x>" + soap(s, o),
		"thumbprint":                      soap(strings.Replace(s, "#X509v3", "#X509SKI", 1), o),
		"hexadecimal":                     soap(strings.Replace(s, "#Base64Binary", "#HexBinary", 1), o),
		"key by X509Data":                 soap(strings.NewReplacer("wsse:SecurityTokenReference", "ds:X509Data", "wsse:KeyIdentifier", "ds:X509Certificate").Replace(s), o),
		"changed":                         soap(s, strings.Replace(o, ">1<", ">2<", 1)),
	} {
		refusedBy(t, name, doc)
	}
}

// Ours besides, security.md §2.
func TestSec2OursBesides(t *testing.T) {
	a := pkitest.New(t)
	l := a.Individual()
	one := signed(t, l, `<r xmlns:p="u:1"><p:sum>1</p:sum></r>`)
	before, s, after := cut(t, one)
	replace := func(old, with string) string {
		out := strings.Replace(one, old, with, 1)
		if out == one {
			t.Fatalf("nothing to replace: %s", old)
		}
		return out
	}
	info := s[strings.Index(s, "<ds:SignedInfo>") : strings.Index(s, "</ds:SignedInfo>")+len("</ds:SignedInfo>")]
	for name, doc := range map[string]string{
		"valid signature second":      before + strings.Replace(s, "<ds:SignatureValue>", "<ds:SignatureValue>AAAA", 1) + s + after,
		"SignedInfo twice":            replace("</ds:SignedInfo>", "</ds:SignedInfo>"+info),
		"evil SignedInfo first":       replace("<ds:SignedInfo>", strings.Replace(info, "DigestValue>", "DigestValue>AAAA", 1)+"<ds:SignedInfo>"),
		"digest split by a comment":   replace("<ds:DigestValue>", "<ds:DigestValue><!-- x -->"),
		"value split by a comment":    replace("<ds:SignatureValue>", "<ds:SignatureValue><!-- x -->"),
		"comment in SignedInfo":       replace("<ds:SignedInfo>", "<ds:SignedInfo><!-- x -->"),
		"text in SignedInfo":          replace("<ds:SignedInfo>", "<ds:SignedInfo>x"),
		"prefix rebound":              replace(`xmlns:p="u:1"`, `xmlns:p="u:2"`),
		"prefix rebound below":        replace("<p:sum>", `<p:sum xmlns:p="u:2">`),
		"signature of another prefix": replace(`xmlns:ds="http://www.w3.org/2000/09/xmldsig#"`, `xmlns:ds="http://www.w3.org/2000/09/xmldsig"`),
		"instruction inside":          replace("<p:sum>", "<p:sum><?x?>"),
		"two references":              replace("</ds:Reference>", "</ds:Reference>"+info[strings.Index(info, "<ds:Reference"):strings.Index(info, "</ds:SignedInfo>")]),
		"other URI":                   replace(`URI=""`, `URI="http://evil/"`),
		"xpointer":                    replace(`URI=""`, `URI="#xpointer(/)"`),
		"no URI":                      replace(` URI=""`, ""),
		"XPath transform":             replace(uriInclusiveComments, "http://www.w3.org/TR/1999/REC-xpath-19991116"),
		"XSLT transform":              replace(uriInclusiveComments, "http://www.w3.org/TR/1999/REC-xslt-19991116"),
		"base64 transform":            replace(uriInclusiveComments, spaceDS+"base64"),
		"no enveloped transform":      replace(`<ds:Transform Algorithm="`+uriEnveloped+`"/>`, ""),
		"exclusive document":          replace(uriInclusiveComments, uriExclusive),
		"HMAC":                        replace(methods[0].uri, spaceDS+"hmac-sha1"),
		"digest of another strength":  replace(methods[0].digestURI, methods[1].digestURI),
		"canonicalization unknown":    replace(uriInclusive+`"`, `http://www.w3.org/2006/12/xml-c14n11"`),
		"parameters of a method":      replace(`<ds:SignatureMethod Algorithm="`+methods[0].uri+`"/>`, `<ds:SignatureMethod Algorithm="`+methods[0].uri+`"><ds:HMACOutputLength>8</ds:HMACOutputLength></ds:SignatureMethod>`),
		"prefix list, inclusive":      replace(`<ds:CanonicalizationMethod Algorithm="`+uriInclusive+`"/>`, `<ds:CanonicalizationMethod Algorithm="`+uriInclusive+`"><InclusiveNamespaces xmlns="`+uriExclusive+`" PrefixList="p"/></ds:CanonicalizationMethod>`),
		"two certificates":            replace("<ds:X509Certificate>", "<ds:X509Certificate>AAAA</ds:X509Certificate><ds:X509Certificate>"),
		"key value beside":            replace("<ds:X509Data>", "<ds:KeyValue/><ds:X509Data>"),
		"no key":                      replace("<ds:X509Data>", "<ds:X509SKI>AAAA</ds:X509SKI><ds:X509Data>"),
		"strange attribute":           replace("<ds:SignedInfo>", `<ds:SignedInfo xml:lang="kk">`),
		"not base64":                  replace("<ds:SignatureValue>", "<ds:SignatureValue>*"),
		"empty value":                 before + s[:strings.Index(s, "<ds:SignatureValue>")] + "<ds:SignatureValue/>" + s[strings.Index(s, "</ds:SignatureValue>")+len("</ds:SignatureValue>"):] + after,
		"doctype":                     strings.Replace(one, "<r ", `<!DOCTYPE r [<!ATTLIST r x ID #IMPLIED>]><r `, 1),
		"unsigned":                    before + after,
	} {
		refusedBy(t, name, doc)
	}
	if _, err := parsed(t, before+after).Verify(); !errors.Is(err, ErrUnsigned) {
		t.Errorf("unsigned: %v", err)
	}
	if _, err := parsed(t, replace("<p:sum>1", "<p:sum>2")).Verify(); !errors.Is(err, ErrDigest) {
		t.Errorf("changed: %v", err)
	}
	// Signed by another key than that of the certificate shown.
	foreign := base64.StdEncoding.EncodeToString(a.Individual().Certificate.Raw)
	own := base64.StdEncoding.EncodeToString(l.Certificate.Raw)
	if _, err := parsed(t, replace(own, foreign)).Verify(); !errors.Is(err, ErrSignature) {
		t.Errorf("foreign certificate: %v", err)
	}
	// A key of another kind.
	rsa := base64.StdEncoding.EncodeToString(a.Issue(pkitest.Spec{Kind: algid.RSA}).Certificate.Raw)
	refusedBy(t, "RSA key", replace(own, rsa))
}

// A co-signed document with its first signature broken, or taken away, is refused as a whole.
func TestSec2CoSignedBroken(t *testing.T) {
	a := pkitest.New(t)
	two := signed(t, a.Head(), signed(t, a.Individual(), "<r><sum>1</sum></r>"))
	before, first, rest := cut(t, two)
	_, second, after := cut(t, rest)
	refusedBy(t, "first broken", before+strings.Replace(first, "<ds:SignatureValue>", "<ds:SignatureValue>AAAA", 1)+second+after)
	refusedBy(t, "first gone", before+second+after)
	refusedBy(t, "turned round", before+second+first+after)
	refusedBy(t, "first twice", before+first+first+second+after)
	if _, err := parsed(t, before+first+after).VerifyOne(); err != nil {
		t.Errorf("the first alone is a good document: %v", err)
	}
}

// Comments do not change what is signed, so what is read must not see them either.
func TestSec2CommentInText(t *testing.T) {
	l := pkitest.New(t).Individual()
	doc := strings.Replace(signed(t, l, "<r><who>administrator</who></r>"), "admin", "admin<!-- -->", 1)
	v, err := parsed(t, doc).VerifyOne()
	if err != nil || v.Element.Child("who").Text != "administrator" {
		t.Errorf("%v: %+v", err, v)
	}
}
