package agent

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"senim/internal/pkitest"
	"senim/pki"
)

// TestAuthorityAdded: an agent that knows no authority refuses every key where the page wants one of a known
// authority; the person adds root and issuer from their files, each after its fingerprint was shown, and signs.
func TestAuthorityAdded(t *testing.T) {
	b := bring(t, func(c *Config) { c.Pool = nil })
	b.key("GOST512_a.p12", b.authority.Individual())
	s := b.dial(page)
	reasons := func() (codes string) {
		s.send(strings.Replace(signRequest, `,"chain":[]`, ``, 1))
		h := b.window()
		h.unlock("GOST512_a.p12")
		for _, r := range h.row("").Reasons {
			codes += r.Code
		}
		h.cancel()
		s.read()
		return codes
	}
	if got := reasons(); got != "untrusted" {
		t.Fatalf("nobody is trusted: %q", got)
	}
	h := b.home()
	for _, bad := range [][]byte{nil, []byte("x"), b.authority.Individual().Certificate.Raw, bytes.Repeat([]byte("A"), maxAuthority+1)} {
		if p := h.problem("/authority", map[string]any{"certificate": append([]byte{}, bad...)}); p.Code != "no_authority" {
			t.Errorf("%.20q: %+v", bad, p)
		}
	}
	for i, c := range []*pki.Certificate{b.authority.Root, b.authority.CA} {
		sum := c.Fingerprint()
		print := hex.EncodeToString(sum[:])
		h.act("/authority", map[string]any{"certificate": c.Raw})
		if o := h.view.Offered; o == nil || o.Fingerprint != print || strings.ReplaceAll(o.Shown, " ", "") != print || o.Root != (i == 0) {
			t.Fatalf("offered: %+v", o)
		}
		if p := h.problem("/authority", map[string]any{"fingerprint": strings.Repeat("0", 64)}); p.Code != "bad_request" {
			t.Errorf("another fingerprint: %+v", p)
		}
		if i == 0 {
			if got := reasons(); got != "untrusted" {
				t.Errorf("what is only looked at is trusted: %q", got)
			}
		}
		h.act("/authority", map[string]any{"fingerprint": print})
		if h.view.Offered != nil || len(h.view.Authorities) != i+1 {
			t.Fatalf("%+v", h.view.Authorities)
		}
	}
	if got := reasons(); got != "" {
		t.Errorf("of a known authority: %q", got)
	}
	again, own := (&trusted{given: pki.NewPool(), dir: TrustFolder(b.agent.config.Data), log: b.agent.log}).authorities()
	if len(again) != 0 || len(own) != 2 {
		t.Errorf("at the next start %d and %d", len(again), len(own))
	}
	h.act("/authority", map[string]any{"fingerprint": h.view.Authorities[0].Fingerprint, "remove": true})
	if got := reasons(); got != "untrusted" {
		t.Errorf("after the root was taken away: %q", got)
	}
	if p := h.problem("/authority", map[string]any{"fingerprint": "../../x", "remove": true}); p.Code != "bad_request" {
		t.Errorf("a path: %+v", p)
	}
	// What is broken is not guessed around: none of the folder is trusted.
	h.act("/authority", map[string]any{"certificate": b.authority.Root.Raw})
	h.act("/authority", map[string]any{"fingerprint": h.view.Offered.Fingerprint})
	if err := os.WriteFile(filepath.Join(TrustFolder(b.agent.config.Data), "broken.cer"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := reasons(); got != "untrusted" {
		t.Errorf("a broken folder: %q", got)
	}
}

// shelf answers for the addresses of the national authorities with files of the fixtures.
type shelf map[string][]byte

func (s shelf) RoundTrip(r *http.Request) (*http.Response, error) {
	file, ok := s[r.URL.String()]
	if !ok {
		return nil, errors.New("no such address")
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader(file)), Request: r}, nil
}

// TestNationalAuthorities: one button fetches the national authorities, of which only those with the published digests
// are taken: all or none.
func TestNationalAuthorities(t *testing.T) {
	files := shelf{}
	for i, name := range []string{"root_gost_2022.pem", "nca_gost_2022.pem", "root_rsa_2020.cer", "nca_rsa_2022.cer"} {
		files[national[i].address] = pkitest.Fixture(t, "ca/prod/"+name)
	}
	b := bring(t, func(c *Config) { c.Pool = nil })
	b.agent.downloader = &http.Client{Transport: files}
	h := b.home()
	if !h.view.National || len(h.view.Authorities) != 0 {
		t.Fatalf("%+v", h.view.Authorities)
	}
	for code, change := range map[string]func(shelf){
		"not_national":  func(s shelf) { s[national[3].address] = pkitest.Fixture(t, "ca/prod/root_gost_2020.cer") },
		"national_away": func(s shelf) { delete(s, national[3].address) },
	} {
		other := shelf{}
		for k, v := range files {
			other[k] = v
		}
		change(other)
		b.agent.downloader = &http.Client{Transport: other}
		if p := h.problem("/authority", map[string]any{"national": true}); p.Code != code {
			t.Errorf("%s: %+v", code, p)
		}
		if h.act("/look", map[string]any{}); len(h.view.Authorities) != 0 {
			t.Errorf("%s: %d were taken", code, len(h.view.Authorities))
		}
	}
	b.agent.downloader = &http.Client{Transport: files}
	h.act("/authority", map[string]any{"national": true})
	if len(h.view.Authorities) != 4 || h.view.National {
		t.Fatalf("%+v", h.view.Authorities)
	}
	for _, name := range []string{"prod/nca_gost_2022.pem", "prod/nca_rsa_2022.cer", "test/nca_gost2022_test.cer"} {
		c := pkitest.FixtureCertificate(t, "ca/"+name)
		if stampers[hex.EncodeToString(c.SubjectKeyID)] == "" {
			t.Errorf("%s: no time-stamps", name)
		}
	}
	if _, err := b.agent.trust.pool().Chain(pkitest.FixtureCertificate(t, "ca/prod/nca_gost_2022.pem"), b.clock()); err != nil {
		t.Error(err)
	}
}
