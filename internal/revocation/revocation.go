// Package revocation finds out whether a certificate is revoked: it asks OCSP responders over HTTP
// and reads revocation lists from a directory or from configured addresses.
//
// [New] makes a [Source], which is a trust.Revocation. Where to ask is configuration, found by the
// issuer's key identifier. An address inside a certificate is followed only by who asks for that
// ([Config.Inside]): they point to wrong files often enough (crypto.md §9), and a server that follows them asks where
// a stranger wishes. What is answered is judged the same, wherever it came from.
//
// An OCSP answer counts when it is signed by the issuer or a responder the issuer certified, carries
// our nonce, and is fresh: thisUpdate at most 15 minutes old and 2 minutes ahead (security.md §1).
// Otherwise the newest full list inside its dates is asked, with a delta over it when there is one.
// What cannot be told is unknown, with the reason; nothing here rounds up to good.
package revocation

import (
	"context"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"senim/internal/ask"
	"senim/internal/trust"
	"senim/ocsp"
	"senim/pki"
)

// Freshness, by security.md §1 and crypto.md §12.
const (
	maxAge     = 15 * time.Minute // of thisUpdate
	maxAhead   = 2 * time.Minute
	goodCached = 5 * time.Minute
	askTimeout = 5 * time.Second
)

// MaxAnswer bounds an OCSP answer, in bytes.
const MaxAnswer = 64 << 10

// Bounds of what else is read, and of what is remembered.
const (
	maxList   = 64 << 20
	maxCached = 100_000
)

// Config says where status is asked. The zero value knows nobody and answers unknown.
type Config struct {
	// Responders maps an issuer's key identifier (lower hex) to the address of its OCSP responder.
	Responders map[string]string
	// Dir holds revocation lists, full and delta, as *.crl files, DER or PEM; they are read again
	// when they change. Empty means none.
	Dir string
	// Lists maps an issuer's key identifier (lower hex) to addresses of its lists, full and delta.
	Lists map[string][]string
	// Inside asks at the addresses inside a certificate when none is configured for its issuer, who has signed them;
	// nil never does. It should reach the internet alone, as [ask.Public].
	Inside *http.Client
	// HTTP is the client; nil makes one that follows no redirects.
	HTTP *http.Client
	// Timeout bounds one OCSP question; zero is 5 seconds.
	Timeout time.Duration
	// Log is for operators; nil discards.
	Log *slog.Logger
}

// Source answers for certificates. Safe for concurrent use.
type Source struct {
	c       Config
	answers ocsp.Verifier

	mu     sync.Mutex // guards what follows
	cached map[string]remembered
	files  map[string]file // by name
	pages  map[string]page // by address and serial of the issuer
	proved map[proof]error // which list was signed by which issuer
}

// remembered is an answer and when it was got.
type remembered struct {
	status trust.Status
	at     time.Time
}

// New makes a source.
func New(c Config) *Source {
	if c.HTTP == nil {
		c.HTTP = ask.Client()
	}
	if c.Timeout == 0 {
		c.Timeout = askTimeout
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Source{c: c, cached: map[string]remembered{}, files: map[string]file{}, pages: map[string]page{}, proved: map[proof]error{}}
}

// Status tells whether cert, issued by issuer, is revoked at the time at. It never fails: what could
// not be found out is unknown, with Err saying why.
func (s *Source) Status(ctx context.Context, cert, issuer *pki.Certificate, at time.Time) trust.Status {
	if err := cert.CheckSignatureFrom(issuer); err != nil {
		return trust.Status{State: trust.StateUnknown, Err: err.Error()} // asked about the wrong issuer
	}
	key := cacheKey(cert, issuer)
	if st, ok := s.recall(key, at); ok {
		return st
	}
	st, _, ocspErr := s.askResponder(ctx, cert, issuer, at)
	if ocspErr == nil {
		s.remember(key, st, at)
		return st
	}
	st, _, listErr := s.askLists(ctx, cert, issuer, at)
	if listErr == nil {
		if !errors.Is(ocspErr, errNobody) {
			st.Evidence["ocspError"] = ocspErr.Error()
		}
		s.remember(key, st, at)
		return st
	}
	s.c.Log.Warn("revocation could not be checked", "issuer", hex.EncodeToString(issuer.SubjectKeyID), "serial", cert.SerialHex(), "ocsp", ocspErr, "lists", listErr)
	return trust.Status{State: trust.StateUnknown, Err: "ocsp: " + ocspErr.Error() + "; lists: " + listErr.Error(), Evidence: reasons(ocspErr, listErr)}
}

// errNobody: nothing is configured for this issuer.
var errNobody = errors.New("nobody to ask about this issuer")

func cacheKey(cert, issuer *pki.Certificate) string {
	c, i := cert.Fingerprint(), issuer.Fingerprint()
	return string(c[:]) + string(i[:])
}

// recall finds a remembered answer that may still be used: good for 5 minutes, revoked for ever but
// for a hold, which may be lifted.
func (s *Source) recall(key string, at time.Time) (trust.Status, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.cached[key]
	if !ok {
		return trust.Status{}, false
	}
	final := r.status.State == trust.StateRevoked && pki.Reason(r.status.Reason) != pki.CertificateHold
	if final || at.Sub(r.at).Abs() <= goodCached {
		return r.status, true
	}
	delete(s.cached, key)
	return trust.Status{}, false
}

func (s *Source) remember(key string, st trust.Status, at time.Time) {
	if st.State == trust.StateUnknown {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.cached) >= maxCached {
		clear(s.cached)
	}
	s.cached[key] = remembered{st, at}
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
