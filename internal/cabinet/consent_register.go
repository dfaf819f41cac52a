package cabinet

import (
	"net/http"

	"senim/internal/ident"
	"senim/internal/ra"
	"senim/internal/web"
)

// wantsConsent reports an application of the person himself that waits for his consent.
func (s *cabinet) wantsConsent(r *web.Request, a ra.Application) bool {
	return s.c.Consents != nil && a.State == ra.Signed && a.Subject.IIN == r.Session().IIN &&
		a.Reason.Code == "REG_UNAVAILABLE" && web.WantsConsent(a.Reason.Evidence)
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
	if !web.AskConsent(r.Context(), s.c.Consents, ident.IIN(a.Subject.IIN)) {
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
	page := "/applications/" + a.Number
	return r.OK(w, web.ConsentPage(r, web.ConsentView{Back: page, Ask: page + "/consent", Go: page + "/recheck",
		Stands: web.LookForConsent(r.Context(), s.c.Consents, ident.IIN(a.Subject.IIN), s.consentLooks.Take(a.Subject.IIN) == 0)}))
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
