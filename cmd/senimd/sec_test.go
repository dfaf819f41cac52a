package main

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"
	"time"

	"senim/internal/pkitest"
	"senim/internal/trust"
	"senim/pki"
)

// TestSec9SecretModes: a secret that others of the machine may read is refused, and said so.
func TestSec9SecretModes(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "passphrase")
	if err := os.WriteFile(path, []byte("a secret of an operator\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err := secretFile(path, false); err != nil || string(b) != "a secret of an operator" {
		t.Fatalf("%q, %v", b, err)
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o666} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := secretFile(path, true); err == nil {
			t.Errorf("mode %o is read", mode)
		}
	}
}

// TestSec5StatusOfTheSameBytes: our record of a serial answers for the certificate we issued under it
// and for no other one with that serial.
func TestSec5StatusOfTheSameBytes(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, t.TempDir())
	defer s.close()
	own := status{ca: s.ca, issuing: map[string]bool{}, others: nil}
	for _, a := range s.ca.Authorities() {
		own.issuing[hex.EncodeToString(a.Certificate.SubjectKeyID)] = a.Parent != ""
	}
	keys, err := s.ca.ByHolder(t.Context(), s.people[0].IIN, "")
	if err != nil || len(keys) == 0 {
		t.Fatal(err)
	}
	cert, err := pki.ParseCertificate(keys[0].Raw)
	if err != nil {
		t.Fatal(err)
	}
	var issuer *pki.Certificate
	for _, a := range s.ca.Authorities() {
		if a.Name == keys[0].CA {
			issuer = a.Certificate
		}
	}
	if got := own.Status(t.Context(), cert, issuer, time.Now()); got.State != trust.StateGood {
		t.Fatalf("%+v", got)
	}
	other := *pkitest.New(t, pkitest.Config{Now: time.Now()}).Individual().Certificate
	other.Serial = cert.Serial
	if got := own.Status(t.Context(), &other, issuer, time.Now()); got.State != trust.StateRevoked {
		t.Errorf("another certificate under our serial is %s", got.State)
	}
}
