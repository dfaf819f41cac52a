package agent

import (
	"bytes"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"senim/algid"
	"senim/cms"
	"senim/internal/pkitest"
)

// Other people's tools look at what the agent signs. OpenSSL with its gost engine knows the same curve and hash under
// Russian identifiers and wants signatures reversed (RFC 9215): only what is not signed is put so for it.

// tool runs somebody else's program in a folder with these files; ok is its status.
func tool(t *testing.T, files map[string][]byte, name string, args ...string) (out []byte, ok bool) {
	t.Helper()
	c := exec.CommandContext(t.Context(), name, args...)
	c.Dir = t.TempDir()
	for file, content := range files {
		write(t, filepath.Join(c.Dir, file), string(content))
	}
	var said bytes.Buffer
	c.Stderr = &said
	out, err := c.Output()
	if err != nil {
		t.Logf("%s %s: %v: %.300s", name, args[0], err, said.String())
	}
	return out, err == nil
}

// needs skips the test where a tool is missing.
func needs(t *testing.T, name, where string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("no %s on this machine (Debian: %s): nobody else looked at these signatures", name, where)
	}
}

func needsGOST(t *testing.T) {
	t.Helper()
	needs(t, "openssl", "openssl")
	if out, err := exec.Command("openssl", "engine", "-t", "gost").CombinedOutput(); err != nil || !strings.Contains(string(out), "[ available ]") {
		t.Skip("no OpenSSL with the gost engine on this machine (Debian: libengine-gost-openssl): nobody else looked at these signatures")
	}
}

// Russian forms of the algorithm identifiers, by the first identifier of ours in them.
var russian = map[string]string{
	"1.2.398.3.10.1.1.2.2":   "301706082a85030701010102300b06092a8503070102010201", // the key, curve tc26-512-A
	"1.2.398.3.10.1.1.2.3.2": "300a06082a85030701010102",                           // the signature
	"1.2.398.3.10.1.3.3":     "300a06082a85030701010203",                           // the hash
}

// forOpenSSL puts a message as OpenSSL knows it. What is signed stays as it is, byte for byte.
func forOpenSSL(t *testing.T, der []byte) (out []byte) {
	t.Helper()
	for len(der) > 0 {
		var v asn1.RawValue
		rest, err := asn1.Unmarshal(der, &v)
		if err != nil {
			t.Fatal(err)
		}
		der = rest
		switch first := firstOID(v.Bytes); {
		case v.Class == asn1.ClassUniversal && v.Tag == asn1.TagSequence && russian[first] != "":
			out = append(out, unhexed(t, russian[first])...)
		case v.Class == asn1.ClassContextSpecific && v.Tag == 0 && strings.HasPrefix(firstOID(within(v.Bytes)), "1.2.840.113549.1.9."), // signed attributes
			v.Class == asn1.ClassContextSpecific && v.Tag == 1, !v.IsCompound && (v.Tag != asn1.TagOctetString || len(v.Bytes) != 128):
			out = append(out, v.FullBytes...)
		case !v.IsCompound: // the signature
			turned := slices.Clone(v.Bytes)
			slices.Reverse(turned)
			out = append(append(out, header(v.FullBytes[0], 128)...), turned...)
		default:
			body := forOpenSSL(t, v.Bytes)
			out = append(append(out, header(v.FullBytes[0], int64(len(body)))...), body...)
		}
	}
	return out
}

// within is what the first element holds.
func within(der []byte) []byte {
	var v asn1.RawValue
	if _, err := asn1.Unmarshal(der, &v); err != nil {
		return nil
	}
	return v.Bytes
}

func firstOID(der []byte) string {
	var oid asn1.ObjectIdentifier
	if _, err := asn1.Unmarshal(der, &oid); err != nil {
		return ""
	}
	return oid.String()
}

func unhexed(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// opensslTakes lets OpenSSL verify every signature of a message over its content.
func opensslTakes(t *testing.T, der, content []byte, attached bool) bool {
	t.Helper()
	args := []string{"cms", "-verify", "-engine", "gost", "-noverify", "-binary", "-inform", "DER", "-in", "m", "-out", "o"}
	if !attached {
		args = append(args, "-content", "c")
	}
	_, ok := tool(t, map[string][]byte{"m": der, "c": content}, "openssl", args...)
	return ok
}

// opensslSigned lets OpenSSL verify a bare signature over bytes.
func opensslSigned(t *testing.T, leaf *pkitest.Leaf, over, signature []byte) bool {
	t.Helper()
	spki, err := algid.MarshalPublicKey(leaf.Certificate.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	digest := streebog(t, over)
	turned := slices.Clone(signature)
	slices.Reverse(turned)
	key := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: forOpenSSL(t, spki)})
	_, ok := tool(t, map[string][]byte{"key": key, "digest": digest, "sig": turned}, "openssl", "pkeyutl", "-verify", "-engine", "gost", "-pubin", "-inkey", "key", "-in", "digest", "-sigfile", "sig")
	return ok
}

// streebog is OpenSSL's digest of 512 bits.
func streebog(t *testing.T, b []byte) []byte {
	t.Helper()
	out, ok := tool(t, map[string][]byte{"in": b}, "openssl", "dgst", "-engine", "gost", "-md_gost12_512", "-binary", "in")
	if !ok {
		t.Fatal("OpenSSL makes no digest")
	}
	return out
}

// canonical is xmllint's canonical form.
func canonical(t *testing.T, xml, form string) []byte {
	t.Helper()
	out, ok := tool(t, map[string][]byte{"x": []byte(xml)}, "xmllint", form, "x")
	if !ok {
		t.Fatalf("xmllint refuses %s", xml)
	}
	return out
}

// elements of a signature, as text.
var (
	signatureText = regexp.MustCompile(`(?s)<ds:Signature .*</ds:Signature>`)
	infoText      = regexp.MustCompile(`(?s)<ds:SignedInfo>(.*</ds:SignedInfo>)`)
	digestText    = regexp.MustCompile(`(?s)<ds:DigestValue>(.*)</ds:DigestValue>`)
	valueText     = regexp.MustCompile(`(?s)<ds:SignatureValue>(.*)</ds:SignatureValue>`)
)

func spaceless(t *testing.T, re *regexp.Regexp, xml string) []byte {
	t.Helper()
	m := re.FindStringSubmatch(xml)
	if m == nil {
		t.Fatalf("%s: no %s", xml, re)
	}
	b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(m[1]), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// othersTake verifies a GOST signature in a document: xmllint makes the canonical forms, OpenSSL the rest. signed is what the
// reference covers, as text; form is the canonical form that SignedInfo names, the inclusive one with the name spaces of scope.
func othersTake(t *testing.T, leaf *pkitest.Leaf, xml, signed, form, scope string) bool {
	t.Helper()
	if !bytes.Equal(streebog(t, canonical(t, signed, form)), spaceless(t, digestText, xml)) {
		return false
	}
	info := `<ds:SignedInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"` + scope + `>` + infoText.FindStringSubmatch(xml)[1]
	return opensslSigned(t, leaf, canonical(t, info, form), spaceless(t, valueText, xml))
}

// xmlsecTakes lets xmlsec1 verify a document signed by RSA.
func xmlsecTakes(t *testing.T, leaf *pkitest.Leaf, xml string) bool {
	t.Helper()
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Certificate.Raw})
	_, ok := tool(t, map[string][]byte{"x": []byte(xml), "cert": cert}, "xmlsec1", "--verify", "--insecure", "--pubkey-cert-pem", "cert", "--id-attr:id", "body", "x")
	return ok
}

// TestIndependentCMS: OpenSSL takes the messages of every method, by GOST and by RSA; with another content it takes none.
func TestIndependentCMS(t *testing.T) {
	needsGOST(t)
	b := today(t)
	gost, rsa := b.authority.Individual(), rsaSigner(b)
	b.key("GOST512.p12", gost)
	b.key("RSA256.p12", rsa)
	s := b.dial(page)
	content := []byte("текст")
	text := base64.StdEncoding.EncodeToString(content)
	for key, hash := range map[string]algid.Hash{"GOST512.p12": algid.Streebog512, "RSA256.p12": algid.SHA256} {
		for name, c := range map[string]struct {
			request  string
			attached bool
		}{
			"attached":      {commonCall("createCAdESFromBase64", `"PKCS12","SIGNATURE",`+quote(text)+`,true`), true},
			"detached":      {commonCall("createCAdESFromBase64", `"PKCS12","SIGNATURE",`+quote(text)+`,false`), false},
			"stamped":       {commonCall("createCMSSignatureFromBase64", `"PKCS12","SIGNATURE",`+quote(text)+`,true`), true},
			"of a digest":   {commonCall("createCAdESFromBase64Hash", `"PKCS12","SIGNATURE",`+quote(base64.StdEncoding.EncodeToString(hash.Sum(content)))), false},
			"basics":        {basicsCall("cms", quote(text), `{"decode":true}`, anyKey), true},
			"basics, apart": {basicsCall("cms", quote(text), `{"decode":true,"encapsulate":false,"tsaProfile":{}}`, anyKey), false},
		} {
			t.Run(key+" "+name, func(t *testing.T) {
				reply := b.sign(s, c.request, key)
				var der []byte
				if strings.HasPrefix(name, "basics") {
					var err error
					if der, err = cms.Decode([]byte(result[[]string](t, reply)[0])); err != nil {
						t.Fatal(err)
					}
				} else {
					der = unbase(t, object[string](t, reply))
				}
				if key == "GOST512.p12" {
					der = forOpenSSL(t, der)
				}
				if !opensslTakes(t, der, content, c.attached) {
					t.Error("OpenSSL refuses it")
				}
				other := []byte("тексТ")
				if c.attached {
					der = bytes.Replace(der, content, other, 1)
				}
				if opensslTakes(t, der, other, c.attached) {
					t.Error("OpenSSL takes it with another content: the test proves nothing")
				}
			})
		}
	}
	// A second signature beside the first: OpenSSL verifies both.
	first := object[string](t, b.sign(s, commonCall("createCAdESFromBase64", `"PKCS12","SIGNATURE",`+quote(text)+`,true`), "GOST512.p12"))
	both := unbase(t, object[string](t, b.sign(s, commonCall("createCAdESFromBase64", `"PKCS12","SIGNATURE",`+quote(first)+`,true`), "GOST512.p12")))
	if sd := good(t, both, nil); len(sd.Signers()) != 2 || !opensslTakes(t, forOpenSSL(t, both), nil, true) {
		t.Error("two signatures")
	}
	bare := result[struct{ Signatures []string }](t, b.sign(s, basicsCall("raw", quote(text), `{"decode":true}`, anyKey), "GOST512.p12"))
	if signature := unbase(t, bare.Signatures[0]); !opensslSigned(t, gost, content, signature) || opensslSigned(t, gost, []byte("x"), signature) {
		t.Error("a bare signature")
	}
}

// TestIndependentXML: xmlsec1 takes the documents signed by RSA whole; of those signed by GOST, whose identifiers it has not,
// xmllint makes the canonical forms and OpenSSL verifies digest and signature.
func TestIndependentXML(t *testing.T) {
	b := today(t)
	gost, rsa := b.authority.Individual(), rsaSigner(b)
	b.key("GOST512.p12", gost)
	b.key("RSA256.p12", rsa)
	s := b.dial(page)
	const whole, body = `<doc xmlns="urn:a"><b z="1" a='2'/>текст &amp; <!-- note --><c></c></doc>`, `<body id='x1'>текст<b/></body>`
	calls := map[string]string{
		"enveloped":  commonCall("signXml", `"PKCS12","SIGNATURE",`+quote(whole)+`,"",""`),
		"by element": commonCall("signXml", `"PKCS12","SIGNATURE",`+quote("<doc>"+body+"<sign/></doc>")+`,"/doc/body","/doc/sign"`),
		"basics":     basicsCall("xml", quote(whole), `{}`, anyKey),
	}
	sign := func(t *testing.T, name, key string) (xml, signed, form, scope string) {
		t.Helper()
		reply := b.sign(s, calls[name], key)
		if name == "basics" {
			xml = result[[]string](t, reply)[0]
		} else {
			xml = object[string](t, reply)
		}
		if name == "by element" {
			return xml, body, "--exc-c14n", ""
		}
		// The whole document, as URI="" names it, is without its comments (XMLDSig §4.4.3.2).
		return xml, strings.Replace(signatureText.ReplaceAllString(xml, ""), "<!-- note -->", "", 1), "--c14n", ` xmlns="urn:a"`
	}
	for name := range calls {
		t.Run("RSA "+name, func(t *testing.T) {
			needs(t, "xmlsec1", "xmlsec1")
			xml, _, _, _ := sign(t, name, "RSA256.p12")
			if !xmlsecTakes(t, rsa, xml) {
				t.Errorf("xmlsec1 refuses %.2000s", xml)
			}
			if xmlsecTakes(t, rsa, strings.Replace(xml, "текст", "тексТ", 1)) {
				t.Error("xmlsec1 takes another text: the test proves nothing")
			}
		})
		t.Run("GOST "+name, func(t *testing.T) {
			needsGOST(t)
			needs(t, "xmllint", "libxml2-utils")
			xml, signed, form, scope := sign(t, name, "GOST512.p12")
			if !othersTake(t, gost, xml, signed, form, scope) {
				t.Errorf("they refuse %.2000s", xml)
			}
			if othersTake(t, gost, xml, strings.Replace(signed, "текст", "тексТ", 1), form, scope) {
				t.Error("they take another text: the test proves nothing")
			}
			if !othersTake(t, gost, strings.Replace(xml, "<ds:Transforms>", "<ds:Transforms >", 1), signed, form, scope) {
				t.Error("what canonical form evens out is refused")
			}
			if othersTake(t, gost, strings.Replace(xml, `URI="`, `URI="#y`, 1), signed, form, scope) {
				t.Error("they take another reference: the test proves nothing")
			}
		})
	}
}
