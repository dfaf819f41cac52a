// Package responder answers strangers over HTTP: OCSP, revocation lists and certificates of
// authorities.
//
// [New] makes the handler: POST and GET under /ocsp/ (RFC 6960 appendix A), POST /tsp/ (RFC 3161), /crl/NAME.crl and
// /crl/NAME_d.crl (delta), /cert/NAME.cer, and at / a page that says in plain words what is here.
// Everything is public and signed, so there are no cookies and nobody signs in; questions are bounded
// to 64 KiB and to a number at once, and those whose answer is of use to the asker alone to a number
// in a second for each address.
//
// It decides nothing: package ca does. An answer that cannot be given now is tryLater, never good.
// What a cache in between may keep, and for how long, is said by the headers (RFC 5019 section 6).
package responder

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"senim/internal/ca"
	"senim/internal/limit"
	"senim/ocsp"
)

// Authority is what the responder speaks for; *ca.Service is one. Safe for concurrent use.
type Authority interface {
	// Kept is the answer to the same bytes asked before, if it is at hand.
	Kept(ctx context.Context, request []byte) (*ca.Answer, bool)
	// Answer answers, or says within ten seconds that it cannot (BR 4.10.2); admit is asked before
	// something is signed that nobody else can use.
	Answer(ctx context.Context, request []byte, admit func() error) (*ca.Answer, error)
	CRL(ctx context.Context, name string, delta bool) (*ca.List, error)
	Authorities() []ca.Authority
}

// Config makes a responder.
type Config struct {
	Authority Authority // required
	// Stamps gives time-stamps under /tsp/; nil: there are none.
	Stamps Stamper
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Log is for operators; nil discards.
	Log *slog.Logger
	// AtOnce bounds OCSP questions answered at the same time; zero is 64. More are told tryLater.
	// Answers at hand do not count.
	AtOnce int
	// Alone bounds answers signed for one asker alone (with a nonce, about several certificates, about
	// a serial never issued) in a second for each address; zero is 100. More are told tryLater, with
	// status 429. The machine's own loopback is not counted.
	Alone int
	// Proxies are the reverse proxies whose X-Forwarded-For names the asker; none by default.
	Proxies []netip.Prefix
	// Health is asked too when somebody asks how we are; nil is nothing more to ask.
	Health func(ctx context.Context) error
	// Warning is what an operator should know although we are well; "" is nothing.
	Warning string
	// TestMode says on the page that the certificates are for tests.
	TestMode bool
}

// Responder is an http.Handler.
type Responder struct {
	c     Config
	mux   *http.ServeMux
	busy  chan struct{}
	alone *limit.Limiter
	usual atomic.Pointer[expiry]
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
	if c.Alone == 0 {
		c.Alone = 100
	}
	r := &Responder{c: c, mux: http.NewServeMux(), busy: make(chan struct{}, c.AtOnce),
		alone: limit.New(c.Now, limit.Rate{Acts: c.Alone, In: time.Second})}
	r.mux.HandleFunc("POST /ocsp", r.post)
	r.mux.HandleFunc("POST /ocsp/{$}", r.post)
	if c.Stamps != nil {
		r.mux.HandleFunc("POST /tsp", r.stamp)
		r.mux.HandleFunc("POST /tsp/{$}", r.stamp)
	}
	r.mux.HandleFunc("GET /crl/{file}", r.list)
	r.mux.HandleFunc("GET /crl/{ca}/{file}", r.list)
	r.mux.HandleFunc("GET /cert/{file}", r.certificate)
	r.mux.HandleFunc("GET /health", r.health)
	r.mux.HandleFunc("GET /{$}", r.page)
	r.mux.HandleFunc("GET /page.css", style)
	return r, nil
}

// ServeHTTP answers one request. OCSP goes before the multiplexer, which would clean slashes out of
// the base64 in a path, and before what only pages need.
func (r *Responder) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	w.Header()["X-Content-Type-Options"] = noSniff
	switch question, ok := strings.CutPrefix(req.URL.Path, "/ocsp/"); {
	case !ok:
	case question == "" && req.Method == http.MethodPost:
		r.post(w, req)
		return
	case question != "" && (req.Method == http.MethodGet || req.Method == http.MethodHead):
		r.get(w, req, question)
		return
	}
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	w.Header().Set("Referrer-Policy", "no-referrer")
	r.mux.ServeHTTP(w, req)
}

// post is for clients that want an answer of their own; it is never kept in between.
func (r *Responder) post(w http.ResponseWriter, req *http.Request) {
	der, err := read(w, req)
	if why, ok := errors.AsType[refusal](err); ok {
		w.Header()["Cache-Control"] = noStore
		http.Error(w, why.why, why.code)
		return
	}
	if a, ok := r.answer(w, req, der); ok {
		r.write(w, a.Raw, http.StatusOK)
	}
}

// get is for everybody, and for the caches in between.
func (r *Responder) get(w http.ResponseWriter, req *http.Request, question string) {
	if len(question) > 2*maxQuestion {
		w.Header()["Cache-Control"] = noStore
		http.Error(w, "the address is too long", http.StatusRequestURITooLong)
		return
	}
	der, ok := decode(question)
	if !ok {
		r.write(w, ocsp.ErrorResponse(ocsp.Malformed), http.StatusOK)
		return
	}
	a, ok := r.answer(w, req, der)
	if !ok {
		return
	}
	e := r.expiry(a.NextUpdate)
	if a.Tag == "" || e == nil {
		r.write(w, a.Raw, http.StatusOK)
		return
	}
	d, h := dress(a), w.Header()
	h["Etag"], h["Last-Modified"], h["Expires"], h["Cache-Control"] = d.tag, d.modified, e.expires, e.control
	if same(req.Header, d.tag, d.modified) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h["Content-Type"], h["Content-Length"] = kindOCSP, d.length
	_, _ = w.Write(d.body)
}

// tooMany is that an address asks too often, and when it may again.
type tooMany struct{ wait time.Duration }

func (tooMany) Error() string { return "too many questions from one address" }

// answer asks the authority; false when it has said why there is no answer.
func (r *Responder) answer(w http.ResponseWriter, req *http.Request, der []byte) (*ca.Answer, bool) {
	if a, ok := r.c.Authority.Kept(req.Context(), der); ok {
		return a, true
	}
	select {
	case r.busy <- struct{}{}:
		defer func() { <-r.busy }()
	default:
		r.write(w, ocsp.ErrorResponse(ocsp.TryLater), http.StatusOK)
		return nil, false
	}
	a, err := r.c.Authority.Answer(req.Context(), der, func() error { return r.admit(req) })
	if many, ok := errors.AsType[tooMany](err); ok {
		w.Header().Set("Retry-After", strconv.Itoa(int(many.wait/time.Second)+1))
		r.write(w, ocsp.ErrorResponse(ocsp.TryLater), http.StatusTooManyRequests)
		return nil, false
	}
	if err != nil {
		r.c.Log.Error("ocsp answer", "error", err)
		r.write(w, ocsp.ErrorResponse(ocsp.TryLater), http.StatusOK)
		return nil, false
	}
	return a, true
}

// admit counts an answer for one asker alone against his address.
func (r *Responder) admit(req *http.Request) error {
	from, counted := limit.Visitor(req, r.c.Proxies)
	if !counted {
		return nil
	}
	if wait := r.alone.Take(from); wait > 0 {
		return tooMany{wait}
	}
	return nil
}

// write writes what nobody may keep.
func (r *Responder) write(w http.ResponseWriter, der []byte, code int) {
	h := w.Header()
	h["Cache-Control"], h["Content-Type"], h["Content-Length"] = noStore, kindOCSP, []string{strconv.Itoa(len(der))}
	w.WriteHeader(code)
	_, _ = w.Write(der)
}
