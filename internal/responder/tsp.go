package responder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// maxStampQuestion bounds a time-stamp request, in bytes.
const maxStampQuestion = 64 << 10

// Stamper gives time-stamps; *tsa.Authority is one. Safe for concurrent use.
type Stamper interface {
	// Answer answers a request in DER with a response in DER, whatever the request is.
	Answer(ctx context.Context, request []byte) []byte
	// Ready reports with nil that it stamps at present.
	Ready() error
}

// stamp answers POST /tsp/ (RFC 3161 3.4). Nothing of it may be kept by caches.
func (r *Responder) stamp(w http.ResponseWriter, req *http.Request) {
	if kind, _, _ := strings.Cut(req.Header.Get("Content-Type"), ";"); strings.TrimSpace(kind) != "application/timestamp-query" {
		http.Error(w, "Content-Type application/timestamp-query is wanted", http.StatusUnsupportedMediaType)
		return
	}
	der, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxStampQuestion))
	if _, long := errors.AsType[*http.MaxBytesError](err); long {
		http.Error(w, fmt.Sprintf("a request has at most %d bytes", maxStampQuestion), http.StatusRequestEntityTooLarge)
		return
	}
	if err != nil {
		http.Error(w, "the request was cut off", http.StatusBadRequest)
		return
	}
	select {
	case r.busy <- struct{}{}:
		defer func() { <-r.busy }()
	default:
		w.Header().Set("Retry-After", "1")
		http.Error(w, "too many ask at once", http.StatusServiceUnavailable)
		return
	}
	answer := r.c.Stamps.Answer(req.Context(), der)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "application/timestamp-reply")
	w.Header().Set("Content-Length", fmt.Sprint(len(answer)))
	_, _ = w.Write(answer)
}
