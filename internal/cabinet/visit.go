package cabinet

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"

	"senim/internal/auth"
	"senim/internal/ra"
	"senim/internal/trust"
	"senim/internal/web"
	"senim/pki"
)

func (s *cabinet) visitRoutes(at routes) {
	at.open("GET /visit", s.askVisit)
	at.open("POST /visit", s.visit)
	at.open("GET /visit/done", s.visitDone)
}

// keepExpired remembers, in this browser's session, the expired certificate whose key was just proved
// to be there: it opens nothing, but its data spare the person some typing.
func keepExpired(r *web.Request, err error) error {
	no, ok := errors.AsType[*auth.Refusal](err)
	if !ok || no.Code != trust.CodeExpired || no.Certificate == nil {
		return nil
	}
	return r.Set(map[string]string{"expired": base64.StdEncoding.EncodeToString(no.Certificate.Raw)})
}

func expiredOf(r *web.Request) *pki.Certificate {
	der, err := base64.StdEncoding.DecodeString(r.Value("expired"))
	if err != nil || len(der) == 0 {
		return nil
	}
	c, err := pki.ParseCertificate(der)
	if err != nil {
		return nil
	}
	return c
}

// visitor is whose data an application for a visit would have: who signed in and asks as head of bin,
// or the holder of the expired key. nil: the page only shows where to go.
func visitor(r *web.Request, bin string) (*pki.Certificate, error) {
	if bin == "" {
		return expiredOf(r), nil
	}
	if !r.Session().SignedIn() {
		return nil, nil //nolint:nilnil // nobody is no error
	}
	return r.Certificate()
}

// visitView is what the page shows.
type visitView struct {
	Refusal web.Refusal // why renewing is impossible; without a code none
	BIN     string
	Apply   bool
	City    string
	Cities  []web.Option
	Places  []ra.Place
}

func (s *cabinet) visitView(r *web.Request, bin string) (visitView, error) {
	c, err := visitor(r, bin)
	if err != nil {
		return visitView{}, err
	}
	v := visitView{BIN: bin, Apply: c != nil, City: r.URL.Query().Get("city"), Cities: []web.Option{{Value: "", Text: r.T("desk.expired.all")}}}
	if c != nil && !r.URL.Query().Has("city") { // where he lives, as he told us himself
		a, err := s.c.Office.Account(r.Context(), c.Holder().IIN)
		if err != nil && !errors.Is(err, ra.ErrNotFound) {
			return visitView{}, err
		}
		v.City = a.City
	}
	v.Places = ra.PlacesIn(s.c.Places, v.City)
	had := map[string]bool{}
	for _, p := range s.c.Places {
		if name := p.City.In(string(r.Lang())); !had[name] {
			had[name] = true
			v.Cities = append(v.Cities, web.Option{Value: name, Text: name})
		}
	}
	return v, nil
}

func (s *cabinet) askVisit(w http.ResponseWriter, r *web.Request) error {
	v, err := s.visitView(r, r.URL.Query().Get("bin"))
	if err != nil {
		return err
	}
	return r.OK(w, visitPage(r, v))
}

// expired answers a sign-in with an expired key: why it is refused, and the shortest way to a new one.
func (s *cabinet) expired(w http.ResponseWriter, r *web.Request, why web.Refusal) error {
	v, err := s.visitView(r, "")
	if err != nil {
		return err
	}
	v.Refusal = why
	return r.Invalid(w, visitPage(r, v))
}

// visit makes the application that waits for the visit.
func (s *cabinet) visit(_ http.ResponseWriter, r *web.Request) error {
	bin := r.Field("bin")
	c, err := visitor(r, bin)
	if err != nil {
		return err
	}
	if c == nil {
		return r.Redirect("/signin?next=" + url.QueryEscape("/apply/legal"))
	}
	a, err := s.c.Office.Await(r.Context(), c, bin, r.Lang())
	if err != nil {
		return err
	}
	if err := r.Set(map[string]string{"visit": a.Number, "visit-until": r.Date(a.Deadline(s.c.Office.Terms().Confirm).Add(-1))}); err != nil {
		return err
	}
	return r.Redirect("/visit/done")
}

func (s *cabinet) visitDone(w http.ResponseWriter, r *web.Request) error {
	if r.Value("visit") == "" {
		return r.Redirect("/visit")
	}
	return r.OK(w, visitDonePage(r, r.Value("visit"), r.Value("visit-until"), s.c.Places))
}

// toDesk adds the way to a desk to the refusal of a head whom the registry does not name (C-30).
func toDesk(err error, bin string) error {
	no, ok := errors.AsType[*ra.Refusal](err)
	if !ok || no.Code != "HEAD_NOT_IN_REGISTRY" {
		return err
	}
	return web.Refusal{Code: no.Code, Evidence: no.Evidence, Next: []web.Link{{Text: "desk.visit.link", Href: "/visit?bin=" + url.QueryEscape(bin)},
		{Text: "cabinet.next.keys", Href: "/keys"}}}
}
