package pfx

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"senim/algid"
	"senim/internal/pkitest"
)

func openssl(t *testing.T, dir string, args ...string) ([]byte, error) {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("no openssl on this machine")
	}
	cmd := exec.Command("openssl", args...)
	cmd.Dir = dir
	var detail bytes.Buffer
	cmd.Stderr = &detail
	out, err := cmd.Output()
	t.Log(detail.String())
	return out, err
}

func write(t *testing.T, dir, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func rsaLeaf(t *testing.T, dir string) *pkitest.Leaf {
	t.Helper()
	l := pkitest.New(t).Issue(pkitest.Spec{Kind: algid.RSA})
	key, err := x509.MarshalPKCS8PrivateKey(l.Key.(*rsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
	write(t, dir, "cert", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: l.Certificate.Raw}))
	return l
}

func TestOpenSSLReadsOurs(t *testing.T) {
	dir := t.TempDir()
	l := rsaLeaf(t, dir)
	want, err := os.ReadFile(filepath.Join(dir, "key"))
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []Form{NCA, Modern} {
		der, err := Encode(random, File{Key: l.Key, Certificate: l.Certificate}, "Qwerty12", form)
		if err != nil {
			t.Fatal(err)
		}
		write(t, dir, "p12", der)
		args := []string{"pkcs12", "-in", "p12", "-nodes", "-passin", "pass:Qwerty12"}
		if form == NCA {
			args = append(args, "-legacy")
		}
		out, err := openssl(t, dir, args...)
		if err != nil || !strings.Contains(string(out), string(want)) || !strings.Contains(string(out), "BEGIN CERTIFICATE") {
			t.Errorf("form %d: %v", form, err)
		}
	}
	der, err := EncryptPrivateKey(random, l.Key, []byte("Qwerty12"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "p8", der)
	out, err := openssl(t, dir, "pkcs8", "-inform", "DER", "-in", "p8", "-passin", "pass:Qwerty12")
	if err != nil || !bytes.Equal(out, want) {
		t.Errorf("private key file: %v", err)
	}
}

func TestOursReadsOpenSSL(t *testing.T) {
	dir := t.TempDir()
	l := rsaLeaf(t, dir)
	for name, args := range map[string][]string{
		"default":      {},
		"legacy":       {"-legacy"},
		"AES-128":      {"-keypbe", "AES-128-CBC", "-certpbe", "AES-128-CBC"},
		"3DES PBES2":   {"-keypbe", "DES-EDE3-CBC", "-certpbe", "DES-EDE3-CBC"},
		"3DES both":    {"-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES", "-macalg", "sha1"},
		"plain cert":   {"-certpbe", "NONE"},
		"SHA-256 MAC":  {"-macalg", "sha256", "-iter", "5000"},
		"no iteration": {"-nomaciter"},
	} {
		full := append([]string{"pkcs12", "-export", "-inkey", "key", "-in", "cert", "-name", "ключ", "-passout", "pass:Qwerty12"}, args...)
		der, err := openssl(t, dir, full...)
		if err != nil {
			t.Errorf("%s: openssl: %v", name, err)
			continue
		}
		f, err := Decode(der, "Qwerty12")
		if err != nil || !samePublicKey(f.Key, l.Certificate) || f.Alias != "ключ" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if der, err := openssl(t, dir, "pkcs8", "-topk8", "-in", "key", "-outform", "DER", "-v2", "aes128", "-v2prf", "hmacWithSHA1", "-passout", "pass:Qwerty12"); err != nil {
		t.Error(err)
	} else if key, err := DecryptPrivateKey(der, []byte("Qwerty12")); err != nil || !samePublicKey(key, l.Certificate) {
		t.Errorf("PBES2 with HMAC-SHA1: %v", err)
	}
}
