package cms

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"senim/algid"
	"senim/internal/pkitest"
	"senim/pki"
)

// openssl runs the program in a directory of its own; the test is skipped without it.
func openssl(t *testing.T, dir string, args ...string) []byte {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("no openssl on this machine")
	}
	cmd := exec.Command("openssl", args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		var detail []byte
		if e, ok := err.(*exec.ExitError); ok { //nolint:errorlint // of Output
			detail = e.Stderr
		}
		t.Fatalf("openssl %v: %v\n%s", args, err, detail)
	}
	return out
}

func write(t *testing.T, dir, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestOpenSSLReadsOurs(t *testing.T) {
	a := pkitest.New(t, pkitest.Config{Key: algid.RSA})
	l := a.Issue(pkitest.Spec{Kind: algid.RSA})
	dir := t.TempDir()
	write(t, dir, "data", []byte("договор"))
	var chain []byte
	for _, c := range []*pki.Certificate{a.CA, a.Root} {
		chain = append(chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	write(t, dir, "ca", chain)
	for _, way := range []struct{ detached, byKey bool }{{false, false}, {true, false}, {false, true}, {true, true}} {
		detached := way.detached
		o := options(l, "договор")
		o.Detached, o.SubjectKeyID = detached, way.byKey
		der, err := Sign(random, o)
		if err != nil {
			t.Fatal(err)
		}
		twice, err := AddSigner(random, der, func() Options {
			if !detached {
				o.Content = nil
			}
			return o
		}())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range [][]byte{der, twice} {
			write(t, dir, "m", m)
			args := []string{"cms", "-verify", "-cades", "-CAfile", "ca", "-purpose", "any", "-attime", strconv.FormatInt(a.Now.Unix(), 10), "-binary", "-inform", "DER", "-in", "m"}
			if detached {
				args = append(args, "-content", "data")
			}
			if out := openssl(t, dir, args...); string(out) != "договор" {
				t.Errorf("detached %v: content %q", detached, out)
			}
		}
	}
}

func TestOursReadsOpenSSL(t *testing.T) {
	l := pkitest.New(t, pkitest.Config{Key: algid.RSA}).Issue(pkitest.Spec{Kind: algid.RSA})
	dir := t.TempDir()
	key, err := x509.MarshalPKCS8PrivateKey(l.Key.(*rsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
	write(t, dir, "cert", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: l.Certificate.Raw}))
	write(t, dir, "data", []byte("договор"))
	for name, c := range map[string]struct {
		args    []string
		bare    bool
		content []byte
	}{
		"attached":           {args: []string{"-nodetach"}},
		"detached":           {content: []byte("договор")},
		"BER":                {args: []string{"-nodetach", "-stream"}},
		"key identifier":     {args: []string{"-nodetach", "-keyid"}},
		"without attributes": {args: []string{"-nodetach", "-noattr"}, bare: true},
		"CAdES":              {args: []string{"-nodetach", "-cades"}},
		"SHA-1":              {args: []string{"-nodetach", "-md", "sha1"}},
		"SHA-512":            {args: []string{"-nodetach", "-md", "sha512"}},
	} {
		args := append([]string{"cms", "-sign", "-binary", "-outform", "DER", "-in", "data", "-signer", "cert", "-inkey", "key"}, c.args...)
		sd, err := Parse(openssl(t, dir, args...))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		vs, err := sd.Verify(c.content)
		if v := allGood(t, vs, err)[0]; v.HasSignedAttributes == c.bare {
			t.Errorf("%s: signed attributes %v", name, v.HasSignedAttributes)
		}
	}
}
