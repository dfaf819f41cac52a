package main

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"senim/internal/pkitest"
	"senim/internal/token"
)

// softhsm is SoftHSM2 with one new token, and senim-token built with the driver.
type softhsm struct {
	pkitest.SoftHSM
	program string
}

// build makes the program with cgo, once.
var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "senim-token") // removed by TestMain
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "senim-token")
	cmd := exec.Command("go", "build", "-tags", "pkcs11", "-o", path, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", errors.New(string(out))
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := build(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

func newSoftHSM(t *testing.T) softhsm {
	t.Helper()
	h := softhsm{SoftHSM: pkitest.NewSoftHSM(t, t.TempDir(), "senim test")}
	var err error
	if h.program, err = build(); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h softhsm) open(t *testing.T) *token.Token {
	t.Helper()
	tok, err := token.Open(token.Config{Program: h.program, Module: h.Module, Label: h.Label, PIN: []byte(h.PIN)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tok.Close(); err != nil {
			t.Error(err)
		}
	})
	return tok
}

func TestSoftHSM(t *testing.T) {
	h := newSoftHSM(t)
	tok := h.open(t)
	made, err := tok.Generate(t.Context(), "rsa", 2048)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tok.Generate(t.Context(), "rsa", 2048); !errors.Is(err, token.ErrExists) {
		t.Errorf("the same name twice: %v", err)
	}
	if _, err := tok.Key(t.Context(), "none"); !errors.Is(err, token.ErrNotFound) {
		t.Errorf("no such key: %v", err)
	}
	// Another process, as after a restart, finds the same key.
	key, err := h.open(t).Key(t.Context(), "rsa")
	if err != nil {
		t.Fatal(err)
	}
	public := key.Public().(*rsa.PublicKey)
	if !public.Equal(made.Public()) || public.Size() != 256 {
		t.Error("another key than was made")
	}
	for _, hash := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512} {
		d := hash.New()
		d.Write([]byte("document"))
		sum := d.Sum(nil)
		sig, err := key.Sign(nil, sum, hash)
		if err != nil {
			t.Fatal(err)
		}
		if err := rsa.VerifyPKCS1v15(public, hash, sum, sig); err != nil {
			t.Errorf("%s: %v", hash, err)
		}
	}
}

// A key without its public half cannot be compared with a certificate.
func TestSoftHSMWantsBothHalves(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed")
	}
	h := newSoftHSM(t)
	pem := filepath.Join(t.TempDir(), "key.pem")
	if out, err := exec.CommandContext(t.Context(), openssl, "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", pem).CombinedOutput(); err != nil {
		t.Fatalf("%s", out)
	}
	h.Util(t, "--import", pem, "--token", h.Label, "--label", "half", "--id", "01", "--pin", h.PIN, "--no-public-key")
	if _, err := h.open(t).Key(t.Context(), "half"); err == nil {
		t.Error("half a key is used")
	}
	for _, id := range []string{"02", "03"} {
		h.Util(t, "--import", pem, "--token", h.Label, "--label", "two", "--id", id, "--pin", h.PIN)
	}
	if _, err := h.open(t).Key(t.Context(), "two"); err == nil || !strings.Contains(err.Error(), "several") {
		t.Errorf("two keys of one name: %v", err)
	}
}

// TestSoftHSMKeepsCertificates: a key with an identifier of our choice gets its certificate, once, and one made by
// mistake is taken back; what SoftHSM2 has no mechanism for is refused.
func TestSoftHSMKeepsCertificates(t *testing.T) {
	h := newSoftHSM(t)
	tok := h.open(t)
	name := token.NameOf([]byte{0xab, 1})
	key, err := tok.Generate(t.Context(), name, 2048)
	if err != nil {
		t.Fatal(err)
	}
	authority := pkitest.New(t)
	leaf := authority.Issue(pkitest.Spec{Key: key, Holder: pkitest.Person()}).Certificate.Raw
	for _, want := range []bool{true, false} {
		if made, err := tok.Certify(t.Context(), name, leaf); err != nil || made != want {
			t.Errorf("certificate: %v %v", made, err)
		}
	}
	other := authority.Issue(pkitest.Spec{Key: key, Holder: pkitest.Person()}).Certificate.Raw
	if _, err := tok.Certify(t.Context(), name, other); !errors.Is(err, token.ErrExists) {
		t.Errorf("another certificate: %v", err)
	}
	seen, err := token.Look(token.Config{Program: h.program, Module: h.Module})
	if err != nil || len(seen) != 1 || len(seen[0].Certificates) != 1 || string(seen[0].Certificates[0].ID) != "\xab\x01" || string(seen[0].Certificates[0].DER) != string(leaf) {
		t.Fatalf("%+v %v", seen, err)
	}
	if err := tok.Undo(name, nil); err == nil {
		t.Error("took away a key that has a certificate")
	}
	if err := tok.Undo(name, leaf); err != nil {
		t.Error(err)
	}
	if err := tok.Undo(name, nil); err != nil {
		t.Error(err)
	}
	if _, err := tok.Key(t.Context(), name); !errors.Is(err, token.ErrNotFound) {
		t.Errorf("it is there: %v", err)
	}
	if _, err := tok.GenerateGOST(t.Context(), token.NameOf([]byte{3})); !errors.Is(err, token.ErrCannot) {
		t.Errorf("GOST: %v", err)
	}
	if _, err := token.Open(token.Config{Program: h.program, Module: h.Module, Label: h.Label, Serial: "none", PIN: []byte(h.PIN)}); err == nil {
		t.Error("opened a token of another serial number")
	}
}

// TestIllTokenHidesNoOther: tokens that cannot be read say so, the one that can is shown and signs; what the driver
// says beside goes into the log, and into no error.
func TestIllTokenHidesNoOther(t *testing.T) {
	h := newSoftHSM(t)
	for _, label := range []string{"broken", "mute"} {
		h.Util(t, "--init-token", "--free", "--label", label, "--pin", h.PIN, "--so-pin", "1357-officer")
	}
	name := token.NameOf([]byte{1})
	key, err := h.open(t).Generate(t.Context(), name, 2048)
	if err != nil {
		t.Fatal(err)
	}
	leaf := pkitest.New(t).Issue(pkitest.Spec{Key: key, Holder: pkitest.Person()}).Certificate.Raw
	if _, err := h.open(t).Certify(t.Context(), name, leaf); err != nil {
		t.Fatal(err)
	}
	h.Module = illDriver(t, h.Module)
	var log bytes.Buffer
	c := token.Config{Program: h.program, Module: h.Module, Log: slog.New(slog.NewTextHandler(&log, nil))}
	seen, err := token.Look(c)
	if err != nil || len(seen) != 3 {
		t.Fatalf("%+v %v", seen, err)
	}
	problems := map[string]string{}
	for _, p := range seen {
		problems[p.Label] = p.Problem
		if p.Label == h.Label && (p.Problem != "" || len(p.Certificates) != 1 || !bytes.Equal(p.Certificates[0].DER, leaf)) {
			t.Errorf("%+v", p)
		}
	}
	if problems[""] == "" || problems["mute"] == "" || len(problems) != 3 {
		t.Errorf("%v", problems)
	}
	if !strings.Contains(log.String(), "chatter of the driver") {
		t.Errorf("log %q", log.String())
	}
	again, err := h.open(t).Key(t.Context(), name)
	if err != nil || !again.Public().(*rsa.PublicKey).Equal(key.Public()) {
		t.Errorf("the key of the good token: %v", err)
	}
	c.Label, c.PIN = "mute", []byte(h.PIN)
	if _, err := token.Open(c); err == nil || strings.Contains(err.Error(), "chatter") {
		t.Errorf("error %v", err)
	}
}

// illDriver builds the driver of testdata over SoftHSM2's.
func illDriver(t *testing.T, real string) string {
	t.Helper()
	headers, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.Dir}}", "github.com/miekg/pkcs11").Output()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "ill.so")
	cc := exec.CommandContext(t.Context(), "cc", "-shared", "-fPIC", "-I", strings.TrimSpace(string(headers)), "-DSOFTHSM=\""+real+"\"", "-o", path, filepath.Join("testdata", "ill.c"), "-ldl")
	if out, err := cc.CombinedOutput(); err != nil {
		t.Fatalf("%s", out)
	}
	return path
}

func TestSoftHSMRefusesWrongPIN(t *testing.T) {
	h := newSoftHSM(t)
	h.PIN = "0000-wrong"
	_, err := token.Open(token.Config{Program: h.program, Module: h.Module, Label: h.Label, PIN: []byte(h.PIN)})
	if !errors.Is(err, token.ErrPIN) {
		t.Errorf("error %v", err)
	}
	if _, err := token.Open(token.Config{Program: h.program, Module: h.Module, Label: "another", PIN: []byte("1")}); err == nil || errors.Is(err, token.ErrPIN) {
		t.Errorf("a token that is not there: %v", err)
	}
	if _, err := token.Open(token.Config{Program: h.program, Module: "/nowhere.so", Label: "another", PIN: []byte("1")}); err == nil || !strings.Contains(err.Error(), "driver") {
		t.Errorf("a driver that is not there: %v", err)
	}
}

// The build without cgo says what it lacks.
func TestBuildWithoutDriver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "senim-token")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", path, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s", out)
	}
	_, err := token.Open(token.Config{Program: path, Module: "m", Label: "l", PIN: []byte("1")})
	if err == nil || !strings.Contains(err.Error(), "-tags pkcs11") {
		t.Errorf("error %v", err)
	}
}

func TestSignsNothingButDigests(t *testing.T) {
	h := newSoftHSM(t)
	key, err := h.open(t).Generate(t.Context(), "rsa", 2048)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(nil)
	if _, err := key.Sign(nil, sum[:31], crypto.SHA256); err == nil {
		t.Error("signed 31 octets")
	}
}
