package cades

import (
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"senim/cms"
	"senim/internal/pkitest"
	"senim/ocsp"
	"senim/pfx"
	"senim/pki"
)

// fixturePool trusts the national test authorities.
func fixturePool(t *testing.T) *pki.Pool {
	t.Helper()
	p := pki.NewPool()
	for _, name := range []string{"root_test_gost_2022.cer", "root_gost_test.crt", "root_rsa_test.crt"} {
		p.AddRoot(pkitest.FixtureCertificate(t, "ca/test/"+name))
	}
	for _, name := range []string{"nca_gost2022_test.cer", "nca_gost_test.crt", "nca_rsa_test.crt"} {
		p.AddIntermediate(pkitest.FixtureCertificate(t, "ca/test/"+name))
	}
	return p
}

func fixture(t *testing.T, name string) *cms.SignedData {
	t.Helper()
	der, err := cms.Decode(pkitest.Fixture(t, name))
	if err != nil {
		t.Fatal(err)
	}
	sd, err := cms.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	return sd
}

// Real CAdES-T: the issuer of the time-stamping authority is not known here, so nobody can say since
// when the signature exists; it is judged at the moment given.
func TestRealTimestamp(t *testing.T) {
	sd := fixture(t, "cms/gost512_ceo_attached_cadest_1.p7s")
	trust := Trust{Pool: fixturePool(t), At: time.Date(2025, 5, 1, 0, 0, 0, 0, time.UTC)}
	for _, name := range []string{"nca_gost2022_test_20250429.crl", "nca_gost2022_d_test_20250429.crl"} {
		l, err := pki.ParseRevocationList(pkitest.Fixture(t, "crl/"+name))
		if err != nil {
			t.Fatal(err)
		}
		trust.Lists = append(trust.Lists, l)
	}
	r, err := Validate(sd, Document{}, trust)
	if err != nil {
		t.Fatal(err)
	}
	s := r.Signers[0]
	if s.Outcome != Valid || !s.Proved.IsZero() || !s.JudgedAt.Equal(trust.At) || s.Level != NoLevel || !warned(s, "no signed attribute names the certificate") {
		t.Errorf("%v, proved %v, %v, %v, %q", s.Outcome, s.Proved, s.Level, s.Err, s.Warnings)
	}
	ts := s.Timestamps[0]
	if len(s.Timestamps) != 1 || ts.Outcome != CannotSay || !errors.Is(ts.Err, pki.ErrNoIssuer) || ts.Token.Time.Format(time.DateOnly) != "2025-02-24" {
		t.Errorf("time-stamp %v, %v", ts.Outcome, ts.Err)
	}
	// Past the certificate's end the same token leaves the question open.
	trust.At = s.Certificate.NotAfter.Add(day)
	if r, err = Validate(sd, Document{}, trust); err != nil || r.Outcome() != CannotSay {
		t.Errorf("after the end: %v, %v, %v", r.Outcome(), r.Signers[0].Err, err)
	}
	trust.At = time.Date(2025, 2, 20, 0, 0, 0, 0, time.UTC) // before the token's time
	if r, err = Validate(sd, Document{}, trust); err != nil || !errors.Is(r.Signers[0].Timestamps[0].Err, ErrTimeOrder) {
		t.Errorf("before the time-stamp: %v", err)
	}
}

// Real messages of national programs, at a fixed time.
func TestRealMessages(t *testing.T) {
	data := pkitest.Fixture(t, "kalkan-oracle/data.txt")
	at := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		file   string
		d      Document
		at     time.Time
		level  Level
		people int
	}{
		{"kalkan-oracle/cades_individual_attached.p7s", Document{}, at, LevelB, 1},
		{"kalkan-oracle/cades_individual_detached.p7s", Document{Content: data}, at, LevelB, 1},
		{"kalkan-oracle/cades_individual_fromhash.p7s", Document{Content: data}, at, LevelB, 1},
		{"cms/ncanode_cms_3.p7s", Document{}, time.Date(2021, 6, 1, 0, 0, 0, 0, time.UTC), NoLevel, 1},
	} {
		sd := fixture(t, c.file)
		trust := Trust{Pool: fixturePool(t), At: c.at}
		r, err := Validate(sd, c.d, trust)
		if err != nil {
			t.Fatal(err)
		}
		if s := r.Signers[0]; r.Outcome() != CannotSay || s.Level != c.level || !errors.Is(s.Err, pki.ErrUndetermined) || len(r.Signatories()) != 0 {
			t.Errorf("%s, nobody tells: %v, %v, %v", c.file, r.Outcome(), s.Level, s.Err)
		}
		trust.NoRevocation = true
		if r, err = Validate(sd, c.d, trust); err != nil || r.Outcome() != Valid || len(r.Signatories()) != c.people || !warned(r.Signers[0], "revocation was not looked at") {
			t.Errorf("%s: %v, %v, %q", c.file, r.Outcome(), r.Signers[0].Err, r.Signers[0].Warnings)
		}
	}
	two := fixture(t, "cms/ncanode_cms_1.p7s")
	r, err := Validate(two, Document{}, Trust{Pool: fixturePool(t), At: at, NoRevocation: true})
	if err != nil || len(r.Signers) != 2 {
		t.Fatal(err)
	}
	for _, s := range r.Signers {
		var dates *pki.ValidityError
		if s.Outcome != Invalid || !errors.As(s.Err, &dates) {
			t.Errorf("two signers, long past: %v, %v", s.Outcome, s.Err)
		}
	}
}

// A real OCSP answer inside a message: the certificate was revoked.
func TestRealAnswerInside(t *testing.T) {
	key, err := pfx.Decode(pkitest.Fixture(t, "p12/ncanode-java/key_ceo_revoked_2015.p12"), "Aa123456")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2022, 9, 2, 12, 0, 0, 0, time.UTC)
	m, err := cms.Sign(rand.Reader, cms.Options{Key: key.Key, Certificate: key.Certificate, Content: []byte("x"), SigningTime: at})
	if err != nil {
		t.Fatal(err)
	}
	a, err := ocsp.ParseResponse(pkitest.Fixture(t, "ocsp/ocsp_response_ceo_2015_revoked.bin"))
	if err != nil {
		t.Fatal(err)
	}
	if m, err = AddEvidence(m, Evidence{Answers: []*ocsp.Response{a}}); err != nil {
		t.Fatal(err)
	}
	sd, err := cms.Parse(m)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Validate(sd, Document{}, Trust{Pool: fixturePool(t), At: a.ProducedAt.Add(time.Minute)})
	var revoked *pki.RevokedError
	if err != nil || r.Outcome() != Invalid || !errors.As(r.Signers[0].Err, &revoked) || revoked.Entry.Reason != pki.CertificateHold || !r.Signers[0].Judgement.Status[0].Inside {
		t.Errorf("%v, %v, %v", r.Outcome(), r.Signers[0].Err, err)
	}
}
