package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// Bounds of a service (registries.md §12). Zero fields have the values in brackets.
type Bounds struct {
	Connect time.Duration    // to connect (3 s)
	Whole   time.Duration    // for the whole answer, with what is tried again (10 s)
	Queue   time.Duration    // to wait for a turn (5 s)
	Backoff [2]time.Duration // before a question is tried again after an error of the network (0.5 s, 2 s)
	Break   time.Duration    // for how long a service that failed is left alone, and within which failures count (60 s)
	Turns   int64            // questions to a service at once (2)
	Rate    float64          // questions to a service a second (5)
}

func (b Bounds) orDefault() Bounds {
	for _, d := range []struct {
		at *time.Duration
		is time.Duration
	}{{&b.Connect, 3 * time.Second}, {&b.Whole, 10 * time.Second}, {&b.Queue, 5 * time.Second},
		{&b.Backoff[0], 500 * time.Millisecond}, {&b.Backoff[1], 2 * time.Second}, {&b.Break, time.Minute}} {
		if *d.at <= 0 {
			*d.at = d.is
		}
	}
	if b.Turns <= 0 {
		b.Turns = 2
	}
	if b.Rate <= 0 {
		b.Rate = 5
	}
	return b
}

// maxAnswer bounds an answer.
const maxAnswer = 1 << 20

func (b Bounds) transport() http.RoundTripper {
	return &http.Transport{Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: b.Connect}).DialContext,
		TLSHandshakeTimeout: b.Connect, MaxResponseHeaderBytes: 64 << 10, IdleConnTimeout: time.Minute, MaxConnsPerHost: 8}
}

// only carries requests to configured hosts, whatever asks for another.
type only struct {
	hosts map[string]bool
	next  http.RoundTripper
}

func (o only) RoundTrip(r *http.Request) (*http.Response, error) {
	if !o.hosts[r.URL.Scheme+"://"+r.URL.Host] {
		return nil, errors.New("the host is not configured")
	}
	return o.next.RoundTrip(r)
}

// trouble is why an answer could not be used.
type trouble struct {
	code string
	why  string
	// alert: somebody should look at it, whoever asks.
	alert bool
	// calm: the service itself did nothing wrong.
	calm bool
}

func (t *trouble) Error() string { return t.why }

// unsent: as far as is known the service did nothing of what it was asked. One that was silent, or whose answer must not
// be used, may have done it.
func (t *trouble) unsent() bool {
	return slices.Contains([]string{Unreachable, Failed, Fault, Status, Token, Busy, Open}, t.code)
}

func fail(code, why string) error { return &trouble{code: code, why: why} }

func alarm(code, why string) error { return &trouble{code: code, why: why, alert: true} }

// request is what is sent; a question tried again is the same to the byte.
type request struct {
	method, address string
	header          http.Header
	body            []byte
}

// exchange sends a request and reads a bounded answer of any status but a redirect. After an error of the
// network it tries twice more; a service that is silent is not asked again.
func (s *Services) exchange(ctx context.Context, q request) (status int, answer []byte, err error) {
	for try := 0; ; try++ {
		if status, answer, err = s.once(ctx, q); err == nil {
			return status, answer, nil
		}
		t, ok := errors.AsType[*trouble](err)
		if !ok || t.code != Unreachable || try == len(s.c.Bounds.Backoff) {
			return 0, nil, err
		}
		wait := s.c.Bounds.Backoff[try]
		wait = wait/2 + rand.N(wait) //nolint:gosec // jitter is no secret
		select {
		case <-ctx.Done():
			return 0, nil, err
		case <-time.After(wait):
		}
	}
}

func (s *Services) once(ctx context.Context, q request) (int, []byte, error) {
	r, err := http.NewRequestWithContext(ctx, q.method, q.address, bytes.NewReader(q.body))
	if err != nil {
		return 0, nil, fail(Unreachable, "the address cannot be asked")
	}
	for k, v := range q.header {
		r.Header[k] = v
	}
	resp, err := s.http.Do(r)
	if err != nil {
		return 0, nil, network(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return 0, nil, network(err)
	case len(raw) > maxAnswer:
		return 0, nil, fail(Unreadable, "the answer is longer than a mebibyte")
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		return 0, nil, fail(Failed, "the service sends elsewhere")
	}
	return resp.StatusCode, raw, nil
}

// network tells silence from a broken connection. What the error says is dropped: it repeats the
// address, and with it the number that was asked about.
func network(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	var late net.Error
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &late) && late.Timeout() {
		return fail(Silent, "no answer in time")
	}
	if errors.Is(err, context.Canceled) {
		return &trouble{code: Silent, why: "nobody waits for the answer any more", calm: true}
	}
	return fail(Unreachable, fmt.Sprintf("no connection (%T)", err))
}

// refusal is what a status that is not 200 means.
func refusal(status int) error {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound:
		return alarm(Token, "the service answers "+http.StatusText(status))
	case http.StatusOK:
		return nil
	}
	return fail(Failed, fmt.Sprintf("the service answers status %d", status))
}
