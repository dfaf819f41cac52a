package agent

import (
	"encoding/hex"
	"slices"
	"strconv"
	"time"

	"senim/internal/ical"
	"senim/internal/lang"
	"senim/internal/trust"
	"senim/pki"
)

// remindDays are the days before the end of a key on which its owner is reminded, the farthest first.
var remindDays = []int{30, 14, 7, 1}

// stage is how near the end of a key is: ok, 30, 14, 7, 1 or over.
func stage(end, now time.Time) string {
	if now.After(end) {
		return "over"
	}
	at, left := "ok", lang.DaysLeft(now, end)
	for _, day := range remindDays { // the farthest first
		if left <= day {
			at = strconv.Itoa(day)
		}
	}
	return at
}

// ownerOf is whose key a certificate is and what for: of two with the same, the newer one replaces the other.
func ownerOf(c *pki.Certificate) string {
	h := c.Holder()
	key := h.IIN + "/" + h.BIN
	if c.ForSigning() {
		key += "/sign"
	}
	if c.ForSignIn() {
		key += "/sign-in"
	}
	return key
}

// newest gives of every owner the certificate issued last that can take the place of another: one that was revoked cannot,
// nor one whose key is not here any more, as long as another is.
func (a *Agent) newest(entries []keyEntry) map[string]*pki.Certificate {
	list := map[string]*pki.Certificate{}
	for _, e := range entries {
		if s, ok := a.known.checked(e.cert); ok && s.State == trust.StateRevoked {
			continue
		}
		owner := ownerOf(e.cert)
		if !e.listed && slices.ContainsFunc(entries, func(o keyEntry) bool { return o.listed && ownerOf(o.cert) == owner && a.now().Before(o.cert.NotAfter) }) {
			continue
		}
		if n := list[owner]; n == nil || e.cert.NotBefore.After(n.NotBefore) {
			list[owner] = e.cert
		}
	}
	return list
}

// Due is one line of the calendar: a key that no newer one replaces.
type Due struct {
	ID     string `json:"id"`
	Owner  string `json:"owner"` // organisation first, then the person
	Person string `json:"person,omitempty"`
	Can    string `json:"can"`
	Day    string `json:"day"`   // as people write it
	Until  string `json:"until"` // with the days left, in words
	Stage  string `json:"stage"` // ok, 30, 14, 7, 1, over
	Advice string `json:"advice,omitempty"`
	Where  string `json:"where,omitempty"` // the token it is on, and whether it is plugged in

	end time.Time
}

// calendar lists the keys by their end, the nearest first.
func (a *Agent) calendar(entries []keyEntry, tag lang.Tag) []Due {
	now, latest := a.now(), a.newest(entries)
	list := []Due{}
	for _, e := range entries {
		if latest[ownerOf(e.cert)] != e.cert {
			continue
		}
		if s, ok := a.known.checked(e.cert); ok && s.State == trust.StateRevoked {
			continue // it ended already, and the person knows
		}
		c := a.card(e.cert, tag)
		d := Due{
			ID: e.id, Owner: c.Owner, Day: tag.Date(e.cert.NotAfter), Until: c.Until, Stage: stage(e.cert.NotAfter, now), Can: joined(c.Can),
			end: e.cert.NotAfter, Where: a.where(e, tag),
		}
		if c.Organization != "" {
			d.Owner, d.Person = c.Organization, c.Owner
		}
		switch d.Stage {
		case "over":
			d.Advice = tag.Text("home.advice.over")
		case "ok":
		default:
			d.Advice = tag.Text("home.advice.soon", "date", d.Day)
		}
		list = append(list, d)
	}
	return list
}

// Month is a cell of the calendar's grid.
type Month struct {
	Name  string `json:"name"`  // 12.2026
	Count int    `json:"count"` // keys that end in it
	Heat  int    `json:"heat"`  // 0 to 3
	Stage string `json:"stage"` // of the key that ends first
}

// months is the grid of the year that begins with the month of now.
func months(list []Due, now time.Time) []Month {
	const of = 13 // a key lives a year: its anniversary is in the thirteenth
	y, m, _ := now.In(lang.Astana).Date()
	grid := make([]Month, of)
	for i := range grid {
		grid[i] = Month{Name: time.Date(y, m+time.Month(i), 1, 0, 0, 0, 0, time.UTC).Format("01.2006"), Stage: "ok"}
	}
	for _, d := range list {
		ey, em, _ := d.end.In(lang.Astana).Date()
		i := (ey-y)*12 + int(em) - int(m)
		if i < 0 || i >= of || d.Stage == "over" {
			continue
		}
		cell := &grid[i]
		if cell.Count == 0 {
			cell.Stage = d.Stage
		}
		cell.Count++
		cell.Heat = min(3, 1+cell.Count/4)
	}
	return grid
}

// ics is the calendar as other programs read it: one day per key, with its reminders. It carries names
// of owners, and nothing of files and numbers.
func (a *Agent) ics(entries []keyEntry, tag lang.Tag) string {
	c := ical.Calendar{Product: "-//Senim//senim-agent//" + string(tag), Name: tag.Text("home.calendar.name"), Refresh: 24 * time.Hour}
	byID := map[string]*pki.Certificate{}
	for _, e := range entries {
		byID[e.id] = e.cert
	}
	for _, d := range a.calendar(entries, tag) {
		if d.Stage == "over" {
			continue
		}
		description := tag.Text("home.advice.soon", "date", d.Day)
		if d.Where != "" {
			description = tag.Text("home.calendar.token") + " " + description
		}
		sum := byID[d.ID].Fingerprint()
		summary := tag.Text("home.calendar.event", "owner", d.Owner)
		c.Events = append(c.Events, ical.Event{
			UID: hex.EncodeToString(sum[:16]) + "@senim-agent", Changed: byID[d.ID].NotBefore, Day: d.end.In(lang.Astana), Summary: summary,
			Description: description, Alarms: remindDays,
		})
	}
	return c.String()
}
