package pki_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/pem"
	"slices"
	"testing"

	"senim/internal/pkitest"
	"senim/pki"
)

// Any byte changed gives an error or a certificate that does not verify, except where bytes outside
// the signature say the same (the outer algorithm's NULL).
func TestCertificateTampered(t *testing.T) {
	a := pkitest.New(t)
	der := a.Individual().Certificate.Raw
	for i := range der {
		bad := bytes.Clone(der)
		bad[i] ^= 1
		c, err := pki.ParseCertificate(bad)
		if err == nil && c.CheckSignatureFrom(a.CA) == nil {
			t.Errorf("byte %d changed and still good", i)
		}
	}
	for i := range der {
		if _, err := pki.ParseCertificate(der[:i]); err == nil {
			t.Errorf("cut at %d and accepted", i)
		}
	}
	if _, err := pki.ParseCertificate(append(bytes.Clone(der), 0)); err == nil {
		t.Error("trailing byte accepted")
	}
}

// NULL and absent parameters are equal inside and outside (crypto.md §18): the list of 2026 has
// the inner one without.
func TestListWithoutInnerNull(t *testing.T) {
	a := pkitest.New(t)
	l, err := pki.ParseRevocationList(a.List(a.Revoked(a.CA, pki.Superseded)))
	if err != nil {
		t.Fatal(err)
	}
	with := l.Signature.Identifier()
	bare := slices.Concat([]byte{0x30, with[1] - 2}, with[2:len(with)-2])
	at := bytes.Index(l.RawTBS, with)
	tbs := slices.Concat(l.RawTBS[:at], bare, l.RawTBS[at+len(with):])
	head := int(tbs[1]&0x7f) + 1
	tbs[head] -= 2
	sig, err := l.Signature.Sign(rand.Reader, a.CAKey, tbs)
	if err != nil {
		t.Fatal(err)
	}
	again, err := pki.ParseRevocationList(pki.Assemble(tbs, l.Signature, sig))
	if err != nil {
		t.Fatal(err)
	}
	if err := again.CheckSignatureFrom(a.CA); err != nil {
		t.Error(err)
	}
}

func TestDecode(t *testing.T) {
	a := pkitest.New(t)
	der := a.CA.Raw
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	plain := base64.StdEncoding.EncodeToString(der)
	for name, c := range map[string]struct {
		data []byte
		n    int
		kind string
	}{
		"der":            {der, 1, ""},
		"pem":            {text, 1, "CERTIFICATE"},
		"pem twice":      {append(bytes.Clone(text), text...), 2, "CERTIFICATE"},
		"pem after text": {append([]byte("\xef\xbb\xbfsubject: x\r\n"), text...), 1, "CERTIFICATE"},
		"base64":         {[]byte(plain), 1, ""},
		"base64 wrapped": {[]byte(plain[:40] + "\r\n " + plain[40:] + "\n"), 1, ""},
		"indefinite":     {[]byte{0x30, 0x80, 0, 0}, 1, ""},
		"trailing":       {append(bytes.Clone(der), 0), 0, ""},
		"cut pem":        {text[:200], 0, ""},
		"words":          {[]byte("hello, world"), 0, ""},
		"other base64":   {[]byte("aGVsbG8="), 0, ""},
		"nothing":        {nil, 0, ""},
	} {
		blocks, err := pki.Decode(c.data)
		if len(blocks) != c.n || (err == nil) != (c.n > 0) {
			t.Errorf("%s: %d blocks, %v", name, len(blocks), err)
			continue
		}
		for _, b := range blocks {
			if b.Type != c.kind || name != "indefinite" && !bytes.Equal(b.DER, der) {
				t.Errorf("%s: %q %x", name, b.Type, b.DER)
			}
		}
	}
}

func TestPurpose(t *testing.T) {
	a := pkitest.New(t)
	classic, classicSignIn := a.ClassicPair(pkitest.Member(pki.RoleFirstHead))
	for name, c := range map[string]struct {
		leaf            *pkitest.Leaf
		signing, signIn bool
	}{
		"individual":      {a.Individual(), true, true},
		"head":            {a.Head(), true, true},
		"employee":        {a.Employee(), true, true},
		"operator":        {a.Operator(), true, true},
		"classic signing": {classic, true, false},
		"classic sign-in": {classicSignIn, false, true},
		"system":          {a.InfoSystem(), true, false},
		"responder":       {a.Responder(), false, false},
		"tsa":             {a.TSA(), false, false},
		"authority":       {&pkitest.Leaf{Certificate: a.CA}, false, false},
		"other policy":    {a.Issue(pkitest.Spec{Change: func(t *pki.Template) { t.Policies = []pki.Policy{{OID: pki.PolicyIndividualSign}} }}), true, false},
		"no key usage":    {a.Issue(pkitest.Spec{Change: func(t *pki.Template) { t.KeyUsage = 0 }}), false, false},
		"no role":         {a.Issue(pkitest.Spec{Change: func(t *pki.Template) { t.ExtKeyUsage = t.ExtKeyUsage[:1] }}), true, false},
	} {
		if got := c.leaf.Certificate; got.ForSigning() != c.signing || got.ForSignIn() != c.signIn {
			t.Errorf("%s: signing %v, sign-in %v", name, got.ForSigning(), got.ForSignIn())
		}
	}
}
