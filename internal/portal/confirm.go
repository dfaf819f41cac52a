package portal

import (
	"errors"
	"net/http"
	"net/url"

	"senim/internal/ident"
	"senim/internal/participant"
	"senim/internal/web"
)

// maxToken bounds what is taken for a link's token: 32 bytes in base64url have 43 characters.
const maxToken = 64

// confirmPage is where the letter's link leads: the window of sign-in with a note. It changes
// nothing, since mail scanners follow links.
func (s *site) confirmPage(w http.ResponseWriter, r *web.Request) error {
	token := r.URL.Query().Get("t")
	if err := s.linkGood(r, token); err != nil {
		return err
	}
	c, err := r.Ask(signInPurpose, "")
	if err != nil {
		return err
	}
	return r.OK(w, loginView(r, "/register/confirm", token, nil, c))
}

// confirmKey takes the signed challenge of the person who followed the link; the registration is
// completed after his password. Another person is told so before any password, and the link stays good.
func (s *site) confirmKey(_ http.ResponseWriter, r *web.Request) error {
	token := r.Field("t")
	if err := s.linkGood(r, token); err != nil {
		return errors.Join(err, s.expire(r, token))
	}
	key, retry := participant.KeyOf(token), "/register/confirm?t="+url.QueryEscape(token)
	if err := s.proveSignIn(r); err != nil {
		return &stopped{err: err, retry: retry}
	}
	if err := s.office.Follows(r.Context(), key, ident.IIN(r.Value(keyIIN))); err != nil {
		return &stopped{err: err, retry: retry}
	}
	if err := r.Set(map[string]string{keyLink: string(key)}); err != nil {
		return err
	}
	return r.Redirect("/login/password")
}

// linkGood refuses a link that is unknown, too old or used.
func (s *site) linkGood(r *web.Request, token string) error {
	stale := &stopped{err: &participant.Denied{Code: "LINK_STALE"}}
	if token == "" || len(token) > maxToken {
		return stale
	}
	l, err := s.office.Link(r.Context(), participant.KeyOf(token))
	if err != nil {
		return err
	}
	if l.Stale {
		return stale
	}
	return nil
}

// expire writes down that a link's registration ran out, should it have: only a POST does.
func (s *site) expire(r *web.Request, token string) error {
	l, err := s.office.Link(r.Context(), participant.KeyOf(token))
	if err != nil || l.Registration == "" {
		return err
	}
	return s.office.Expire(r.Context(), l.Registration)
}
