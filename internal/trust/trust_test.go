package trust

import (
	"context"
	"testing"
	"time"

	"senim/internal/pkitest"
	"senim/pki"
)

// fixed answers what it is told to.
type fixed struct {
	s     Status
	asked int
	by    map[string]Status // by serial, before s
}

func (f *fixed) Status(_ context.Context, cert, _ *pki.Certificate, _ time.Time) Status {
	f.asked++
	if s, ok := f.by[cert.SerialHex()]; ok {
		return s
	}
	return f.s
}

func judge(t *testing.T, a *pkitest.Authority, r Revocation) *Judge {
	t.Helper()
	j, err := New(Config{Pool: a.Pool(), Revocation: r, Now: func() time.Time { return a.Now }})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func TestReports(t *testing.T) {
	a := pkitest.New(t)
	good := Status{State: StateGood, Source: "ocsp", Evidence: map[string]string{"sha256": "00"}}
	revoked := Status{State: StateRevoked, RevokedAt: a.Now.Add(-time.Hour), Reason: 1}
	silent := Status{State: StateUnknown, Err: "nobody answers"}
	sign, signIn := a.ClassicPair(pkitest.Person())
	for _, tt := range []struct {
		name    string
		cert    *pki.Certificate
		purpose Purpose
		status  Status
		verdict Verdict
		codes   []string // of chain, validity, revocation, purpose
	}{
		{"good", a.Individual().Certificate, Signing, good, Good, []string{"", "", "", ""}},
		{"combined signs in too", a.Head().Certificate, SignIn, good, Good, []string{"", "", "", ""}},
		{"revoked", a.Individual().Certificate, Signing, revoked, Bad, []string{"", "", CodeRevoked, ""}},
		{"could not check is never good", a.Individual().Certificate, Signing, silent, Unknown, []string{"", "", CodeUnavailable, ""}},
		{"an answer without a state", a.Individual().Certificate, Signing, Status{}, Unknown, []string{"", "", CodeUnavailable, ""}},
		{"expired, and the rest is told too", a.Expired().Certificate, Signing, revoked, Bad, []string{"", CodeExpired, CodeRevoked, ""}},
		{"expired, otherwise good", a.Expired().Certificate, Signing, good, Bad, []string{"", CodeExpired, "", ""}},
		{"not yet valid", a.NotYetValid().Certificate, Signing, good, Bad, []string{"", CodeNotYetValid, "", ""}},
		{"foreign", a.Foreign().Certificate, Signing, good, Bad, []string{CodeUntrusted, "", CodeUnavailable, ""}},
		{"an authority's", a.CA, Any, good, Bad, []string{CodeUntrusted, "", CodeUnavailable, ""}},
		{"sign-in key for signing", signIn.Certificate, Signing, good, Bad, []string{"", "", "", CodeNotForSigning}},
		{"signing key for sign-in", sign.Certificate, SignIn, good, Bad, []string{"", "", "", CodeNotForSignIn}},
		{"unknown purpose", a.Individual().Certificate, Purpose(9), good, Unknown, []string{"", "", "", CodeUnavailable}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := judge(t, a, &fixed{s: tt.status}).Certificate(t.Context(), tt.cert, tt.purpose)
			if r.Verdict() != tt.verdict {
				t.Errorf("verdict %s, want %s", r.Verdict(), tt.verdict)
			}
			for i, name := range []string{CheckChain, CheckValidity, CheckRevocation, CheckPurpose} {
				c := r[i]
				if c.Name != name || c.Code != tt.codes[i] || (c.Verdict == Good) != (c.Code == "") {
					t.Errorf("check %d: %+v, want %s %q", i, c, name, tt.codes[i])
				}
			}
			first, found := r.First()
			if found != (tt.verdict != Good) || found && first.Verdict != tt.verdict {
				t.Errorf("first %+v, %t", first, found)
			}
		})
	}
}

func TestEvidence(t *testing.T) {
	a := pkitest.New(t)
	s := Status{State: StateRevoked, RevokedAt: a.Now, Reason: 6, Source: "crl", Evidence: map[string]string{"thisUpdate": "x", "sha256": "y"}}
	r := judge(t, a, &fixed{s: s}).Certificate(t.Context(), a.Head().Certificate, Signing)
	for check, keys := range map[string][]string{
		CheckChain:      {"issuer", "serial", "anchor", "anchorSHA256", "length"},
		CheckValidity:   {"notBefore", "notAfter", "at"},
		CheckRevocation: {"serial", "source", "thisUpdate", "sha256", "revokedAt", "reason"},
		CheckPurpose:    {"keyUsage", "extKeyUsage"},
	} {
		c, ok := r.Find(check)
		if !ok {
			t.Fatalf("no check %s", check)
		}
		for _, k := range keys {
			if c.Evidence[k] == "" {
				t.Errorf("%s: no evidence %s", check, k)
			}
		}
	}
	if c, _ := r.Find(CheckRevocation); c.Evidence["reason"] != "certificateHold" {
		t.Errorf("reason %s", c.Evidence["reason"])
	}
	if c, _ := r.Find(CheckPurpose); c.Evidence["keyUsage"] != "digitalSignature nonRepudiation keyAgreement" {
		t.Errorf("key usage %s", c.Evidence["keyUsage"])
	}
}

// TestRevokedAuthority: an authority known to be revoked fails its holders; one nobody can tell
// about does not, since authorities are trusted by configuration.
func TestRevokedAuthority(t *testing.T) {
	a := pkitest.New(t)
	leaf := a.Individual().Certificate
	for state, want := range map[State]Verdict{StateRevoked: Bad, StateUnknown: Good, StateGood: Good} {
		f := &fixed{s: Status{State: StateGood}, by: map[string]Status{a.CA.SerialHex(): {State: state, RevokedAt: a.Now}}}
		if r := judge(t, a, f).Certificate(t.Context(), leaf, Signing); r.Verdict() != want {
			t.Errorf("authority %s: %s", state, r.Verdict())
		}
	}
}

func TestEmptyReport(t *testing.T) {
	if (Report{}).Verdict() != Unknown {
		t.Error("nothing checked is not unknown")
	}
	if (Report{{Name: "x"}}).Verdict() != Unknown {
		t.Error("a check without a verdict is not unknown")
	}
	mixed := Report{{Name: "a", Verdict: Unknown}, {Name: "b", Verdict: Bad}}
	if first, _ := mixed.First(); first.Name != "b" || mixed.Verdict() != Bad {
		t.Errorf("first %+v", first)
	}
	if _, err := New(Config{Pool: pki.NewPool()}); err == nil {
		t.Error("a judge without a source of revocation")
	}
}

// TestNationalKeys judges keys of the national test authority at fixed times.
func TestNationalKeys(t *testing.T) {
	pool := pki.NewPool()
	pool.AddRoot(pkitest.FixtureCertificate(t, "ca/test/root_gost_test.crt"))
	pool.AddIntermediate(pkitest.FixtureCertificate(t, "ca/test/nca_gost_test.crt"))
	leaf := pkitest.FixtureCertificate(t, "certs/ceo_valid_sign_2004_gost.cer")
	at := time.Date(2022, 6, 1, 0, 0, 0, 0, time.UTC)
	j, err := New(Config{Pool: pool, Revocation: &fixed{s: Status{State: StateGood}}, Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	if r := j.Certificate(t.Context(), leaf, Signing); r.Verdict() != Good {
		t.Errorf("%+v", r)
	}
	at = time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	if r := j.Certificate(t.Context(), leaf, Signing); r.Verdict() != Bad || r[1].Code != CodeExpired {
		t.Errorf("%+v", r)
	}
}
