package dsig

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"senim/algid"
	"senim/internal/pkitest"
)

// program finds another implementation to compare with; the test is skipped without it.
func program(t *testing.T, name, debian string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed (Debian package %s): nothing to compare with", name, debian)
	}
	return path
}

// randomXML writes a document with what is hard in canonical forms: namespaces declared, repeated,
// undone and rebound, attributes in every order, references, CDATA, white space, instructions.
func randomXML(r *rand.Rand) string {
	var b strings.Builder
	pick := func(list ...string) string { return list[r.Intn(len(list))] }
	var write func(depth int, scope map[string]bool)
	write = func(depth int, scope map[string]bool) {
		scope = func() map[string]bool {
			own := map[string]bool{}
			for p := range scope {
				own[p] = true
			}
			return own
		}()
		var attrs []string
		declared := map[string]string{}
		for _, p := range []string{"p", "q", "a"} {
			if r.Intn(3) == 0 {
				uri := pick("u:1", "u:2", "u:3?x=1") // without &, which libxml2 leaves unescaped here
				attrs = append(attrs, fmt.Sprintf(`xmlns:%s="%s"`, p, uri))
				declared[p], scope[p] = uri, true
			}
		}
		if r.Intn(4) == 0 {
			attrs = append(attrs, `xmlns="`+pick("", "u:1", "u:9")+`"`)
		}
		prefix := func() string {
			for _, p := range []string{"p", "q", "a"} {
				if scope[p] && r.Intn(2) == 0 {
					return p + ":"
				}
			}
			return ""
		}
		name := prefix() + pick("e", "f", "құжат")
		seen := map[string]bool{}
		for range r.Intn(4) {
			local := pick("x", "y", "b", "я")
			if seen[local] { // two prefixes may mean one namespace
				continue
			}
			seen[local] = true
			attrs = append(attrs, prefix()+local+"="+pick(`"1"`, `'2"'`, `"&lt;&#9;&#xA;&#13;&amp;&apos;>"`, "\"\t\n x \"", `"Ә€😀"`))
		}
		if r.Intn(6) == 0 {
			attrs = append(attrs, pick(`xml:lang="kk"`, `xml:space="preserve"`))
		}
		r.Shuffle(len(attrs), func(i, j int) { attrs[i], attrs[j] = attrs[j], attrs[i] })
		b.WriteString("<" + name)
		for _, a := range attrs {
			b.WriteString(pick(" ", "\n", "  ") + a)
		}
		if r.Intn(5) == 0 {
			b.WriteString(pick("/>", " />"))
			return
		}
		b.WriteString(">")
		for range r.Intn(4) {
			switch {
			case depth < 6 && r.Intn(2) == 0:
				write(depth+1, scope)
			default:
				b.WriteString(pick("x", " \n\t", "&lt;&amp;&#13;&#x41;>", "<![CDATA[<&]]>", "<?go  x y ?>", "<?go?>", "Қазақстан", "'\""))
			}
		}
		b.WriteString("</" + name + pick("", " ") + ">")
	}
	b.WriteString(pick("", `<?xml version="1.0" encoding="UTF-8"?>`, "<?before x?>\n") + "<all>")
	for range 60 {
		write(0, map[string]bool{})
	}
	b.WriteString("</all>")
	b.WriteString(pick("", "\n<?after?>\n"))
	return b.String()
}

// Canonical forms agree with those of libxml2.
func TestCanonicalizeLikeLibxml2(t *testing.T) {
	xmllint := program(t, "xmllint", "libxml2-utils")
	r := rand.New(rand.NewSource(20260901))
	file := filepath.Join(t.TempDir(), "in.xml")
	for range 5 {
		doc := randomXML(r)
		if err := os.WriteFile(file, []byte(doc), 0o600); err != nil {
			t.Fatal(err)
		}
		for flag, exclusive := range map[string]bool{"--c14n": false, "--exc-c14n": true} {
			want, err := exec.CommandContext(t.Context(), xmllint, "--nonet", flag, file).Output()
			if err != nil {
				t.Fatalf("xmllint does not take\n%s\n%v", doc, err)
			}
			got, err := Canonicalize([]byte(doc), exclusive)
			if err != nil {
				t.Fatal(err)
			}
			for len(got) > 0 && len(want) > 0 && got[0] == want[0] {
				got, want = got[1:], want[1:]
			}
			if len(got)+len(want) > 0 {
				t.Fatalf("%s of\n%s\nours goes on  %.300s\ntheir goes on %.300s", flag, doc, got, want)
			}
		}
	}
}

// xmlsec runs the other implementation of XML Signature on a document.
type xmlsec struct {
	path, dir string
}

func (x xmlsec) run(t *testing.T, doc string, args ...string) ([]byte, error) {
	t.Helper()
	file := filepath.Join(x.dir, "doc.xml")
	if err := os.WriteFile(file, []byte(doc), 0o600); err != nil {
		t.Fatal(err)
	}
	// Ids are declared to it one by one: a DTD would say so otherwise.
	ids := []string{"--id-attr:Id", "a", "--id-attr:Id", spaceXAdES + ":SignedProperties", "--id-attr:Id", spaceSOAP11 + ":Body"}
	cmd := exec.CommandContext(t.Context(), x.path, append(append(args, ids...), file)...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, errs.String())
	}
	return out, err
}

func (x xmlsec) write(t *testing.T, name, kind string, der []byte) string {
	t.Helper()
	file := filepath.Join(x.dir, name)
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// RSA signatures of every shape verify with xmlsec, and xmlsec makes the same ones over our templates.
func TestSignaturesLikeXMLSec(t *testing.T) {
	x := xmlsec{program(t, "xmlsec1", "xmlsec1"), t.TempDir()}
	a := pkitest.New(t, pkitest.Config{Key: algid.RSA})
	l := a.Issue(pkitest.Spec{Kind: algid.RSA})
	pub, err := x509.MarshalPKIXPublicKey(l.Key.Public())
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(l.Key.(*rsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	pubFile, keyFile := x.write(t, "pub.pem", "PUBLIC KEY", pub), x.write(t, "key.pem", "PRIVATE KEY", private)
	const doc = `<r xmlns="u:1" xmlns:p="u:2" xml:lang="kk"><p:a/> <a Id="part" xmlns="" p:x="&#13;"><x>1</x><![CDATA[<]]></a></r>`
	body, err := SignBody(random, []byte(envelope(`<soap:Body xmlns:p="u:2"><p:x y=" 1"/></soap:Body>`)), Options{Key: l.Key, Certificate: l.Certificate})
	if err != nil {
		t.Fatal(err)
	}
	element := func(d *Document) (*Verified, error) { return d.VerifyElement(Place{Element: "/r/a", Parent: "/r"}) }
	one := strings.Replace(doc, "<p:a/>", "<p:b/>", 1) // a place has one element of its name
	for name, c := range map[string]struct {
		doc    string
		verify func(*Document) (*Verified, error)
	}{
		"enveloped":          {signedBy(t, a, l, plainKind, doc, "", ""), (*Document).VerifyOne},
		"enveloped, XAdES":   {signedBy(t, a, l, besKind, doc, "", ""), (*Document).VerifyOne},
		"enveloped, XAdES-T": {signedBy(t, a, l, tKind, doc, "", ""), (*Document).VerifyOne},
		"by id":              {signedBy(t, a, l, plainKind, one, "part", ""), element},
		"by id, XAdES":       {signedBy(t, a, l, besKind, one, "part", ""), element},
		"WSSE":               {string(body), (*Document).VerifyBody},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := c.verify(parsed(t, c.doc)); err != nil {
				t.Fatal(err)
			}
			if _, err := x.run(t, c.doc, "--verify", "--pubkey-pem", pubFile, "--enabled-key-data", "rsa"); err != nil {
				t.Errorf("xmlsec refuses it: %v", err)
			}
			broken := strings.ReplaceAll(c.doc, "1", "2")
			if _, err := x.run(t, broken, "--verify", "--pubkey-pem", pubFile, "--enabled-key-data", "rsa"); err == nil {
				t.Error("xmlsec takes anything: it proves nothing here")
			}
			empty := regexp.MustCompile(`<ds:(DigestValue|SignatureValue)>[^<]*<`).ReplaceAllStringFunc(c.doc, func(s string) string {
				if strings.Contains(c.doc, s+"/ds:DigestValue></xades:CertDigest>") {
					return s // not xmlsec's to make
				}
				return s[:strings.Index(s, ">")+1] + "<"
			})
			theirs, err := x.run(t, empty, "--sign", "--privkey-pem", keyFile)
			if err != nil {
				t.Fatal(err)
			}
			d := parsed(t, string(theirs))
			mine, err := readSignature(parsed(t, c.doc).allSignatures()[0])
			if err != nil {
				t.Fatal(err)
			}
			other, err := readSignature(d.allSignatures()[0])
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(mine.value, other.value) || !bytes.Equal(mine.covered.digest, other.covered.digest) {
				t.Errorf("xmlsec makes another signature:\n%s\n%s", c.doc, theirs)
			}
		})
	}
}
