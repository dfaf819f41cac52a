package oidc

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/ory/fosite"

	"senim/internal/ident"
	"senim/internal/limit"
	"senim/internal/relying"
	"senim/internal/web"
)

// authorize is where services send people. Who is signed in and allowed it before goes straight back;
// everybody else goes on to the page of the request, and nothing of it stays in the browser but an id.
func (p *Provider) authorize(w http.ResponseWriter, r *web.Request) error {
	if from, ok := limit.Visitor(r.Request, p.c.Proxies); ok {
		if wait := p.visits.Take(from); wait > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
			return web.Refusal{Code: "TOO_MANY", Status: http.StatusTooManyRequests,
				Evidence: map[string]string{"until": r.Now().Add(wait).Truncate(time.Minute).Add(time.Minute).UTC().Format(time.RFC3339)}}
		}
	}
	query := r.URL.RawQuery
	wished, err := p.understand(r.Context(), query)
	if err != nil {
		return p.turnDown(w, r, wished, err)
	}
	now := p.c.Now()
	who, ready := Person{}, false
	if wished.level == relying.Account { // a key alone is proved anew for each request
		if who, ready = p.c.Person(r); ready {
			ready = wished.fresh(who.SignedAt, now)
		}
	}
	if !ready && wished.has("none") {
		return p.turnDown(w, r, wished, fosite.ErrLoginRequired)
	}
	agreed := false
	if ready && !wished.has("consent") && !wished.has("login") {
		had, err := p.keeper.Consent(r.Context(), who.IIN, wished.client.Client.ID)
		if err != nil {
			return err
		}
		agreed = had.Covers(wished.client.Client, wished.scopes, ident.BIN(who.BIN))
	}
	if !agreed && wished.has("none") {
		return p.turnDown(w, r, wished, fosite.ErrConsentRequired)
	}
	browser, err := p.remembered(w, r)
	if err != nil {
		return err
	}
	req, err := p.keeper.Ask(r.Context(), browser, wished.client.Client.ID, query)
	if err != nil {
		return err
	}
	if !agreed {
		return r.Redirect(pathRequest + req.ID)
	}
	to, err := p.give(r, browser, req, wished, who, false)
	if err != nil {
		return err
	}
	return leave(w, to)
}

// turnDown tells the service what was wrong with its request, when its address is known; else the
// person, who has to be told that nothing went anywhere.
func (p *Provider) turnDown(w http.ResponseWriter, r *web.Request, wished wish, cause error) error {
	said := fosite.ErrorToRFC6749Error(cause)
	p.c.Log.InfoContext(r.Context(), "a service's request is refused", "error", said.ErrorField, "hint", said.HintField)
	if !wished.sayable() {
		code := "SERVICE_REQUEST"
		if errors.Is(cause, fosite.ErrInvalidClient) {
			code = "SERVICE_UNKNOWN"
		}
		return web.Refusal{Code: code, Status: http.StatusBadRequest, Next: []web.Link{{Text: "web.next.start", Href: "/"}}}
	}
	to, err := p.told(r, wished, cause)
	if err != nil {
		return err
	}
	return leave(w, to)
}

// told is the address that tells the service of an error.
func (p *Provider) told(r *web.Request, wished wish, cause error) (string, error) {
	var answer envelope
	p.lib.WriteAuthorizeError(r.Context(), &answer, wished.request, cause)
	return p.addressed(answer)
}

// addressed adds the issuer to an answer (RFC 9207), so that a service with several providers is not
// made to mix them up.
func (p *Provider) addressed(answer envelope) (string, error) {
	to, err := url.Parse(answer.Header().Get("Location"))
	if err != nil || to.Host == "" {
		return "", errors.New("answer a service: no address in the answer")
	}
	q := to.Query()
	q.Set("iss", p.c.Origin)
	to.RawQuery = q.Encode()
	return to.String(), nil
}

// give ends the request with a code, and says where the browser takes it.
func (p *Provider) give(r *web.Request, browser string, req relying.Request, wished wish, who Person, asked bool) (string, error) {
	ctx := r.Context()
	s, err := p.newSession(ctx, wished, req.Made, who)
	if err != nil {
		return "", err
	}
	switch err := p.standing(ctx, s, true); {
	case errors.Is(err, errUnchecked):
		return p.told(r, wished, fosite.ErrTemporarilyUnavailable)
	case errors.As(err, new(errGone)):
		return p.told(r, wished, fosite.ErrAccessDenied)
	case err != nil:
		return "", err
	}
	// A consent is kept for people with an account only: they have a page to withdraw it.
	if err := p.keeper.Allow(ctx, req.ID, browser, relying.Answer{IIN: who.IIN, BIN: ident.BIN(who.BIN), Level: wished.level, Scopes: wished.scopes,
		Asked: asked, Remember: wished.level == relying.Account}); err != nil {
		return "", err
	}
	for _, scope := range wished.scopes {
		wished.request.GrantScope(scope)
	}
	var answer envelope
	resp, err := p.lib.NewAuthorizeResponse(ctx, wished.request, s)
	if err != nil {
		p.report(ctx, "a code is not given", err)
		return p.told(r, wished, err)
	}
	p.lib.WriteAuthorizeResponse(ctx, &answer, wished.request, resp)
	return p.addressed(answer)
}

// leave sends the browser to the service.
func leave(w http.ResponseWriter, to string) error {
	h := w.Header()
	h.Set("Location", to)
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

// envelope takes an answer of the library for what it says, not to be sent.
type envelope struct{ header http.Header }

// Header of the answer.
func (e *envelope) Header() http.Header {
	if e.header == nil {
		e.header = http.Header{}
	}
	return e.header
}

// Write drops the body: an answer by address has none.
func (*envelope) Write(b []byte) (int, error) { return len(b), nil }

// WriteHeader drops the status.
func (*envelope) WriteHeader(int) {}
