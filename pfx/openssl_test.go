package pfx

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"senim/algid"
	"senim/internal/pkitest"
	"senim/pki"
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
	if err != nil {
		t.Log(detail.String())
	}
	return append(out, detail.Bytes()...), err
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
		args := []string{"pkcs12", "-in", "p12", "-nodes", "-info", "-passin", "pass:Qwerty12"}
		if form == NCA {
			args = append(args, "-legacy")
		}
		out, err := openssl(t, dir, args...)
		for _, line := range map[Form][]string{
			NCA:    {"MAC: sha1, Iteration 1024\n", "pbeWithSHA1And3-KeyTripleDES-CBC, Iteration 1024\n", "pbeWithSHA1And40BitRC2-CBC, Iteration 1024\n"},
			Modern: {"MAC: sha256, Iteration 600000\n", "Keybag: PBES2, PBKDF2, AES-256-CBC, Iteration 600000, PRF hmacWithSHA256\n", "Encrypted data: PBES2, PBKDF2, AES-256-CBC, Iteration 600000, PRF hmacWithSHA256\n"},
		}[form] {
			if !strings.Contains(string(out), line) {
				t.Errorf("form %d: openssl does not say %q", form, line)
			}
		}
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
	a := pkitest.New(t, pkitest.Config{Key: algid.RSA})
	write(t, dir, "chain", append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.CA.Raw}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.Root.Raw})...))
	for name, c := range map[string]struct {
		args   []string
		others int
		alias  string
		good   bool
	}{
		"default":         {[]string{"-name", "ключ"}, 0, "ключ", true},
		"legacy":          {[]string{"-name", "ключ", "-legacy"}, 0, "ключ", true},
		"as NCA":          {[]string{"-legacy", "-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-RC2-40", "-macalg", "sha1", "-iter", "1024"}, 0, "", true},
		"RC2-40 both":     {[]string{"-legacy", "-keypbe", "PBE-SHA1-RC2-40", "-certpbe", "PBE-SHA1-RC2-40"}, 0, "", true},
		"3DES both":       {[]string{"-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES", "-macalg", "sha1"}, 0, "", true},
		"AES-128":         {[]string{"-keypbe", "AES-128-CBC", "-certpbe", "AES-128-CBC"}, 0, "", true},
		"AES-256, SHA-1":  {[]string{"-keypbe", "AES-256-CBC", "-certpbe", "AES-256-CBC", "-macalg", "sha1"}, 0, "", true},
		"3DES of PBES2":   {[]string{"-keypbe", "DES-EDE3-CBC", "-certpbe", "DES-EDE3-CBC"}, 0, "", true},
		"mixed":           {[]string{"-keypbe", "PBE-SHA1-3DES", "-certpbe", "AES-128-CBC", "-macalg", "sha256"}, 0, "", true},
		"plain cert":      {[]string{"-certpbe", "NONE"}, 0, "", true},
		"SHA-256 MAC":     {[]string{"-macalg", "sha256", "-iter", "5000"}, 0, "", true},
		"no iteration":    {[]string{"-nomaciter"}, 0, "", true},
		"with its chain":  {[]string{"-certfile", "chain"}, 2, "", true},
		"chain in plain":  {[]string{"-certfile", "chain", "-certpbe", "NONE"}, 2, "", true},
		"no MAC":          {[]string{"-nomac"}, 0, "", false},
		"bare key":        {[]string{"-keypbe", "NONE"}, 0, "", false},
		"no key":          {[]string{"-nokeys"}, 0, "", false},
		"AES-192":         {[]string{"-keypbe", "AES-192-CBC"}, 0, "", false},
		"SHA-512 MAC":     {[]string{"-macalg", "sha512"}, 0, "", false},
		"RC4":             {[]string{"-legacy", "-keypbe", "PBE-SHA1-RC4-128"}, 0, "", false},
		"2 key 3DES":      {[]string{"-keypbe", "PBE-SHA1-2DES"}, 0, "", false},
		"too many rounds": {[]string{"-iter", "2000001"}, 0, "", false},
	} {
		full := append([]string{"pkcs12", "-export", "-inkey", "key", "-in", "cert", "-out", "out", "-passout", "pass:Qwerty12"}, c.args...)
		if _, err := openssl(t, dir, full...); err != nil {
			t.Errorf("%s: openssl: %v", name, err)
			continue
		}
		der, err := os.ReadFile(filepath.Join(dir, "out"))
		if err != nil {
			t.Fatal(err)
		}
		f, err := Decode(der, "Qwerty12")
		if (err == nil) != c.good || errors.Is(err, ErrPassword) {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil && (!samePublicKey(f.Key, l.Certificate) || f.Alias != c.alias || len(f.Others) != c.others) {
			t.Errorf("%s: alias %q, %d others", name, f.Alias, len(f.Others))
		}
		if _, err := Decode(der, "qwerty12"); c.good && !errors.Is(err, ErrPassword) {
			t.Errorf("%s: wrong password: %v", name, err)
		}
	}
}

// Every PBES2 there is to read, in the one place where OpenSSL lets one choose the PRF.
func TestOursReadsOpenSSLKeys(t *testing.T) {
	dir := t.TempDir()
	l := rsaLeaf(t, dir)
	for _, cipher := range []string{"aes-128-cbc", "aes-256-cbc", "des-ede3-cbc"} {
		for _, prf := range []string{"hmacWithSHA1", "hmacWithSHA256"} {
			if _, err := openssl(t, dir, "pkcs8", "-topk8", "-in", "key", "-outform", "DER", "-out", "out", "-v2", cipher, "-v2prf", prf, "-passout", "pass:Пароль12"); err != nil {
				t.Error(err)
				continue
			}
			der, err := os.ReadFile(filepath.Join(dir, "out"))
			if err != nil {
				t.Fatal(err)
			}
			if key, err := DecryptPrivateKey(der, []byte("Пароль12")); err != nil || !samePublicKey(key, l.Certificate) {
				t.Errorf("%s, %s: %v", cipher, prf, err)
			}
		}
	}
}

// OpenSSL knows no key of ours but RSA; it opens the file of any and takes the certificate out.
func TestOpenSSLReadsGOSTFiles(t *testing.T) {
	dir := t.TempDir()
	a := pkitest.New(t)
	for _, kind := range []algid.Key{algid.GOST512, algid.GOST2004} {
		l := a.Issue(pkitest.Spec{Kind: kind})
		for _, form := range []Form{NCA, Modern} {
			der, err := Encode(random, File{Key: l.Key, Certificate: l.Certificate, Others: []*pki.Certificate{a.CA}}, "Пароль12", form)
			if err != nil {
				t.Fatal(err)
			}
			write(t, dir, "p12", der)
			args := []string{"pkcs12", "-in", "p12", "-nokeys", "-passin", "pass:Пароль12"}
			if form == NCA {
				args = append(args, "-legacy")
			}
			out, err := openssl(t, dir, args...)
			first, rest := pem.Decode(out)
			if err != nil || first == nil || !bytes.Equal(first.Bytes, l.Certificate.Raw) {
				t.Errorf("%v, form %d: %v", kind, form, err)
				continue
			}
			if second, _ := pem.Decode(rest); second == nil || !bytes.Equal(second.Bytes, a.CA.Raw) {
				t.Errorf("%v, form %d: the second certificate is not there", kind, form)
			}
		}
	}
}
