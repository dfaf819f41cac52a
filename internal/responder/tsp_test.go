package responder

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"senim/internal/ca"
)

// stamper answers with what it was asked, so that a test sees what arrived.
type stamper struct{ ready error }

func (stamper) Answer(_ context.Context, q []byte) []byte { return append([]byte("answer to "), q...) }
func (s stamper) Ready() error                            { return s.ready }

// nobody is an authority without authorities.
type nobody struct{ Authority }

func (nobody) Authorities() []ca.Authority { return nil }

func TestTimeStampsOverHTTP(t *testing.T) {
	const query = "application/timestamp-query"
	for name, c := range map[string]struct {
		method, path, kind string
		body               []byte
		stamps             Stamper
		busy               bool
		status             int
	}{
		"asked":                  {"POST", "/tsp/", query, []byte("q"), stamper{}, false, 200},
		"without the last slash": {"POST", "/tsp", query + "; charset=binary", []byte("q"), stamper{}, false, 200},
		"as a form":              {"POST", "/tsp/", "application/x-www-form-urlencoded", []byte("q"), stamper{}, false, 415},
		"of no kind":             {"POST", "/tsp/", "", []byte("q"), stamper{}, false, 415},
		"too long":               {"POST", "/tsp/", query, make([]byte, maxStampQuestion+1), stamper{}, false, 413},
		"as long as may be":      {"POST", "/tsp/", query, make([]byte, maxStampQuestion), stamper{}, false, 200},
		"by GET":                 {"GET", "/tsp/", query, nil, stamper{}, false, 405},
		"deeper":                 {"POST", "/tsp/x", query, []byte("q"), stamper{}, false, 404},
		"where there are none":   {"POST", "/tsp/", query, []byte("q"), nil, false, 404},
		"when too many ask":      {"POST", "/tsp/", query, []byte("q"), stamper{}, true, 503},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := New(Config{Authority: nobody{}, Stamps: c.stamps, AtOnce: 1})
			if err != nil {
				t.Fatal(err)
			}
			if c.busy {
				r.busy <- struct{}{}
			}
			req := httptest.NewRequestWithContext(t.Context(), c.method, c.path, bytes.NewReader(c.body))
			req.Header.Set("Content-Type", c.kind)
			w := httptest.NewRecorder()
			r.ServeHTTP(w, req)
			if w.Code != c.status {
				t.Fatalf("status %d, want %d: %s", w.Code, c.status, w.Body)
			}
			if c.status != http.StatusOK {
				return
			}
			body, _ := io.ReadAll(w.Body)
			if !bytes.Equal(body, append([]byte("answer to "), c.body...)) || w.Header().Get("Content-Type") != "application/timestamp-reply" || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%d bytes, %v", len(body), w.Header())
			}
		})
	}
}

func TestPageSaysWhetherThereIsTime(t *testing.T) {
	for _, ready := range []error{nil, errors.New("no")} {
		r, err := New(Config{Authority: nobody{}, Stamps: stamper{ready}})
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		r.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/?lang=en", nil))
		if strings.Contains(w.Body.String(), "No time-stamps are given now") != (ready != nil) || !strings.Contains(w.Body.String(), "/tsp/") {
			t.Errorf("ready %v: %s", ready, w.Body)
		}
	}
}
