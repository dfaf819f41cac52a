package dsig

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"errors"
	"strings"
	"testing"

	"senim/algid"
	"senim/internal/pkitest"
)

var random = rand.Reader

func parsed(t testing.TB, xml string) *Document {
	t.Helper()
	d, err := Parse([]byte(xml))
	if err != nil {
		t.Fatalf("%v\n%s", err, xml)
	}
	return d
}

func signed(t testing.TB, l *pkitest.Leaf, xml string) string {
	t.Helper()
	out, err := SignEnveloped(random, []byte(xml), Options{Key: l.Key, Certificate: l.Certificate})
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestSignEnveloped(t *testing.T) {
	a := pkitest.New(t)
	for _, kind := range []algid.Key{algid.GOST512, algid.GOST256, algid.GOST2004, algid.RSA} {
		l := a.Issue(pkitest.Spec{Kind: kind})
		for name, c := range map[string]struct{ in, kept, canonical string }{
			"plain":       {"<tag>data</tag>", "<tag>data", "<tag>data</tag>"},
			"self-closed": {"<tag a='1' />", "<tag a='1' >", `<tag a="1"></tag>`},
			"declaration": {"\ufeff<?xml version='1.0'?>\r\n<!-- x --><?go y?>\n<tag/>\n<!-- z -->", "<tag>", "<tag></tag>"},
			"namespaces": {`<p:t xmlns:p="u:1" xmlns="u:2" xmlns:ds="u:3"><a ds:b='"'/>` + "\r\n&#13;</p:t>",
				`<p:t xmlns:p="u:1" xmlns="u:2" xmlns:ds="u:3"><a ds:b='"'/>` + "\r\n&#13;",
				`<p:t xmlns="u:2" xmlns:ds="u:3" xmlns:p="u:1"><a ds:b="&quot;"></a>` + "\n&#xD;</p:t>"},
			"language": {`<t xml:lang="kk">Сәлем<!-- not signed --></t>`, `<t xml:lang="kk">Сәлем<!-- not signed -->`, `<t xml:lang="kk">Сәлем</t>`},
		} {
			for _, wrapped := range []bool{false, true} {
				out, err := SignEnveloped(random, []byte(c.in), Options{Key: l.Key, Certificate: l.Certificate, Wrapped: wrapped})
				if err != nil {
					t.Fatal(err)
				}
				if !strings.HasPrefix(string(out), declaration+c.kept+`<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#">`) {
					t.Errorf("%s: bytes were not kept:\n%.200s", name, out)
				}
				v, err := parsed(t, string(out)).VerifyOne()
				if err != nil {
					t.Errorf("%v %s wrapped %v: %v", kind, name, wrapped, err)
					continue
				}
				if string(v.Signed) != c.canonical || !bytes.Equal(v.Certificate.Raw, l.Certificate.Raw) || v.ID != "" || v.Weak {
					t.Errorf("%s: signed %s", name, v.Signed)
				}
			}
		}
	}
}

// The layouts of agent.md §3.1, with its conformance vector.
func TestLayouts(t *testing.T) {
	l := pkitest.New(t).Issue(pkitest.Spec{Kind: algid.RSA})
	out, err := SignEnveloped(random, []byte("<tag>data</tag>"), Options{Key: l.Key, Certificate: l.Certificate, Wrapped: true})
	if err != nil {
		t.Fatal(err)
	}
	want := `<?xml version="1.0" encoding="UTF-8" standalone="no"?><tag>data<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#">
<ds:SignedInfo>
<ds:CanonicalizationMethod Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"/>
<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/>
<ds:Reference URI="">
<ds:Transforms>
<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>
<ds:Transform Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments"/>
</ds:Transforms>
<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>
<ds:DigestValue>soDZFGIUsZ1x0sK/7x1bJvtGeQsO0BKOVwAvKxC3RJY=</ds:DigestValue>
</ds:Reference>
</ds:SignedInfo>
<ds:SignatureValue>
`
	if !strings.HasPrefix(string(out), want) {
		t.Errorf("wrapped:\n%s", out)
	}
	if !strings.HasSuffix(string(out), "\n</ds:X509Certificate>\n</ds:X509Data>\n</ds:KeyInfo>\n</ds:Signature></tag>") {
		t.Errorf("wrapped ends:\n%s", out)
	}
	for _, line := range strings.Split(string(out), "\n") {
		if !strings.Contains(line, "<") && len(line) > 76 {
			t.Errorf("line of %d columns", len(line))
		}
	}
	compact := signed(t, l, "<tag>data</tag>")
	if strings.ContainsAny(compact, "\r\n") || !strings.HasPrefix(compact, strings.ReplaceAll(want, "\n", "")) {
		t.Errorf("compact:\n%s", compact)
	}
	gost := pkitest.New(t).Individual()
	out, err = SignEnveloped(random, []byte("<a/>"), Options{Key: gost.Key, Certificate: gost.Certificate, Wrapped: true})
	if err != nil {
		t.Fatal(err)
	}
	_, digest, _ := strings.Cut(string(out), "<ds:DigestValue>")
	if strings.IndexByte(digest, '\n') != 76 {
		t.Errorf("digest of 64 bytes does not wrap after column 76: %.100q", digest)
	}
}

func TestCoSign(t *testing.T) {
	a := pkitest.New(t)
	rsa, gost := a.Issue(pkitest.Spec{Kind: algid.RSA}), a.Individual()
	one := signed(t, rsa, "<r><sum>1</sum></r>")
	two := signed(t, gost, one)
	d := parsed(t, two)
	vs, err := d.Verify()
	if err != nil {
		t.Fatal(err)
	}
	if len(vs) != 2 || vs[0].Method != algid.GOST512Sig || vs[1].Method != algid.SHA256WithRSA {
		t.Errorf("%d verdicts, %v first", len(vs), vs[0].Method)
	}
	if string(vs[1].Signed) != "<r><sum>1</sum></r>" || vs[0].Element.Child("Signature") == nil || vs[1].Element.Child("Signature") != nil {
		t.Errorf("first signature covers %s", vs[1].Signed)
	}
	if _, err := d.VerifyOne(); !errors.Is(err, ErrProfile) {
		t.Errorf("two signatures where one was expected: %v", err)
	}
	if e := d.RootWithoutSignatures(); len(e.Children) != 1 || len(d.Signers()) != 2 || !bytes.Equal(d.Signers()[0].Raw, rsa.Certificate.Raw) {
		t.Errorf("view has %d children", len(e.Children))
	}
}

func TestSignElement(t *testing.T) {
	l := pkitest.New(t).Individual()
	o := Options{Key: l.Key, Certificate: l.Certificate}
	for name, c := range map[string]struct{ in, parent, signed string }{
		"root":        {`<r><a Id="part"><x>1</x></a><b/></r>`, "", `<a Id="part"><x>1</x></a>`},
		"self-closed": {`<r><a id="part"/><b/></r>`, "/r/b", `<a id="part"></a>`},
		"nested":      {`<r><b><c ID='part'/></b><b><s/></b></r>`, "/r/b[2]/s", `<c ID="part"></c>`},
		"namespaces":  {`<r xmlns="u:1" xmlns:p="u:2" xml:lang="kk"><a Id="part"/></r>`, "//r", `<a xmlns="u:1" xmlns:p="u:2" Id="part" xml:lang="kk"></a>`},
	} {
		out, err := SignElement(random, []byte(c.in), "part", c.parent, o)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		d := parsed(t, string(out))
		path, parent := pathOf(d.ids["part"]), pathOf(d.allSignatures()[0].parent)
		if name == "nested" {
			// Two elements of one name on the way: nobody could say which the reader means.
			if _, err := d.VerifyElement(Place{path, parent}); err == nil {
				t.Error("ambiguous place accepted")
			}
			continue
		}
		v, err := d.VerifyElement(Place{path, parent})
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
			continue
		}
		if string(v.Signed) != c.signed || v.ID != "part" || v.Element.ID() != "part" {
			t.Errorf("%s: signed %s", name, v.Signed)
		}
	}
	for name, c := range map[string][2]string{
		"no such id": {`<r><a Id="other"/></r>`, ""}, "no such parent": {`<r><a Id="part"/></r>`, "/r/x"},
		"two parents": {`<r><a Id="part"/><b/><b/></r>`, "/r/b"}, "inside itself": {`<r><a Id="part"><b/></a></r>`, "/r/a/b"},
		"itself": {`<r><a Id="part"/></r>`, "/r/a"}, "strange path": {`<r><a Id="part"/></r>`, "count(/r)"},
	} {
		if _, err := SignElement(random, []byte(c[0]), "part", c[1], o); err == nil {
			t.Errorf("%s: signed", name)
		}
	}
}

// pathOf is the path of local names to a node.
func pathOf(n *node) string {
	if n == nil {
		return ""
	}
	return pathOf(n.parent) + "/" + n.local
}

func TestSignRefuses(t *testing.T) {
	a := pkitest.New(t)
	l, other := a.Individual(), a.Individual()
	good := Options{Key: l.Key, Certificate: l.Certificate}
	for name, c := range map[string]struct {
		in string
		o  Options
	}{
		"foreign certificate": {"<a/>", Options{Key: l.Key, Certificate: other.Certificate}},
		"no key":              {"<a/>", Options{Certificate: l.Certificate}},
		"no certificate":      {"<a/>", Options{Key: l.Key}},
		"doctype":             {"<!DOCTYPE a><a/>", good},
		"instruction":         {"<a><?x?></a>", good},
		"not XML":             {"a", good},
	} {
		if _, err := SignEnveloped(random, []byte(c.in), c.o); err == nil {
			t.Errorf("%s: signed", name)
		}
	}
}

func TestFind(t *testing.T) {
	d := parsed(t, `<r xmlns:p="u"><a Id="1"><b/></a><p:a Id="2"/><c><a Id="3" p:Id="4"/></c></r>`)
	for path, want := range map[string]string{
		"/r/a": "1 2", "/p:r/p:a": "1 2", "//a": "1 2 3", "//*[@Id='3']": "3", `/r/a[@Id="2"]`: "2", "/r/a[2]": "2", "/r/*/a": "3",
		"//c//a": "3", "/x": "", "/r/a[@Id='1'][1]": "1", "//a[1]": "1 3",
	} {
		found, err := d.Find(path)
		var ids []string
		for _, e := range found {
			ids = append(ids, e.ID())
		}
		if err != nil || strings.Join(ids, " ") != want {
			t.Errorf("%s: %v, %v", path, ids, err)
		}
	}
	for _, path := range []string{"", "a", "/", "/a[", "/a[x]", "/a[@b]", "/a[@b='c]", "/a[0]", "//", "/a[last()]", "/" + strings.Repeat("a", 2000)} {
		if _, err := d.Find(path); err == nil {
			t.Errorf("%q: accepted", path)
		}
	}
}

func TestElement(t *testing.T) {
	e := parsed(t, `<r xmlns="u:1" a="1"><b>x<!-- y -->z<![CDATA[<]]></b><c/><c/><d><e>1</e></d></r>`).RootWithoutSignatures()
	if e.Space != "u:1" || e.Attr("a") != "1" || e.Attr("b") != "" || e.ID() != "" || e.Child("b").Text != "xz<" || e.Child("b").Space != "u:1" {
		t.Errorf("%+v", e)
	}
	if e.Child("c") != nil || len(e.All("c")) != 2 || e.At("d", "e").Text != "1" || e.At("d", "x", "y") != nil {
		t.Error("children")
	}
}

// Old documents with SHA-1 verify and are shown as weak; we do not make them.
func TestSec2WeakIsSaid(t *testing.T) {
	l := pkitest.New(t).Issue(pkitest.Spec{Kind: algid.RSA})
	m := algorithms(methods[len(methods)-1])
	d := parsed(t, "<a/>")
	p := plan{infoMethod: uriInclusive, transforms: []string{uriEnveloped, uriInclusiveComments}, target: d.root, parent: d.root}
	sig := markup{keyInfo: layout{}.x509Data(l.Certificate)}
	sig.info = sig.signedInfo(p.infoMethod, m, []pointer{p.covered(m.signature.Hash())})
	_, placed, err := d.place(d.root, sig)
	if err != nil {
		t.Fatal(err)
	}
	sig.value, err = l.Key.Sign(random, m.signature.Hash().Sum(method{}.canonicalize(placed.elements()[0])), crypto.SHA1)
	if err != nil {
		t.Fatal(err)
	}
	v, err := parsed(t, string(d.insert(d.root, sig.bytes()))).VerifyOne()
	if err != nil || !v.Weak || v.Method != algid.SHA1WithRSA {
		t.Errorf("%v: %+v", err, v)
	}
}

// Who signed is shown wherever the signature stands; none of it is proved.
func TestSigners(t *testing.T) {
	a := pkitest.New(t)
	l := a.Individual()
	body, err := SignBody(random, []byte(soap("", "<soap:Body/>")), Options{Key: l.Key, Certificate: l.Certificate})
	if err != nil {
		t.Fatal(err)
	}
	for name, doc := range map[string]string{
		"enveloped": signedBy(t, a, l, tKind, "<r/>", "", ""), "element": signedBy(t, a, l, besKind, `<r><a Id="x"/><b/></r>`, "x", "/r/b"), "SOAP": string(body),
	} {
		if s := parsed(t, doc).Signers(); len(s) != 1 || !bytes.Equal(s[0].Raw, l.Certificate.Raw) {
			t.Errorf("%s: %d signers", name, len(s))
		}
	}
	if s := parsed(t, "<r>"+strings.Repeat(`<ds:Signature xmlns:ds="`+spaceDS+`"/>`, 3)+"</r>").Signers(); len(s) != 0 {
		t.Errorf("empty signatures: %d signers", len(s))
	}
}
