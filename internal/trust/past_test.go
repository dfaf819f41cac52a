package trust

import (
	"bytes"
	"testing"
	"time"

	"senim/internal/pkitest"
	"senim/pki"
)

// What is known now, asked about an earlier moment.
func TestCertificateAt(t *testing.T) {
	a := pkitest.New(t)
	key := a.Individual().Certificate
	expired := a.Expired().Certificate
	then := key.NotBefore.Add(time.Hour)
	revoked := func(at time.Time) Status { return Status{State: StateRevoked, RevokedAt: at, Reason: 1} }
	for _, tt := range []struct {
		name    string
		cert    *pki.Certificate
		at      time.Time
		status  Status
		verdict Verdict
		code    string // of revocation
	}{
		{"good", key, then, Status{State: StateGood, Source: "ocsp"}, Good, ""},
		{"revoked later", key, then, revoked(then.Add(time.Second)), Good, ""},
		{"revoked at that moment", key, then, revoked(then), Bad, CodeRevoked},
		{"revoked before", key, then, revoked(then.Add(-time.Second)), Bad, CodeRevoked},
		{"could not check", key, then, Status{State: StateUnknown}, Unknown, CodeUnavailable},
		{"before it began", key, key.NotBefore.Add(-time.Second), Status{State: StateGood, Source: "ocsp"}, Bad, ""},
		{"expired now, in force then", expired, expired.NotBefore.Add(time.Hour), Status{State: StateGood, Source: "ocsp"}, Good, ""},
		{"expired now, and a list knows nothing of it", expired, expired.NotBefore.Add(time.Hour), Status{State: StateGood, Source: "crl"}, Unknown, CodeUnavailable},
		{"foreign", a.Foreign().Certificate, then, Status{State: StateGood}, Bad, CodeUnavailable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := judge(t, a, &fixed{s: tt.status}).CertificateAt(t.Context(), tt.cert, Any, tt.at)
			c, _ := r.Find(CheckRevocation)
			if r.Verdict() != tt.verdict || c.Code != tt.code {
				t.Errorf("%s, revocation %q; want %s, %q", r.Verdict(), c.Code, tt.verdict, tt.code)
			}
		})
	}
}

func TestPathAndForged(t *testing.T) {
	a := pkitest.New(t)
	j := judge(t, a, &fixed{})
	if p := j.Path(a.Individual().Certificate, a.Now); len(p) < 2 {
		t.Errorf("a path of %d", len(p))
	}
	if p := j.Path(a.Foreign().Certificate, a.Now); p != nil {
		t.Error("a foreign certificate has a path")
	}
	if j.Forged(a.Individual().Certificate) || j.Forged(a.Foreign().Certificate) {
		t.Error("what is good or of another authority is called forged")
	}
	der := bytes.Clone(a.Individual().Certificate.Raw)
	der[len(der)-1] ^= 1 // of the signature
	forged, err := pki.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	if !j.Forged(forged) {
		t.Error("a certificate our authority has not signed is not noticed")
	}
}
