package portal

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"senim/internal/participant"
	"senim/internal/web"
)

// categoryPage shows the tiles of «Регистрация пользователя».
func (s *site) categoryPage(w http.ResponseWriter, r *web.Request) error {
	drafts, err := s.drafts(r)
	if err != nil {
		return err
	}
	return r.OK(w, categoryView(r, drafts, nil))
}

// categoryChosen begins a registration and gives this browser its secret.
func (s *site) categoryChosen(w http.ResponseWriter, r *web.Request) error {
	c, ok := participant.ParseCategory(r.Field("category"))
	if !ok {
		var errs web.Errors
		errs.Add("category", r.T("portal.register.none"))
		return r.Invalid(w, categoryView(r, nil, errs))
	}
	reg, secret, err := s.office.Start(r.Context(), c, r.Lang())
	if err != nil {
		return &stopped{err: err, retry: "/register"}
	}
	http.SetCookie(w, s.cookie(reg.ID, secret, reg.Expires.Sub(r.Now())))
	return r.Redirect("/register/" + reg.ID + "/1")
}

// cookie holds the secret by which the browser that began a registration comes back to it, also
// after it was closed.
func (s *site) cookie(id, secret string, age time.Duration) *http.Cookie {
	return &http.Cookie{Name: s.cookieName(id), Value: secret, Path: "/", MaxAge: int(age.Seconds()), //nolint:gosec // Secure wherever the origin is https
		HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode}
}

func (s *site) cookieName(id string) string {
	if s.secure {
		return "__Host-senim-registration-" + id
	}
	return "senim-registration-" + id
}

// maxDrafts bounds how many registrations of one browser are looked up.
const maxDrafts = 10

// drafts are the registrations that this browser began and has not finished, found by its cookies.
func (s *site) drafts(r *web.Request) ([]participant.Registration, error) {
	var open []participant.Registration
	looked := 0
	for _, c := range r.Cookies() {
		id, ours := strings.CutPrefix(c.Name, s.cookieName(""))
		if !ours || looked == maxDrafts {
			continue
		}
		looked++
		reg, err := s.office.Registration(r.Context(), id, c.Value)
		if _, denied := errors.AsType[*participant.Denied](err); denied || errors.Is(err, participant.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if reg.State.Open() {
			open = append(open, reg)
		}
	}
	slices.SortFunc(open, func(a, b participant.Registration) int { return b.Started.Compare(a.Started) })
	return open, nil
}

// draft reads the registration of the request for the browser that began it. Any other browser is
// told nothing, not even whether it exists.
func (s *site) draft(r *web.Request) (participant.Registration, string, error) {
	id := r.PathValue("id")
	secret := ""
	if c, err := r.Cookie(s.cookieName(id)); err == nil {
		secret = c.Value
	}
	reg, err := s.office.Registration(r.Context(), id, secret)
	switch {
	case errors.Is(err, participant.ErrNotFound):
		return reg, secret, &participant.Denied{Code: "DRAFT_OTHER_BROWSER"}
	case err != nil:
		return reg, secret, err
	case reg.State.Step() == 0:
		code := "REGISTRATION_OVER"
		if reg.Reason == "SUPERSEDED_BY_OTHER" {
			code = reg.Reason
		}
		return reg, secret, &participant.Denied{Code: code}
	}
	return reg, secret, nil
}

// step is the path of a step of a registration.
func step(reg participant.Registration, n int) string {
	return "/register/" + reg.ID + "/" + string(rune('0'+n))
}

// current leads to the step the registration stands at.
func (s *site) current(_ http.ResponseWriter, r *web.Request) error {
	reg, _, err := s.draft(r)
	if err != nil {
		return err
	}
	return r.Redirect(step(reg, reg.State.Step()))
}

// head is what stands above the content of a step: its number and title, and the way back.
func head(r *web.Request, reg participant.Registration, n int, back string, errs web.Errors) web.Head {
	names := []string{r.T("portal.step.1"), r.T("portal.step.2"), r.T("portal.step.3"), r.T("portal.step.4")}
	return web.Head{Title: names[n-1], Caption: r.T("portal.category." + string(reg.Category)), Back: back, Step: n, Steps: names, Errors: errs}
}

// draftStands says at which step a registration stands, and how long it waits.
func draftStands(r *web.Request, reg participant.Registration) string {
	n := strconv.Itoa(reg.State.Step())
	return r.T("portal.drafts.step", "n", n, "title", r.T("portal.step."+n), "time", r.DateTime(reg.Expires))
}

func checklistKeys() []string {
	return []string{"portal.checklist.1", "portal.checklist.2", "portal.checklist.3", "portal.checklist.4"}
}

func checkKind(state string) string {
	switch state {
	case "done":
		return "good"
	case "not":
		return "soon"
	}
	return ""
}
