// Package caapi is the authority's HTTP API for other programs, version 1 under /ca/v1/: a
// registration authority on another machine has certificates issued, renewed, revoked, suspended and
// released, and asks for status.
//
// [New] gives the handler; its description in OpenAPI 3.1 is made from the code ([Describe], and
// /ca/v1/openapi.yaml). Who may call is decided at one place ([Server] wraps every route) before the
// route's own code: address limit, identity, rights, client's limit, idempotency. Package client is
// the other side.
//
// It refuses: callers it does not know; what their rights exclude, route by route; bodies that are too
// long, encoded or not exactly as described; a change without an idempotency key, and the same key for
// another request. Answers are problems of RFC 9457 with a code and never tell internals. No browser
// may use it: there is no CORS, and nothing but the page of documentation is for people.
package caapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"senim/internal/access"
	"senim/internal/ca"
	"senim/internal/limit"
	"senim/internal/profile"
	"senim/internal/turn"
)

// Authority is what the API has done; [ca.Service] is the real one.
type Authority interface {
	Issue(ctx context.Context, o ca.Order) (*ca.Issued, error)
	Revoke(ctx context.Context, serial string, reason ca.Reason, by string, invalidity time.Time) (*ca.Revocation, error)
	Release(ctx context.Context, serial, by, second string) error
	Certificate(ctx context.Context, serial string) (*ca.Info, error)
	Search(ctx context.Context, q ca.Query) ([]ca.Info, error)
	Authorities() []ca.Authority
	Profiles() profile.Set
	CRL(ctx context.Context, authority string, delta bool) (*ca.List, error)
}

// Config opens a [Server].
type Config struct {
	Authority Authority    // required
	Gate      *access.Gate // required
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Log is for operators; nil discards. No personal data goes there.
	Log *slog.Logger
	// Proxies are those whose X-Forwarded-For is believed.
	Proxies []netip.Prefix
	// Timeout bounds the work on one call; 30 s when zero.
	Timeout time.Duration
	// PerAddress bounds the calls of one address before anybody is identified, and Failures those of
	// its calls that identify nobody; 1200 and 20 a minute when zero. Loopback is free of both.
	PerAddress, Failures limit.Rate
}

// Server is the API. Safe for concurrent use.
type Server struct {
	c         Config
	mux       *http.ServeMux
	addresses *limit.Limiter
	failures  *limit.Limiter
	clients   *limit.Limiter
	working   turn.Turns
	renewing  turn.Turns
}

// Prefix is where the routes are.
const Prefix = "/ca/v1"

// New checks the configuration and makes the API.
func New(c Config) (*Server, error) {
	if c.Authority == nil || c.Gate == nil {
		return nil, errors.New("open the API: authority and gate are wanted")
	}
	s := newServer(c)
	if _, err := s.routes(); err != nil {
		return nil, err
	}
	return s, nil
}

func newServer(c Config) *Server {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Timeout <= 0 {
		c.Timeout = 30 * time.Second
	}
	if c.PerAddress.Acts == 0 {
		c.PerAddress = limit.Rate{Acts: 1200, In: time.Minute}
	}
	if c.Failures.Acts == 0 {
		c.Failures = limit.Rate{Acts: 20, In: time.Minute}
	}
	return &Server{c: c, mux: http.NewServeMux(), addresses: limit.New(c.Now, c.PerAddress), failures: limit.New(c.Now, c.Failures), clients: limit.New(c.Now)}
}

// ServeHTTP answers; what has no route is a problem too.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if r.TLS != nil {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
	if _, pattern := s.mux.Handler(r); pattern != "" {
		s.mux.ServeHTTP(w, r)
		return
	}
	var dry recorder // the mux knows whether the method or the path is wrong
	s.mux.ServeHTTP(&dry, r)
	if dry.status == http.StatusMethodNotAllowed {
		h.Set("Allow", strings.Join(dry.header["Allow"], ", "))
		write(w, refuse(http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "this route has other methods"))
		return
	}
	write(w, refuse(http.StatusNotFound, "NOT_FOUND", "no such route; GET "+Prefix+"/openapi.yaml describes those there are"))
}
