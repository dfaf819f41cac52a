package portal

import (
	"net/http"

	"senim/internal/web"
)

// cancelled ends a registration by the person who began it.
func (s *site) cancelled(w http.ResponseWriter, r *web.Request) error {
	reg, secret, err := s.draft(r)
	if err != nil {
		return err
	}
	if err := s.office.Cancel(r.Context(), reg.ID, secret); err != nil {
		return err
	}
	http.SetCookie(w, s.cookie(reg.ID, "", -1))
	return r.Redirect("/register")
}
