// Package client is the other side of the authority's API: what a registration authority on another
// machine, or a program on the command line, links to have certificates issued, renewed and revoked.
//
// [New] makes a [Client]; its methods are the routes. Every call that changes something takes a key:
// the same key with the same request has one effect, however often and by whichever way it arrives.
// So a call whose answer was lost is tried again here, and may be tried again tomorrow. For issuing
// the key is the name of the order.
//
// A refusal is a [*Problem] with a code; other errors are of the way there, after all tries. The client
// goes to one address, follows no redirect, and reads bounded answers.
package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Config says where the authority is and who we are.
type Config struct {
	// URL is where the API stands, as "https://ca.example.kz:8443"; plain http only on this machine.
	URL string
	// Key is the client's key, "" when the TLS certificate is enough.
	Key string
	// TLS holds roots and our certificate; nil means the system's roots and no certificate.
	TLS *tls.Config
	// Tries is how often a call is made when no answer comes or the authority is busy; 5 when zero.
	Tries int
	// Pause is the time before the second try, doubled after each; 200 ms when zero.
	Pause time.Duration
	// Timeout bounds one try; 30 s when zero.
	Timeout time.Duration
}

// Client speaks to one authority. Safe for concurrent use.
type Client struct {
	c    Config
	base *url.URL
	http *http.Client
}

const (
	maxAnswer = 64 << 20 // a revocation list may be long
	maxPause  = 30 * time.Second
)

// New checks the configuration. It connects to nothing.
func New(c Config) (*Client, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || u.Path != "" && u.Path != "/" || u.RawQuery != "" {
		return nil, fmt.Errorf("address of the authority %q: wanted as https://ca.example.kz:8443", c.URL)
	}
	if u.Scheme == "http" && !local(u.Hostname()) {
		return nil, fmt.Errorf("address of the authority %q: without TLS the key would be read on the way; use https", c.URL)
	}
	if strings.ContainsAny(c.Key, " \r\n\t") {
		return nil, errors.New("the key of the API has spaces or lines in it")
	}
	if c.Tries <= 0 {
		c.Tries = 5
	}
	if c.Pause <= 0 {
		c.Pause = 200 * time.Millisecond
	}
	if c.Timeout <= 0 {
		c.Timeout = 30 * time.Second
	}
	settings := c.TLS.Clone()
	if settings == nil {
		settings = &tls.Config{}
	}
	settings.MinVersion = max(settings.MinVersion, tls.VersionTLS12)
	t := &http.Transport{TLSClientConfig: settings, MaxIdleConnsPerHost: 16, IdleConnTimeout: time.Minute,
		TLSHandshakeTimeout: 10 * time.Second, DisableCompression: true}
	u.Path = ""
	return &Client{c: c, base: u, http: &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}, nil
}

func local(host string) bool { return host == "localhost" || host == "127.0.0.1" || host == "::1" }

// Close ends idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Issue has a certificate made for the order named by key.
func (c *Client) Issue(ctx context.Context, key string, r IssueRequest) (out Issued, err error) {
	err = c.post(ctx, "/certificates", key, r, &out)
	return out, err
}

// Renew has the next certificate of a holder made, for the order named by key.
func (c *Client) Renew(ctx context.Context, serial, key string, r RenewRequest) (out Issued, err error) {
	err = c.post(ctx, "/certificates/"+url.PathEscape(serial)+"/renew", key, r, &out)
	return out, err
}

// Revoke ends a certificate for good and returns the revocation in force.
func (c *Client) Revoke(ctx context.Context, serial, key string, r RevokeRequest) (out Revocation, err error) {
	err = c.post(ctx, "/certificates/"+url.PathEscape(serial)+"/revoke", key, r, &out)
	return out, err
}

// Hold suspends a certificate.
func (c *Client) Hold(ctx context.Context, serial, key string, r HoldRequest) (out Revocation, err error) {
	err = c.post(ctx, "/certificates/"+url.PathEscape(serial)+"/hold", key, r, &out)
	return out, err
}

// Release gives this client's voice for lifting a hold; two clients lift it.
func (c *Client) Release(ctx context.Context, serial, key string, r HoldRequest) (out Release, err error) {
	err = c.post(ctx, "/certificates/"+url.PathEscape(serial)+"/release", key, r, &out)
	return out, err
}

// Certificate returns what is known of a serial.
func (c *Client) Certificate(ctx context.Context, serial string) (out Certificate, err error) {
	err = c.get(ctx, "/certificates/"+url.PathEscape(serial), nil, &out)
	return out, err
}

// Query chooses certificates; what is zero does not choose.
type Query struct {
	IIN, BIN, Profile, State string
	From, To                 time.Time // of issue
	EndsFrom, EndsTo         time.Time
	Cursor                   string
	Limit                    int
}

func (q Query) values() url.Values {
	v := url.Values{}
	for name, s := range map[string]string{"iin": q.IIN, "bin": q.BIN, "profile": q.Profile, "state": q.State, "cursor": q.Cursor} {
		if s != "" {
			v.Set(name, s)
		}
	}
	for name, t := range map[string]time.Time{"from": q.From, "to": q.To, "ends_from": q.EndsFrom, "ends_to": q.EndsTo} {
		if !t.IsZero() {
			v.Set(name, t.UTC().Format(time.RFC3339))
		}
	}
	if q.Limit > 0 {
		v.Set("limit", strconv.Itoa(q.Limit))
	}
	return v
}

// Search returns one page, newest first.
func (c *Client) Search(ctx context.Context, q Query) (out Page, err error) {
	err = c.get(ctx, "/certificates", q.values(), &out)
	return out, err
}

// ErrMany is that of a search that found more than was wanted.
var ErrMany = errors.New("too many certificates")

// SearchAll walks the pages and returns at most most certificates; more is [ErrMany].
func (c *Client) SearchAll(ctx context.Context, q Query, most int) (all []Certificate, err error) {
	for {
		page, err := c.Search(ctx, q)
		if err != nil {
			return nil, err
		}
		if all = append(all, page.Items...); len(all) > most {
			return nil, fmt.Errorf("%w: more than %d", ErrMany, most)
		}
		if page.Next == "" {
			return all, nil
		}
		q.Cursor = page.Next
	}
}

// Profiles lists the kinds of certificates this client may ask for.
func (c *Client) Profiles(ctx context.Context) (out Profiles, err error) {
	err = c.get(ctx, "/profiles", nil, &out)
	return out, err
}

// Authorities lists the authorities, roots among them.
func (c *Client) Authorities(ctx context.Context) (out Authorities, err error) {
	err = c.get(ctx, "/authorities", nil, &out)
	return out, err
}

// CRL returns the newest list of an authority in DER.
func (c *Client) CRL(ctx context.Context, authority string, delta bool) ([]byte, error) {
	q := url.Values{}
	if delta {
		q.Set("delta", "true")
	}
	a, err := c.try(ctx, http.MethodGet, "/authorities/"+url.PathEscape(authority)+"/crl", q, "", nil)
	return a.body, err
}

// Health asks whether the authority answers; it needs no key.
func (c *Client) Health(ctx context.Context) (out Health, err error) {
	err = c.get(ctx, "/health", nil, &out)
	return out, err
}

// DER takes the certificate out of its PEM.
func DER(certificate string) ([]byte, error) {
	block, rest := pem.Decode([]byte(certificate))
	if block == nil || block.Type != "CERTIFICATE" || len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("the answer holds no certificate")
	}
	return block.Bytes, nil
}

func (c *Client) post(ctx context.Context, path, key string, body, into any) error {
	if key == "" {
		return errors.New("a call that changes something needs a key")
	}
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	a, err := c.try(ctx, http.MethodPost, path, nil, key, b)
	if err != nil {
		return err
	}
	return a.decode(into)
}

func (c *Client) get(ctx context.Context, path string, q url.Values, into any) error {
	a, err := c.try(ctx, http.MethodGet, path, q, "", nil)
	if err != nil {
		return err
	}
	return a.decode(into)
}

type answer struct {
	status int
	kind   string
	body   []byte
	wait   time.Duration
}

func (a answer) decode(into any) error {
	if kind, _, _ := mime.ParseMediaType(a.kind); kind != "application/json" {
		return fmt.Errorf("the authority answers %q, not JSON: is this its API?", a.kind)
	}
	if err := json.Unmarshal(a.body, into); err != nil {
		return fmt.Errorf("read the authority's answer: %w", err)
	}
	return nil
}

// try makes the call until there is an answer that trying again would not change.
func (c *Client) try(ctx context.Context, method, path string, q url.Values, key string, body []byte) (a answer, err error) {
	pause := c.c.Pause
	for n := 1; ; n++ {
		a, err = c.once(ctx, method, path, q, key, body)
		if err == nil && a.status < 300 {
			return a, nil
		}
		if err == nil {
			err = a.problem()
		}
		again := a.status == 0 || a.status == http.StatusTooManyRequests || a.status >= 500 && a.status != http.StatusNotImplemented
		if !again || n >= c.c.Tries || ctx.Err() != nil {
			return answer{}, err
		}
		// By chance a little longer, so that many who were refused together do not come back together.
		wait := min(max(pause, a.wait), maxPause)
		timer := time.NewTimer(wait + rand.N(wait/4+1)) //nolint:gosec // spreads callers over time; nothing to guess
		select {
		case <-ctx.Done():
			timer.Stop()
			return answer{}, err
		case <-timer.C:
		}
		pause *= 2
	}
}

func (c *Client) once(ctx context.Context, method, path string, q url.Values, key string, body []byte) (a answer, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.c.Timeout)
	defer cancel()
	u := c.base.String() + "/ca/v1" + path
	if len(q) > 0 {
		u += "?" + q.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, u, bytes.NewReader(body))
	if err != nil {
		return a, err
	}
	if c.c.Key != "" {
		req.Header.Set("Authorization", "Bearer "+c.c.Key)
	}
	if key != "" {
		req.Header.Set(IdempotencyKey, key)
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if wrapped, ok := errors.AsType[*url.Error](err); ok {
			err = wrapped.Err // the query may hold personal numbers
		}
		return a, fmt.Errorf("ask the authority at %s: %w", c.base.Host, err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return a, fmt.Errorf("read the answer of %s: %w", c.base.Host, err)
	}
	if len(raw) > maxAnswer {
		return a, fmt.Errorf("%s answers more than %d bytes", c.base.Host, maxAnswer)
	}
	seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
	return answer{resp.StatusCode, resp.Header.Get("Content-Type"), raw, time.Duration(min(max(seconds, 0), 3600)) * time.Second}, nil
}

// problem is the refusal an answer is; one that is not in our form becomes one.
func (a answer) problem() *Problem {
	p := &Problem{}
	if kind, _, _ := mime.ParseMediaType(a.kind); kind != "application/problem+json" || json.Unmarshal(a.body, p) != nil || p.Code == "" {
		p = &Problem{Code: "HTTP_" + strconv.Itoa(a.status), Detail: "the answer is not one of the authority's API"}
	}
	p.Status, p.RetryAfter = a.status, a.wait
	return p
}
