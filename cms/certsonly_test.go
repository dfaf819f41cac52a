package cms_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"senim/algid"
	"senim/cms"
	"senim/internal/pkitest"
	"senim/pki"
)

// Another program reads the certificates out of the file.
func TestCertificatesOnly(t *testing.T) {
	a := pkitest.New(t, pkitest.Config{Key: algid.RSA})
	leaf := a.Issue(pkitest.Spec{Kind: algid.RSA})
	der, err := cms.CertificatesOnly([]*pki.Certificate{leaf.Certificate, a.CA})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("no openssl")
	}
	file := filepath.Join(t.TempDir(), "x.p7b")
	if err := os.WriteFile(file, der, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "openssl", "pkcs7", "-inform", "DER", "-in", file, "-print_certs").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if n := strings.Count(string(out), "BEGIN CERTIFICATE"); n != 2 {
		t.Errorf("%d certificates", n)
	}
	blocks, err := pki.Decode(out[bytes.Index(out, []byte("-----BEGIN")):])
	if err != nil || !bytes.Equal(blocks[0].DER, leaf.Certificate.Raw) {
		t.Errorf("another certificate came back: %v", err)
	}
}
