package pki_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"math/big"
	"slices"
	"testing"
	"time"

	"senim/algid"
	"senim/internal/pkitest"
	"senim/pki"
)

// The rows of crypto.md §18 that are about certificates, requests and lists: what is read in spite of
// its shape, and what is written. The signature is good in every one; what is refused is refused for
// its shape.

// bare is the identifier without its NULL.
func bare(s algid.Signature) []byte {
	der := bytes.Clone(s.Identifier())
	der[1] -= 2
	return der[:len(der)-2]
}

// assembled signs a TBS and writes the outer algorithm as given.
func assembled(t *testing.T, key crypto.Signer, tbs, outer []byte) []byte {
	t.Helper()
	s, err := algid.SignatureFor(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	value, err := s.Sign(rand.Reader, key, tbs)
	if err != nil {
		t.Fatal(err)
	}
	list := elements(t, pki.Assemble(tbs, s, value))
	list[1] = outer
	return sequenceOf(list...)
}

// Row 1: NULL and absent parameters are equal, also between inner and outer; other parameters and
// other algorithms are not. Written is NULL, twice the same.
func TestToleranceParameters(t *testing.T) {
	for _, kind := range []algid.Key{algid.GOST512, algid.RSA} {
		a := pkitest.New(t, pkitest.Config{Key: kind})
		leaf := a.Individual().Certificate
		l, err := pki.ParseRevocationList(a.List())
		if err != nil {
			t.Fatal(err)
		}
		sig, other := leaf.Signature, algid.GOST2004Sig
		with, without := sig.Identifier(), bare(sig)
		strange := slices.Concat([]byte{0x30, with[1]}, with[2:len(with)-2], []byte{4, 0})
		if !bytes.Equal(elements(t, leaf.RawTBS)[atAlgorithm], with) || !bytes.Equal(elements(t, leaf.Raw)[1], with) ||
			!bytes.Equal(elements(t, l.RawTBS)[1], with) || !bytes.Equal(elements(t, l.Raw)[1], with) {
			t.Error("written without NULL, or differently")
		}
		for name, c := range map[string]struct {
			inner, outer []byte
			good         bool
		}{
			"both": {with, with, true}, "none": {without, without, true}, "inner alone": {with, without, true}, "outer alone": {without, with, true},
			"others inside": {strange, with, false}, "others outside": {with, strange, false}, "another algorithm inside": {other.Identifier(), with, false},
		} {
			cert, err := pki.ParseCertificate(assembled(t, a.CAKey, replaced(t, leaf.RawTBS, atAlgorithm, c.inner), c.outer))
			if good := err == nil && cert.CheckSignatureFrom(a.CA) == nil; good != c.good {
				t.Errorf("%v certificate, %s: %v", kind, name, err)
			}
			list, err := pki.ParseRevocationList(assembled(t, a.CAKey, replaced(t, l.RawTBS, 1, c.inner), c.outer))
			if good := err == nil && list.CheckSignatureFrom(a.CA) == nil; good != c.good {
				t.Errorf("%v list, %s: %v", kind, name, err)
			}
		}
		key := pkitest.NewKey(t, kind)
		r, err := pki.ParseRequest(pkitest.Request(t, key, pkitest.Person()))
		if err != nil {
			t.Fatal(err)
		}
		again, err := pki.ParseRequest(assembled(t, key, r.RawInfo, without))
		if err != nil || again.CheckSignature() != nil {
			t.Errorf("%v request without NULL: %v", kind, err)
		}
		if _, err := pki.ParseRequest(assembled(t, key, r.RawInfo, strange)); err == nil {
			t.Errorf("%v request with strange parameters accepted", kind)
		}
	}
}

// Row 2: certificates, requests and lists are DER, nothing else.
func TestToleranceEncoding(t *testing.T) {
	a := pkitest.New(t)
	der := a.Individual().Certificate.Raw
	inner := der[4:] // behind the header with two octets of length
	if der[1] != 0x82 {
		t.Fatalf("header %x", der[:4])
	}
	for name, bad := range map[string][]byte{
		"indefinite":   slices.Concat([]byte{0x30, 0x80}, inner, []byte{0, 0}),
		"long length":  slices.Concat([]byte{0x30, 0x83, 0}, der[2:4], inner),
		"behind":       append(bytes.Clone(der), 0),
		"pieces of it": der[:len(der)-1],
	} {
		if _, err := pki.ParseCertificate(bad); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// Row 3: any order of extensions and name parts, keyUsage not critical, EKU critical, addresses twice
// or none at all, line breaks in them. Written is one order, keyUsage critical, EKU not.
func TestToleranceOrder(t *testing.T) {
	a := pkitest.New(t)
	leaf := a.Head()
	c := leaf.Certificate
	turned := slices.Clone(c.Extensions)
	slices.Reverse(turned)
	for i := range turned {
		switch turned[i].OID.String() {
		case "2.5.29.15":
			turned[i].Critical = !turned[i].Critical
		case "2.5.29.37":
			turned[i].Critical = !turned[i].Critical
		}
	}
	name := pki.SubjectName(pkitest.Member(pki.RoleFirstHead))
	slices.Reverse(name)
	tpl := pki.Template{
		Signature: c.Signature, Serial: c.Serial, RawIssuer: c.RawIssuer, Subject: name, NotBefore: c.NotBefore, NotAfter: c.NotAfter, PublicKey: c.PublicKey,
		OCSP: []string{"http://ocsp.example.kz", "http://ocsp.example.kz"}, CRL: []string{"http://crl.example.kz/*.crl", "http://crl.example.kz/a.crl\r\n URL=http://x"},
	}
	for _, e := range turned {
		switch e.OID.String() {
		case "2.5.29.14", "2.5.29.31", "1.3.6.1.5.5.7.1.1": // written by the template
		default:
			tpl.Extra = append(tpl.Extra, e)
		}
	}
	got, err := parseSigned(t, a.CAKey, &tpl)
	if err != nil {
		t.Fatal(err)
	}
	if path, err := a.Pool().Chain(got, a.Now); err != nil || len(path) != 3 {
		t.Errorf("chain: %v", err)
	}
	want, h := c.Holder(), got.Holder()
	if h.IIN != want.IIN || h.BIN != want.BIN || h.CommonName != want.CommonName || !slices.Equal(h.Roles, want.Roles) ||
		got.ForSigning() != c.ForSigning() || got.ForSignIn() != c.ForSignIn() || got.KeyUsage != c.KeyUsage {
		t.Errorf("%+v, want %+v", h, want)
	}
	if len(got.OCSP) != 2 || len(got.CRL) != 2 || len(got.Unhandled) != 0 {
		t.Errorf("%v %v %v", got.OCSP, got.CRL, got.Unhandled)
	}
}

// Row 4: IIN and BIN are twelve digits behind the prefix; the control digit is nobody's business.
func TestToleranceNumbers(t *testing.T) {
	for value, want := range map[string]string{
		"IIN123456789011": "123456789011", "IIN000000000000": "000000000000",
		"IIN12345678901": "", "IIN1234567890111": "", "IIN12345678901x": "", "123456789011": "", "iin123456789011": "", "BIN123456789011": "",
	} {
		c := &pki.Certificate{Subject: pki.Name{pki.NewAttribute(pki.OIDSerialNumber, value)}}
		if got := c.Holder().IIN; got != want {
			t.Errorf("%s: %q", value, got)
		}
	}
}

// Row 5: the stored SKI counts, whatever it is; serials are positive and of at most 20 octets. We write
// method 1.
func TestToleranceIdentifiers(t *testing.T) {
	a := pkitest.New(t)
	if !bytes.Equal(a.CA.SubjectKeyID, algid.KeyID(a.CA.PublicKey)) {
		t.Error("SKI not by method 1")
	}
	short := a.Issue(pkitest.Spec{Change: func(t *pki.Template) { t.SubjectKeyID = []byte{1, 2, 3, 4} }}).Certificate
	if !bytes.Equal(short.SubjectKeyID, []byte{1, 2, 3, 4}) {
		t.Errorf("SKI %x", short.SubjectKeyID)
	}
	if _, err := a.Pool().Chain(short, a.Now); err != nil {
		t.Error(err)
	}
	for content, good := range map[string]bool{
		"01": true, "7f" + "ff": true, "0080": true, hex.EncodeToString(bytes.Repeat([]byte{0x7f}, 20)): true, "00" + hex.EncodeToString(bytes.Repeat([]byte{0xff}, 20)): true,
		"00": false, "ff": false, "80": false, "0001": false, "": false, "01" + hex.EncodeToString(make([]byte, 20)): false,
	} {
		serial, err := hex.DecodeString(content)
		if err != nil {
			t.Fatal(err)
		}
		tbs := replaced(t, short.RawTBS, atSerial, append([]byte{2, byte(len(serial))}, serial...))
		if _, err := pki.ParseCertificate(pki.Assemble(tbs, algid.GOST512Sig, make([]byte, 128))); (err == nil) != good {
			t.Errorf("serial %s: %v", content, err)
		}
	}
}

// The row of lists: entries without a reason, a delta numbered below its base, a revocation before the
// certificate began. (No inner NULL: row 1.) Ours have a reason when one is given, even «unspecified».
func TestToleranceLists(t *testing.T) {
	a := pkitest.New(t)
	leaf := a.Individual().Certificate
	before := leaf.NotBefore.Add(-time.Hour)
	parse := func(der []byte) *pki.RevocationList {
		l, err := pki.ParseRevocationList(der)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	base := parse(a.ListOf(pki.ListTemplate{Number: big.NewInt(14)}))
	delta := parse(a.ListOf(pki.ListTemplate{Number: big.NewInt(10), BaseNumber: big.NewInt(14), Entries: []pki.Entry{{Serial: leaf.Serial, RevokedAt: before}}}))
	var entry pki.Entry
	for _, e := range delta.Entries {
		entry = e
	}
	if entry.HasReason || !entry.RevokedAt.Equal(before) {
		t.Errorf("%+v", entry)
	}
	root := parse(listOfRoot(t, a))
	_, err := a.Pool().Validate(leaf, pki.Rules{At: a.Now, Revocation: true, Lists: []*pki.RevocationList{base, delta, root}})
	if !errors.As(err, new(*pki.RevokedError)) {
		t.Errorf("delta 10 over base 14: %v", err)
	}
	if _, err := a.Pool().Validate(leaf, pki.Rules{At: a.Now, Revocation: true, Lists: []*pki.RevocationList{base, root}}); err != nil {
		t.Errorf("without it: %v", err)
	}
	written := parse(a.List(pki.Entry{Serial: big.NewInt(5), RevokedAt: a.Now, HasReason: true}))
	if e, ok := written.Find(big.NewInt(5)); !ok || !e.HasReason || e.Reason != pki.Unspecified {
		t.Errorf("%+v", e)
	}
}

func listOfRoot(t *testing.T, a *pkitest.Authority) []byte {
	t.Helper()
	der, err := pki.CreateRevocationList(rand.Reader, a.RootKey, a.Root, pki.ListTemplate{Number: big.NewInt(1), ThisUpdate: a.Now, NextUpdate: a.Now.AddDate(0, 0, 7)})
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// The row of times: UTCTime and GeneralizedTime, with seconds and Z, without fractions, and dates
// there are. UTCTime is of 1950 to 2049.
func TestToleranceTimes(t *testing.T) {
	a := pkitest.New(t)
	tbs := a.Individual().Certificate.RawTBS
	for _, c := range []struct {
		tag  byte
		text string
		want string // "" = refused
	}{
		{23, "260901100000Z", "2026-09-01T10:00:00Z"}, {24, "20260901100000Z", "2026-09-01T10:00:00Z"},
		{23, "491231235959Z", "2049-12-31T23:59:59Z"}, {23, "500101000000Z", "1950-01-01T00:00:00Z"},
		{24, "20500101000000Z", "2050-01-01T00:00:00Z"}, {24, "99991231235959Z", "9999-12-31T23:59:59Z"}, {24, "00010101000000Z", "0001-01-01T00:00:00Z"},
		{23, "240229000000Z", "2024-02-29T00:00:00Z"}, {23, "250229000000Z", ""}, {24, "21000229000000Z", ""}, {24, "20000229000000Z", "2000-02-29T00:00:00Z"},
		{23, "2609011000Z", ""}, {23, "260901100000", ""}, {23, "260901100000+0000", ""}, {23, "260901100000+0500", ""}, {23, "20260901100000Z", ""},
		{24, "20260901100000.5Z", ""}, {24, "20260901100000,5Z", ""}, {24, "202609011000Z", ""}, {24, "20260901100000", ""}, {24, "260901100000Z", ""},
		{23, "261301100000Z", ""}, {23, "260001100000Z", ""}, {23, "260932100000Z", ""}, {23, "260900100000Z", ""}, {23, "260901240000Z", ""},
		{23, "260901106000Z", ""}, {23, "260901100060Z", ""}, {23, "2609 1100000Z", ""}, {23, "-60901100000Z", ""}, {23, "26090110000aZ", ""}, {23, "260901100000z", ""},
		{12, "260901100000Z", ""}, {23, "", ""}, {24, "", ""},
	} {
		text := append([]byte{c.tag, byte(len(c.text))}, c.text...)
		validity := sequenceOf(text, []byte("\x18\x0f99991231235959Z"))
		got, err := pki.ParseCertificate(pki.Assemble(replaced(t, tbs, atValidity, validity), algid.GOST512Sig, make([]byte, 128)))
		switch {
		case err != nil && c.want != "":
			t.Errorf("%d %q: %v", c.tag, c.text, err)
		case err == nil && got.NotBefore.Format(time.RFC3339) != c.want:
			t.Errorf("%d %q: %v, want %q", c.tag, c.text, got.NotBefore, c.want)
		}
	}
}

// A list that has to be somebody's is refused before its entries are read when it is not: here they
// are no entries at all.
func TestParseRevocationListFrom(t *testing.T) {
	a, other := pkitest.New(t), pkitest.New(t)
	der := a.List(a.Revoked(a.CA, pki.Superseded))
	if l, err := pki.ParseRevocationListFrom(der, a.CA); err != nil || l.Len() != 1 {
		t.Fatalf("own list: %v", err)
	}
	list := elements(t, der)
	inner := elements(t, list[0])
	inner[5] = []byte{0x30, 3, 2, 1, 5} // the entries
	broken := func(value []byte) []byte { return pki.Assemble(sequenceOf(inner...), algid.GOST512Sig, value) }
	signed, err := algid.GOST512Sig.Sign(rand.Reader, a.CAKey, sequenceOf(inner...))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		der    []byte
		issuer *pki.Certificate
		want   error // nil: another error
	}{
		"another key":            {der, other.CA, algid.ErrSignature},
		"a person":               {der, a.Individual().Certificate, nil},
		"broken, not signed":     {broken(make([]byte, 128)), a.CA, algid.ErrSignature},
		"broken and well signed": {broken(signed), a.CA, nil},
	} {
		_, err := pki.ParseRevocationListFrom(c.der, c.issuer)
		if err == nil || errors.Is(err, algid.ErrSignature) != (c.want != nil) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
