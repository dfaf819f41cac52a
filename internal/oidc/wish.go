package oidc

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ory/fosite"

	"senim/internal/relying"
)

// wish is a request to sign somebody in, understood.
type wish struct {
	request fosite.AuthorizeRequester
	client  client
	level   relying.Level
	scopes  []string // what the client will be given
	prompts []string
	maxAge  time.Duration // negative: any
}

// maxQuery bounds a request: it is kept until the person answers.
const maxQuery = 4 << 10

// understand reads a request. Of an error the request says whether the service may be told.
func (p *Provider) understand(ctx context.Context, query string) (wish, error) {
	w := wish{request: fosite.NewAuthorizeRequest(), maxAge: -1}
	form, err := url.ParseQuery(query)
	if err != nil || len(query) > maxQuery {
		return w, fosite.ErrInvalidRequest.WithHint("The request cannot be read, or is too long.")
	}
	for name, values := range form {
		if len(values) > 1 {
			return w, fosite.ErrInvalidRequest.WithHintf("The parameter '%s' is there more than once.", name)
		}
	}
	// A request object may come unsigned, and an address would have to be fetched: neither is taken.
	objects := form.Has("request") || form.Has("request_uri")
	form.Del("request")
	form.Del("request_uri")
	// Answers go in the query: fragments and forms belong to other grants, and an error must be sayable.
	mode := form.Get("response_mode")
	form.Del("response_mode")
	hr, err := http.NewRequestWithContext(ctx, http.MethodGet, p.c.Origin+pathAuthorize+"?"+form.Encode(), nil)
	if err != nil {
		return w, err
	}
	if w.request, err = p.lib.NewAuthorizeRequest(ctx, hr); err != nil {
		return w, err
	}
	c, ok := w.request.GetClient().(client)
	switch {
	case !ok:
		return w, fosite.ErrInvalidClient
	case objects:
		return w, fosite.ErrRequestNotSupported
	case mode != "" && mode != "query":
		return w, fosite.ErrUnsupportedResponseMode
	case !w.request.GetRequestedScopes().Has(relying.ScopeOpenID):
		return w, fosite.ErrInvalidScope.WithHint("The scope 'openid' is needed.")
	case form.Get("code_challenge") == "" || form.Get("code_challenge_method") != "S256":
		// The library says so too, but only after the person has signed in.
		return w, fosite.ErrInvalidRequest.WithHint("PKCE with code_challenge_method S256 is needed.")
	}
	w.prompts = strings.Fields(form.Get("prompt"))
	if slices.ContainsFunc(w.prompts, func(s string) bool { return !slices.Contains(prompts(), s) }) || w.has("none") && len(w.prompts) > 1 {
		return w, fosite.ErrInvalidRequest.WithHint("The parameter 'prompt' is none alone, or login or consent.")
	}
	if v := form.Get("max_age"); v != "" {
		seconds, err := strconv.ParseUint(v, 10, 31)
		if err != nil {
			return w, fosite.ErrInvalidRequest.WithHint("The parameter 'max_age' is a number of seconds.")
		}
		w.maxAge = time.Duration(seconds) * time.Second
	}
	w.client, w.level = c, c.Client.Level(form.Get("acr_values"))
	w.scopes = c.Given(w.request.GetRequestedScopes(), w.level)
	return w, nil
}

func (w wish) has(prompt string) bool { return slices.Contains(w.prompts, prompt) }

// fresh reports whether a sign-in is new enough for a request made at the moment.
func (w wish) fresh(signed, made time.Time) bool {
	if w.has("login") && signed.Before(made) {
		return false
	}
	return w.maxAge < 0 || made.Sub(signed) <= w.maxAge
}

// sayable reports whether the service may be told of an error: its address is known to be its own.
func (w wish) sayable() bool {
	return w.request != nil && w.request.GetClient() != nil && w.request.GetRedirectURI() != nil && w.request.IsRedirectURIValid()
}
