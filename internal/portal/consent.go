package portal

import (
	"context"
	"errors"
	"net/http"

	"senim/internal/ident"
	"senim/internal/participant"
	"senim/internal/registry"
	"senim/internal/web"
)

// Consents asks people for the consent that a state register wants before it tells of them; the state services do.
type Consents interface {
	// AskConsent has the person sent a message that asks for it; true when it is given already. Its error is
	// [registry.ErrAskedLately] when he was sent one a moment ago.
	AskConsent(ctx context.Context, iin ident.IIN) (given bool, err error)
	// ConsentGiven looks whether it is given; nobody is sent anything.
	ConsentGiven(ctx context.Context, iin ident.IIN) (bool, error)
}

// wantsConsent reports a gate that stayed closed for want of the person's consent.
func wantsConsent(e participant.Evidence) bool {
	for _, c := range e.Failed() {
		if c.Evidence["cause"] == registry.ConsentNeeded {
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
	if _, err = s.consents.AskConsent(r.Context(), reg.IIN); err != nil && !errors.Is(err, registry.ErrAskedLately) {
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
	stands := "waits"
	if s.consentLooks.Take(reg.ID) == 0 {
		switch given, err := s.consents.ConsentGiven(r.Context(), reg.IIN); {
		case err != nil:
			stands = "unknown"
		case given:
			stands = "given"
		}
	}
	return r.OK(w, consentView(r, reg, stands))
}
