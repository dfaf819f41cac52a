package responder

import (
	"encoding/hex"
	"testing"
	"time"

	"senim/internal/ca"
	"senim/internal/revocation"
	"senim/internal/trust"
	"senim/pki"
)

// TestSec5OneTruth polls OCSP and the lists as a stranger, before and after a revocation.
func TestSec5OneTruth(t *testing.T) {
	s := newSite(t, Config{})
	c := s.issue(t, "A-1")
	issuer := hex.EncodeToString(s.issuer.SubjectKeyID)
	pool := pki.NewPool()
	pool.AddRoot(s.root)
	pool.AddIntermediate(s.issuer)
	want := func(verdict trust.Verdict) {
		t.Helper()
		for name, config := range map[string]revocation.Config{
			"ocsp": {Responders: map[string]string{issuer: s.URL + "/ocsp/"}},
			"crl":  {Lists: map[string][]string{issuer: {s.URL + "/crl/rsa.crl", s.URL + "/crl/rsa_d.crl"}}},
		} {
			j, err := trust.New(trust.Config{Pool: pool, Revocation: revocation.New(config)})
			if err != nil {
				t.Fatal(err)
			}
			r := j.Certificate(t.Context(), c, trust.Signing)
			check, _ := r.Find(trust.CheckRevocation)
			if r.Verdict() != verdict || check.Evidence["source"] != name {
				t.Errorf("by %s: %s, want %s: %+v", name, r.Verdict(), verdict, check)
			}
		}
	}
	want(trust.Good)
	if _, err := s.ca.Revoke(t.Context(), c.SerialHex(), ca.AffiliationChanged, "tester", time.Time{}); err != nil {
		t.Fatal(err)
	}
	if err := s.ca.PublishJob(t.Context(), []byte(`{"ca":"rsa"}`)); err != nil {
		t.Fatal(err)
	}
	want(trust.Bad)
}
