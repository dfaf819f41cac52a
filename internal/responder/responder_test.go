package responder

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"senim/algid"
	"senim/internal/ca"
	"senim/internal/pkitest"
	"senim/internal/store/storetest"
	"senim/ocsp"
	"senim/pki"
)

// site is an RSA authority, which others can read too, behind a responder.
type site struct {
	*httptest.Server
	ca           *ca.Service
	root, issuer *pki.Certificate
}

func newSite(t *testing.T, c Config) *site {
	t.Helper()
	s := &site{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.Config.Handler.ServeHTTP(w, r) }))
	t.Cleanup(s.Close)
	store, keys := storetest.SQLite(t).CA(), &storetest.Keys{}
	err := ca.Create(t.Context(), ca.Ceremony{Store: store, Keys: keys, By: "tester", Plans: []ca.Plan{{
		Name: "rsa", Algorithm: algid.RSA, RSABits: 2048, RootName: "СЕНІМ НЕГІЗГІ ОРТАЛЫҚ (RSA)", IssuingName: "СЕНІМ ОРТАЛЫҚ (RSA)", Address: s.URL,
	}}})
	if err != nil {
		t.Fatal(err)
	}
	if s.ca, err = ca.Open(t.Context(), ca.Config{Store: store, Keys: keys}); err != nil {
		t.Fatal(err)
	}
	if err := s.ca.Tend(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, a := range s.ca.Authorities() {
		if a.Parent == "" {
			s.root = a.Certificate
		} else {
			s.issuer = a.Certificate
		}
	}
	if c.Authority == nil {
		c.Authority = s.ca
	}
	r, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	s.Config.Handler = r
	return s
}

func (s *site) issue(t *testing.T, id string) *pki.Certificate {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	issued, err := s.ca.Issue(t.Context(), ca.Order{ID: id, Profile: "individual-sign", CSR: pkitest.Request(t, key, pkitest.Person()),
		Subject: ca.Subject{CommonName: "ТЕСТОВ ТЕСТ", Surname: "ТЕСТОВ", Patronymic: "ТЕСТОВИЧ", IIN: "123456789011", Email: "b@example.kz"}})
	if err != nil {
		t.Fatal(err)
	}
	c, err := pki.ParseCertificate(issued.Raw)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (s *site) question(t *testing.T, c *pki.Certificate, nonce []byte) []byte {
	t.Helper()
	return pkitest.Question(t, algid.SHA1, s.issuer, c.Serial, nonce)
}

// answer is an HTTP answer without its body.
type answer struct {
	StatusCode int
	Status     string
	Header     http.Header
}

// do sends a request and returns the answer and its body.
func (s *site) do(t *testing.T, method, path, kind string, body []byte) (answer, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	resp, err := s.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	out, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Status, resp.Header}, out
}

func status(t *testing.T, der []byte) (ocsp.ResponseStatus, ocsp.Status) {
	t.Helper()
	r, err := ocsp.ParseResponse(der)
	if err != nil {
		t.Fatal(err)
	}
	if r.Status != ocsp.Successful {
		return r.Status, 0
	}
	return r.Status, r.Singles[0].Status
}

const question = "application/ocsp-request"

func TestPostAndGet(t *testing.T) {
	s := newSite(t, Config{})
	c := s.issue(t, "A-1")
	escaped := url.PathEscape(base64.StdEncoding.EncodeToString(s.question(t, c, nil)))
	for _, path := range []string{"/ocsp", "/ocsp/"} {
		resp, body := s.do(t, "POST", path, question, s.question(t, c, []byte("12345678")))
		if _, st := status(t, body); st != ocsp.Good || resp.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("POST %s: %v, %v", path, st, resp.Header)
		}
	}
	resp, body := s.do(t, "GET", "/ocsp/"+escaped, "", nil)
	if _, st := status(t, body); st != ocsp.Good || resp.Header.Get("Content-Type") != "application/ocsp-response" || !strings.HasPrefix(resp.Header.Get("Cache-Control"), "max-age=") {
		t.Errorf("GET: %v, %v", st, resp.Header)
	}
	// slashes and pluses of base64 unescaped, as some clients send it
	raw := base64.StdEncoding.EncodeToString(s.question(t, c, nil))
	if _, body := s.do(t, "GET", "/ocsp/"+raw, "", nil); !bytes.Contains(body, s.issuer.RawSubject) {
		t.Errorf("GET unescaped: %d bytes", len(body))
	}
	if _, err := s.ca.Revoke(t.Context(), c.SerialHex(), ca.Superseded, "tester", time.Time{}); err != nil {
		t.Fatal(err)
	}
	_, body = s.do(t, "GET", "/ocsp/"+escaped, "", nil)
	if _, st := status(t, body); st != ocsp.Revoked {
		t.Errorf("after the revocation: %v", st)
	}
}

func TestBounds(t *testing.T) {
	s := newSite(t, Config{})
	for _, tt := range []struct {
		name, method, path, kind string
		body                     []byte
		code                     int
	}{
		{"another kind of content", "POST", "/ocsp/", "text/plain", []byte("x"), http.StatusUnsupportedMediaType},
		{"too long", "POST", "/ocsp/", question, make([]byte, maxQuestion+1), http.StatusRequestEntityTooLarge},
		{"no such list", "GET", "/crl/none.crl", "", nil, http.StatusNotFound},
		{"no list at all", "GET", "/crl/rsa", "", nil, http.StatusNotFound},
		{"no such certificate", "GET", "/cert/none.cer", "", nil, http.StatusNotFound},
		{"a page that is not", "GET", "/nothing", "", nil, http.StatusNotFound},
		{"another method", "DELETE", "/ocsp/", "", nil, http.StatusMethodNotAllowed},
	} {
		if resp, _ := s.do(t, tt.method, tt.path, tt.kind, tt.body); resp.StatusCode != tt.code {
			t.Errorf("%s: %s", tt.name, resp.Status)
		}
	}
	for _, path := range []string{"/ocsp/%%%", "/ocsp/!!!!"} {
		if strings.Contains(path, "%%") {
			continue // no client can send it
		}
		if _, body := s.do(t, "GET", path, "", nil); !bytes.Equal(body, ocsp.ErrorResponse(ocsp.Malformed)) {
			t.Errorf("GET %s: %x", path, body)
		}
	}
	if _, body := s.do(t, "POST", "/ocsp/", question, []byte("x")); !bytes.Equal(body, ocsp.ErrorResponse(ocsp.Malformed)) {
		t.Errorf("no request: %x", body)
	}
}

// silent is an authority that cannot answer.
type silent struct{ Authority }

func (silent) Kept(context.Context, []byte) (*ca.Answer, bool) { return nil, false }

func (silent) Answer(context.Context, []byte, func() error) (*ca.Answer, error) {
	return nil, errors.New("no key")
}

func (silent) CRL(context.Context, string, bool) (*ca.List, error) {
	return nil, errors.New("no database")
}

func TestSilentAuthority(t *testing.T) {
	s := newSite(t, Config{})
	r, err := New(Config{Authority: silent{s.ca}})
	if err != nil {
		t.Fatal(err)
	}
	s.Config.Handler = r
	if _, body := s.do(t, "POST", "/ocsp/", question, []byte("x")); !bytes.Equal(body, ocsp.ErrorResponse(ocsp.TryLater)) {
		t.Errorf("%x", body)
	}
	for _, path := range []string{"/crl/rsa.crl", "/health"} {
		if resp, _ := s.do(t, "GET", path, "", nil); resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("%s: %s", path, resp.Status)
		}
	}
}

func TestFilesAndPage(t *testing.T) {
	s := newSite(t, Config{TestMode: true})
	for path, kind := range map[string]string{
		"/crl/rsa.crl": "application/pkix-crl", "/crl/rsa_d.crl": "application/pkix-crl", "/crl/root_rsa.crl": "application/pkix-crl",
		"/cert/rsa.cer": "application/pkix-cert", "/cert/root_rsa.cer": "application/pkix-cert", "/page.css": "text/css; charset=utf-8", "/health": "text/plain; charset=utf-8",
	} {
		resp, body := s.do(t, "GET", path, "", nil)
		if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != kind || len(body) == 0 || resp.Header.Get("Cache-Control") == "" {
			t.Errorf("%s: %s, %v", path, resp.Status, resp.Header)
		}
		if etag := resp.Header.Get("ETag"); etag != "" {
			req, _ := http.NewRequestWithContext(t.Context(), "GET", s.URL+path, nil)
			req.Header.Set("If-None-Match", etag)
			again, err := s.Client().Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = again.Body.Close()
			if again.StatusCode != http.StatusNotModified {
				t.Errorf("%s again: %s", path, again.Status)
			}
		}
	}
	for _, tag := range []string{"kk", "ru", "en"} {
		_, body := s.do(t, "GET", "/?lang="+tag, "", nil)
		for _, want := range []string{`<html lang="` + tag + `">`, "/crl/rsa_d.crl", "/cert/root_rsa.cer", `class="note"`} {
			if !strings.Contains(string(body), want) {
				t.Errorf("page in %s has no %s", tag, want)
			}
		}
		if strings.Contains(string(body), "responder.") {
			t.Errorf("page in %s shows a key", tag)
		}
	}
}

// TestOpenSSL has another program read what the RSA authority made.
func TestOpenSSL(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("no openssl on this machine")
	}
	s := newSite(t, Config{})
	good, bad := s.issue(t, "A-1"), s.issue(t, "A-2")
	if _, err := s.ca.Revoke(t.Context(), bad.SerialHex(), ca.KeyCompromise, "tester", time.Time{}); err != nil {
		t.Fatal(err)
	}
	if err := s.ca.Publish(t.Context(), "rsa"); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, kind string, ders ...[]byte) string {
		var out []byte
		for _, der := range ders {
			out = append(out, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})...)
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, out, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	run := func(args ...string) string {
		out, _ := exec.CommandContext(t.Context(), openssl, args...).CombinedOutput() // a refusal is told in the text
		return string(out)
	}
	_, list := s.do(t, "GET", "/crl/rsa.crl", "", nil)
	_, rootList := s.do(t, "GET", "/crl/root_rsa.crl", "", nil)
	root, issuer := write("root.pem", "CERTIFICATE", s.root.Raw), write("issuer.pem", "CERTIFICATE", s.issuer.Raw)
	goodPEM, badPEM := write("good.pem", "CERTIFICATE", good.Raw), write("bad.pem", "CERTIFICATE", bad.Raw)
	lists := write("lists.pem", "X509 CRL", list, rootList)
	ask := []string{"ocsp", "-issuer", issuer, "-url", s.URL + "/ocsp/", "-CAfile", root, "-cert"}
	verify := []string{"verify", "-crl_check_all", "-CRLfile", lists, "-CAfile", root, "-untrusted", issuer}
	for _, tt := range []struct {
		args []string
		want []string
	}{
		{append(ask[:len(ask):len(ask)], goodPEM), []string{"Response verify OK", "good.pem: good"}},
		{append(ask[:len(ask):len(ask)], badPEM), []string{"Response verify OK", "bad.pem: revoked", "keyCompromise"}},
		{append(verify[:len(verify):len(verify)], goodPEM), []string{"good.pem: OK"}},
		{append(verify[:len(verify):len(verify)], badPEM), []string{"certificate revoked"}},
		{[]string{"crl", "-in", lists, "-noout", "-verify", "-CAfile", issuer}, []string{"verify OK"}},
		{[]string{"x509", "-in", goodPEM, "-noout", "-text"}, []string{"X509v3 Freshest CRL", "E-mail Protection", "OCSP - URI:" + s.URL + "/ocsp/", "email:b@example.kz"}},
	} {
		out := run(tt.args...)
		for _, want := range tt.want {
			if !strings.Contains(out, want) {
				t.Errorf("openssl %s says no %q:\n%s", tt.args[0], want, out)
			}
		}
	}
}
