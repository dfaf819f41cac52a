package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"senim/algid"
	"senim/gost"
	"senim/internal/ca"
	"senim/internal/keyring"
	"senim/internal/pkitest"
	"senim/internal/token"
	"senim/internal/vault"
	"senim/pki"
)

// softToken is SoftHSM2 with an empty token, and senim-token with its driver.
func softToken(t *testing.T, s *site) keyring.Place {
	t.Helper()
	h := pkitest.NewSoftHSM(t, filepath.Join(s.dir, "here"), "authority")
	program := pkitest.TokenProgram(t, s.dir)
	s.write("pin", h.PIN+"\n", 0o600)
	return keyring.Place{Module: h.Module, Label: h.Label, PINFile: filepath.Join(s.dir, "pin"), Program: program}
}

// ring opens the keys as senimd does: the token with the first act.
func (s *site) ring(at keyring.Place) *keyring.Ring {
	s.t.Helper()
	files, err := vault.Open(filepath.Join(s.dir, "data/vault"), []byte("the words of the online keys"))
	if err != nil {
		s.t.Fatal(err)
	}
	c, err := at.Config()
	if err != nil {
		s.t.Fatal(err)
	}
	inside, err := token.Later(c)
	if err != nil {
		s.t.Fatal(err)
	}
	r := keyring.New(files, inside)
	s.t.Cleanup(func() {
		if err := r.Close(); err != nil {
			s.t.Error(err)
		}
	})
	return r
}

// TestKeysInAToken goes from senim ca init with a token to a revoked certificate that OpenSSL judges, and
// through what goes wrong with tokens. It sets the environment, so it is not parallel.
func TestKeysInAToken(t *testing.T) {
	if testing.Short() {
		t.Skip("makes authorities")
	}
	s := &site{t: t, dir: t.TempDir(), now: now}
	s.write("words.online", "the words of the online keys\n", 0o600)
	at := softToken(t, s)
	flags := []string{"--token-module", at.Module, "--token-label", at.Label, "--token-pin-file", "pin", "--token-program", at.Program}
	begin := func(data string) []string {
		return append([]string{"ca", "init", "--data", data, "--passphrase-file", "words.online", "--address", "http://pki.example.kz", "--rsa-bits", "2048"}, flags...)
	}
	s.write("pin", "2468-user\n", 0o600)
	if err := os.Chmod(at.PINFile, 0o644); err != nil {
		t.Fatal(err)
	}
	s.bad("may be read or changed by others", begin("data")...)
	if err := os.Chmod(at.PINFile, 0o600); err != nil {
		t.Fatal(err)
	}
	s.good(begin("data")...)
	s.bad("the token has a key root_rsa already", begin("another")...)
	kept, err := filepath.Glob(filepath.Join(s.dir, "data/vault/*.key"))
	if err != nil || len(kept) != 4 || strings.Contains(strings.ReplaceAll(strings.Join(kept, " "), s.dir, ""), "rsa") {
		t.Errorf("sealed in files: %v %v", kept, err)
	}

	service, done := s.workWith(s.ring(at))
	issued := s.leaf(service, "mine")
	for _, name := range []string{"rsa", "root_rsa"} {
		s.pem(name+".pem", "CERTIFICATE", s.certificate("data/trust/senim_"+name+".cer").Raw)
	}
	lists := func() []string {
		for _, name := range []string{"rsa", "root_rsa"} {
			l, err := service.CRL(t.Context(), name, false)
			if err != nil {
				t.Fatal(err)
			}
			s.pem(name+".crl.pem", "X509 CRL", l.Raw)
		}
		return []string{"rsa.crl.pem", "root_rsa.crl.pem"}
	}
	if ok, out := s.openssl("mine.pem", "root_rsa.pem", []string{"rsa.pem"}, lists()); !ok {
		t.Error(out)
	}
	if _, err := service.Revoke(t.Context(), issued.Serial, ca.KeyCompromise, "tester", s.now); err != nil {
		t.Fatal(err)
	}
	if err := service.Publish(t.Context(), "rsa"); err != nil {
		t.Fatal(err)
	}
	if ok, out := s.openssl("mine.pem", "root_rsa.pem", []string{"rsa.pem"}, lists()); ok || !strings.Contains(out, "revoked") {
		t.Error(out)
	}
	s.opensslOCSP(service)
	// The signers are renewed in the token as well.
	s.now = s.now.AddDate(0, 11, 0)
	if err := service.Tend(t.Context()); err != nil {
		t.Fatal(err)
	}
	if again, _ := filepath.Glob(filepath.Join(s.dir, "data/vault/*rsa*")); len(again) != 0 {
		t.Errorf("renewed into files: %v", again)
	}
	done()

	here := os.Getenv("SOFTHSM2_CONF")
	t.Setenv("SOFTHSM2_CONF", pkitest.SoftHSMConf(t, filepath.Join(s.dir, "elsewhere")))
	service, done = s.workWith(s.ring(at))
	s.awayFrom(service, ca.ErrKeyAway)
	done()
	t.Setenv("SOFTHSM2_CONF", here)
	s.write("pin", "0000-wrong\n", 0o600)
	service, done = s.workWith(s.ring(at))
	s.awayFrom(service, token.ErrPIN)
	s.awayFrom(service, token.ErrPIN)
	done()
	s.bad("refused the PIN", append([]string{"ca", "root-list", "root_rsa", "--data", "data", "--passphrase-file", "words.online", "--participant", "operator"}, flags...)...)
}

// awayFrom wants RSA refused, and GOST at work.
func (s *site) awayFrom(service *ca.Service, why error) {
	s.t.Helper()
	issue := func(id, profile string, kind algid.Key) error {
		var key crypto.Signer
		var err error
		if kind == algid.RSA {
			key, err = rsa.GenerateKey(rand.Reader, 2048)
		} else {
			key, err = gost.GenerateKey(gost.TC26_512A(), rand.Reader)
		}
		if err != nil {
			s.t.Fatal(err)
		}
		csr, err := pki.CreateRequest(rand.Reader, key, pki.RequestTemplate{Subject: pki.Name{pki.NewAttribute(pki.OIDCommonName, "X")}})
		if err != nil {
			s.t.Fatal(err)
		}
		_, err = service.Issue(s.t.Context(), ca.Order{ID: id, Profile: profile, CSR: csr, By: "tester",
			Subject: ca.Subject{CommonName: "ТЕСТОВ ТЕСТ", Surname: "ТЕСТОВ", IIN: "123456789011"}})
		return err
	}
	id := rand.Text()
	if err := issue("rsa"+id, "individual-sign", algid.RSA); !errors.Is(err, ca.ErrKeyAway) || !errors.Is(err, why) {
		s.t.Errorf("RSA: %v, want %v", err, why)
	}
	if err := issue("gost"+id, "individual", algid.GOST512); err != nil {
		s.t.Errorf("GOST: %v", err)
	}
	if err := service.Recover(s.t.Context()); err != nil { // nothing was begun
		s.t.Error(err)
	}
}

// opensslOCSP has OpenSSL ask and verify that mine.pem is revoked.
func (s *site) opensslOCSP(service *ca.Service) {
	s.t.Helper()
	run := func(args ...string) string {
		cmd := exec.CommandContext(s.t.Context(), "openssl", append([]string{"ocsp", "-issuer", "rsa.pem", "-cert", "mine.pem"}, args...)...)
		cmd.Dir = s.dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			s.t.Fatalf("%v: %s", err, out)
		}
		return string(out)
	}
	run("-no_nonce", "-reqout", "request.der")
	a, err := service.OCSP(s.t.Context(), []byte(s.read("request.der")))
	if err != nil {
		s.t.Fatal(err)
	}
	s.write("response.der", string(a.Raw), 0o600)
	said := run("-no_nonce", "-respin", "response.der", "-CAfile", "root_rsa.pem", "-verify_other", "rsa.pem", "-attime", fmt.Sprint(s.now.Unix()), "-validity_period", "1000000000")
	if !strings.Contains(said, "Response verify OK") || !strings.Contains(said, "mine.pem: revoked") {
		s.t.Error(said)
	}
}
