package caapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"senim/internal/access"
	"senim/internal/audit"
	"senim/internal/ca"
	"senim/internal/caapi/client"
	"senim/internal/limit"
	"senim/pki"
)

// route is what is asked of a caller before a route's own code runs.
type route struct {
	right access.Right
	// public routes ask nothing.
	public bool
	// body bounds the request, in bytes; 0: none is read.
	body int64
}

// routeOf is the one table of who may call what. A route that is not in it cannot be registered.
func routeOf(pattern string) (route, bool) {
	const certificate = 48 << 10 // 16 KiB of PKCS #10 in base64 and PEM, inside JSON, with room for names
	r, ok := map[string]route{
		"POST /certificates":                  {right: access.Issue, body: certificate},
		"POST /certificates/{serial}/renew":   {right: access.Renew, body: 128 << 10},
		"POST /certificates/{serial}/revoke":  {right: access.Revoke, body: 4 << 10},
		"POST /certificates/{serial}/hold":    {right: access.Hold, body: 4 << 10},
		"POST /certificates/{serial}/release": {right: access.Release, body: 4 << 10},
		"GET /certificates/{serial}":          {right: access.Read},
		"GET /certificates":                   {right: access.Search},
		"GET /profiles":                       {right: access.Read},
		"GET /authorities":                    {right: access.Read},
		"GET /authorities/{name}/crl":         {right: access.Read},
		"GET /health":                         {public: true},
		"GET /openapi.json":                   {public: true},
		"GET /openapi.yaml":                   {public: true},
		"GET /docs":                           {public: true},
	}[strings.Replace(pattern, Prefix, "", 1)]
	return r, ok
}

// guarded is what the framework registers routes with.
type guarded struct{ *Server }

// HandleFunc registers a route behind its guard: nothing gets around the table.
func (s guarded) HandleFunc(pattern string, h func(http.ResponseWriter, *http.Request)) {
	rt, ok := routeOf(pattern)
	if !ok {
		panic("caapi: " + pattern + " is not in the table of rights")
	}
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.guard(rt, h, w, r) })
}

// call is one call on its way.
type call struct {
	client access.Client
	key    string // idempotency key
	record *access.Call
	begun  bool // the route's own code has the request: it is as described
}

type callKey struct{}

// callOf is the call a handler works on: the framework passes nothing but a context.
func callOf(ctx context.Context) *call {
	c, _ := ctx.Value(callKey{}).(*call)
	return c
}

// guard does what every call needs done before and after the route's own code.
func (s *Server) guard(rt route, h http.HandlerFunc, w http.ResponseWriter, r *http.Request) {
	from, counted := limit.Visitor(r, s.c.Proxies)
	if counted {
		if wait := s.addresses.Take(from); wait > 0 {
			write(w, tooMany(wait))
			return
		}
	}
	if rt.public {
		h(w, r)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.c.Timeout)
	defer cancel()
	if r.Method != http.MethodGet {
		// A change once begun is finished even if the caller hangs up: its answer will be asked for.
		cancel()
		ctx, cancel = context.WithTimeout(context.WithoutCancel(r.Context()), s.c.Timeout)
		defer cancel()
	}
	r = r.WithContext(ctx)
	c := &call{record: &access.Call{Actor: "unknown", Route: r.Pattern, Object: object(r), Detail: map[string]string{}, Personal: map[string]string{}}}
	var refused *problem
	if err := s.admit(r, rt, c); err != nil {
		refused = s.problemOf(ctx, err)
		if refused.Status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", `Bearer realm="senim-ca"`)
			if counted {
				if wait := s.failures.Take(from); wait > 0 {
					write(w, tooMany(wait))
					return
				}
			}
		}
	}
	var answer recorder
	if refused == nil {
		refused = s.work(ctx, rt, c, h, &answer, r)
	}
	if refused == nil {
		answer.send(w)
		return
	}
	// Limits are not recorded: whoever meets them would fill the record.
	if refused.Status != http.StatusTooManyRequests {
		c.record.Result, c.record.Status = refused.Code, refused.Status
		if err := s.c.Gate.Record(ctx, *c.record); err != nil {
			refused = s.problemOf(ctx, err)
		}
	}
	write(w, refused)
}

func tooMany(wait time.Duration) *problem {
	p := refuse(http.StatusTooManyRequests, "TOO_MANY", "too many calls; Retry-After says when to come back")
	p.RetryAfter = wait
	return p
}

// admit finds out who calls and whether he may. What it learns is in c even when it refuses.
func (s *Server) admit(r *http.Request, rt route, c *call) error {
	who, err := s.identify(r)
	if err != nil {
		return err
	}
	c.client, c.record.Actor = who, who.Actor()
	if err := who.Standing(limit.Address(r, s.c.Proxies), s.c.Now()); err != nil {
		return err
	}
	perMinute := who.PerMinute
	if perMinute == 0 {
		perMinute = access.DefaultPerMinute
	}
	if wait := s.clients.TakeAt(who.Name, limit.Rate{Acts: perMinute, In: time.Minute}); wait > 0 {
		return tooMany(wait)
	}
	if !who.May(rt.right) {
		return refuse(http.StatusForbidden, "RIGHT_MISSING", "this client has no right to "+string(rt.right))
	}
	if r.Header.Get("Content-Encoding") != "" {
		return refuse(http.StatusUnsupportedMediaType, "CONTENT_ENCODING", "send the request as it is, not compressed")
	}
	return nil
}

// identify finds the client by its key and by the certificate of the connection.
func (s *Server) identify(r *http.Request) (access.Client, error) {
	key := ""
	if h := r.Header.Values("Authorization"); len(h) > 0 {
		scheme, token, _ := strings.Cut(h[0], " ")
		if len(h) > 1 || !strings.EqualFold(scheme, "Bearer") || token == "" {
			return access.Client{}, access.ErrDenied
		}
		key = token
	}
	fingerprint := ""
	var cert *x509.Certificate
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		cert = r.TLS.PeerCertificates[0]
		sum := sha256.Sum256(cert.Raw)
		fingerprint = hex.EncodeToString(sum[:])
	}
	who, err := s.c.Gate.Identify(r.Context(), key, fingerprint)
	if err != nil {
		return access.Client{}, err
	}
	if who.Certificate != "" {
		if err := s.usable(r.Context(), cert); err != nil {
			return access.Client{}, err
		}
	}
	return who, nil
}

// usable looks at the pinned certificate itself: its dates, its purpose, and whether we revoked it
// when it is one of our own.
func (s *Server) usable(ctx context.Context, cert *x509.Certificate) error {
	now := s.c.Now()
	purposes := len(cert.ExtKeyUsage) == 0 && len(cert.UnknownExtKeyUsage) == 0 ||
		slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageClientAuth) || slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageAny)
	if now.Before(cert.NotBefore) || now.After(cert.NotAfter) || !purposes {
		return access.ErrDenied
	}
	info, err := s.c.Authority.Certificate(ctx, pki.SerialHex(cert.SerialNumber))
	switch {
	case errors.Is(err, ca.ErrNotFound): // of another authority: pinned, and disabled when it must not be used
		return nil
	case err != nil:
		return fmt.Errorf("status of a client's certificate: %w", err)
	case bytes.Equal(info.Raw, cert.Raw) && info.Revoked != nil:
		return access.ErrDenied
	}
	return nil
}

// work runs the route: reads at once, changes under their idempotency key.
func (s *Server) work(ctx context.Context, rt route, c *call, h http.HandlerFunc, answer *recorder, r *http.Request) *problem {
	r = r.WithContext(context.WithValue(ctx, callKey{}, c))
	if rt.body == 0 {
		r.Body = http.NoBody
		h(answer, r)
		c.outcome(answer)
		if err := s.c.Gate.Record(ctx, *c.record); err != nil {
			return s.problemOf(ctx, err)
		}
		return nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, rt.body))
	if err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); !ok {
			err = refuse(http.StatusBadRequest, "REQUEST_INVALID", "the request could not be read to its end")
		}
		return s.problemOf(ctx, err)
	}
	if c.key = r.Header.Get(client.IdempotencyKey); !rxKey.MatchString(c.key) || len(r.Header.Values(client.IdempotencyKey)) != 1 ||
		(audit.Event{Action: "api.call", Object: c.key}).Check() != nil {
		c.key = ""
		return refuse(http.StatusBadRequest, "KEY_REQUIRED", "the header "+client.IdempotencyKey+" names the request: 1 to 64 of A-Z, a-z, 0-9, ., _, : and -, and no personal number")
	}
	c.record.Detail["key"] = c.key
	// The same request at the same time waits here; on another node it does the same work, which has one
	// effect all the same.
	defer s.working.Take(c.client.Name + " " + c.key)()
	sum := sha256.Sum256([]byte(r.Method + " " + r.URL.EscapedPath() + "\n" + string(body)))
	request, err := s.c.Gate.Begin(ctx, access.Request{Client: c.client.Name, Key: c.key, Digest: sum[:]})
	if err != nil {
		return s.problemOf(ctx, err)
	}
	if request.Status != 0 {
		answer.take(request)
		answer.Header().Set(client.Replayed, "true")
		c.outcome(answer)
		c.record.Detail["replayed"] = "true"
		if err := s.c.Gate.Record(ctx, *c.record); err != nil {
			return s.problemOf(ctx, err)
		}
		return nil
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	h(answer, r)
	c.outcome(answer)
	if !c.begun {
		if err := s.c.Gate.Drop(ctx, request, *c.record); err != nil {
			return s.problemOf(ctx, err)
		}
		return nil
	}
	if answer.status >= 500 { // nothing is decided: the same request may be made again
		if err := s.c.Gate.Record(ctx, *c.record); err != nil {
			return s.problemOf(ctx, err)
		}
		return nil
	}
	request.Status, request.Type, request.Body = answer.status, answer.Header().Get("Content-Type"), answer.body.Bytes()
	stands, err := s.c.Gate.Finish(ctx, request, *c.record)
	if err != nil {
		return s.problemOf(ctx, err)
	}
	answer.take(stands)
	return nil
}

var (
	rxKey    = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,64}$`)
	rxSerial = regexp.MustCompile(`^[0-9a-f]{40}$`)
)

// object is the serial in the path, or "".
func object(r *http.Request) string {
	if s := r.PathValue("serial"); rxSerial.MatchString(s) {
		return s
	}
	return ""
}

// outcome notes the answer in the record.
func (c *call) outcome(a *recorder) {
	c.record.Status = a.status
	if c.record.Result == "" {
		c.record.Result = "ok"
		if a.status >= 400 {
			c.record.Result = "refused"
		}
	}
}

// recorder keeps an answer until it may be sent.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *recorder) Header() http.Header {
	if a.header == nil {
		a.header = http.Header{}
	}
	return a.header
}

func (a *recorder) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *recorder) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(b)
}

// take makes it the answer that was given before.
func (a *recorder) take(r access.Request) {
	a.status = r.Status
	a.body.Reset()
	_, _ = a.body.Write(r.Body) // never fails
	a.Header().Set("Content-Type", r.Type)
}

func (a *recorder) send(w http.ResponseWriter) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.WriteHeader(max(a.status, http.StatusOK))
	_, _ = w.Write(a.body.Bytes()) // the caller is gone, or reads it
}
