package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"senim/internal/ask"
)

// post asks the server at an address the caller gave, and no other.
func (p *program) post(ctx context.Context, address string, k ask.Kind, question []byte, limit int64, timeout time.Duration) ([]byte, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, &hinted{fmt.Errorf("--url %s: not an address", address), "write it whole, as http://tsp.pki.gov.kz"}
	}
	if timeout <= 0 {
		return nil, &hinted{fmt.Errorf("--timeout %s: no time to answer", timeout), "write it as 30s or 2m"}
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	answer, err := ask.Post(ctx, ask.Client(), address, k, question, limit)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return nil, &notGood{&hinted{fmt.Errorf("ask %s: no answer within %s", address, timeout), "--timeout gives more time; the request can be made now and sent another way with --request-out"}}
	case err != nil:
		return nil, &notGood{&hinted{fmt.Errorf("ask %s: %w", address, err), "--request-out writes the request, to be sent another way"}}
	}
	return answer, nil
}
