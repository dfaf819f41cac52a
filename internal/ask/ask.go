// Package ask puts a bounded question to a server over HTTP, as OCSP and time-stamping want it: one
// POST, one answer of status 200 and of limited size, no redirect followed.
//
// [Client] makes the client, [Post] asks, [Do] sends any other request under the same rules. Time is
// bounded by the caller's context. What the answer is worth is for the caller to check: whoever is
// at the other end, or between, is a stranger.
package ask

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
)

// Client makes a client that goes to the address it was given and to no other. Proxies are those of
// the environment.
func Client() *http.Client {
	return &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// Kind is the media types of a protocol.
type Kind struct{ Question, Answer string }

// The protocols: RFC 6960 appendix A, RFC 3161 3.4.
var (
	OCSP = Kind{"application/ocsp-request", "application/ocsp-response"}
	TSP  = Kind{"application/timestamp-query", "application/timestamp-reply"}
)

// Post sends a question and reads at most limit bytes of the answer.
func Post(ctx context.Context, c *http.Client, address string, k Kind, question []byte, limit int64) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(question))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", k.Question)
	req.Header.Set("Accept", k.Answer)
	return Do(c, req, limit)
}

// Do sends a request and reads at most limit bytes of a 200 answer; a longer one is an error.
// One of 404 matches fs.ErrNotExist.
func Do(c *http.Client, req *http.Request, limit int64) ([]byte, error) {
	resp, err := c.Do(req) //nolint:gosec // the address is configuration, or what the person at the command line wrote
	if err != nil {
		if wrapped, ok := errors.AsType[*url.Error](err); ok {
			err = wrapped.Err // the method and the address are the caller's to say
		}
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode == http.StatusNotFound {
		return nil, fmt.Errorf("%s answers %s: %w", req.URL.Host, resp.Status, fs.ErrNotExist)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", req.URL.Host, resp.Status)
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(raw)) > limit {
		return nil, fmt.Errorf("%s answers more than %d bytes", req.URL.Host, limit)
	}
	return raw, nil
}
