package responder

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	xocsp "golang.org/x/crypto/ocsp"

	"senim/internal/ca"
	"senim/ocsp"
)

// TestGetForms: every way clients write the question into the path.
func TestGetForms(t *testing.T) {
	s := newSite(t, Config{})
	c := s.issue(t, "A-1")
	var der []byte
	for i := 0; ; i++ { // one whose base64 has everything that is written in several ways
		der = s.question(t, c, fmt.Appendf(nil, "nonce ~?>%d%s", i, strings.Repeat("?~", i%5)))
		if text := base64.StdEncoding.EncodeToString(der); strings.Contains(text, "+") && strings.Contains(text, "/") && strings.HasSuffix(text, "=") {
			break
		}
		if i == 1000 {
			t.Fatal("a thousand questions without such letters")
		}
	}
	text := base64.StdEncoding.EncodeToString(der)
	for name, path := range map[string]string{
		"escaped":           url.PathEscape(text),
		"all escaped":       strings.NewReplacer("+", "%2B", "/", "%2F", "=", "%3D").Replace(text),
		"escaped twice":     url.PathEscape(strings.NewReplacer("+", "%2B", "/", "%2F", "=", "%3D").Replace(text)),
		"small letters":     strings.NewReplacer("+", "%2b", "/", "%2f", "=", "%3d").Replace(text),
		"as it is":          text,
		"plus became space": strings.ReplaceAll(text, "+", "%20"),
		"no padding":        strings.TrimRight(text, "="),
		"of addresses":      base64.URLEncoding.EncodeToString(der),
		"both":              base64.RawURLEncoding.EncodeToString(der),
		"a slash too many":  "/" + text,
		"with a query":      text + "?x=1",
	} {
		for _, method := range []string{"GET", "HEAD"} {
			resp, body := s.do(t, method, "/ocsp/"+path, "", nil)
			if method == "HEAD" {
				if len(body) != 0 || len(resp.Header.Get("Content-Length")) < 4 {
					t.Errorf("%s: HEAD %v", name, resp.Header)
				}
				continue
			}
			if _, st := status(t, body); st != ocsp.Good {
				t.Errorf("%s: %v", name, st)
			}
		}
	}
	for name, path := range map[string]string{"two slashes inside": "a//b", "dots": "../cert/rsa.cer", "too much padding": text + "===", "empty": "/"} {
		w := httptest.NewRecorder()
		req := httptest.NewRequest("GET", "/ocsp/x", nil)
		req.URL.Path = "/ocsp/" + path
		s.Config.Handler.ServeHTTP(w, req)
		if !bytes.Equal(w.Body.Bytes(), ocsp.ErrorResponse(ocsp.Malformed)) || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %x", name, w.Code, w.Body.Bytes())
		}
	}
}

// TestSec5Headers: what RFC 5019 section 6 says of headers, to the letter.
func TestSec5Headers(t *testing.T) {
	now := time.Now().Truncate(time.Second)
	s := newSite(t, Config{Now: func() time.Time { return now }})
	c := s.issue(t, "A-1")
	path := "/ocsp/" + url.PathEscape(base64.StdEncoding.EncodeToString(s.question(t, c, nil)))
	resp, body := s.do(t, "GET", path, "", nil)
	r, err := ocsp.ParseResponse(body)
	if err != nil {
		t.Fatal(err)
	}
	one := r.Singles[0]
	for name, want := range map[string]string{
		"Content-Type":   "application/ocsp-response",
		"Content-Length": fmt.Sprint(len(body)),
		"Cache-Control":  "max-age=300, public, no-transform, must-revalidate",
		"Last-Modified":  one.ThisUpdate.Format(http.TimeFormat),
		"Expires":        now.Add(5 * time.Minute).UTC().Format(http.TimeFormat),
		"ETag":           tagOf(body),
		"Vary":           "", "Set-Cookie": "", "Content-Encoding": "",
	} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if resp.Header.Get("Date") == "" || one.NextUpdate.Sub(one.ThisUpdate) != 12*time.Hour || one.ThisUpdate.After(r.ProducedAt) {
		t.Errorf("%v, %+v", resp.Header, one)
	}
	conditional := func(name, value string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		req := httptest.NewRequest("GET", path, nil)
		req.Header.Set(name, value)
		s.Config.Handler.ServeHTTP(w, req)
		return w
	}
	for _, tt := range []struct {
		name, value string
		code        int
	}{
		{"If-None-Match", tagOf(body), 304},
		{"If-None-Match", `"x", W/` + tagOf(body), 304},
		{"If-None-Match", "*", 304},
		{"If-None-Match", `"x"`, 200},
		{"If-Modified-Since", one.ThisUpdate.Format(http.TimeFormat), 304},
		{"If-Modified-Since", one.ThisUpdate.Add(time.Hour).Format(http.TimeFormat), 304},
		{"If-Modified-Since", one.ThisUpdate.Add(-time.Second).Format(http.TimeFormat), 200},
		{"If-Modified-Since", "yesterday", 200},
	} {
		w := conditional(tt.name, tt.value)
		if w.Code != tt.code || w.Header().Get("ETag") != tagOf(body) || (w.Body.Len() == 0) != (tt.code == 304) {
			t.Errorf("%s %s: %d, %v", tt.name, tt.value, w.Code, w.Header())
		}
	}
	if _, err := s.ca.Revoke(t.Context(), c.SerialHex(), ca.Superseded, "tester", time.Time{}); err != nil {
		t.Fatal(err)
	}
	if w := conditional("If-None-Match", tagOf(body)); w.Code != 200 {
		t.Errorf("after the revocation: %d", w.Code)
	}
	never := s.question(t, c, nil)
	never[len(never)-1] ^= 1
	for name, do := range map[string]func() (answer, []byte){
		"POST": func() (answer, []byte) { return s.do(t, "POST", "/ocsp/", question, s.question(t, c, nil)) },
		"never issued": func() (answer, []byte) {
			return s.do(t, "GET", "/ocsp/"+url.PathEscape(base64.StdEncoding.EncodeToString(never)), "", nil)
		},
		"with a nonce": func() (answer, []byte) {
			return s.do(t, "GET", "/ocsp/"+url.PathEscape(base64.StdEncoding.EncodeToString(s.question(t, c, []byte("12345678")))), "", nil)
		},
		"no base64": func() (answer, []byte) { return s.do(t, "GET", "/ocsp/!", "", nil) },
	} {
		resp, _ := do()
		if h := resp.Header; h.Get("Cache-Control") != "no-store" || h.Get("ETag") != "" || h.Get("Expires") != "" || h.Get("Last-Modified") != "" {
			t.Errorf("%s: %v", name, h)
		}
	}
}

// TestSec9Alone: who asks for answers of his own is limited by his address, and nobody is for answers
// at hand. The address comes from the connection or from a configured proxy.
func TestSec9Alone(t *testing.T) {
	now := time.Now()
	s := newSite(t, Config{Alone: 5, Now: func() time.Time { return now }, Proxies: []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")}})
	c := s.issue(t, "A-1")
	ask := func(from, forwarded string, nonce []byte) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		req := httptest.NewRequest("POST", "/ocsp/", bytes.NewReader(s.question(t, c, nonce)))
		req.RemoteAddr = from + ":4000"
		req.Header.Set("Content-Type", question)
		if forwarded != "" {
			req.Header.Set("X-Forwarded-For", forwarded)
		}
		s.Config.Handler.ServeHTTP(w, req)
		return w
	}
	nonce := []byte("12345678")
	for i := range 5 {
		if w := ask("203.0.113.5", fmt.Sprint("198.51.100.", i), nonce); w.Code != 200 {
			t.Fatalf("question %d: %d", i, w.Code)
		}
	}
	w := ask("203.0.113.5", "198.51.100.77", nonce)
	if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "1" || !bytes.Equal(w.Body.Bytes(), ocsp.ErrorResponse(ocsp.TryLater)) {
		t.Errorf("over the limit: %d %v %x", w.Code, w.Header(), w.Body.Bytes())
	}
	for range 20 {
		if w := ask("203.0.113.5", "", nil); w.Code != 200 {
			t.Fatalf("an answer at hand: %d", w.Code)
		}
	}
	for _, other := range [][2]string{{"203.0.113.6", ""}, {"192.0.2.1", "203.0.113.7"}, {"127.0.0.1", ""}} {
		if w := ask(other[0], other[1], nonce); w.Code != 200 {
			t.Errorf("%v: %d", other, w.Code)
		}
	}
	now = now.Add(time.Second)
	if w := ask("203.0.113.5", "", nonce); w.Code != 200 {
		t.Errorf("a second later: %d", w.Code)
	}
}

// TestPostBounds: lengths that lie, and what is not read.
func TestPostBounds(t *testing.T) {
	s := newSite(t, Config{})
	for name, tt := range map[string]struct {
		length int64
		body   string
		encode string
		code   int
	}{
		"more said than sent":   {10, "x", "", http.StatusBadRequest},
		"too long by its word":  {maxQuestion + 1, "x", "", http.StatusRequestEntityTooLarge},
		"too long and silent":   {-1, strings.Repeat("x", maxQuestion+1), "", http.StatusRequestEntityTooLarge},
		"encoded":               {1, "x", "gzip", http.StatusUnsupportedMediaType},
		"silent about a length": {-1, "x", "", http.StatusOK},
	} {
		w := httptest.NewRecorder()
		req := httptest.NewRequest("POST", "/ocsp/", strings.NewReader(tt.body))
		req.ContentLength = tt.length
		req.Header.Set("Content-Type", "Application/OCSP-request; x=y")
		if tt.encode != "" {
			req.Header.Set("Content-Encoding", tt.encode)
		}
		s.Config.Handler.ServeHTTP(w, req)
		if w.Code != tt.code || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v", name, w.Code, w.Header())
		}
	}
}

// TestFilesInParts: lists and certificates by range, and only when they changed.
func TestFilesInParts(t *testing.T) {
	s := newSite(t, Config{})
	_, whole := s.do(t, "GET", "/crl/rsa.crl", "", nil)
	for _, path := range []string{"/crl/rsa.crl", "/cert/rsa.cer"} {
		resp, body := s.do(t, "GET", path, "", nil)
		if resp.Header.Get("ETag") != tagOf(body) || resp.Header.Get("Content-Length") != fmt.Sprint(len(body)) || resp.Header.Get("Last-Modified") == "" || resp.Header.Get("Expires") == "" {
			t.Errorf("%s: %v", path, resp.Header)
		}
		w := httptest.NewRecorder()
		req := httptest.NewRequest("GET", path, nil)
		req.Header.Set("Range", "bytes=10-19")
		s.Config.Handler.ServeHTTP(w, req)
		if w.Code != http.StatusPartialContent || !bytes.Equal(w.Body.Bytes(), body[10:20]) {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	one, err := s.ca.CRL(t.Context(), "rsa", false)
	if err != nil {
		t.Fatal(err)
	}
	if two, _ := s.ca.CRL(t.Context(), "rsa", false); two != one || !bytes.Equal(one.Raw, whole) {
		t.Error("a list that did not change was read again")
	}
	if err := s.ca.Publish(t.Context(), "rsa"); err != nil {
		t.Fatal(err)
	}
	if _, after := s.do(t, "GET", "/crl/rsa.crl", "", nil); bytes.Equal(after, whole) {
		t.Error("the list before is still given out")
	}
}

// TestGo has Go's own packages ask and read.
func TestGo(t *testing.T) {
	s := newSite(t, Config{})
	issuer, err := x509.ParseCertificate(s.issuer.Raw)
	if err != nil {
		t.Fatal(err)
	}
	good, bad := s.issue(t, "A-1"), s.issue(t, "A-2")
	if _, err := s.ca.Revoke(t.Context(), bad.SerialHex(), ca.KeyCompromise, "tester", time.Time{}); err != nil {
		t.Fatal(err)
	}
	for want, raw := range map[int][]byte{xocsp.Good: good.Raw, xocsp.Revoked: bad.Raw} {
		c, err := x509.ParseCertificate(raw)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range []crypto.Hash{crypto.SHA1, crypto.SHA256} {
			der, err := xocsp.CreateRequest(c, issuer, &xocsp.RequestOptions{Hash: h})
			if err != nil {
				t.Fatal(err)
			}
			_, byPost := s.do(t, "POST", "/ocsp/", question, der)
			_, byGet := s.do(t, "GET", "/ocsp/"+url.PathEscape(base64.StdEncoding.EncodeToString(der)), "", nil)
			for _, body := range [][]byte{byPost, byGet} {
				r, err := xocsp.ParseResponseForCert(body, c, issuer)
				if err != nil || r.Status != want || r.NextUpdate.IsZero() || r.IssuerHash != h || want == xocsp.Revoked && r.RevocationReason != xocsp.KeyCompromise {
					t.Errorf("%v: %+v, %v", h, r, err)
				}
			}
		}
	}
}

// FuzzHandler: whatever is sent, there is DER or a status that says why not, and it is bounded.
func FuzzHandler(f *testing.F) {
	r, err := New(Config{Authority: silent{}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("GET", "/ocsp/MFE=", []byte(nil))
	f.Add("POST", "/ocsp/", []byte("x"))
	f.Add("POST", "/ocsp", []byte("x"))
	f.Add("GET", "/crl/rsa.crl", []byte(nil))
	f.Add("HEAD", "/ocsp//%2", []byte(nil))
	f.Fuzz(func(t *testing.T, method, path string, body []byte) {
		if method == "" || path == "/" || strings.HasPrefix(path, "/cert/") || path == "/health" {
			return // these ask for authorities, of which a silent one has none
		}
		w := httptest.NewRecorder()
		req := httptest.NewRequest("GET", "/", bytes.NewReader(body))
		req.Method, req.URL = method, &url.URL{Path: path}
		req.Header.Set("Content-Type", question)
		r.ServeHTTP(w, req)
		switch {
		case w.Body.Len() > 4096+len(path):
			t.Errorf("%d bytes", w.Body.Len())
		case w.Header().Get("Content-Type") == "application/ocsp-response":
			if _, err := ocsp.ParseResponse(w.Body.Bytes()); err != nil {
				t.Errorf("%s: %v", hex.EncodeToString(w.Body.Bytes()), err)
			}
		case strings.HasPrefix(path, "/ocsp/") && w.Code == http.StatusOK:
			t.Errorf("%s %q: 200 and no answer", method, path)
		}
	})
}
