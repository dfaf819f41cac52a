package revocation

import (
	"bytes"
	"encoding/hex"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"senim/algid"
	"senim/internal/pkitest"
	"senim/internal/trust"
	"senim/ocsp"
	"senim/pfx"
	"senim/pki"
)

var _ trust.Revocation = (*Source)(nil)

// desk is a responder that tests change.
type desk struct {
	*httptest.Server
	asked  atomic.Int32
	answer func(request []byte) []byte
}

func newDesk(t *testing.T) *desk {
	d := &desk{}
	d.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.asked.Add(1)
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/ocsp-request" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if answer := d.answer(body); answer != nil {
			_, _ = w.Write(answer)
			return
		}
		w.WriteHeader(http.StatusInternalServerError)
	}))
	t.Cleanup(d.Close)
	return d
}

func responders(a *pkitest.Authority, url string) map[string]string {
	return map[string]string{hex.EncodeToString(a.CA.SubjectKeyID): url}
}

func TestAnswers(t *testing.T) {
	a := pkitest.New(t)
	responder, stranger := a.Responder(), pkitest.New(t).Responder()
	leaf := a.Individual()
	revoked := a.Revoked(leaf.Certificate, pki.KeyCompromise)
	d := newDesk(t)
	withNonce := func(der []byte, nonce []byte) []byte {
		r, err := ocsp.ParseRequest(der)
		if err != nil {
			t.Error(err)
			return nil
		}
		r.Nonce = nonce
		out, err := ocsp.CreateRequest(*r)
		if err != nil {
			t.Error(err)
		}
		return out
	}
	for _, tt := range []struct {
		name   string
		at     time.Duration
		answer func([]byte) []byte
		want   trust.State
	}{
		{"good", 0, func(q []byte) []byte { return a.Answer(responder, q, nil) }, trust.StateGood},
		{"revoked", 0, func(q []byte) []byte { return a.Answer(responder, q, &revoked) }, trust.StateRevoked},
		{"15 minutes old", 15 * time.Minute, func(q []byte) []byte { return a.Answer(responder, q, nil) }, trust.StateGood},
		{"older", 15*time.Minute + time.Second, func(q []byte) []byte { return a.Answer(responder, q, nil) }, trust.StateUnknown},
		{"2 minutes ahead", -2 * time.Minute, func(q []byte) []byte { return a.Answer(responder, q, nil) }, trust.StateGood},
		{"further ahead", -2*time.Minute - time.Second, func(q []byte) []byte { return a.Answer(responder, q, nil) }, trust.StateUnknown},
		{"signed by the authority itself", 0, func(q []byte) []byte {
			return a.Answer(&pkitest.Leaf{Certificate: a.CA, Key: a.CAKey}, q, nil)
		}, trust.StateGood},
		{"signed by a stranger", 0, func(q []byte) []byte { return a.Answer(stranger, q, nil) }, trust.StateUnknown},
		{"signed by a holder", 0, func(q []byte) []byte { return a.Answer(a.Individual(), q, nil) }, trust.StateUnknown},
		{"another nonce", 0, func(q []byte) []byte { return a.Answer(responder, withNonce(q, []byte("12345678")), nil) }, trust.StateUnknown},
		{"no nonce", 0, func(q []byte) []byte { return a.Answer(responder, withNonce(q, nil), nil) }, trust.StateUnknown},
		{"unauthorized", 0, func([]byte) []byte { return ocsp.ErrorResponse(ocsp.Unauthorized) }, trust.StateUnknown},
		{"no DER", 0, func([]byte) []byte { return []byte("<html>") }, trust.StateUnknown},
		{"too long", 0, func([]byte) []byte { return make([]byte, MaxAnswer+1) }, trust.StateUnknown},
		{"status 500", 0, func([]byte) []byte { return nil }, trust.StateUnknown},
		{"about another", 0, func([]byte) []byte {
			return a.Answer(responder, pkitest.Question(t, algid.Streebog512, a.CA, big.NewInt(1), nil), nil)
		}, trust.StateUnknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d.answer = tt.answer
			st := New(Config{Responders: responders(a, d.URL)}).Status(t.Context(), leaf.Certificate, a.CA, a.Now.Add(tt.at))
			if st.State != tt.want {
				t.Fatalf("%s, want %s: %s", st.State, tt.want, st.Err)
			}
			switch st.State {
			case trust.StateUnknown:
				if st.Err == "" {
					t.Error("unknown without a reason")
				}
			case trust.StateRevoked:
				if st.Reason != int(pki.KeyCompromise) || !st.RevokedAt.Equal(revoked.RevokedAt) {
					t.Errorf("%+v", st)
				}
				fallthrough
			case trust.StateGood:
				for _, k := range []string{"url", "producedAt", "thisUpdate", "nextUpdate", "sha256", "responder"} {
					if st.Evidence[k] == "" {
						t.Errorf("no evidence %s", k)
					}
				}
			}
		})
	}
}

// A responder whose certificate has no nocheck answers for others only when a list says that it may.
func TestResponderWithoutNoCheck(t *testing.T) {
	a := pkitest.New(t)
	leaf := a.Individual()
	responder := a.Issue(pkitest.Spec{Holder: pki.Holder{CommonName: "OCSP RESPONDER"}, Change: func(t *pki.Template) {
		t.KeyUsage, t.ExtKeyUsage = pki.DigitalSignature, append(t.ExtKeyUsage[:0:0], pki.OCSPSigning)
	}})
	d := newDesk(t)
	d.answer = func(q []byte) []byte { return a.Answer(responder, q, nil) }
	for name, c := range map[string]struct {
		list []byte
		want trust.State
	}{
		"no list":             {nil, trust.StateUnknown},
		"not on the list":     {a.List(), trust.StateGood},
		"responder withdrawn": {a.List(a.Revoked(responder.Certificate, pki.KeyCompromise)), trust.StateGood}, // by the list: the answer does not count
	} {
		dir := t.TempDir()
		if c.list != nil {
			if err := os.WriteFile(filepath.Join(dir, "a.crl"), c.list, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		st := New(Config{Responders: responders(a, d.URL), Dir: dir}).Status(t.Context(), leaf.Certificate, a.CA, a.Now)
		if st.State != c.want || name == "responder withdrawn" && (st.Source != "crl" || st.Evidence["ocspError"] == "") || name == "not on the list" && st.Source != "ocsp" {
			t.Errorf("%s: %+v", name, st)
		}
	}
}

func TestSlowResponder(t *testing.T) {
	a := pkitest.New(t)
	gone := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-gone }))
	defer slow.Close()
	defer close(gone)
	s := New(Config{Responders: responders(a, slow.URL), Timeout: 20 * time.Millisecond})
	if st := s.Status(t.Context(), a.Individual().Certificate, a.CA, a.Now); st.State != trust.StateUnknown {
		t.Errorf("%+v", st)
	}
}

func TestRemembering(t *testing.T) {
	a := pkitest.New(t)
	responder, leaf := a.Responder(), a.Individual()
	d := newDesk(t)
	hold, final := a.Revoked(leaf.Certificate, pki.CertificateHold), a.Revoked(leaf.Certificate, pki.Superseded)
	for _, tt := range []struct {
		name  string
		entry *pki.Entry
		after time.Duration
		asked int32
	}{
		{"good, 5 minutes", nil, 5 * time.Minute, 1},
		{"good, longer", nil, 5*time.Minute + time.Second, 2},
		{"hold, longer", &hold, 5*time.Minute + time.Second, 2},
		{"revoked, a year", &final, 365 * 24 * time.Hour, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d.asked.Store(0)
			d.answer = func(q []byte) []byte { return a.Answer(responder, q, tt.entry) }
			s := New(Config{Responders: responders(a, d.URL)})
			s.Status(t.Context(), leaf.Certificate, a.CA, a.Now)
			s.Status(t.Context(), leaf.Certificate, a.CA, a.Now.Add(tt.after))
			if n := d.asked.Load(); n != tt.asked {
				t.Errorf("asked %d times, want %d", n, tt.asked)
			}
		})
	}
}

func write(t *testing.T, dir, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestLists(t *testing.T) {
	a := pkitest.New(t)
	good, bad, late, held := a.Individual().Certificate, a.Head().Certificate, a.Individual().Certificate, a.Individual().Certificate
	dir := t.TempDir()
	s := New(Config{Dir: dir})
	state := func(c *pki.Certificate, at time.Time) trust.State {
		t.Helper()
		s.cached = map[string]remembered{}
		return s.Status(t.Context(), c, a.CA, at).State
	}
	if got := state(good, a.Now); got != trust.StateUnknown {
		t.Errorf("no lists: %s", got)
	}
	write(t, dir, "foreign.crl", pkitest.New(t, pkitest.Config{Name: "OTHER"}).List())
	write(t, dir, "broken.crl", []byte("x"))
	if got := state(good, a.Now); got != trust.StateUnknown {
		t.Errorf("a foreign list: %s", got)
	}
	write(t, dir, "full.crl", pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: a.ListOf(pki.ListTemplate{
		Number: big.NewInt(14), ThisUpdate: a.Now.Add(-time.Hour), NextUpdate: a.Now.AddDate(0, 0, 7),
		Entries: []pki.Entry{a.Revoked(bad, pki.KeyCompromise), a.Revoked(held, pki.CertificateHold)},
	})}))
	for _, tt := range []struct {
		name string
		cert *pki.Certificate
		at   time.Time
		want trust.State
	}{
		{"not listed", good, a.Now, trust.StateGood},
		{"listed", bad, a.Now, trust.StateRevoked},
		{"past nextUpdate", good, a.Now.AddDate(0, 0, 8), trust.StateUnknown},
		{"listed, past nextUpdate", bad, a.Now.AddDate(0, 0, 8), trust.StateUnknown},
		{"before thisUpdate", good, a.Now.Add(-2 * time.Hour), trust.StateUnknown},
	} {
		if got := state(tt.cert, tt.at); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	// the national numbering: a delta numbered 10 over base 14
	released := a.Revoked(held, pki.RemoveFromCRL)
	delta := func(base int64, entries ...pki.Entry) {
		write(t, dir, "delta.crl", a.ListOf(pki.ListTemplate{Number: big.NewInt(10), BaseNumber: big.NewInt(base),
			ThisUpdate: a.Now, NextUpdate: a.Now.AddDate(0, 0, int(1+base%3)), Entries: entries}))
	}
	delta(14, a.Revoked(late, pki.Superseded), released)
	if got := state(late, a.Now); got != trust.StateRevoked {
		t.Errorf("listed in the delta: %s", got)
	}
	if got := state(held, a.Now); got != trust.StateGood {
		t.Errorf("released in the delta: %s", got)
	}
	if got := state(bad, a.Now); got != trust.StateRevoked {
		t.Errorf("listed in the full list under a delta: %s", got)
	}
	delta(15, released)
	if got := state(held, a.Now); got != trust.StateRevoked {
		t.Errorf("a delta over a later base was used: %s", got)
	}
	if err := os.Remove(filepath.Join(dir, "full.crl")); err != nil {
		t.Fatal(err)
	}
	if got := state(good, a.Now); got != trust.StateUnknown {
		t.Errorf("the full list is gone: %s", got)
	}
}

// TestPartedLists: of the lists that divide an issuer's certificates only the one a certificate names
// speaks of it. That it is not on another's says nothing.
func TestPartedLists(t *testing.T) {
	a := pkitest.New(t)
	const one, two = "http://localhost/crl/2-0.crl", "http://localhost/crl/2-1.crl"
	leaf := func(address string) *pki.Certificate {
		return a.Issue(pkitest.Spec{Change: func(tpl *pki.Template) { tpl.CRL = []string{address} }}).Certificate
	}
	good, bad, other := leaf(one), leaf(one), leaf(two)
	dir := t.TempDir()
	s := New(Config{Dir: dir})
	want := func(what string, c *pki.Certificate, want trust.State) {
		t.Helper()
		s.cached = map[string]remembered{}
		if got := s.Status(t.Context(), c, a.CA, a.Now).State; got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	write(t, dir, "one.crl", a.ListOf(pki.ListTemplate{Number: big.NewInt(1), Points: []string{one}, Entries: []pki.Entry{a.Revoked(bad, pki.Superseded)}}))
	want("not on its list", good, trust.StateGood)
	want("on its list", bad, trust.StateRevoked)
	want("the list of another", other, trust.StateUnknown)
	delta := func(name string, points ...string) {
		write(t, dir, name, a.ListOf(pki.ListTemplate{Number: big.NewInt(2), BaseNumber: big.NewInt(1), Points: points, Entries: []pki.Entry{a.Revoked(good, pki.Superseded)}}))
	}
	delta("delta-all.crl")
	want("a delta of all over a part", good, trust.StateGood)
	delta("delta-two.crl", two)
	want("a delta of another part", good, trust.StateGood)
	delta("delta-one.crl", one)
	want("a delta of its part", good, trust.StateRevoked)
}

func TestForgedListIsNoList(t *testing.T) {
	a, forger := pkitest.New(t), pkitest.New(t) // same names, other keys
	dir := t.TempDir()
	write(t, dir, "forged.crl", forger.List())
	if st := New(Config{Dir: dir}).Status(t.Context(), a.Individual().Certificate, a.CA, a.Now); st.State != trust.StateUnknown {
		t.Errorf("%+v", st)
	}
}

func TestFetchedListAfterSilentResponder(t *testing.T) {
	a := pkitest.New(t)
	leaf := a.Individual().Certificate
	d := newDesk(t)
	d.answer = func([]byte) []byte { return nil }
	lists := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(a.List(a.Revoked(leaf, pki.AffiliationChanged)))
	}))
	defer lists.Close()
	s := New(Config{Responders: responders(a, d.URL), Lists: map[string][]string{hex.EncodeToString(a.CA.SubjectKeyID): {lists.URL}}})
	st := s.Status(t.Context(), leaf, a.CA, a.Now)
	if st.State != trust.StateRevoked || st.Source != "crl" || st.Evidence["list"] != lists.URL || st.Evidence["ocspError"] == "" {
		t.Errorf("%+v", st)
	}
}

// elsewhere answers for every address.
type elsewhere func(*http.Request) *http.Response

func (f elsewhere) RoundTrip(r *http.Request) (*http.Response, error) { return f(r), nil }

// TestAddressesInside: only who asks for it follows the addresses in certificates, and only of issuers for which none is
// configured; what is answered there is judged like any other answer.
func TestAddressesInside(t *testing.T) {
	a := pkitest.New(t)
	leaf, responder := a.Individual().Certificate, a.Responder()
	revoked := a.Revoked(leaf, pki.KeyCompromise)
	asked := map[string]int{}
	signer, listed := responder, true
	inside := &http.Client{Transport: elsewhere(func(r *http.Request) *http.Response {
		asked[r.Method+" "+r.URL.Host]++
		answer := &http.Response{StatusCode: http.StatusOK, Request: r, Body: http.NoBody}
		switch {
		case r.Method == http.MethodPost:
			q, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			answer.Body = io.NopCloser(bytes.NewReader(a.Answer(signer, q, &revoked)))
		case listed:
			answer.Body = io.NopCloser(bytes.NewReader(a.List(revoked)))
		}
		return answer
	})}
	if st := New(Config{Inside: inside}).Status(t.Context(), leaf, a.CA, a.Now); st.State != trust.StateRevoked || st.Source != "ocsp" || st.Evidence["url"] != leaf.OCSP[0] {
		t.Errorf("%+v", st)
	}
	signer = pkitest.New(t).Responder()
	if st := New(Config{Inside: inside}).Status(t.Context(), leaf, a.CA, a.Now); st.State != trust.StateRevoked || st.Source != "crl" || st.Evidence["list"] != leaf.CRL[0] {
		t.Errorf("a stranger answers, the list is right: %+v", st)
	}
	listed = false
	if st := New(Config{Inside: inside}).Status(t.Context(), leaf, a.CA, a.Now); st.State != trust.StateUnknown {
		t.Errorf("nothing that counts: %+v", st)
	}
	clear(asked)
	d := newDesk(t)
	d.answer = func(q []byte) []byte { return a.Answer(responder, q, nil) }
	if st := New(Config{Inside: inside, Responders: responders(a, d.URL)}).Status(t.Context(), leaf, a.CA, a.Now); st.State != trust.StateGood || len(asked) != 0 {
		t.Errorf("a configured one goes before: %+v, %v", st, asked)
	}
	if st := New(Config{}).Status(t.Context(), leaf, a.CA, a.Now); st.State != trust.StateUnknown || len(asked) != 0 {
		t.Errorf("nobody asked for it: %+v, %v", st, asked)
	}
}

// TestNationalLists asks the lists of the national test authority about its own certificates.
func TestNationalLists(t *testing.T) {
	root := pkitest.Fixtures(t)
	leaf := func(name, password string) *pki.Certificate {
		f, err := pfx.Decode(pkitest.Fixture(t, "p12/"+name), password)
		if err != nil {
			t.Fatal(err)
		}
		return f.Certificate
	}
	s := New(Config{Dir: filepath.Join(root, "crl")})
	gost2022 := pkitest.FixtureCertificate(t, "ca/test/nca_gost2022_test.cer")
	for _, tt := range []struct {
		name   string
		cert   *pki.Certificate
		issuer *pki.Certificate
		at     time.Time
		want   trust.State
		reason pki.Reason
	}{
		{"held 2022, GOST512", leaf("ncanode-java/key_ceo_revoked_2015.p12", "Aa123456"), gost2022,
			time.Date(2022, 9, 2, 0, 0, 0, 0, time.UTC), trust.StateRevoked, pki.CertificateHold},
		{"good 2023, PEM list", leaf("expired/individual_2023_gost512.p12", "Qwerty12"), gost2022,
			time.Date(2023, 12, 1, 0, 0, 0, 0, time.UTC), trust.StateGood, 0},
		{"good 2025, with a delta", leaf("gost512-2026/individual_valid.p12", "Qwerty12"), gost2022,
			time.Date(2025, 5, 1, 0, 0, 0, 0, time.UTC), trust.StateGood, 0},
		{"past every list", leaf("gost512-2026/individual_valid.p12", "Qwerty12"), gost2022,
			time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC), trust.StateUnknown, 0},
		{"superseded 2022, GOST2004", leaf("ncanode-java/key_ceo_sign_revoked_2004.p12", "Qwerty12"), pkitest.FixtureCertificate(t, "ca/test/nca_gost_test.crt"),
			time.Date(2022, 4, 1, 0, 0, 0, 0, time.UTC), trust.StateRevoked, pki.Superseded},
		{"superseded 2022, RSA", leaf("ncanode-java/key_individual_sign_revoked_2004.p12", "Qwerty12"), pkitest.FixtureCertificate(t, "ca/test/nca_rsa_test.crt"),
			time.Date(2022, 4, 1, 0, 0, 0, 0, time.UTC), trust.StateRevoked, pki.Superseded},
	} {
		st := s.Status(t.Context(), tt.cert, tt.issuer, tt.at)
		if st.State != tt.want || (tt.want == trust.StateRevoked && st.Reason != int(tt.reason)) {
			t.Errorf("%s: %+v", tt.name, st)
		}
		if tt.name == "good 2025, with a delta" && st.Evidence["delta.number"] != "10" {
			t.Errorf("%s: %v", tt.name, st.Evidence)
		}
	}
}
