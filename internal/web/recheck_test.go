package web_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"senim/internal/auth"
	"senim/internal/pkitest"
	"senim/internal/store/storetest"
	"senim/internal/trust"
	"senim/internal/web"
	"senim/pki"
)

// verdicts is a judge that says what it is told to.
type verdicts struct {
	v     trust.Verdict
	code  string
	asked int
}

func (j *verdicts) Certificate(context.Context, *pki.Certificate, trust.Purpose) trust.Report {
	j.asked++
	return trust.Report{{Name: trust.CheckRevocation, Verdict: j.v, Code: j.code, Evidence: map[string]string{}}}
}

// TestSec7RevokedCertificateEndsSession: a session's certificate is looked at again every 15 minutes.
// While it cannot be checked no page is shown; once it is revoked the session is gone.
func TestSec7RevokedCertificateEndsSession(t *testing.T) {
	now := time.Now()
	clock := func() time.Time { return now }
	judge := &verdicts{v: trust.Good}
	desk, err := auth.New(auth.Config{Store: storetest.SQLite(t).Auth(), Judge: judge, Site: "cabinet", Origin: "http://localhost:8080", Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	shell, err := web.New(web.Config{Site: web.Site{Name: "cabinet", Origin: "http://localhost:8080", Brand: "cabinet.brand"}, Auth: desk, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	cert := pkitest.New(t, pkitest.Config{Now: now}).Individual().Certificate
	mux := http.NewServeMux()
	shell.Handle(mux, "POST /in", func(w http.ResponseWriter, r *web.Request) error {
		if _, err := r.Begin(); err != nil {
			return err
		}
		return r.SignInWith(&auth.Proof{Certificate: cert, Holder: cert.Holder()})
	})
	shell.Handle(mux, "POST /up", func(w http.ResponseWriter, r *web.Request) error { // another id, the same key
		return r.SignIn(auth.Session{IIN: r.Session().IIN, Serial: r.Session().Serial, Fingerprint: r.Session().Fingerprint})
	})
	shell.Handle(mux, "GET /own", shell.SignedIn(hello))
	h := shell.Handler(mux)
	cookie := ""
	get := func(method, path string) *httptest.ResponseRecorder {
		w := from(h, "127.0.0.1:1", method, path, "Cookie", cookie)
		for _, c := range w.Result().Cookies() {
			if c.Name == "senim-cabinet" {
				cookie = c.Name + "=" + c.Value
			}
		}
		return w
	}
	get("POST", "/in")
	get("POST", "/up")
	if w := get("GET", "/own"); w.Code != 200 || judge.asked != 0 {
		t.Fatalf("just signed in: %d, asked %d", w.Code, judge.asked)
	}
	now = now.Add(16 * time.Minute)
	if w := get("GET", "/own"); w.Code != 200 || judge.asked != 1 {
		t.Errorf("good after 16 minutes: %d, asked %d", w.Code, judge.asked)
	}
	if get("GET", "/own"); judge.asked != 1 {
		t.Errorf("asked %d times", judge.asked)
	}
	now = now.Add(16 * time.Minute)
	judge.v, judge.code = trust.Unknown, trust.CodeUnavailable
	if w := get("GET", "/own"); w.Code != 503 {
		t.Errorf("could not check: %d", w.Code)
	}
	judge.v, judge.code = trust.Bad, trust.CodeRevoked
	if w := get("GET", "/own"); w.Code != 401 || !strings.Contains(w.Body.String(), `data-code="CERT_REVOKED"`) {
		t.Errorf("revoked: %d", w.Code)
	}
	if w := get("GET", "/own"); w.Code != 303 || w.Header().Get("Location") != "/signin" {
		t.Errorf("after that: %d to %s", w.Code, w.Header().Get("Location"))
	}
}
