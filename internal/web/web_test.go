package web_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"senim/internal/auth"
	"senim/internal/store/storetest"
	"senim/internal/web"
)

// site serves a few pages at an origin.
func site(t *testing.T, origin string, pages map[string]web.Handler) *httptest.Server {
	t.Helper()
	desk, err := auth.New(auth.Config{Store: storetest.SQLite(t).Auth(), Site: "cabinet", Origin: origin})
	if err != nil {
		t.Fatal(err)
	}
	shell, err := web.New(web.Config{Site: web.Site{Name: "cabinet", Origin: origin, Brand: "cabinet.brand"}, Auth: desk, MaxBody: 1 << 10})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	for pattern, h := range pages {
		shell.Handle(mux, pattern, h)
	}
	server := httptest.NewServer(shell.Handler(mux))
	t.Cleanup(server.Close)
	return server
}

func hello(w http.ResponseWriter, r *web.Request) error {
	return r.OK(w, web.Page(r, web.Head{Title: "Hello " + r.Field("name")}))
}

// answered is what came back beside the body, which is read and closed.
type answered struct {
	StatusCode int
	Header     http.Header
}

// send makes a request without following redirects.
func send(t *testing.T, method, to string, form url.Values, headers ...string) (answered, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, to, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answered{res.StatusCode, res.Header}, string(body)
}

func TestSec7Headers(t *testing.T) {
	s := site(t, "https://cabinet.example.kz", map[string]web.Handler{"GET /{$}": hello})
	for _, path := range []string{"/", "/none", "/assets/none"} {
		res, _ := send(t, "GET", s.URL+path, nil)
		csp := res.Header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "connect-src 'self' wss://127.0.0.1:13579 ws://127.0.0.1:13579",
			"frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'", "require-trusted-types-for 'script'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: policy lacks %q: %s", path, want, csp)
			}
		}
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin", "Strict-Transport-Security": "max-age=31536000"} {
			if got := res.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
	}
	res, body := send(t, "GET", s.URL+"/", nil)
	if res.Header.Get("Cache-Control") != "no-store" {
		t.Error("a page may be cached")
	}
	for _, foreign := range []string{"<style", "style=", "onclick", "http://fonts", "https://"} {
		if strings.Contains(body, foreign) {
			t.Errorf("the page holds %q", foreign)
		}
	}
}

func TestSec7CrossOrigin(t *testing.T) {
	s := site(t, "http://localhost:8080", map[string]web.Handler{"POST /act": hello, "GET /act": hello})
	for _, c := range []struct {
		name    string
		headers []string
		want    int
	}{
		{"cross-site", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"same-site is not same-origin", []string{"Sec-Fetch-Site", "same-site"}, 403},
		{"foreign origin", []string{"Origin", "https://evil.example.kz"}, 403},
		{"same origin", []string{"Sec-Fetch-Site", "same-origin"}, 200},
		{"a program", nil, 200},
	} {
		res, body := send(t, "POST", s.URL+"/act", nil, c.headers...)
		if res.StatusCode != c.want {
			t.Errorf("%s: %d, want %d", c.name, res.StatusCode, c.want)
		}
		if c.want == 403 && !strings.Contains(body, `data-code="CROSS_ORIGIN"`) {
			t.Errorf("%s: not a page: %s", c.name, body)
		}
	}
	if res, _ := send(t, "POST", s.URL+"/language", url.Values{"lang": {"kk"}}, "Sec-Fetch-Site", "cross-site"); res.StatusCode != 403 {
		t.Error("the language switch takes posts from other sites")
	}
}

func TestSec7Cookies(t *testing.T) {
	begin := func(w http.ResponseWriter, r *web.Request) error {
		if _, err := r.Begin(); err != nil {
			return err
		}
		return hello(w, r)
	}
	for origin, want := range map[string]string{"https://cabinet.example.kz": "__Host-senim-cabinet=", "http://localhost:8080": "senim-cabinet="} {
		s := site(t, origin, map[string]web.Handler{"GET /{$}": begin})
		res, _ := send(t, "GET", s.URL+"/", nil)
		c := res.Header.Get("Set-Cookie")
		if !strings.HasPrefix(c, want) || !strings.Contains(c, "HttpOnly") || !strings.Contains(c, "SameSite=Lax") || !strings.Contains(c, "Path=/") {
			t.Errorf("%s: cookie %s", origin, c)
		}
		if strings.Contains(c, "Secure") != strings.HasPrefix(origin, "https") {
			t.Errorf("%s: cookie %s", origin, c)
		}
	}
}

func TestLanguage(t *testing.T) {
	s := site(t, "http://localhost:8080", map[string]web.Handler{"GET /{$}": hello})
	for _, c := range []struct{ path, header, cookie, want string }{
		{"/", "kk-KZ,ru;q=0.5", "", `lang="kk"`}, {"/", "fr", "", `lang="ru"`}, {"/", "ru", "senim-lang=en", `lang="en"`}, {"/?lang=kk", "ru", "senim-lang=en", `lang="kk"`},
	} {
		if _, body := send(t, "GET", s.URL+c.path, nil, "Accept-Language", c.header, "Cookie", c.cookie); !strings.Contains(body, "<html "+c.want) {
			t.Errorf("%+v", c)
		}
	}
	for back, want := range map[string]string{"/keys?x=1": "/keys?x=1", "//evil.example.kz": "/", "/\\evil.example.kz": "/", "https://evil.example.kz": "/", "": "/"} {
		res, _ := send(t, "POST", s.URL+"/language", url.Values{"lang": {"kk"}, "back": {back}})
		if got := res.Header.Get("Location"); res.StatusCode != 303 || got != want {
			t.Errorf("back %q: %d to %q", back, res.StatusCode, got)
		}
		if !strings.Contains(res.Header.Get("Set-Cookie"), "senim-lang=kk") {
			t.Error("the language is not remembered")
		}
	}
}

func TestErrorsTellNothingInside(t *testing.T) {
	s := site(t, "http://localhost:8080", map[string]web.Handler{
		"GET /broken": func(http.ResponseWriter, *web.Request) error { return errors.New("table users is gone") },
		"GET /refused": func(http.ResponseWriter, *web.Request) error {
			return web.Refusal{Code: "CERT_EXPIRED", Evidence: map[string]string{"date": "2026-08-31T10:00:00Z"}, Retry: "/signin"}
		},
		"GET /unknown": func(http.ResponseWriter, *web.Request) error { return web.Refusal{Code: "CHECK_UNAVAILABLE"} },
	})
	res, body := send(t, "GET", s.URL+"/broken", nil, "Accept-Language", "ru")
	if res.StatusCode != 500 || strings.Contains(body, "users") || !strings.Contains(body, "Номер ошибки") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	res, body = send(t, "GET", s.URL+"/refused", nil, "Accept-Language", "ru")
	if res.StatusCode != 422 || !strings.Contains(body, "31.08.2026") || !strings.Contains(body, `data-code="CERT_EXPIRED"`) || !strings.Contains(body, `href="/signin"`) {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	_, body = send(t, "GET", s.URL+"/unknown", nil, "Accept-Language", "ru")
	if !strings.Contains(body, "Не удалось проверить") || !strings.Contains(body, "senim-refusal--unknown") {
		t.Error("could not check looks like no")
	}
	if res, _ := send(t, "GET", s.URL+"/none", nil); res.StatusCode != 404 {
		t.Errorf("no such page: %d", res.StatusCode)
	}
}

func TestSec3BodyBound(t *testing.T) {
	s := site(t, "http://localhost:8080", map[string]web.Handler{"POST /act": hello})
	res, body := send(t, "POST", s.URL+"/act", url.Values{"name": {strings.Repeat("a", 2<<10)}})
	if res.StatusCode != 413 || !strings.Contains(body, "TOO_LARGE") {
		t.Errorf("%d", res.StatusCode)
	}
	if res, _ := send(t, "POST", s.URL+"/act", nil, "Content-Encoding", "gzip"); res.StatusCode != 415 {
		t.Errorf("encoded body: %d", res.StatusCode)
	}
	if _, body := send(t, "POST", s.URL+"/act", url.Values{"name": {`"'><script>`}}); strings.Contains(body, "<script>") && !strings.Contains(body, "&lt;script") {
		t.Error("markup of a field is in the page")
	}
}

func TestAssets(t *testing.T) {
	s := site(t, "http://localhost:8080", map[string]web.Handler{"GET /{$}": hello})
	_, body := send(t, "GET", s.URL+"/", nil)
	for _, name := range []string{"senim", "mark", "mark-light"} {
		i := strings.Index(body, "/assets/"+name+".")
		if i < 0 {
			t.Fatalf("the page does not name %s", name)
		}
		path := body[i : i+strings.IndexByte(body[i:], '"')]
		res, content := send(t, "GET", s.URL+path, nil)
		if res.StatusCode != 200 || len(content) < 200 || !strings.Contains(res.Header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d, %d bytes", path, res.StatusCode, len(content))
		}
	}
	if res, _ := send(t, "GET", s.URL+"/assets/../web.go", nil); res.StatusCode == 200 {
		t.Error("a file outside dist is served")
	}
}

func TestAnswers(t *testing.T) {
	for answer, ok := range map[string]bool{
		`["-----BEGIN CMS-----\nMAA=\n-----END CMS-----\n"]`: true, `"MAA="`: true, "MAA=": true, `["MA\nA="]`: true,
		"": false, `[]`: false, `["a","b"]`: false, `[""]`: false, `{}`: false, "!": false,
		`["-----BEGIN CMS-----\nMAA=\n-----END CMS-----\nmore"]`: false,
	} {
		if _, err := web.Signature(answer); (err == nil) != ok {
			t.Errorf("%q: %v", answer, err)
		}
	}
	if _, err := web.NewKeys(`{"requestId":"other","keys":[{"csr":"AAAA"}]}`, "mine"); !errors.Is(err, web.ErrAnswer) {
		t.Errorf("answer to another request: %v", err)
	}
}

func FuzzSignature(f *testing.F) {
	f.Add(`["-----BEGIN CMS-----\nMAA=\n-----END CMS-----\n"]`)
	f.Fuzz(func(t *testing.T, answer string) {
		der, err := web.Signature(answer)
		if err == nil && len(der) == 0 {
			t.Error("an empty signature was read")
		}
	})
}
