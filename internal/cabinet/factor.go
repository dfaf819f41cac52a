package cabinet

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"senim/internal/auth"
	"senim/internal/lang"
	"senim/internal/ra"
	"senim/internal/web"
)

// factorRoutes are the pages of the second factor. They know what it is for by the field "for", and
// where to go on by "next"; so other pages only send people here ([cabinet.toFactor]).
func (s *cabinet) factorRoutes(at routes) {
	at.own("GET /factor", s.askFactor)
	at.own("POST /factor", s.startFactor)
	at.own("GET /factor/code", s.toFactorPage)
	at.own("POST /factor/code", s.checkFactor)
}

// toFactor goes on to next, by way of the second factor where one is needed. Call it in the post
// that leads to the step: a non-resident is passed here, and never sees it.
func (s *cabinet) toFactor(r *web.Request, about, next string) error {
	open, err := s.c.Office.FactorOpen(r.Context(), r.Session().IIN, about)
	if err == nil && !open {
		open, err = s.c.Office.ExemptFactor(r.Context(), r.Session().IIN, about)
	}
	switch {
	case err != nil:
		return err
	case open:
		return r.Redirect(next)
	}
	return r.Redirect(factorPath(about, next))
}

// factorFor is the page of the second factor when it is to be passed before the signature that here
// asks for; empty when it was, or none is asked for.
func (s *cabinet) factorFor(r *web.Request, about, here string) (string, error) {
	open, err := s.c.Office.FactorOpen(r.Context(), r.Session().IIN, about)
	if err != nil || open {
		return "", err
	}
	return factorPath(about, here), nil
}

func factorPath(about, next string) string {
	return "/factor?for=" + url.QueryEscape(about) + "&next=" + url.QueryEscape(next)
}

// factorView is what the pages show.
type factorView struct {
	About, Next string
	Offer       ra.FactorOffer
	Kind        string
	// Way is the one the code went.
	Way ra.FactorWay
}

// Path is the page of this factor; with choose it offers the ways though a code is on its way.
func (v factorView) Path(choose bool) string {
	if choose {
		return factorPath(v.About, v.Next) + "&choose=1"
	}
	return factorPath(v.About, v.Next)
}

// Again is how many seconds another code must wait; zero when it may be asked for.
func (v factorView) Again(now time.Time) int {
	if wait := v.Offer.Again.Sub(now); wait > 0 {
		return int((wait + time.Second - 1) / time.Second)
	}
	return 0
}

// factor reads what the page is about and asks the office what can be offered.
func (s *cabinet) factor(r *web.Request) (factorView, error) {
	q := r.URL.Query()
	v := factorView{About: q.Get("for"), Next: next(r)}
	if r.Method == http.MethodPost {
		v.About = r.Field("for")
	}
	if v.Next == "" {
		v.Next = "/keys"
	}
	var err error
	if v.Offer, err = s.c.Office.FactorOffer(r.Context(), r.Session().IIN, v.About); err != nil {
		return v, v.wayOut(err)
	}
	v.Way, _ = v.Offer.Way(v.Offer.Last.Kind)
	return v, nil
}

// wayOut leads from "could not check" back here, and from "nowhere to send" to where that is mended.
func (v factorView) wayOut(err error) error {
	var no *ra.Refusal
	if !errors.As(err, &no) || (no.Code != "FACTOR_DESK" && no.Code != "FACTOR_YOUNG") {
		return back(err, v.Path(false))
	}
	return web.Refusal{Code: no.Code, Evidence: no.Evidence, Next: []web.Link{{Text: "profile.notice.link", Href: "/profile"}, {Text: "web.back", Href: v.Next}}}
}

// askFactor offers the ways, or asks for the code that is on its way.
func (s *cabinet) askFactor(w http.ResponseWriter, r *web.Request) error {
	if n := next(r); n != "" {
		if open, err := s.c.Office.FactorOpen(r.Context(), r.Session().IIN, r.URL.Query().Get("for")); err != nil || open {
			return errors.Join(err, r.Redirect(n))
		}
	}
	v, err := s.factor(r)
	if err != nil {
		return err
	}
	if v.Offer.Last.Open(s.c.Now()) && r.URL.Query().Get("choose") == "" {
		return r.OK(w, factorCodePage(r, v, s.c.Now(), nil))
	}
	return r.OK(w, factorPage(r, v, nil))
}

func (s *cabinet) toFactorPage(_ http.ResponseWriter, r *web.Request) error {
	return r.Redirect("/keys")
}

// startFactor sends a code by the way chosen.
func (s *cabinet) startFactor(w http.ResponseWriter, r *web.Request) error {
	v, err := s.factor(r)
	if err != nil {
		return err
	}
	kind := ra.FactorKind(r.Field("kind"))
	if _, ok := v.Offer.Way(kind); !ok && !v.Offer.Exempt {
		return r.Invalid(w, factorPage(r, v, web.Errors{{Field: "kind", Text: r.T("factor.error.kind")}}))
	}
	_, err = s.c.Office.StartFactor(r.Context(), r.Session().IIN, v.About, kind)
	if code, text := refusalText(r, err); code == "CODE_SOON" && v.Offer.Last.Open(s.c.Now()) {
		return r.Invalid(w, factorCodePage(r, v, s.c.Now(), web.Errors{{Field: "code", Text: text}}))
	}
	if err != nil {
		return back(err, v.Path(false))
	}
	return r.Redirect(v.Path(false))
}

// checkFactor takes the code.
func (s *cabinet) checkFactor(w http.ResponseWriter, r *web.Request) error {
	v, err := s.factor(r)
	if err != nil {
		return err
	}
	code := strings.NewReplacer(" ", "", "-", "", "\u00a0", "").Replace(r.Field("code"))
	if len(code) != 6 || strings.Trim(code, "0123456789") != "" {
		return r.Invalid(w, factorCodePage(r, v, s.c.Now(), web.Errors{{Field: "code", Text: r.T("factor.error.code")}}))
	}
	f, err := s.c.Office.CheckFactor(r.Context(), r.Session().IIN, r.Field("handle"), code)
	switch code, text := refusalText(r, err); code {
	case "CODE_WRONG":
		v.Offer.Last = f
		r.Keep("code", "")
		return r.Invalid(w, factorCodePage(r, v, s.c.Now(), web.Errors{{Field: "code", Text: text}}))
	case "CODE_USED":
		return r.Redirect(v.Path(false)) // pressed twice
	}
	if err != nil {
		return back(err, v.Path(true))
	}
	return r.Redirect(v.Next)
}

// refusalText is a refusal's code and what it says beside a field; empty for other errors.
func refusalText(r *web.Request, err error) (code, text string) {
	var no *ra.Refusal
	if !errors.As(err, &no) {
		return "", ""
	}
	vars := []any{}
	for k, v := range no.Evidence {
		vars = append(vars, k, v)
	}
	for _, of := range []string{"codes.", "cabinet.code."} {
		if key := of + no.Code; lang.Has(key) {
			return no.Code, r.T(key, vars...)
		}
	}
	return no.Code, ""
}

// othersOpen reports whether the signature over a revocation may be asked for: of one's own keys
// always, of other people's after the second factor.
func (s *cabinet) othersOpen(r *web.Request, v wish, owner bool) (bool, error) {
	if owner {
		return true, nil
	}
	return s.c.Office.FactorOpen(r.Context(), r.Session().IIN, v.about())
}

// about names the wish for the second factor.
func (v wish) about() string { return ra.Revocation{With: v.Serials}.FactorAbout() }

// proveSide is the agent's call that signs in on the side of an organisation, or of the person.
func proveSide(r *web.Request, c auth.Challenge, bin string) web.AgentCall {
	return web.SignChallenge(r.Lang(), c, web.Signer{IIN: r.Session().IIN, BIN: bin})
}
