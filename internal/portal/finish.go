package portal

import (
	"net/http"

	"senim/internal/participant"
	"senim/internal/web"
)

// finishPage is step 4, «Завершение»: a letter is on its way.
func (s *site) finishPage(w http.ResponseWriter, r *web.Request) error {
	reg, _, err := s.draft(r)
	if err != nil {
		return err
	}
	if reg.State != participant.StateSigned {
		return r.Redirect(step(reg, reg.State.Step()))
	}
	return s.showFinish(w, r, http.StatusOK, reg, r.URL.Query().Get("sent") == "1", nil)
}

// letterAgain sends the letter again, once a minute and five times at most.
func (s *site) letterAgain(w http.ResponseWriter, r *web.Request) error {
	reg, secret, err := s.draft(r)
	if err != nil {
		return err
	}
	if reg.State != participant.StateSigned {
		return r.Redirect(step(reg, reg.State.Step()))
	}
	if _, err := s.office.Resend(r.Context(), reg.ID, secret); err != nil {
		if failed := failures(r, err); len(failed) > 0 {
			return s.showFinish(w, r, http.StatusUnprocessableEntity, reg, false, failed)
		}
		return err
	}
	return r.Redirect(step(reg, 4) + "?sent=1")
}

func (s *site) showFinish(w http.ResponseWriter, r *web.Request, status int, reg participant.Registration, sent bool, failed []failure) error {
	masked, err := s.office.Address(r.Context(), reg)
	if err != nil {
		return err
	}
	return r.Render(w, status, finishView(r, reg, masked, sent, failed))
}
