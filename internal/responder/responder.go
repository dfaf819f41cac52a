// Package responder answers strangers over HTTP: OCSP, revocation lists and certificates of
// authorities.
//
// [New] makes the handler: POST and GET under /ocsp/ (RFC 6960 appendix A), /crl/NAME.crl and
// /crl/NAME_d.crl (delta), /cert/NAME.cer, and at / a page that says in plain words what is here.
// Everything is public and signed, so there are no cookies and nobody signs in; questions are bounded
// to 64 KiB and to a number at once.
//
// It decides nothing: package ca does. An answer that cannot be given now is tryLater, never good.
package responder

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"senim/internal/ca"
	"senim/ocsp"
)

// maxQuestion bounds an OCSP request, in bytes.
const maxQuestion = 64 << 10

// Authority is what the responder speaks for; *ca.Service is one. Safe for concurrent use.
type Authority interface {
	OCSP(ctx context.Context, request []byte) (*ca.Answer, error)
	CRL(ctx context.Context, name string, delta bool) (*ca.List, error)
	Authorities() []ca.Authority
}

// Config makes a responder.
type Config struct {
	Authority Authority // required
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Log is for operators; nil discards.
	Log *slog.Logger
	// AtOnce bounds OCSP questions answered at the same time; zero is 64. More are told tryLater.
	AtOnce int
	// Health is asked too when somebody asks how we are; nil is nothing more to ask.
	Health func(ctx context.Context) error
	// TestMode says on the page that the certificates are for tests.
	TestMode bool
}

// Responder is an http.Handler.
type Responder struct {
	c    Config
	mux  *http.ServeMux
	busy chan struct{}
}

// New makes a responder.
func New(c Config) (*Responder, error) {
	if c.Authority == nil {
		return nil, errors.New("new responder: no authority")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.AtOnce == 0 {
		c.AtOnce = 64
	}
	r := &Responder{c: c, mux: http.NewServeMux(), busy: make(chan struct{}, c.AtOnce)}
	r.mux.HandleFunc("POST /ocsp", r.post)
	r.mux.HandleFunc("POST /ocsp/{$}", r.post)
	r.mux.HandleFunc("GET /crl/{file}", r.list)
	r.mux.HandleFunc("GET /cert/{file}", r.certificate)
	r.mux.HandleFunc("GET /health", r.health)
	r.mux.HandleFunc("GET /{$}", r.page)
	r.mux.HandleFunc("GET /page.css", style)
	return r, nil
}

// ServeHTTP answers one request. OCSP by GET goes before the multiplexer, which would clean slashes
// out of the base64 in its path.
func (r *Responder) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	w.Header().Set("Referrer-Policy", "no-referrer")
	if question, ok := strings.CutPrefix(req.URL.EscapedPath(), "/ocsp/"); ok && question != "" && (req.Method == http.MethodGet || req.Method == http.MethodHead) {
		r.get(w, req, question)
		return
	}
	r.mux.ServeHTTP(w, req)
}

func (r *Responder) post(w http.ResponseWriter, req *http.Request) {
	if kind, _, _ := strings.Cut(req.Header.Get("Content-Type"), ";"); strings.TrimSpace(kind) != "application/ocsp-request" {
		http.Error(w, "Content-Type application/ocsp-request is wanted", http.StatusUnsupportedMediaType)
		return
	}
	der, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxQuestion))
	if err != nil {
		if _, long := errors.AsType[*http.MaxBytesError](err); long {
			http.Error(w, fmt.Sprintf("a request has at most %d bytes", maxQuestion), http.StatusRequestEntityTooLarge)
			return
		}
		http.Error(w, "the request was cut off", http.StatusBadRequest)
		return
	}
	r.answer(w, req, der, false)
}

// get reads the request from the path: base64, then percent-encoded (RFC 6960 A.1).
func (r *Responder) get(w http.ResponseWriter, req *http.Request, question string) {
	if len(question) > 2*maxQuestion {
		http.Error(w, "the address is too long", http.StatusRequestURITooLong)
		return
	}
	text, err := url.PathUnescape(question)
	if err != nil {
		r.write(w, ocsp.ErrorResponse(ocsp.Malformed))
		return
	}
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		r.write(w, ocsp.ErrorResponse(ocsp.Malformed))
		return
	}
	r.answer(w, req, der, true)
}

// answer asks the authority. Answers to GET without a nonce may be kept by caches in between, but no
// longer than five minutes: a revocation is to be seen soon.
func (r *Responder) answer(w http.ResponseWriter, req *http.Request, der []byte, cacheable bool) {
	select {
	case r.busy <- struct{}{}:
		defer func() { <-r.busy }()
	default:
		r.write(w, ocsp.ErrorResponse(ocsp.TryLater))
		return
	}
	a, err := r.c.Authority.OCSP(req.Context(), der)
	if err != nil {
		r.c.Log.Error("ocsp answer", "error", err)
		r.write(w, ocsp.ErrorResponse(ocsp.TryLater))
		return
	}
	if cacheable && !a.NextUpdate.IsZero() {
		r.cache(w, a.Raw, a.ThisUpdate, a.NextUpdate, 5*time.Minute)
	}
	r.write(w, a.Raw)
}

func (r *Responder) write(w http.ResponseWriter, der []byte) {
	if w.Header().Get("Cache-Control") == "" {
		w.Header().Set("Cache-Control", "no-store")
	}
	w.Header().Set("Content-Type", "application/ocsp-response")
	w.Header().Set("Content-Length", fmt.Sprint(len(der)))
	_, _ = w.Write(der) //nolint:gosec // DER with its own content type and nosniff: no page
}

// cache sets the headers of RFC 5019 section 6.2.
func (r *Responder) cache(w http.ResponseWriter, body []byte, made, next time.Time, most time.Duration) {
	left := min(next.Sub(r.c.Now()), most)
	if left <= 0 {
		w.Header().Set("Cache-Control", "no-store")
		return
	}
	sum := sha256.Sum256(body)
	w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:16])+`"`)
	w.Header().Set("Last-Modified", made.UTC().Format(http.TimeFormat))
	w.Header().Set("Expires", r.c.Now().Add(left).UTC().Format(http.TimeFormat))
	w.Header().Set("Cache-Control", fmt.Sprintf("max-age=%d, public, no-transform, must-revalidate", int(left.Seconds())))
}
