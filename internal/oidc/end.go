package oidc

import (
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/ory/fosite/token/jwt"

	"senim/internal/web"
)

// ending is a service's wish that the person be signed out here, and where to go then.
type ending struct {
	name, to string // to is empty when the person stays here
	fields   []web.Row
}

// errEnding: the service's wish cannot be followed; there is a page for it and no redirect.
var errEnding = web.Refusal{Code: "SERVICE_LOGOUT", Status: http.StatusBadRequest, Next: []web.Link{{Text: "web.next.start", Href: "/"}}}

// ended reads the wish. An address is followed only when a client registered it, letter by letter.
func (p *Provider) ended(r *web.Request, client, hint, to, state string) (ending, error) {
	if hint != "" {
		token, err := p.keys.Decode(r.Context(), hint)
		if ve := (*jwt.ValidationError)(nil); err != nil && (!errors.As(err, &ve) || ve.Errors != jwt.ValidationErrorExpired) {
			return ending{}, errEnding
		}
		of := audience(token.Claims["aud"])
		if client != "" && client != of {
			return ending{}, errEnding
		}
		client = of
	}
	if to == "" && client == "" {
		return ending{}, nil
	}
	c, known := p.clients[client]
	if !known || to != "" && !slices.Contains(c.Logouts, to) {
		return ending{}, errEnding
	}
	e := ending{name: c.Title(r.Lang()), fields: []web.Row{{Label: "client_id", Value: client}, {Label: "post_logout_redirect_uri", Value: to}, {Label: "state", Value: state}}}
	if to == "" {
		return e, nil
	}
	u, err := url.Parse(to)
	if err != nil {
		return ending{}, errEnding
	}
	if state != "" {
		q := u.Query()
		q.Set("state", state)
		u.RawQuery = q.Encode()
	}
	e.to = u.String()
	return e, nil
}

// audience is the one client an ID token is for.
func audience(aud any) string {
	switch aud := aud.(type) {
	case string:
		return aud
	case []any:
		if len(aud) == 1 {
			s, _ := aud[0].(string)
			return s
		}
	case []string:
		if len(aud) == 1 {
			return aud[0]
		}
	}
	return ""
}

// endPage asks whether to sign out here: a link must not do it by itself.
func (p *Provider) endPage(w http.ResponseWriter, r *web.Request) error {
	q := r.URL.Query()
	e, err := p.ended(r, q.Get("client_id"), q.Get("id_token_hint"), q.Get("post_logout_redirect_uri"), q.Get("state"))
	if err != nil {
		return err
	}
	if !r.Session().SignedIn() {
		if e.to != "" {
			return leave(w, e.to)
		}
		return r.Redirect("/")
	}
	return r.OK(w, endView(r, e))
}

// end signs the person out of the portal. What was asked is read again: the form is the browser's.
func (p *Provider) end(w http.ResponseWriter, r *web.Request) error {
	e, err := p.ended(r, r.Field("client_id"), "", r.Field("post_logout_redirect_uri"), r.Field("state"))
	if err != nil {
		return err
	}
	if err := r.SignOut(); err != nil {
		return err
	}
	if e.to == "" {
		return r.Redirect("/")
	}
	return p.back(w, r, e.name, e.to)
}
