package cabinet

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"senim/internal/ra"
	"senim/internal/web"
)

// askLegal asks for the BIN of the organisation. Who came with a company's key reads which key is needed: to look is
// no act, and nothing is refused.
func (s *cabinet) askLegal(w http.ResponseWriter, r *web.Request) error {
	if r.Session().BIN != "" {
		return r.OK(w, personalKeyPage(r))
	}
	return r.OK(w, legalPage(r, nil))
}

// checkBIN asks the registry, and goes on when it names this person head.
func (s *cabinet) checkBIN(w http.ResponseWriter, r *web.Request) error {
	bin := r.Field("bin")
	_, _, err := s.organisation(r, ra.Form{BIN: bin})
	var no *ra.Refusal
	if errors.As(err, &no) && no.Code == "BIN_INVALID" {
		return r.Invalid(w, legalPage(r, web.Errors{{Field: "bin", Text: r.T("cabinet.code.BIN_INVALID")}}))
	}
	if err != nil {
		return toDesk(err, bin)
	}
	return r.Redirect("/apply/legal/data?bin=" + url.QueryEscape(bin))
}

// asks counts a question to the registry about another organisation than the last and one's own: ten an hour for a
// certificate (cabinet.md §15), so that nobody reads the registry through these pages.
func (s *cabinet) asks(r *web.Request, bin string) error {
	if bin == r.Session().BIN || bin == r.Value("asked-bin") {
		return nil
	}
	if wait := s.asked.Take(r.Session().Fingerprint); wait > 0 {
		until := s.c.Now().Add(wait).Truncate(time.Minute).Add(time.Minute) // pages show minutes
		return web.Refusal{Code: "TOO_MANY_BINS", Status: http.StatusTooManyRequests, Evidence: map[string]string{"until": until.UTC().Format(time.RFC3339)},
			Next: []web.Link{{Text: "cabinet.next.applications", Href: "/applications"}}}
	}
	return r.Set(map[string]string{"asked-bin": bin})
}

func (s *cabinet) organisation(r *web.Request, f ra.Form) (ra.Subject, ra.HeadAnswer, error) {
	if err := s.asks(r, f.BIN); err != nil {
		return ra.Subject{}, ra.HeadAnswer{}, err
	}
	c, err := r.Certificate()
	if err != nil {
		return ra.Subject{}, ra.HeadAnswer{}, err
	}
	return s.c.Office.Organisation(r.Context(), ra.Ask{Kind: ra.FirstHead, Signer: c, Form: f})
}

// askLegalData shows the organisation as the registry knows it, and the form.
func (s *cabinet) askLegalData(w http.ResponseWriter, r *web.Request) error {
	f, err := s.proposed(r)
	if err != nil {
		return err
	}
	f.BIN = r.URL.Query().Get("bin")
	subject, head, err := s.organisation(r, f)
	if err != nil {
		return err
	}
	return r.OK(w, legalDataPage(r, subject, head, f, nil))
}

// applyLegal saves the draft, which gets its number.
func (s *cabinet) applyLegal(w http.ResponseWriter, r *web.Request) error {
	f := form(r)
	f.BIN = r.Field("bin")
	subject, head, err := s.organisation(r, f)
	if err != nil {
		return err
	}
	if errs := formErrors(r, f); len(errs) > 0 {
		return r.Invalid(w, legalDataPage(r, subject, head, f, errs))
	}
	c, err := r.Certificate()
	if err != nil {
		return err
	}
	a, err := s.c.Office.Draft(r.Context(), ra.Ask{Kind: ra.FirstHead, Signer: c, Form: f})
	if err != nil {
		return err
	}
	return r.Redirect("/applications/" + a.Number)
}
