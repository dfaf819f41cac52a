package cabinet

import (
	"errors"
	"net/http"
	"net/url"

	"senim/internal/ident"
	"senim/internal/ra"
	"senim/internal/trust"
	"senim/internal/web"
	"senim/pki"
)

// profileRoutes are «Мои данные».
func (s *cabinet) profileRoutes(at routes) {
	at.own("GET /profile", s.profile)
	for path, h := range map[string]web.Handler{"link": s.sendLink, "reminders": s.reminders} {
		at.own("GET /profile/"+path, func(_ http.ResponseWriter, r *web.Request) error { return r.Redirect("/profile") })
		at.own("POST /profile/"+path, h)
	}
}

// profileView is what the page shows.
type profileView struct {
	ra.Account
	Phone ra.PhoneAnswer
	// Until is when the key one signed in with ends.
	Key   *pki.Certificate
	Sides []side
}

// side is one side of the cabinet: the person's own, or an organisation's.
type side struct {
	BIN, Organization string
	Current           bool
}

// Href signs in there.
func (d side) Href() string {
	bin := d.BIN
	if bin == "" {
		bin = personalSide
	}
	return "/signin?side=" + bin + "&next=" + url.QueryEscape("/keys")
}

const personalSide = "personal"

// profile shows what the cabinet knows of the person.
func (s *cabinet) profile(w http.ResponseWriter, r *web.Request) error {
	iin := r.Session().IIN
	a, err := s.c.Office.Account(r.Context(), iin)
	if errors.Is(err, ra.ErrNotFound) {
		return r.Redirect("/signup")
	}
	if err != nil {
		return err
	}
	v := profileView{Account: a, Phone: s.c.Office.Phone(r.Context(), iin, iin)}
	if v.Key, err = r.Certificate(); err != nil {
		return err
	}
	if v.Sides, err = s.sides(r); err != nil {
		return err
	}
	return r.OK(w, profilePage(r, v))
}

// sides are the capacities in which the person holds a living key, and the present one (S3).
func (s *cabinet) sides(r *web.Request) ([]side, error) {
	keys, err := s.c.Keys.Of(r.Context(), r.Session().IIN)
	if err != nil {
		return nil, err
	}
	var all []side
	seen := map[string]bool{}
	for _, k := range keys {
		if seen[k.BIN] || (!k.Live(s.c.Now()) && k.BIN != r.Session().BIN) {
			continue
		}
		c, err := pki.ParseCertificate(k.Raw)
		if err != nil {
			return nil, err
		}
		seen[k.BIN] = true
		all = append(all, side{BIN: k.BIN, Organization: c.Holder().Organization, Current: k.BIN == r.Session().BIN})
	}
	return all, nil
}

// sendLink sends the link that confirms the address once more.
func (s *cabinet) sendLink(_ http.ResponseWriter, r *web.Request) error {
	if err := s.c.Office.SendLink(r.Context(), r.Session().IIN); err != nil {
		return back(err, "/profile")
	}
	return r.Redirect("/profile")
}

// reminders switches reminders by e-mail on or off.
func (s *cabinet) reminders(_ http.ResponseWriter, r *web.Request) error {
	change := s.c.Office.Resubscribe
	if r.Field("wanted") != "yes" {
		change = s.c.Office.Unsubscribe
	}
	if err := change(r.Context(), r.Session().IIN); err != nil {
		return back(err, "/profile")
	}
	return r.Redirect("/profile")
}

// notice is said above every page to a person whom no letter reaches (D1, I5), and else to everybody
// while loads of the registries are missing.
func (s *cabinet) notice(r *web.Request) (web.Notice, error) {
	n, err := s.reachNotice(r)
	if err != nil || n.Text != "" {
		return n, err
	}
	return web.LateNotice(r, s.c.Registries, "")
}

func (s *cabinet) reachNotice(r *web.Request) (web.Notice, error) {
	if !r.Session().SignedIn() || r.URL.Path == "/signup" {
		return web.Notice{}, nil
	}
	reach, a, err := s.c.Office.Reach(r.Context(), r.Session().IIN)
	if err != nil {
		return web.Notice{}, err
	}
	n := web.Notice{}
	if r.URL.Path != "/profile" {
		n.Link = web.Link{Text: r.T("profile.notice.link"), Href: "/profile"}
	}
	switch reach {
	case ra.Bouncing:
		n.Code, n.Text = "address-bad", r.T("profile.notice.bad", "masked", ident.MaskEmail(ident.Email(a.Email)))
	case ra.Unreachable:
		n.Code, n.Text = "no-contact", r.T("profile.notice.none")
	case ra.Reachable:
		return web.Notice{}, nil
	}
	return n, nil
}

// phoneText is the phone as the mobile base knows it: masked, none, or not known.
func phoneText(r *web.Request, p ra.PhoneAnswer) string {
	switch p.Verdict {
	case trust.Good:
		return ident.MaskPhone(p.Phone)
	case trust.Bad:
		return r.T("profile.phone.none")
	case trust.Unknown:
	}
	return r.T("profile.phone.unknown")
}
