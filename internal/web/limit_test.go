package web_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"senim/internal/auth"
	"senim/internal/store/storetest"
	"senim/internal/web"
)

// limited is a site with a clock of its own, behind a proxy at 192.0.2.1.
func limited(t *testing.T, now *time.Time) http.Handler {
	t.Helper()
	clock := func() time.Time { return *now }
	desk, err := auth.New(auth.Config{Store: storetest.SQLite(t).Auth(), Site: "cabinet", Origin: "http://localhost:8080", Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	shell, err := web.New(web.Config{Site: web.Site{Name: "cabinet", Origin: "http://localhost:8080", Brand: "cabinet.brand",
		Proxies: []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")}}, Auth: desk, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	shell.Handle(mux, "POST /act", hello)
	shell.Handle(mux, "GET /ask", func(w http.ResponseWriter, r *web.Request) error {
		if _, err := r.Ask("sign-in", ""); err != nil {
			return err
		}
		return hello(w, r)
	})
	shell.Handle(mux, "GET /read", hello)
	return shell.Handler(mux)
}

func from(h http.Handler, address, method, path string, headers ...string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(method, "http://localhost:8080"+path, nil)
	req.RemoteAddr = address
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w
}

// TestSec9RatePerAddress: sixty posts and challenges in a minute, then a page that says when to come
// back; other addresses, reading, and leaving are not touched.
func TestSec9RatePerAddress(t *testing.T) {
	now := time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)
	h := limited(t, &now)
	const one = "203.0.113.5:40000"
	for i := range 60 {
		method, path := "POST", "/act"
		if i%10 == 0 {
			method, path = "GET", "/ask"
		}
		if w := from(h, one, method, path); w.Code != 200 {
			t.Fatalf("act %d: %d", i+1, w.Code)
		}
	}
	for _, tag := range []string{"ru", "kk", "en"} {
		w := from(h, "203.0.113.5:40001", "POST", "/act?lang="+tag, "Sec-Fetch-Site", "same-origin")
		if w.Code != 429 || w.Header().Get("Retry-After") != "1" || !strings.Contains(w.Body.String(), `data-code="TOO_MANY"`) || strings.Contains(w.Body.String(), "web.code") {
			t.Errorf("%s: %d, Retry-After %q", tag, w.Code, w.Header().Get("Retry-After"))
		}
	}
	if w := from(h, one, "GET", "/ask"); w.Code != 429 {
		t.Errorf("a challenge over the limit: %d", w.Code)
	}
	if w := from(h, one, "GET", "/read"); w.Code != 200 {
		t.Errorf("reading over the limit: %d", w.Code)
	}
	if w := from(h, one, "POST", "/signout"); w.Code != 303 {
		t.Errorf("leaving over the limit: %d", w.Code)
	}
	if w := from(h, "203.0.113.6:1", "POST", "/act"); w.Code != 200 {
		t.Errorf("another address: %d", w.Code)
	}
	now = now.Add(time.Second)
	if w := from(h, one, "POST", "/act"); w.Code != 200 {
		t.Errorf("after Retry-After: %d", w.Code)
	}
}

// TestSec9RatePerHour: the slow rate holds as well.
func TestSec9RatePerHour(t *testing.T) {
	now := time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)
	h := limited(t, &now)
	good := 0
	for range 1000 {
		now = now.Add(time.Second)
		if from(h, "203.0.113.5:1", "POST", "/act").Code == 200 {
			good++
		}
	}
	if good < 600 || good > 600+1000/6+1 {
		t.Errorf("%d posts in 1000 seconds", good)
	}
}

// TestSec9RateAddress: who the visitor is comes from the connection; a header counts only when a
// configured proxy wrote it, and IPv6 by /64.
func TestSec9RateAddress(t *testing.T) {
	now := time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name    string
		address func(i int) (peer, forwarded string)
		limited bool
	}{
		{"a header of one's own", func(i int) (string, string) { return "203.0.113.5:1", fmt.Sprintf("198.51.100.%d", i%250) }, true},
		{"one /64", func(i int) (string, string) { return fmt.Sprintf("[2001:db8:1:2::%x]:1", i+1), "" }, true},
		{"many /64", func(i int) (string, string) { return fmt.Sprintf("[2001:db8:1:%x::1]:1", i+1), "" }, false},
		{"one visitor behind the proxy", func(int) (string, string) { return "192.0.2.1:1", "203.0.113.9" }, true},
		{"what he wrote before", func(i int) (string, string) { return "192.0.2.1:1", fmt.Sprintf("198.51.100.%d, 203.0.113.9", i%250) }, true},
		{"many behind the proxy", func(i int) (string, string) { return "192.0.2.1:1", fmt.Sprintf("198.51.100.%d", i+1) }, false},
		{"loopback", func(int) (string, string) { return "127.0.0.1:1", "" }, false},
		{"not an address", func(i int) (string, string) { return "192.0.2.1:1", fmt.Sprintf("x%d", i) }, true},
	} {
		h := limited(t, &now)
		refused := false
		for i := range 100 {
			peer, forwarded := c.address(i)
			w := from(h, peer, "POST", "/act", "X-Forwarded-For", forwarded)
			refused = refused || w.Code == 429
		}
		if refused != c.limited {
			t.Errorf("%s: limited %v, want %v", c.name, refused, c.limited)
		}
	}
}

// TestSec9RatePerCertificate: thirty challenges in an hour for one certificate, wherever it comes from.
func TestSec9RatePerCertificate(t *testing.T) {
	now := time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	desk, err := auth.New(auth.Config{Store: storetest.SQLite(t).Auth(), Site: "cabinet", Origin: "http://localhost:8080", Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	shell, err := web.New(web.Config{Site: web.Site{Name: "cabinet", Origin: "http://localhost:8080", Brand: "cabinet.brand"}, Auth: desk, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	first, err := desk.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sid, err := desk.Elevate(t.Context(), first, auth.Session{IIN: "123456789012", Fingerprint: "ab"})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	shell.Handle(mux, "GET /ask", func(w http.ResponseWriter, r *web.Request) error {
		if _, err := r.Ask("revoke", ""); err != nil {
			return err
		}
		return hello(w, r)
	})
	h := shell.Handler(mux)
	for i := range 31 {
		want := http.StatusOK
		if i == 30 {
			want = http.StatusTooManyRequests
		}
		w := from(h, fmt.Sprintf("203.0.113.%d:1", i+1), "GET", "/ask", "Cookie", "senim-cabinet="+sid)
		if w.Code != want {
			t.Fatalf("challenge %d: %d, want %d", i+1, w.Code, want)
		}
	}
}
