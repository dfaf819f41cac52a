package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"

	"github.com/ory/fosite"
)

// maxBody bounds what a program may post.
const maxBody = 64 << 10

// token gives tokens for a code, or for a refresh token. Between the two the person is looked at
// again: nobody is vouched for whose account, profile or certificate is not good any more.
func (p *Provider) token(w http.ResponseWriter, hr *http.Request) {
	ctx, taken := spending(hr.Context())
	hr.Body = http.MaxBytesReader(w, hr.Body, maxBody)
	request, err := p.lib.NewAccessRequest(ctx, hr, emptySession())
	err = ofClient(hr, err)
	if err == nil {
		err = p.unspend(ctx, taken, p.still(ctx, request))
	}
	if err != nil {
		p.report(ctx, "tokens are not given", err)
		p.lib.WriteAccessError(ctx, w, request, err)
		return
	}
	response, err := p.lib.NewAccessResponse(ctx, request)
	if err != nil {
		p.report(ctx, "tokens are not given", err)
		p.lib.WriteAccessError(ctx, w, request, err)
		return
	}
	p.lib.WriteAccessResponse(ctx, w, request, response)
}

// ofClient names what is wrong with an assertion's times: the library passes on a bare error, and would
// answer that we failed. Our own failures have a name already, see [storage.SetClientAssertionJWT].
func ofClient(hr *http.Request, err error) error {
	if err != nil && hr.PostForm.Get("client_assertion") != "" && !errors.As(err, new(*fosite.RFC6749Error)) {
		return fosite.ErrInvalidClient.WithHint("The client_assertion is over, or not valid yet.")
	}
	return err
}

// still refuses to vouch for somebody who may not act any more, and ends the authorization. What
// could not be checked ends nothing: the service asks again with the same code or token.
func (p *Provider) still(ctx context.Context, request fosite.AccessRequester) error {
	s, ok := request.GetSession().(*session)
	if !ok {
		return errors.New("look at a session again: of another make")
	}
	var gone errGone
	switch err := p.standing(ctx, s, true); {
	case errors.Is(err, errUnchecked):
		return fosite.ErrTemporarilyUnavailable
	case errors.As(err, &gone):
		if err := p.keeper.EndGrant(ctx, request.GetID(), string(gone)); err != nil {
			return err
		}
		return fosite.ErrInvalidGrant.WithHint("The person may not sign in any more.")
	case err != nil:
		return err
	}
	return nil
}

// revoke ends an authorization a client gives back.
func (p *Provider) revoke(w http.ResponseWriter, hr *http.Request) {
	ctx := because(hr.Context(), "returned")
	hr.Body = http.MaxBytesReader(w, hr.Body, maxBody)
	err := ofClient(hr, p.lib.NewRevocationRequest(ctx, hr))
	if err != nil {
		p.report(ctx, "a token is not revoked", err)
	}
	p.lib.WriteRevocationResponse(ctx, w, err)
}

// userinfo tells the facts the token's scopes give, as they are now.
func (p *Provider) userinfo(w http.ResponseWriter, hr *http.Request) {
	ctx := hr.Context()
	hr.Body = http.MaxBytesReader(w, hr.Body, maxBody)
	claims, err := p.claims(ctx, hr)
	if err != nil {
		p.report(ctx, "facts are not told", err)
		said := fosite.ErrorToRFC6749Error(err)
		w.Header().Set("WWW-Authenticate", `Bearer error="`+said.ErrorField+`"`)
		writeJSON(w, said.CodeField, map[string]string{"error": said.ErrorField})
		return
	}
	writeJSON(w, http.StatusOK, claims)
}

func (p *Provider) claims(ctx context.Context, hr *http.Request) (map[string]any, error) {
	if hr.URL.RawQuery != "" { // a token in an address would be in every log on its way
		return nil, fosite.ErrInvalidRequest
	}
	use, request, err := p.lib.IntrospectToken(ctx, fosite.AccessTokenFromRequest(hr), fosite.AccessToken, emptySession())
	if err != nil {
		return nil, errors.Join(errToken, err)
	}
	s, ok := request.GetSession().(*session)
	if !ok || use != fosite.AccessToken {
		return nil, errToken
	}
	facts, err := p.facts(ctx, s)
	if err == nil {
		err = p.standing(ctx, s, false) // an access token is younger than the last check of its certificate
	}
	if errors.As(err, new(errGone)) {
		return nil, errToken
	}
	if err != nil {
		return nil, err
	}
	claims := map[string]any{"sub": s.Subject}
	maps.Copy(claims, facts.Claims(request.GetGrantedScopes()))
	return claims, nil
}

// errToken is the one answer to a token that gives nothing.
var errToken = &fosite.RFC6749Error{ErrorField: "invalid_token", CodeField: http.StatusUnauthorized, DescriptionField: "The token gives nothing."}

func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if w.Header().Get("Cache-Control") == "" {
		w.Header().Set("Cache-Control", "no-store")
	}
	w.WriteHeader(status)
	_, _ = w.Write(b) // a client that went away loses nothing of ours
}

// report tells operators: what services do wrong at Info, what we do wrong at Error. The library's
// hints hold no personal data and no tokens; its causes may.
func (p *Provider) report(ctx context.Context, what string, err error) {
	said := fosite.ErrorToRFC6749Error(err)
	if said.CodeField >= http.StatusInternalServerError && !errors.Is(err, fosite.ErrTemporarilyUnavailable) {
		p.c.Log.ErrorContext(ctx, what, "error", said.ErrorField, "hint", said.HintField, "cause", said.DebugField)
		return
	}
	p.c.Log.InfoContext(ctx, what, "error", said.ErrorField, "hint", said.HintField)
}
