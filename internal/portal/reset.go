package portal

import (
	"errors"
	"net/http"
	"net/url"

	"senim/internal/participant"
	"senim/internal/web"
)

// resetPage is «Сменить пароль»: number and present address.
func (s *site) resetPage(w http.ResponseWriter, r *web.Request) error {
	return r.OK(w, identityView(r, resetForm(r), nil))
}

func resetForm(r *web.Request) identityForm {
	return identityForm{key: "portal.reset", action: "/login/reset-password", back: "/login", iin: typed(r, "iin", "")}
}

// resetAsked answers the same whoever was named: the work is done in a job (section 17).
func (s *site) resetAsked(w http.ResponseWriter, r *web.Request) error {
	err := s.office.AskReset(r.Context(), participant.Identity{IIN: r.Field("iin"), Email: r.Field("email")}, r.Lang())
	var wrong participant.FieldErrors
	switch {
	case errors.As(err, &wrong):
		return r.Invalid(w, identityView(r, resetForm(r), wrongFields(r, wrong, "iin", "email")))
	case err != nil:
		return err
	}
	return r.Redirect("/login/reset-password/sent")
}

func (s *site) resetSent(w http.ResponseWriter, r *web.Request) error {
	return r.OK(w, saidView(r, "portal.reset.sent", nil, []web.Link{{Text: r.T("portal.next.login"), Href: "/login"}, {Text: r.T("portal.next.recover"), Href: "/login/recover"}}))
}

// resetLinkPage is where the letter's link leads: the new password, twice. It changes nothing.
func (s *site) resetLinkPage(w http.ResponseWriter, r *web.Request) error {
	token := r.URL.Query().Get("t")
	key, err := tokenOf(token, "reset")
	if err != nil {
		return err
	}
	if err := s.office.ResetLink(r.Context(), key); err != nil {
		return staleReset(r, err)
	}
	return r.OK(w, newPasswordView(r, token, nil))
}

// staleReset offers to ask for another link.
func staleReset(r *web.Request, err error) error {
	return &stopped{err: err, next: []web.Link{{Text: r.T("portal.next.again"), Href: "/login/reset-password"}}}
}

// resetPassword keeps the new password, hashed, for the signature on the next page.
func (s *site) resetPassword(w http.ResponseWriter, r *web.Request) error {
	token := r.Field("t")
	key, err := tokenOf(token, "reset")
	if err != nil {
		return err
	}
	sid, err := r.Begin()
	if err != nil {
		return err
	}
	// Untrimmed: spaces are characters of a password.
	err = s.office.NewPassword(r.Context(), sid, key, r.PostFormValue("password"), r.PostFormValue("password2"))
	var wrong participant.FieldErrors
	switch {
	case errors.As(err, &wrong):
		return r.Invalid(w, newPasswordView(r, token, wrongFields(r, wrong, "password", "password2")))
	case err != nil:
		return staleReset(r, err)
	}
	return r.Redirect("/login/reset-password/sign?t=" + url.QueryEscape(token))
}

// resetSignPage asks for the signature. The agent is not told whose key to show: whoever opened the
// letter has not proved to be its person.
func (s *site) resetSignPage(w http.ResponseWriter, r *web.Request) error {
	back := ""
	if token := r.URL.Query().Get("t"); token != "" {
		back = "/login/reset-password/set?t=" + url.QueryEscape(token)
	}
	return s.showAct(w, r, participant.ActReset, func(participant.Act) actData {
		return actData{key: "portal.reset", action: "/login/reset-password/sign", back: back}
	})
}

func (s *site) resetSigned(_ http.ResponseWriter, r *web.Request) error {
	signed, err := s.proveAct(r, participant.ActReset)
	if err == nil {
		err = s.office.ResetPassword(r.Context(), r.SID(), signed)
	}
	if err != nil {
		return &stopped{err: err, retry: "/login/reset-password/sign"}
	}
	return r.Redirect("/login/reset-password/done")
}

func (s *site) resetDone(w http.ResponseWriter, r *web.Request) error {
	return r.OK(w, saidView(r, "portal.reset.done", nil, []web.Link{{Text: r.T("portal.next.login"), Href: "/login"}}))
}
