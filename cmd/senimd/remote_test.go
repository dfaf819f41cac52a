package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"senim/algid"
	"senim/dsig"
	"senim/internal/access"
	"senim/internal/ca"
	"senim/internal/pkitest"
	"senim/internal/ra"
	"senim/internal/trust"
	"senim/pfx"
)

// pair writes a TLS certificate for this machine and its key.
func pair(t *testing.T, dir, name string) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key")
	write(t, cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	write(t, key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}))
	return cert, key
}

func write(t *testing.T, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// run serves until the test ends.
func run(t *testing.T, s *server) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background()) //nolint:usetesting // it ends after the test's own context would
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- s.serve(ctx, func() { close(ready) }) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		s.close()
	})
	select {
	case <-ready:
	case err := <-done:
		t.Fatal("the server ended: ", err)
	}
}

// TestAuthorityOnAnotherMachine: cabinet and registration authority here, signing keys there, TLS and
// a key between them: a person's application becomes a certificate, its status is asked for, and it is
// revoked.
func TestAuthorityOnAnotherMachine(t *testing.T) {
	t.Parallel()
	ctx, dir := t.Context(), t.TempDir()
	cert, key := pair(t, dir, "ca")
	there := mustOpen(t, filepath.Join(dir, "there"), "-only", "ca", "-ca.api", "127.0.0.1:0", "-ca.api.tls-cert", cert, "-ca.api.tls-key", key)
	secret, err := there.gate.Add(ctx, access.Client{Name: "ra-1", Rights: []access.Right{access.Issue, access.Revoke, access.Hold, access.Read, access.Search}}, true, "tester")
	if err != nil {
		t.Fatal(err)
	}
	run(t, there)
	for _, one := range there.sites {
		if one.name == "cabinet" || one.name == "portal" {
			t.Errorf("an authority alone serves the %s", one.name)
		}
	}
	keyFile := filepath.Join(dir, "ra.key")
	write(t, keyFile, []byte(secret+"\n"))
	remotely := []string{"-cast=false", "-ident.test_identities", strings.Join(testIdentities(), ","), "-ca.url", "https://" + there.c.api.address,
		"-ca.key-file", keyFile, "-ca.cacert", cert, "-responder.origin", there.c.responder.origin, "-second_factor.kinds", "none"}
	here := mustOpen(t, filepath.Join(dir, "here"), remotely...)
	if here.ca != nil {
		t.Fatal("there is an authority here too")
	}
	// The only key here is the one that signs the checkpoints of this machine's own audit.
	kept, err := os.ReadDir(filepath.Join(dir, "here", "vault"))
	if err != nil || len(kept) != 1 || kept[0].Name() != auditKey+".key" {
		t.Errorf("keys here: %v, %v", kept, err)
	}
	if _, bad, err := here.book.Load(ctx, persons(time.Now())); err != nil || len(bad) > 0 {
		t.Fatal(bad, err)
	}
	run(t, here)
	here.signedAtThePortal(t, there)

	var who person
	for _, p := range there.people {
		if p.Who == "person" { // her key ends in twenty days
			who = p
		}
	}
	old := opened(t, who.Keys["personal"])
	a := here.apply(t, old, who)
	issued := here.until(t, who.IIN, a.Number, ra.Issued)
	serial := issued.Certificates[0].Serial
	info, err := there.ca.Certificate(ctx, serial)
	if err != nil || info.Order != "ra-1/"+ra.FormatNumber(a.Number)+"-r1-k0" || info.Replaces != old.Certificate.SerialHex() || info.IIN != who.IIN {
		t.Fatalf("%+v, %v", info, err)
	}
	keys, err := here.office.Keys(ctx, ra.Viewer{IIN: who.IIN})
	if err != nil || len(keys) != 2 || keys[0].Serial != serial || keys[1].ReplacedBy != serial {
		t.Fatalf("%d keys, %v", len(keys), err)
	}
	at, err := here.office.Revoke(ctx, old.Certificate, ra.Revocation{Serial: serial, Reason: "superseded"})
	if err != nil {
		t.Fatal(err)
	}
	if info, err = there.ca.Certificate(ctx, serial); err != nil || info.Revoked == nil || info.Revoked.Reason != ca.Superseded || !info.Revoked.At.Equal(at) ||
		info.Revoked.By != "api:ra-1 cert:"+old.Certificate.SerialHex() {
		t.Errorf("%+v, %v", info.Revoked, err)
	}
	if _, err := here.office.Revoke(ctx, old.Certificate, ra.Revocation{Serial: old.Certificate.SerialHex(), Reason: "certificateHold"}); err != nil {
		t.Fatal(err)
	}
	if report := here.judge.Certificate(ctx, old.Certificate, trust.Signing); report.Verdict() == trust.Good {
		t.Error("a certificate on hold there is good here")
	}
	soon := 0
	err = here.authority.Expiring(ctx, time.Now(), time.Now().AddDate(0, 0, 400), func(ca.Info) error { soon++; return nil })
	if err != nil || soon == 0 {
		t.Errorf("%d certificates end, %v", soon, err)
	}
	if err := there.gate.Disable(ctx, "ra-1", "tester"); err != nil {
		t.Fatal(err)
	}
	if _, err := here.office.Keys(ctx, ra.Viewer{IIN: who.IIN}); err == nil {
		t.Error("a disabled registration authority still reads")
	}
	if report := here.judge.Certificate(ctx, old.Certificate, trust.Signing); report.Verdict() == trust.Good {
		t.Error("what could not be checked is good")
	}
}

// opened reads a key file of the demo.
func opened(t *testing.T, name string) *pfx.File {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	f, err := pfx.Decode(b, keyPassword)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// apply has a person apply for the successor of a key.
func (s *server) apply(t *testing.T, old *pfx.File, who person) ra.Application {
	t.Helper()
	ctx := t.Context()
	a, err := s.office.Draft(ctx, ra.Ask{Kind: ra.Reissue, Signer: old.Certificate, Form: ra.Form{Email: who.Email, City: "Астана", Storage: ra.PKCS12, Lang: "ru"}})
	if err != nil {
		t.Fatal(err)
	}
	csr := pkitest.Request(t, pkitest.NewKey(t, algid.GOST512), old.Certificate.Holder(), who.Email)
	if a, err = s.office.Requests(ctx, who.IIN, a.Number, [][]byte{csr}); err != nil {
		t.Fatal(err)
	}
	signed, err := dsig.SignEnveloped(rand.Reader, []byte(a.Document), dsig.Options{Key: old.Key, Certificate: old.Certificate})
	if err != nil {
		t.Fatal(err)
	}
	if a, err = s.office.Submit(ctx, who.IIN, a.Number, signed); err != nil {
		t.Fatal(err)
	}
	return a
}

// until waits for an application to come to a state.
func (s *server) until(t *testing.T, iin, number string, want ra.State) ra.Application {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	late := time.After(time.Minute)
	for {
		a, err := s.office.Find(t.Context(), ra.Viewer{IIN: iin}, number)
		if err != nil {
			t.Fatal(err)
		}
		if a.State == want {
			return a
		}
		if a.State.Final() {
			t.Fatalf("the application is %s: %+v", a.State, a.Reason)
		}
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("the application stays %s", a.State)
		}
	}
}

// TestContradictionsAboutTheAuthority: flags that do not go together, and an API in the open.
func TestContradictionsAboutTheAuthority(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"API in the open":         {"-ca.api", "0.0.0.0:8443"},
		"API by a name":           {"-ca.api", ":8443"},
		"certificate without key": {"-ca.api", "127.0.0.1:0", "-ca.api.tls-cert", "x"},
		"client CA without TLS":   {"-ca.api", "127.0.0.1:0", "-ca.api.client-ca", "x"},
		"TLS without API":         {"-ca.api.tls-cert", "x", "-ca.api.tls-key", "y"},
		"here and elsewhere":      {"-ca.url", "https://ca:1", "-ca.key-file", "k", "-cast=false", "-ca.api", "127.0.0.1:0"},
		"nobody there":            {"-ca.url", "https://ca:1", "-cast=false", "-responder.origin", "http://ca"},
		"people of the demo":      {"-ca.url", "https://ca:1", "-ca.key-file", "k", "-responder.origin", "http://ca"},
		"no responder":            {"-ca.url", "https://ca:1", "-ca.key-file", "k", "-cast=false"},
		"a key and no address":    {"-ca.key-file", "k"},
		"only what":               {"-only", "portal"},
	} {
		if _, _, err := parse(args, &strings.Builder{}); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
