package cabinet

import (
	"context"
	"errors"
	"net/http"

	"senim/internal/ident"
	"senim/internal/ra"
	state "senim/internal/registry" // its own name is taken by the tests here
	"senim/internal/web"
)

// Consents asks people for the consent that the register of persons wants before it tells of them; the state services do.
type Consents interface {
	// AskConsent has the person sent a message that asks for it; true when it is given already. Its error is
	// [state.ErrAskedLately] when he was sent one a moment ago.
	AskConsent(ctx context.Context, iin ident.IIN) (given bool, err error)
	// ConsentGiven looks whether it is given; nobody is sent anything.
	ConsentGiven(ctx context.Context, iin ident.IIN) (bool, error)
}

// wantsConsent reports an application of the person himself that waits for his consent.
func (s *cabinet) wantsConsent(r *web.Request, a ra.Application) bool {
	return s.c.Consents != nil && a.State == ra.Signed && a.Subject.IIN == r.Session().IIN &&
		a.Reason.Code == "REG_UNAVAILABLE" && a.Reason.Evidence["cause"] == state.ConsentNeeded
}

// waiting reads an application that waits for its applicant's consent.
func (s *cabinet) waiting(r *web.Request) (ra.Application, bool, error) {
	a, err := s.c.Office.Find(r.Context(), viewer(r), r.PathValue("number"))
	return a, err == nil && s.wantsConsent(r, a), err
}

// askRegister sends the message; the page after it waits for the answer.
func (s *cabinet) askRegister(_ http.ResponseWriter, r *web.Request) error {
	a, may, err := s.waiting(r)
	if err != nil {
		return err
	}
	if !may {
		return r.Redirect("/applications/" + r.PathValue("number"))
	}
	if _, err = s.c.Consents.AskConsent(r.Context(), ident.IIN(a.Subject.IIN)); err != nil && !errors.Is(err, state.ErrAskedLately) {
		return &ra.Refusal{Code: "CONSENT_UNSENT"}
	}
	return r.Redirect("/applications/" + a.Number + "/consent")
}

// registerPage waits for the person's answer. It looks and changes nothing: going on is the person's own act.
func (s *cabinet) registerPage(w http.ResponseWriter, r *web.Request) error {
	a, may, err := s.waiting(r)
	if err != nil {
		return err
	}
	if !may {
		return r.Redirect("/applications/" + r.PathValue("number"))
	}
	stands := "waits"
	if s.consentLooks.Take(a.Subject.IIN) == 0 {
		switch given, err := s.c.Consents.ConsentGiven(r.Context(), ident.IIN(a.Subject.IIN)); {
		case err != nil:
			stands = "unknown"
		case given:
			stands = "given"
		}
	}
	return r.OK(w, consentView(r, a.Number, stands))
}

// recheck has the registries asked again at once; they are asked every minute anyway, so their silence is no failure.
func (s *cabinet) recheck(_ http.ResponseWriter, r *web.Request) error {
	a, may, err := s.waiting(r)
	if err != nil {
		return err
	}
	if may && s.consentLooks.Take(a.Subject.IIN) == 0 {
		if err := s.c.Office.Reroute(r.Context(), ra.Task{Number: a.Number, Revision: a.Revision}); err != nil {
			s.c.Log.InfoContext(r.Context(), "the registries do not answer yet", "application", a.Number, "error", err)
		}
	}
	return r.Redirect("/applications/" + a.Number)
}
