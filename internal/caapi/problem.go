package caapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"senim/internal/access"
	"senim/internal/ca"
	"senim/internal/caapi/client"
)

// problem is a client.Problem as an error that the framework writes as it is.
type problem struct{ client.Problem }

// GetStatus and ContentType are how the framework asks.
func (p *problem) GetStatus() int            { return p.Status }
func (p *problem) ContentType(string) string { return "application/problem+json" }
func (p *problem) Error() string             { return p.Problem.Error() }

func refuse(status int, code, detail string) *problem {
	return &problem{client.Problem{Type: "urn:senim:problem:" + code, Title: http.StatusText(status), Status: status, Code: code, Detail: detail}}
}

// problemOf is the one place where errors become answers. What is not named here is internal: the
// caller learns that it may try again, the operator what happened.
func (s *Server) problemOf(ctx context.Context, err error) *problem {
	if p, ok := errors.AsType[*problem](err); ok {
		return p
	}
	if r, ok := errors.AsType[*ca.Refusal](err); ok {
		status := http.StatusUnprocessableEntity
		if r.Code == ca.CodeKeyReused || r.Code == ca.CodeRenewed {
			status = http.StatusConflict
		}
		return refuse(status, r.Code, r.Why)
	}
	switch {
	case errors.Is(err, ca.ErrNotFound):
		return refuse(http.StatusNotFound, "NOT_FOUND", "there is no such thing, or it is not yours to see")
	case errors.Is(err, ca.ErrOtherOrder):
		return refuse(http.StatusConflict, "OTHER_ORDER", "the order was made before with another key or profile")
	case errors.Is(err, ca.ErrClosed):
		return refuse(http.StatusConflict, "ORDER_CLOSED", "the order was given up after an interruption: make a new one with a new key")
	case errors.Is(err, access.ErrOtherRequest):
		return refuse(http.StatusUnprocessableEntity, "OTHER_REQUEST", "the idempotency key was used before for another request")
	case errors.Is(err, access.ErrDenied):
		return refuse(http.StatusUnauthorized, "UNAUTHENTICATED", "a known key or client certificate is wanted")
	case errors.Is(err, access.ErrDisabled):
		return refuse(http.StatusForbidden, "CLIENT_DISABLED", "this client has been disabled")
	case errors.Is(err, access.ErrExpired):
		return refuse(http.StatusForbidden, "CLIENT_EXPIRED", "the access of this client has ended")
	case errors.Is(err, access.ErrNetwork):
		return refuse(http.StatusForbidden, "NETWORK_NOT_ALLOWED", "this client may not call from this address")
	}
	if tooLong, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return refuse(http.StatusRequestEntityTooLarge, "TOO_LARGE", "a request of this route has at most "+strconv.FormatInt(tooLong.Limit, 10)+" bytes")
	}
	s.c.Log.ErrorContext(ctx, "a call of the API failed", "error", err)
	return refuse(http.StatusServiceUnavailable, "UNAVAILABLE", "the authority could not do this now; try again with the same idempotency key")
}

// translate turns the framework's own refusals into ours, without the values the caller sent.
func translate(_ huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	code := map[int]string{
		http.StatusUnprocessableEntity: "REQUEST_INVALID", http.StatusBadRequest: "REQUEST_INVALID", http.StatusUnsupportedMediaType: "MEDIA_TYPE",
		http.StatusNotAcceptable: "NOT_ACCEPTABLE", http.StatusRequestEntityTooLarge: "TOO_LARGE", http.StatusRequestTimeout: "TIMEOUT",
	}[m.Status]
	if code == "" {
		code = "UNAVAILABLE"
	}
	p := refuse(m.Status, code, m.Detail)
	if code == "UNAVAILABLE" {
		p.Detail = ""
		return p, nil
	}
	for _, e := range m.Errors {
		p.Errors = append(p.Errors, client.Field{Location: e.Location, Message: e.Message})
	}
	return p, nil
}

// write answers with a problem outside of the framework.
func write(w http.ResponseWriter, p *problem) {
	if p.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((p.RetryAfter+time.Second-1)/time.Second)))
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p.Problem) // the caller is gone, or reads it
}
