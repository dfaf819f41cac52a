package ca

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestStrangersReadLists: openssl and Go's own x509 read the lists of the RSA chain, a full list, the
// delta over it, and that of a part, and come to the same as OCSP.
func TestStrangersReadLists(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("no openssl on this machine")
	}
	b := newBench(t, rsaPlan())
	b.clock.move(time.Now().Truncate(time.Second).Sub(start)) // openssl knows one clock only
	if err := Divide(t.Context(), b.store, "rsa", 2, "tester"); err != nil {
		t.Fatal(err)
	}
	b.open(t)
	if err := b.Tend(t.Context()); err != nil {
		t.Fatal(err)
	}
	o := order(t, "A-1")
	o.Profile, o.CSR = "individual-sign", request(t, rsaKey(t))
	issued, cert := mustIssue(t, b, o)
	dir := t.TempDir()
	write := func(name, kind string, ders ...[]byte) string {
		t.Helper()
		var text []byte
		for _, der := range ders {
			text = append(text, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})...)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
		return filepath.Join(dir, name)
	}
	issuer := b.authorities["rsa"].cert
	root := write("root.pem", "CERTIFICATE", b.authorities["root_rsa"].cert.Raw)
	authority := write("ca.pem", "CERTIFICATE", issuer.Raw)
	leaf := write("leaf.pem", "CERTIFICATE", cert.Raw)
	stranger, err := x509.ParseCertificate(issuer.Raw)
	if err != nil {
		t.Fatal(err)
	}
	list := func(file, name string, delta bool) string {
		t.Helper()
		l, err := b.CRL(t.Context(), name, delta)
		if err != nil {
			t.Fatal(err)
		}
		r, err := x509.ParseRevocationList(l.Raw)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.CheckSignatureFrom(stranger); err != nil {
			t.Error(err)
		}
		path := write(file, "X509 CRL", l.Raw)
		out, err := exec.CommandContext(t.Context(), openssl, "crl", "-verify", "-CAfile", authority, "-in", path, "-noout").CombinedOutput()
		if err != nil || !strings.Contains(string(out), "verify OK") {
			t.Errorf("%s: %v: %s", name, err, out)
		}
		return path
	}
	verify := func(want bool, lists ...string) {
		t.Helper()
		args := []string{"verify", "-crl_check", "-extended_crl", "-use_deltas", "-attime", strconv.FormatInt(b.clock.now().Unix(), 10), "-CAfile", root, "-untrusted", authority}
		for _, l := range lists {
			args = append(args, "-CRLfile", l)
		}
		out, err := exec.CommandContext(t.Context(), openssl, append(args, leaf)...).CombinedOutput()
		if (err == nil) != want || !want && !strings.Contains(string(out), "revoked") {
			t.Errorf("good %t, want %t: %s", err == nil, want, out)
		}
	}
	shard := "rsa/" + strings.TrimSuffix(filepath.Base(cert.CRL[0]), ".crl")
	full, part := list("full.pem", "rsa", false), list("part.pem", shard, false)
	verify(true, full, list("delta.pem", "rsa", true))
	verify(true, part, list("part_delta.pem", shard, true))
	b.clock.move(time.Second)
	if err := b.Publish(t.Context(), "rsa"); err != nil { // deltas refer to the lists before
		t.Fatal(err)
	}
	full, part = list("full.pem", "rsa", false), list("part.pem", shard, false)
	b.mustRevoke(t, issued.Serial, CertificateHold)
	b.runJobs(t)
	verify(false, full, list("delta.pem", "rsa", true))
	verify(false, list("full2.pem", "rsa", false))
	verify(false, part, list("part_delta.pem", shard, true))
	verify(false, list("part2.pem", shard, false))
	if err := b.Release(t.Context(), issued.Serial, "one", "two"); err != nil {
		t.Fatal(err)
	}
	b.runJobs(t)
	verify(true, full, list("delta.pem", "rsa", true))
	verify(true, list("full3.pem", "rsa", false), list("delta.pem", "rsa", true))
}
