package cabinet

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"senim/internal/ident"
	"senim/internal/limit"
	"senim/internal/ra"
	"senim/internal/web"
	"senim/pki"
)

// perSession bounds searches by number (cabinet.md §15).
func perSession() limit.Rate { return limit.Rate{Acts: 30, In: time.Hour} }

func (s *cabinet) checkRoutes(at routes) {
	at.open("GET /check", s.askCheck)
	at.open("POST /check", s.check)
	at.own("GET /check/person", s.askPerson)
	at.own("POST /check/person", s.person)
	at.open("GET /check/consent/{token}", s.askConsent)
	at.open("POST /check/consent/{token}", s.consent)
	at.own("GET /keys/share", s.askShare)
	at.own("POST /keys/share", s.share)
	at.own("POST /keys/share/end", s.endShare)
}

// askPerson asks whose keys are looked for.
func (s *cabinet) askPerson(w http.ResponseWriter, r *web.Request) error {
	return r.OK(w, personPage(r, nil))
}

// person lists keys by IIN or BIN, for those who may.
func (s *cabinet) person(w http.ResponseWriter, r *web.Request) error {
	if wait := s.searches.Take(r.Session().Fingerprint); wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
		return web.Refusal{Code: "TOO_MANY_SEARCHES", Status: http.StatusTooManyRequests, Next: []web.Link{{Text: "cabinet.next.check", Href: "/check"}}}
	}
	keys, err := s.c.Office.Shown(r.Context(), viewer(r), s.operator(r), r.Field("number"))
	var no *ra.Refusal
	if errors.As(err, &no) {
		if no.Code == "NUMBER_WRONG" {
			return r.Invalid(w, personPage(r, web.Errors{{Field: "number", Text: r.T("check.person.wrong")}}))
		}
		return web.Refusal{Code: no.Code, Status: http.StatusForbidden, Next: []web.Link{{Text: "cabinet.next.check", Href: "/check"}}}
	}
	if err != nil {
		return err
	}
	cards, err := s.shownCards(r, keys)
	if err != nil {
		return err
	}
	return r.OK(w, shownPage(r, r.T("check.person.heading"), "/check/person", cards))
}

// shownCards are the cards of keys for somebody who can do nothing with them.
func (s *cabinet) shownCards(r *web.Request, keys []ra.Key) ([]web.Key, error) {
	cards := make([]web.Key, 0, len(keys))
	for _, k := range keys {
		card, err := s.card(r, k)
		if err != nil {
			return nil, err
		}
		c, err := pki.ParseCertificate(k.Raw)
		if err != nil {
			return nil, err
		}
		shown := s.shown(r, c)
		card.IIN, card.BIN, card.Actions = shown.IIN, shown.BIN, nil
		cards = append(cards, card)
	}
	return cards, nil
}

// askConsent asks the visitor of a link for the holder's number. It does not say whether the link is good.
func (s *cabinet) askConsent(w http.ResponseWriter, r *web.Request) error {
	return r.OK(w, consentPage(r, nil))
}

// consent shows the keys of a holder who gave the link.
func (s *cabinet) consent(w http.ResponseWriter, r *web.Request) error {
	iin, err := ident.ParseIIN(r.Field("iin"))
	if err != nil {
		return r.Invalid(w, consentPage(r, web.Errors{{Field: "iin", Text: r.T("check.person.wrong")}}))
	}
	keys, err := s.c.Office.ShownBy(r.Context(), r.PathValue("token"), string(iin))
	var no *ra.Refusal
	if errors.As(err, &no) {
		return web.Refusal{Code: no.Code, Status: http.StatusNotFound, Retry: r.URL.Path, Next: []web.Link{{Text: "cabinet.next.check", Href: "/check"}}}
	}
	if err != nil {
		return err
	}
	cards, err := s.shownCards(r, keys)
	if err != nil {
		return err
	}
	return r.OK(w, shownPage(r, r.T("check.consent.shown"), "", cards))
}

// askShare shows the person's open links and offers a new one.
func (s *cabinet) askShare(w http.ResponseWriter, r *web.Request) error { return s.sharing(w, r, "") }

func (s *cabinet) sharing(w http.ResponseWriter, r *web.Request, link string) error {
	list, err := s.c.Office.Consents(r.Context(), r.Session().IIN)
	if err != nil {
		return err
	}
	return r.OK(w, sharePage(r, link, list))
}

// share makes a link and shows it, once.
func (s *cabinet) share(w http.ResponseWriter, r *web.Request) error {
	token, err := s.c.Office.GiveConsent(r.Context(), r.Session().IIN)
	if err != nil {
		return err
	}
	return s.sharing(w, r, r.Site().Origin+"/check/consent/"+token)
}

// endShare closes a link.
func (s *cabinet) endShare(_ http.ResponseWriter, r *web.Request) error {
	if err := s.c.Office.EndConsent(r.Context(), r.Session().IIN, r.Field("id")); err != nil {
		return err
	}
	return r.Redirect("/keys/share")
}
