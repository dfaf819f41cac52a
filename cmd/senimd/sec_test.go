package main

import (
	"encoding/hex"
	"testing"
	"time"

	"senim/internal/pkitest"
	"senim/internal/trust"
	"senim/pki"
)

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
