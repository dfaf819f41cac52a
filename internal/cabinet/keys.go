package cabinet

import (
	"maps"
	"net/http"
	"slices"
	"time"

	"senim/internal/lang"
	"senim/internal/ra"
	"senim/internal/web"
	"senim/pki"
)

// soon is when a key's card turns amber.
const soon = 30 * 24 * time.Hour

// keys lists the person's keys and, for a head, those of the head before him.
func (s *cabinet) keys(w http.ResponseWriter, r *web.Request) error {
	list, err := s.c.Office.Keys(r.Context(), viewer(r))
	if err != nil {
		return err
	}
	came, err := s.c.Office.Issuances(r.Context(), r.Session().IIN, list)
	if err != nil {
		return err
	}
	used, err := s.c.Office.LastUse(r.Context(), list)
	if err != nil {
		return err
	}
	v := keysView{Foreign: true}
	for _, k := range list {
		card, err := s.card(r, k)
		if err != nil {
			return err
		}
		card.Facts = facts(r, k, came[k.Serial], used[k.Serial])
		if k.Serial == r.Session().Serial {
			v.Foreign = false
		}
		if over(k, s.c.Now()) {
			v.Archive = append(v.Archive, card)
			continue
		}
		v.Cards = append(v.Cards, card)
	}
	if v.Previous, err = s.previous(r, list); err != nil {
		return err
	}
	reach, a, err := s.c.Office.Reach(r.Context(), r.Session().IIN)
	if err != nil {
		return err
	}
	v.NoLetters = a.Confirmed() == "" && reach == ra.Reachable // else the notice above says more
	return r.OK(w, keysPage(r, v))
}

// keysView is what the page shows.
type keysView struct {
	Cards    []web.Key
	Previous []previousHead
	// Archive are keys that are over for good.
	Archive []web.Key
	// NoLetters: no confirmed address, so no reminder will come.
	NoLetters bool
	// Foreign: the key used to sign in was issued by another authority.
	Foreign bool
}

// over reports a key that nothing can bring back: expired or revoked, and not on hold.
func over(k ra.Key, now time.Time) bool {
	return now.After(k.NotAfter) || !k.RevokedAt.IsZero() && k.Reason != "certificateHold"
}

// facts say when and how a key was issued, and when somebody signed in with it last; zero is never.
func facts(r *web.Request, k ra.Key, i ra.HowIssued, used time.Time) []web.Row {
	rows := []web.Row{{Label: r.T("reports.key.issued"), Value: r.Date(i.At)}}
	if i.Where != "" {
		rows = append(rows, web.Row{Label: r.T("reports.key.where"), Value: r.T(i.Where)})
	}
	if i.Number != "" {
		rows = append(rows, web.Row{Label: r.T("reports.key.application"), Value: ra.FormatNumber(i.Number), Change: "/applications/" + i.Number})
	}
	rows = append(rows, web.Row{Label: r.T("reports.key.how"), Value: r.T(i.How)})
	switch {
	case k.Serial == r.Session().Serial:
		rows = append(rows, web.Row{Label: r.T("reports.key.used"), Value: r.T("reports.key.used_now")})
	case !used.IsZero():
		rows = append(rows, web.Row{Label: r.T("reports.key.used"), Value: r.DateTime(used)})
	}
	return rows
}

// previousHead is the living keys of the head before, in one organisation.
type previousHead struct {
	Organization, BIN string
	Cards             []web.Key
}

// previous looks in every organisation whose key the person holds.
func (s *cabinet) previous(r *web.Request, mine []ra.Key) ([]previousHead, error) {
	bins := map[string]bool{r.Session().BIN: true}
	for _, k := range mine {
		if k.Live(s.c.Now()) {
			bins[k.BIN] = true
		}
	}
	var all []previousHead
	for _, bin := range slices.Sorted(maps.Keys(bins)) {
		if bin == "" {
			continue
		}
		keys, err := s.c.Office.PreviousHead(r.Context(), ra.Viewer{IIN: r.Session().IIN, BIN: bin})
		if err != nil {
			return nil, err
		}
		p := previousHead{BIN: bin}
		for _, k := range keys {
			card, err := s.card(r, k)
			if err != nil {
				return nil, err
			}
			card.Actions = []web.Link{{Text: r.T("cabinet.keys.revoke"), Href: "/keys/revoke?serial=" + k.Serial}}
			p.Organization = card.Company
			p.Cards = append(p.Cards, card)
		}
		if len(p.Cards) > 0 {
			all = append(all, p)
		}
	}
	return all, nil
}

// card makes the card of a key, with what its owner can do about it.
func (s *cabinet) card(r *web.Request, k ra.Key) (web.Key, error) {
	c, err := pki.ParseCertificate(k.Raw)
	if err != nil {
		return web.Key{}, err
	}
	return s.cardWith(r, k, c), nil
}

// cardWith is card for who has parsed the certificate.
func (s *cabinet) cardWith(r *web.Request, k ra.Key, c *pki.Certificate) web.Key {
	card := cardOf(r, c, s.c.Now())
	if s.c.Receipts != nil && k.IIN == r.Session().IIN {
		card.Actions = append(card.Actions, web.Link{Text: r.T("cabinet.keys.receipt"), Href: "/keys/receipt?serial=" + k.Serial})
	}
	if !k.RevokedAt.IsZero() {
		card.Kind, card.State = "stop", r.T("cabinet.key.revoked", "date", r.Date(k.RevokedAt))
		if k.Reason == "certificateHold" {
			card.State = r.T("cabinet.key.hold")
		}
		return card
	}
	if !k.Live(s.c.Now()) {
		return card
	}
	if k.ReplacedBy != "" {
		card.Mark = r.T("cabinet.key.replaced")
	}
	if k.Serial == r.Session().Serial && k.ReplacedBy == "" {
		card.Actions = append(card.Actions, web.Link{Text: r.T("cabinet.keys.reissue"), Href: "/keys/reissue"})
	}
	card.Actions = append(card.Actions, web.Link{Text: r.T("cabinet.keys.revoke"), Href: "/keys/revoke?serial=" + k.Serial})
	return card
}

// cardOf makes the card of any certificate by its dates alone.
func cardOf(r *web.Request, c *pki.Certificate, now time.Time) web.Key {
	h := c.Holder()
	k := web.Key{Owner: fullName(h), Company: h.Organization, IIN: h.IIN, BIN: h.BIN, Role: roleWords(r, h), Storage: storage(r, c),
		NotBefore: c.NotBefore, NotAfter: c.NotAfter, Serial: c.SerialHex()}
	if c.ForSignIn() {
		k.Can = append(k.Can, r.T("web.can.signin"))
	}
	if c.ForSigning() {
		k.Can = append(k.Can, r.T("web.can.sign"))
	}
	if h.Has(pki.RoleFirstHead) {
		k.Can = append(k.Can, r.T("web.can.confirm"))
	}
	switch left := c.NotAfter.Sub(now); {
	case now.Before(c.NotBefore):
		k.Kind, k.State = "soon", r.T("cabinet.key.not_yet", "date", r.Date(c.NotBefore))
	case left < 0:
		k.Kind, k.State = "stop", r.T("cabinet.key.expired", "date", r.Date(c.NotAfter))
	case left <= soon:
		k.Kind, k.State = "soon", r.T("web.days_left", "n", lang.DaysLeft(now, c.NotAfter)) // as letters count
	default:
		k.Kind, k.State = "good", r.T("cabinet.key.valid", "date", r.Date(c.NotAfter))
	}
	return k
}

func fullName(h pki.Holder) string {
	if h.Given != "" {
		return h.CommonName + " " + h.Given
	}
	return h.CommonName
}

// roleWords is the most telling role of a holder.
func roleWords(r *web.Request, h pki.Holder) string {
	for i := len(h.Roles) - 1; i >= 0; i-- {
		if key := "web.role." + h.Roles[i].String(); lang.Has(key) {
			return r.T(key)
		}
	}
	return ""
}

func storage(r *web.Request, c *pki.Certificate) string {
	if len(c.Storage) == 0 {
		return ""
	}
	if key := "cabinet.storage." + c.Storage.String(); lang.Has(key) {
		return r.T(key)
	}
	return c.Storage.String()
}
