package portal

import (
	"errors"
	"net/http"
	"net/url"

	"senim/internal/ident"
	"senim/internal/participant"
	"senim/internal/web"
)

// keyInvite is the hash of an invitation's token in the session, while its person signs in and accepts.
const keyInvite = "key.invite"

// invitedPage is where the letter of an invitation leads: sign-in, or for who is signed in the
// invitation itself. It changes nothing, since mail scanners follow links.
func (s *site) invitedPage(w http.ResponseWriter, r *web.Request) error {
	token := r.URL.Query().Get("t")
	key, err := tokenOf(token, "invite")
	if err != nil {
		return err
	}
	i, err := s.office.Invited(r.Context(), key)
	if err != nil {
		return &stopped{err: err}
	}
	if r.Session().SignedIn() && r.Session().IIN == string(i.IIN) {
		return s.showAcceptance(w, r, key, token, i.IIN)
	}
	c, err := r.Ask(signInPurpose, "")
	if err != nil {
		return err
	}
	return r.OK(w, invitedView(r, token, c))
}

// invitedKey takes the signed challenge of who followed the link. Another person is refused, and the
// invitation stays as it is.
func (s *site) invitedKey(_ http.ResponseWriter, r *web.Request) error {
	token := r.Field("t")
	key, err := tokenOf(token, "invite")
	if err != nil {
		return err
	}
	if _, err := s.office.Invited(r.Context(), key); err != nil {
		return &stopped{err: err}
	}
	retry := "/invite?t=" + url.QueryEscape(token)
	if err := s.proveSignIn(r); err != nil {
		return &stopped{err: err, retry: retry}
	}
	iin := ident.IIN(r.Value(keyIIN))
	if err := s.office.Proved(r.Context(), key, iin); err != nil {
		return &stopped{err: err, retry: retry}
	}
	var d *participant.Denied
	switch _, err := s.office.Admit(r.Context(), iin); {
	case errors.As(err, &d) && d.Code == "NOT_REGISTERED":
		return &stopped{err: &participant.Denied{Code: d.Code, Evidence: map[string]string{"act": "invite"}}}
	case err != nil:
		return &stopped{err: err, retry: retry}
	}
	if err := r.Set(map[string]string{keyInvite: string(key)}); err != nil {
		return err
	}
	return r.Redirect("/login/password")
}

// acceptPage shows the invitation to its person, signed in from the link.
func (s *site) acceptPage(w http.ResponseWriter, r *web.Request, iin ident.IIN) error {
	return s.showAcceptance(w, r, participant.LinkKey(r.Value(keyInvite)), "", iin)
}

func (s *site) showAcceptance(w http.ResponseWriter, r *web.Request, key participant.LinkKey, token string, iin ident.IIN) error {
	a, err := s.office.Acceptance(r.Context(), key, iin)
	if err != nil {
		return &stopped{err: err}
	}
	return r.OK(w, acceptView(r, a, token))
}

// accepted takes the signature of the invited person.
func (s *site) accepted(w http.ResponseWriter, r *web.Request, iin ident.IIN) error {
	key, retry := participant.LinkKey(r.Value(keyInvite)), "/invite/accept"
	if token := r.Field("t"); token != "" {
		var err error
		if key, err = tokenOf(token, "invite"); err != nil {
			return err
		}
		retry = "/invite?t=" + url.QueryEscape(token)
	}
	signed, err := web.SignedXML(r.Field("answer"))
	var p participant.Profile
	if err == nil {
		p, err = s.office.Accept(r.Context(), key, iin, signed)
	}
	if err != nil {
		return &stopped{err: err, retry: retry}
	}
	return r.OK(w, saidView(r, "invite.accepted", []any{"org", p.Name, "tin", ident.FormatIIN(p.TIN), "term", term(r, p.Grant)},
		[]web.Link{{Text: r.T("portal.menu.profile"), Href: "/login/profile"}}))
}
