package portal

import (
	"errors"
	"net/http"

	"senim/internal/ident"
	"senim/internal/participant"
	"senim/internal/web"
)

// me is «Мои реквизиты», small: the present profile and the others. The profile is read again at
// every request, so that one blocked a moment ago is not entered.
func (s *site) me(w http.ResponseWriter, r *web.Request) error {
	if !r.Session().SignedIn() {
		return web.ErrSignIn
	}
	if r.Value(profileID) == "" {
		return r.Redirect("/login/profile")
	}
	p, err := s.office.Choose(r.Context(), ident.IIN(r.Session().IIN), r.Value(profileID), r.Value(keyBIN))
	if err != nil {
		var d *participant.Denied
		switch {
		case errors.As(err, &d) && d.Code == "AGREEMENT_TO_SIGN":
			return r.Redirect("/me/agreements/sign/" + d.Evidence["profile"])
		case errors.As(err, &d):
			return r.Redirect("/login/profile")
		}
		return err
	}
	a, err := s.office.Account(r.Context(), p.IIN)
	if err != nil {
		return err
	}
	list, err := s.choices(r)
	if err != nil {
		return err
	}
	waiting, err := s.usersWait(r, p)
	if err != nil {
		return err
	}
	e, err := s.office.ProfileEvidence(r.Context(), p)
	if err != nil {
		return err
	}
	return r.OK(w, meView(r, p, a, list, s.office.Facts(r.Context(), p), e, r.URL.Query().Get("done") == "1", waiting))
}
