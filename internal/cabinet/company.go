package cabinet

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"senim/internal/ra"
	"senim/internal/web"
)

// companyRoutes are the pages of a company: its people, their keys, and who is dismissed.
func (s *cabinet) companyRoutes(at routes) {
	at.own("GET /company", s.company)
	at.own("GET /company/dismiss", s.askDismissal)
	at.own("POST /company/dismiss", s.dismiss)
	at.own("GET /company/return/{id}", s.askReturn)
	at.own("POST /company/return/{id}", s.takeBack)
}

// staffLinks are the menu's entries for who signed in with an organisation's key: its people for a head
// and for those who may be delegates, delegation for the head.
func staffLinks(r *web.Request, link func(key, href string) web.Link) []web.Link {
	if r.Session().BIN == "" {
		return nil
	}
	by, err := holder(r)
	if err != nil {
		return nil
	}
	switch ra.RoleOf(by) {
	case ra.RoleHead:
		return []web.Link{link("company.menu", "/company"), link("delegation.menu", "/delegation")}
	case ra.RoleSignRight:
		return []web.Link{link("company.menu", "/company")}
	}
	return nil
}

// staffFilters and staffRoles are what the list can be narrowed to.
var (
	staffFilters = []string{ra.KeysLiving, ra.KeysSoon, ra.KeysEnded, ra.KeysAll}
	staffRoles   = []string{ra.RoleHead, ra.RoleSignRight, ra.RoleFinance, ra.RoleHR, ra.RoleEmployee}
)

// company lists people and keys, those that end first on top.
func (s *cabinet) company(w http.ResponseWriter, r *web.Request) error {
	by, err := holder(r)
	if err != nil {
		return err
	}
	q := staffQuery(r)
	staff, err := s.c.Office.Company(r.Context(), by, q)
	if err != nil {
		return err
	}
	v := companyView{Staff: staff, Query: q}
	for _, k := range staff.Keys {
		v.Rows = append(v.Rows, companyRow{StaffKey: k, Card: s.cardWith(r, k.Key, k.Certificate), CanRevoke: mayRevoke(staff, k, r), CanDismiss: staff.As == ra.AsHead && k.IIN != r.Session().IIN && !k.Dismissed})
	}
	return r.OK(w, companyPage(r, v))
}

// companyView is what the page shows.
type companyView struct {
	ra.Staff
	Query ra.StaffQuery
	Rows  []companyRow
}

type companyRow struct {
	ra.StaffKey
	Card                  web.Key
	CanRevoke, CanDismiss bool
}

// mayRevoke: the head every key, a delegate with that power all but the head's own.
func mayRevoke(staff ra.Staff, k ra.StaffKey, r *web.Request) bool {
	if !k.Revocable(r.Now()) {
		return false
	}
	return staff.As == ra.AsHead || staff.Delegation.Allows(ra.PowerRevoke) && k.IIN != staff.Delegation.Head
}

// staffQuery reads the filters; what is not known counts as not chosen.
func staffQuery(r *web.Request) ra.StaffQuery {
	typed := r.URL.Query()
	q := ra.StaffQuery{State: typed.Get("state"), Role: typed.Get("role")}
	if !slices.Contains(staffFilters, q.State) {
		q.State = ra.KeysLiving
	}
	if !slices.Contains(staffRoles, q.Role) {
		q.Role = ""
	}
	if n, err := strconv.Atoi(typed.Get("page")); err == nil {
		q.Page = n
	}
	return q
}

// pageOf is the address of another page of the same list.
func pageOf(q ra.StaffQuery, page int) string {
	v := url.Values{"state": {q.State}, "page": {strconv.Itoa(page)}}
	if q.Role != "" {
		v.Set("role", q.Role)
	}
	return "/company?" + v.Encode()
}

// askDismissal shows whom and what it concerns, and asks for the signature. The document is kept in the
// session, because exactly it must come back signed.
func (s *cabinet) askDismissal(w http.ResponseWriter, r *web.Request) error {
	by, err := holder(r)
	if err != nil {
		return err
	}
	d, keys, err := s.c.Office.ProposeDismissal(r.Context(), by, r.URL.Query().Get("serial"))
	if err != nil {
		return err
	}
	if d, err = keepDismissal(r, d); err != nil {
		return err
	}
	factor, err := s.factorFor(r, d.FactorAbout(), "/company/dismiss?serial="+url.QueryEscape(r.URL.Query().Get("serial")))
	if err != nil {
		return err
	}
	var cards []web.Key
	for _, k := range keys {
		card, err := s.card(r, k)
		if err != nil {
			return err
		}
		card.Actions = nil
		cards = append(cards, card)
	}
	document, err := r.Bind(purposeDismiss, s.c.Office.DismissalDocument(d))
	if err != nil {
		return err
	}
	call := web.SignXML(r.Lang(), document, web.Signer{IIN: d.Head, BIN: d.BIN})
	return r.OK(w, dismissPage(r, d, cards, factor, call))
}

func keptDismissal(r *web.Request) (d ra.Dismissal, ok bool) {
	return d, json.Unmarshal([]byte(r.Value("dismissal")), &d) == nil && d.ID != "" && d.Head == r.Session().IIN
}

// keepDismissal keeps one for its signature. Who comes back from the second factor finds the one he
// passed it for, as long as it would be the same today.
func keepDismissal(r *web.Request, d ra.Dismissal) (ra.Dismissal, error) {
	if was, ok := keptDismissal(r); ok && was.BIN == d.BIN && was.IIN == d.IIN && slices.Equal(was.Serials, d.Serials) && d.At.Sub(was.At) < ra.FactorPass {
		return was, nil
	}
	kept, err := json.Marshal(d)
	if err != nil {
		return d, err
	}
	return d, r.Set(map[string]string{"dismissal": string(kept)})
}

// dismiss takes the signature.
func (s *cabinet) dismiss(w http.ResponseWriter, r *web.Request) error {
	d, ok := keptDismissal(r)
	if !ok {
		return r.Redirect("/company")
	}
	signed, err := web.SignedXML(r.Field("answer"))
	if err != nil {
		return web.Refusal{Code: "AGENT_ANSWER", Retry: "/company"}
	}
	under, err := r.TakeChallenge(purposeDismiss, "/company")
	if err != nil {
		return err
	}
	if err := s.c.Office.Dismiss(r.Context(), under, d, signed); err != nil {
		return back(err, "/company")
	}
	if err := r.Set(map[string]string{"dismissal": ""}); err != nil {
		return err
	}
	return r.OK(w, dismissedPage(r, d))
}

// askReturn shows who is to be taken back.
func (s *cabinet) askReturn(w http.ResponseWriter, r *web.Request) error {
	by, err := holder(r)
	if err != nil {
		return err
	}
	d, err := s.c.Office.ProposeReturn(r.Context(), by, r.PathValue("id"))
	if err != nil {
		return err
	}
	document, err := r.Bind(purposeDismiss, s.c.Office.ReturnDocument(d))
	if err != nil {
		return err
	}
	return r.OK(w, returnPage(r, d, web.SignXML(r.Lang(), document, web.Signer{IIN: by.IIN, BIN: d.BIN})))
}

// takeBack lifts the mark of somebody hired again.
func (s *cabinet) takeBack(w http.ResponseWriter, r *web.Request) error {
	by, err := holder(r)
	if err != nil {
		return err
	}
	id := r.PathValue("id")
	signed, err := web.SignedXML(r.Field("answer"))
	if err != nil {
		return web.Refusal{Code: "AGENT_ANSWER", Retry: "/company/return/" + url.PathEscape(id)}
	}
	d, err := s.c.Office.ProposeReturn(r.Context(), by, id)
	if err != nil {
		return err
	}
	under, err := r.TakeChallenge(purposeDismiss, "/company/return/"+url.PathEscape(id))
	if err != nil {
		return err
	}
	if err := s.c.Office.Return(r.Context(), under, by, id, signed); err != nil {
		return back(err, "/company/return/"+id)
	}
	return r.OK(w, returnedPage(r, d))
}
