package main

import (
	"crypto/rand"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"senim/algid"
	"senim/dsig"
	"senim/internal/pkitest"
	"senim/pfx"
	"senim/tsp"
)

// prepareText writes what the scripts about SOAP, XAdES and tokens work with.
func prepareText(t *testing.T, a *pkitest.Authority, l *pkitest.Leaf, write func(string, []byte)) {
	t.Helper()
	write("soap.xml", []byte(`<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><n>1</n></s:Body></s:Envelope>`))
	write("twobodies.xml", []byte(`<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body/><s:Body/></s:Envelope>`))
	write("claims.json", []byte("{ \"sub\": \"IIN123456789012\",\n \"exp\": 1788260400 }\n"))
	write("none.jwt", []byte("eyJhbGciOiJub25lIn0.e30.AAAA\n")) // {"alg":"none"} over {}
	write("twice.json", []byte(`{"sub":"a","sub":"b"}`))

	o := dsig.Options{Key: l.Key, Certificate: l.Certificate, SigningTime: now}
	element, err := dsig.SignElement(rand.Reader, []byte(`<r><order Id="o"><n>1</n></order></r>`), "o", "", o)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := dsig.SignEnveloped(rand.Reader, []byte("<order><n>1</n></order>"), o)
	if err != nil {
		t.Fatal(err)
	}
	foreign := pkitest.New(t, pkitest.Config{Now: now, Name: "OTHER"})
	write("stamped.xml", withStamp(t, whole, a.TSA(), now.Add(time.Minute)))
	write("stampedpart.xml", withStamp(t, element, a.TSA(), now.Add(-time.Minute)))
	write("strangerstamp.xml", withStamp(t, whole, foreign.TSA(), now))
}

// withStamp adds a time-stamp by an authority.
func withStamp(t *testing.T, signed []byte, tsa *pkitest.Leaf, at time.Time) []byte {
	t.Helper()
	d, err := dsig.Parse(signed)
	if err != nil {
		t.Fatal(err)
	}
	covered, err := d.TimestampInput()
	if err != nil {
		t.Fatal(err)
	}
	q := &tsp.Request{Imprint: tsp.NewImprint(algid.Streebog512, covered), Policy: tsp.PolicyGOST512, Certificate: true}
	answer, err := tsp.CreateResponse(rand.Reader, tsa.Key, tsa.Certificate, q, tsp.Stamp{Policy: q.Policy, Serial: big.NewInt(1), Time: at})
	if err != nil {
		t.Fatal(err)
	}
	r, err := tsp.ParseResponse(answer)
	if err != nil {
		t.Fatal(err)
	}
	out, err := dsig.AddTimestamp(signed, r.Token.Raw())
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestRealToken: the token of the reference library, with the key that made it.
func TestRealToken(t *testing.T) {
	root := pkitest.Fixtures(t)
	path := func(name string) string { return filepath.Join(root, filepath.FromSlash(name)) }
	_, out, errs := run(t, "inspect", path("kalkan-oracle/jwt_gg2015.txt"))
	if !strings.Contains(out, "IIN123456789011") || !strings.Contains(out, "GG2015") {
		t.Errorf("inspect: %s%s", out, errs)
	}
	key, err := pfx.Decode(pkitest.Fixture(t, "p12/gost512-2026/individual_valid.p12"), "Qwerty12")
	if err != nil {
		t.Fatal(err)
	}
	cert := filepath.Join(t.TempDir(), "cert.cer")
	if err := os.WriteFile(cert, key.Certificate.Raw, 0o600); err != nil {
		t.Fatal(err)
	}
	status, out, errs := run(t, "verify", "--trust", path("ca/test"), "--no-revocation", "--certificate", cert, path("kalkan-oracle/jwt_gg2015.txt"))
	if status != statusGood || !strings.Contains(out, "the token is valid") || !strings.Contains(out, "issued 2026-05-28T") {
		t.Errorf("status %d: %s%s", status, out, errs)
	}
}

// TestSignTextReal signs in every format that is text with the keys of 2026, and verifies.
func TestSignTextReal(t *testing.T) {
	root := pkitest.Fixtures(t)
	dir := t.TempDir()
	for _, name := range []string{"individual_valid", "ceo_valid", "infosystem_valid"} {
		p12 := filepath.Join(root, "p12/gost512-2026", name+".p12")
		key, err := pfx.Decode(pkitest.Fixture(t, "p12/gost512-2026/"+name+".p12"), "Qwerty12")
		if err != nil {
			t.Fatal(err)
		}
		cert := filepath.Join(dir, name+".cer")
		if err := os.WriteFile(cert, key.Certificate.Raw, 0o600); err != nil {
			t.Fatal(err)
		}
		for format, content := range map[string]string{
			"xades": "<a>1</a>", "wsse": `<Envelope xmlns="http://www.w3.org/2003/05/soap-envelope"><Body/></Envelope>`, "jwt": `{"sub":"x"}`,
		} {
			in, out := filepath.Join(dir, name+"."+format+".in"), filepath.Join(dir, name+"."+format)
			if err := os.WriteFile(in, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			if status, _, errs := run(t, "sign", "--format", format, "--key", p12, "--password-file", "-", "--out", out, in); status != 0 {
				t.Errorf("%s as %s: status %d, %s", name, format, status, errs)
				continue
			}
			args := []string{"verify", "--trust", filepath.Join(root, "ca/test"), "--no-revocation"}
			if format == "jwt" {
				args = append(args, "--certificate", cert)
			}
			if status, text, errs := run(t, append(args, out)...); status != 0 {
				t.Errorf("%s as %s: status %d\n%s%s", name, format, status, text, errs)
			}
		}
	}
}
