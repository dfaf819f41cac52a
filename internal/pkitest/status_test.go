package pkitest_test

import (
	"errors"
	"testing"
	"time"

	"senim/internal/pkitest"
	"senim/ocsp"
	"senim/pfx"
	"senim/pki"
)

// The revoked key files are in the lists and answers that name them (fixtures/README.md).
func TestFixtureStatus(t *testing.T) {
	for _, f := range []struct {
		file, password, list, answer, issuer string
		reason                               pki.Reason
	}{
		{"key_ceo_revoked_2015.p12", "Aa123456", "ncanode_nca_gost2022_test.crl", "ocsp_response_ceo_2015_revoked.bin", "nca_gost2022_test.cer", pki.CertificateHold},
		{"key_ceo_sign_revoked_2004.p12", "Qwerty12", "ncanode_nca_gost_test.crl", "ocsp_response_ceo_sign_2004_revoked.bin", "nca_gost_test.crt", pki.Superseded},
		{"key_individual_sign_revoked_2004.p12", "Qwerty12", "ncanode_nca_rsa_test.crl", "", "nca_rsa_test.crt", pki.Superseded},
		{"key_individual_auth_revoked_2004.p12", "Qwerty12", "ncanode_nca_rsa_test.crl", "", "nca_rsa_test.crt", pki.Superseded},
	} {
		t.Run(f.file, func(t *testing.T) {
			file, err := pfx.Decode(pkitest.Fixture(t, "p12/ncanode-java/"+f.file), f.password)
			if err != nil {
				t.Fatal(err)
			}
			issuer := pkitest.FixtureCertificate(t, "ca/test/"+f.issuer)
			l, err := pki.ParseRevocationList(pkitest.Fixture(t, "crl/"+f.list))
			if err != nil {
				t.Fatal(err)
			}
			if err := l.CheckSignatureFrom(issuer); err != nil {
				t.Error(err)
			}
			if e, ok := l.Find(file.Certificate.Serial); !ok || e.Reason != f.reason {
				t.Errorf("list: %v, %v", e, ok)
			}
			if f.answer == "" {
				return
			}
			r, err := ocsp.ParseResponse(pkitest.Fixture(t, "ocsp/"+f.answer))
			if err != nil {
				t.Fatal(err)
			}
			if s, ok := r.Find(issuer, file.Certificate.Serial); !ok || s.Status != ocsp.Revoked || s.Reason != f.reason {
				t.Errorf("answer: %+v, %v", s, ok)
			}
		})
	}
}

// The national responder's answer as evidence of a path: it decides at its own time, and later about
// every moment it knows of. Of the authority above nothing at hand tells, so good is never said.
func TestFixtureEvidence(t *testing.T) {
	file, err := pfx.Decode(pkitest.Fixture(t, "p12/ncanode-java/key_ceo_revoked_2015.p12"), "Aa123456")
	if err != nil {
		t.Fatal(err)
	}
	r, err := ocsp.ParseResponse(pkitest.Fixture(t, "ocsp/ocsp_response_ceo_2015_revoked.bin"))
	if err != nil {
		t.Fatal(err)
	}
	answers := ocsp.Answers{Responses: []*ocsp.Response{r}}
	pool := fixturePool(t)
	for name, c := range map[string]struct {
		at, now time.Time
		revoked bool
	}{
		"at its own time":               {r.ProducedAt, time.Time{}, true},
		"a quarter of an hour later":    {r.ProducedAt.Add(15 * time.Minute), time.Time{}, true},
		"an hour later":                 {r.ProducedAt.Add(time.Hour), time.Time{}, false},
		"its first moment, asked later": {file.Certificate.NotBefore, r.ProducedAt, true}, // revoked before it began
		"its first moment, asked then":  {file.Certificate.NotBefore, time.Time{}, false},
	} {
		_, err := pool.Validate(file.Certificate, pki.Rules{At: c.at, Now: c.now, Revocation: true, Evidence: answers})
		if errors.As(err, new(*pki.RevokedError)) != c.revoked || errors.Is(err, pki.ErrUndetermined) == c.revoked {
			t.Errorf("%s: %v", name, err)
		}
	}
}
