package cabinet

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"senim/internal/ical"
	"senim/internal/lang"
	"senim/internal/limit"
	"senim/internal/ra"
	"senim/internal/web"
	"senim/pki"
)

func (s *cabinet) calendarRoutes(at routes) {
	at.own("GET /calendar", s.calendar)
	at.own("GET /calendar/link", func(_ http.ResponseWriter, r *web.Request) error { return r.Redirect("/calendar") })
	at.own("POST /calendar/link", s.makeFeed)
	at.own("POST /calendar/revoke", s.revokeFeed)
	at.own("POST /calendar/staff", s.chooseStaff)
	at.own("POST /calendar/digest", s.chooseDigest)
	feeds := limit.New(s.c.Now, limit.Rate{Acts: 12, In: time.Hour})
	at.open("GET /calendar/{file}", func(w http.ResponseWriter, r *web.Request) error { return s.feed(w, r, feeds) })
}

// ahead is how far the calendar looks, in months; rows is how much of it the table shows.
const (
	ahead        = 12
	calendarRows = 200
)

// calendarView is what the page shows.
type calendarView struct {
	Ends   []ra.KeysTogether
	Months []month
	// Feed is the person's feed; HasFeed says whether there is one. CanStaff: he heads the organisation of
	// the key he signed in with.
	Feed              ra.Feed
	HasFeed, CanStaff bool
	Digest, NoLetters bool
}

// calendar shows when the keys a person looks after end.
func (s *cabinet) calendar(w http.ResponseWriter, r *web.Request) error {
	who, now := viewer(r), s.c.Now()
	var v calendarView
	var err error
	if v.Ends, err = s.c.Office.Ends(r.Context(), who.IIN, now, now.AddDate(0, ahead, 0)); err != nil {
		return err
	}
	v.Months = months(v.Ends, now)
	v.Feed, err = s.c.Office.FeedOf(r.Context(), who.IIN)
	if v.HasFeed = err == nil; err != nil && !errors.Is(err, ra.ErrNotFound) {
		return err
	}
	v.CanStaff = v.HasFeed && who.BIN != "" && s.c.Office.Heads(r.Context(), who.IIN, who.BIN)
	if v.Digest, err = s.c.Office.Digest(r.Context(), who.IIN); err != nil {
		return err
	}
	a, err := s.c.Office.Account(r.Context(), who.IIN)
	if err != nil && !errors.Is(err, ra.ErrNotFound) {
		return err
	}
	v.NoLetters = a.Confirmed() == ""
	return r.OK(w, calendarPage(r, v))
}

// makeFeed makes the link and shows it: here, and never again.
func (s *cabinet) makeFeed(w http.ResponseWriter, r *web.Request) error {
	token, err := s.c.Office.CreateFeed(r.Context(), r.Session().IIN)
	if err != nil {
		return err
	}
	return r.OK(w, feedPage(r, s.c.Origin+"/calendar/"+token+".ics"))
}

func (s *cabinet) revokeFeed(_ http.ResponseWriter, r *web.Request) error {
	if err := s.c.Office.RevokeFeed(r.Context(), r.Session().IIN); err != nil {
		return err
	}
	return r.Redirect("/calendar")
}

func (s *cabinet) chooseStaff(_ http.ResponseWriter, r *web.Request) error {
	if err := s.c.Office.StaffFeed(r.Context(), viewer(r), r.Field("staff") == "yes"); err != nil {
		return err
	}
	return r.Redirect("/calendar")
}

func (s *cabinet) chooseDigest(_ http.ResponseWriter, r *web.Request) error {
	if err := s.c.Office.SetDigest(r.Context(), r.Session().IIN, r.Field("digest") == "yes"); err != nil {
		return err
	}
	return r.Redirect("/calendar")
}

// feed answers a calendar program that knows the link.
func (s *cabinet) feed(w http.ResponseWriter, r *web.Request, feeds *limit.Limiter) error {
	token, ok := strings.CutSuffix(r.PathValue("file"), ".ics")
	if !ok || len(token) != 43 {
		return web.ErrNotFound
	}
	sum := sha256.Sum256([]byte(token))
	if wait := feeds.Take(string(sum[:])); wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
		http.Error(w, http.StatusText(http.StatusTooManyRequests), http.StatusTooManyRequests)
		return nil
	}
	account, events, err := s.c.Office.Events(r.Context(), token)
	switch {
	case errors.Is(err, ra.ErrNotFound):
		return web.ErrNotFound
	case errors.Is(err, ra.ErrFeedRevoked):
		http.Error(w, http.StatusText(http.StatusGone), http.StatusGone)
		return nil
	case err != nil:
		return err
	}
	body := s.ical(account.Lang, events)
	sum = sha256.Sum256([]byte(body))
	h := w.Header()
	h.Set("ETag", `"`+hex.EncodeToString(sum[:16])+`"`)
	h.Set("Cache-Control", "private, no-cache")
	if r.Header.Get("If-None-Match") == h.Get("ETag") {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.Set("Content-Type", "text/calendar; charset=utf-8")
	_, err = w.Write([]byte(body))
	return err
}

// ical writes the events: no number of a person, an organisation or a certificate stands in it (§7).
func (s *cabinet) ical(t lang.Tag, events []ra.FeedEvent) string {
	if _, ok := lang.Parse(string(t)); !ok {
		t = lang.RU
	}
	c := ical.Calendar{Product: "-//Senim//Calendar//EN", Name: t.Text("calendar.title"), Refresh: 12 * time.Hour}
	for _, e := range events {
		sum := sha256.Sum256([]byte("senim-feed/1 " + e.ID))
		one := ical.Event{UID: hex.EncodeToString(sum[:16]) + "@senim", Changed: e.Changed, Day: e.NotAfter.In(lang.Astana),
			Sequence: e.Revision, Cancelled: e.Over, Alarms: []int{28, 14, 7}}
		kind := "calendar.event.individual"
		if e.BIN != "" {
			kind = "calendar.event.legal"
		}
		one.Summary = t.Text(kind)
		if e.Staff {
			one.Summary = t.Text("calendar.event.staff", "who", initials(e.Holder), "role", t.Text(roleKey(e.Role)))
		}
		c.Events = append(c.Events, one)
	}
	return c.String()
}

func roleKey(role string) string {
	if role == ra.RoleHead {
		role = "first-head"
	}
	if key := "web.role." + role; lang.Has(key) {
		return key
	}
	return "web.role.employee"
}

// forgotten is the certificate of an application that nobody installed for long: it had better be revoked.
func forgotten(v shown) string {
	if len(v.Certificates) == 0 || !v.Forgotten {
		return ""
	}
	return v.Certificates[0].Serial
}

// initials are the first letters of a name.
func initials(h pki.Holder) string {
	var all []string
	for _, word := range strings.Fields(h.CommonName + " " + h.Given) {
		all = append(all, string([]rune(word)[:1])+".")
	}
	return strings.Join(all, " ")
}
