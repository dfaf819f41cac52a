package portal

import (
	"net/http"

	"senim/internal/participant"
	"senim/internal/web"
)

// wantsConsent reports a gate that stayed closed for want of the person's consent.
func wantsConsent(e participant.Evidence) bool {
	for _, c := range e.Failed() {
		if web.WantsConsent(c.Evidence) {
			return true
		}
	}
	return false
}

// consentFor reads a registration whose person can be asked: he proved his key, and the gate wants his consent.
func (s *site) consentFor(r *web.Request) (participant.Registration, bool, error) {
	reg, _, err := s.draft(r)
	if err != nil || s.consents == nil || reg.Certificate == nil {
		return reg, false, err
	}
	e, err := s.office.LastGate(r.Context(), reg)
	return reg, wantsConsent(e), err
}

// consentAsked sends the message; the page after it waits for the answer.
func (s *site) consentAsked(_ http.ResponseWriter, r *web.Request) error {
	reg, may, err := s.consentFor(r)
	if err != nil {
		return err
	}
	if !may {
		return r.Redirect(step(reg, 1))
	}
	if !web.AskConsent(r.Context(), s.consents, reg.IIN) {
		return &stopped{err: &participant.Denied{Code: "CONSENT_UNSENT"}, title: "portal.refusal.unknown", retry: step(reg, 1)}
	}
	return r.Redirect(consentPath(reg))
}

func consentPath(reg participant.Registration) string { return "/register/" + reg.ID + "/consent" }

// consentPage waits for the person's answer. It looks and changes nothing: going on is the person's own act.
func (s *site) consentPage(w http.ResponseWriter, r *web.Request) error {
	reg, may, err := s.consentFor(r)
	if err != nil {
		return err
	}
	if !may {
		return r.Redirect(step(reg, 1))
	}
	return r.OK(w, web.ConsentPage(r, web.ConsentView{Back: step(reg, 1), Ask: consentPath(reg), Go: step(reg, 1), Act: "recheck",
		Stands: web.LookForConsent(r.Context(), s.consents, reg.IIN, s.consentLooks.Take(reg.ID) == 0)}))
}
