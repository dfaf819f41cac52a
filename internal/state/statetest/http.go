package statetest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"senim/internal/state"
)

// HTTP is a fake of an API that answers GET with what it was given, by path.
type HTTP struct {
	URL string

	mu     sync.Mutex
	bodies map[string]string // under mu
	status int               // under mu; 0: 200
	asked  []string          // under mu: the paths
}

func newHTTP(t testing.TB, bodies map[string]string, check func(*http.Request)) *HTTP {
	t.Helper()
	f := &HTTP{bodies: bodies}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		check(r)
		f.mu.Lock()
		body, status := f.bodies[r.URL.Path], f.status
		f.asked = append(f.asked, r.URL.Path)
		f.mu.Unlock()
		if status != 0 {
			w.WriteHeader(status)
		}
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	f.URL = server.URL
	return f
}

// Say sets what a path answers.
func (f *HTTP) Say(path, body string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.bodies[path] = body
}

// Fail makes every answer one of a status; 0 makes them good again.
func (f *HTTP) Fail(status int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.status = status
}

// Asked counts the questions so far.
func (f *HTTP) Asked() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.asked)
}

// The two calls of the tax committee.
const (
	TaxData = "/public/taxpayer-data"
	VATData = "/public/search-payer-data"
)

// NewTax is the tax committee's API; it knows nobody until it is told.
func NewTax(t testing.TB) *HTTP {
	t.Helper()
	return newHTTP(t, map[string]string{TaxData: `{"taxpayerPortalSearchResponses":[]}`}, func(r *http.Request) {
		if r.Header.Get("X-Portal-Token") != "token-of-ours" || r.URL.Query().Get("taxpayerCode") == "" {
			t.Errorf("the tax committee was asked wrongly: %s", r.URL.Path)
		}
	})
}

// Tax is what senim needs to ask it.
func (f *HTTP) Tax() *state.Tax { return &state.Tax{URL: f.URL + "/public/", Token: "token-of-ours"} }

// NewOpen is open data of both kinds.
func NewOpen(t testing.TB) *HTTP {
	t.Helper()
	return newHTTP(t, map[string]string{}, func(*http.Request) {})
}

// Open is what senim needs to ask it.
func (f *HTTP) Open() *state.OpenData {
	return &state.OpenData{Stat: f.URL + "/stat", Data: f.URL + "/data", Key: "key"}
}
