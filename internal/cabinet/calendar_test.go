package cabinet

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"senim/internal/audit"
	"senim/internal/pkitest"
	"senim/internal/ra"
	"senim/pki"
)

var feedLink = regexp.MustCompile(`/calendar/([A-Za-z0-9_-]{43})\.ics`)

// makeLink makes a feed and gives its path.
func makeLink(t *testing.T, b *browser) string {
	t.Helper()
	p := b.post("/calendar/link", nil).has(t, 200, "показана один раз")
	m := feedLink.FindString(p.body)
	if m == "" {
		t.Fatalf("no link on the page:\n%s", text(p.body))
	}
	if again := b.get("/calendar"); strings.Contains(again.body, m) {
		t.Error("the link is shown a second time")
	}
	return m
}

// event is the lines of the n-th event of a feed.
func event(t *testing.T, ics string, n int) string {
	t.Helper()
	all := strings.Split(strings.ReplaceAll(ics, "\r\n ", ""), "BEGIN:VEVENT")
	if len(all) <= n+1 {
		t.Fatalf("%d events, want more than %d:\n%s", len(all)-1, n, ics)
	}
	return all[n+1]
}

// issueLater gives the person another key of the same kind that ends days later.
func (s *site) issueLater(iin string, days int) *pkitest.Leaf {
	return s.ca.add(s.ca.Authority.Issue(pkitest.Spec{Holder: person("СЕРИКОВА АЙГУЛЬ", "СЕРИКОВА", "БОЛАТОВНА", iin),
		NotBefore: s.now, NotAfter: s.now.AddDate(0, 0, days)}))
}

func TestNT25FeedAfterRenewal(t *testing.T) {
	s := newSite(t)
	old := s.ca.add(s.ca.Authority.Issue(pkitest.Spec{Holder: person("СЕРИКОВА АЙГУЛЬ", "СЕРИКОВА", "БОЛАТОВНА", "123456789013"),
		NotBefore: s.now.AddDate(0, 0, -300), NotAfter: time.Date(2026, 9, 30, 20, 30, 0, 0, time.UTC)}))
	b := s.browser(old)
	b.enter("p@example.kz")
	link := makeLink(t, b)
	stranger := s.browser()
	before := stranger.get(link).has(t, 200, "SEQUENCE:0", "DTSTART;VALUE=DATE:20261001", "TRIGGER:-P28D", "TRIGGER:-P14D", "TRIGGER:-P7D", "REFRESH-INTERVAL;VALUE=DURATION:PT12H")
	for _, secret := range []string{"123456789013", old.Certificate.SerialHex(), "СЕРИКОВА", "p@example.kz"} {
		if strings.Contains(before.body, secret) {
			t.Errorf("the feed holds %q", secret)
		}
	}
	uid := regexp.MustCompile(`UID:\S+`).FindString(before.body)
	s.now = s.now.Add(time.Hour)
	next := s.issueLater("123456789013", 365)
	after := stranger.get(link).has(t, 200)
	if e := event(t, after.body, 0); !strings.Contains(e, uid) || !strings.Contains(e, "STATUS:CANCELLED") || !strings.Contains(e, "SEQUENCE:1") || strings.Contains(e, "VALARM") {
		t.Errorf("the old event:\n%s", e)
	}
	if e := event(t, after.body, 1); strings.Contains(e, uid) || !strings.Contains(e, "STATUS:CONFIRMED") || !strings.Contains(e, "SEQUENCE:0") {
		t.Errorf("the new event:\n%s", e)
	}
	s.now = s.now.Add(time.Hour)
	if _, err := s.ca.Revoke(t.Context(), next.Certificate.SerialHex(), "keyCompromise", time.Time{}, ""); err != nil {
		t.Fatal(err)
	}
	back := stranger.get(link).has(t, 200)
	if e := event(t, back.body, 0); !strings.Contains(e, "STATUS:CONFIRMED") || !strings.Contains(e, "SEQUENCE:2") {
		t.Errorf("with the successor revoked:\n%s", e)
	}
	if e := event(t, back.body, 1); !strings.Contains(e, "STATUS:CANCELLED") || !strings.Contains(e, "SEQUENCE:1") {
		t.Errorf("the revoked one:\n%s", e)
	}
	s.now = s.now.AddDate(0, 0, 29)
	if got := stranger.get(link); strings.Count(got.body, "BEGIN:VEVENT") != 2 {
		t.Error("what was called off is forgotten too early")
	}
	s.now = s.now.AddDate(0, 0, 2)
	if got := stranger.get(link); strings.Contains(got.body, "CANCELLED") {
		t.Errorf("what was called off is kept for ever:\n%s", got.body)
	}
}

func TestNT26RevokedFeed(t *testing.T) {
	s := newSite(t)
	b := s.browser(s.personal("123456789013"))
	b.enter("p@example.kz")
	first := makeLink(t, b)
	stranger := s.browser()
	stranger.get(first).has(t, 200, "BEGIN:VEVENT")
	second := makeLink(t, b) // a new one ends the old
	if p := stranger.get(first); p.status != http.StatusGone || strings.Contains(p.body, "VEVENT") {
		t.Errorf("the replaced link: %d", p.status)
	}
	b.post("/calendar/revoke", nil).has(t, 200, "Создать ссылку")
	if p := stranger.get(second); p.status != http.StatusGone || strings.Contains(p.body, "VEVENT") {
		t.Errorf("the revoked link: %d", p.status)
	}
	for _, unknown := range []string{"/calendar/" + strings.Repeat("A", 43) + ".ics", "/calendar/x.ics", "/calendar/x", strings.TrimSuffix(second, ".ics")} {
		if p := stranger.get(unknown); p.status != http.StatusNotFound {
			t.Errorf("%s answers %d", unknown, p.status)
		}
	}
}

func TestFeedIsAskedSparingly(t *testing.T) {
	s := newSite(t)
	b := s.browser(s.personal("123456789013"))
	b.enter("p@example.kz")
	link := makeLink(t, b)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.server.URL+link, nil)
	must(t, err)
	res, err := http.DefaultClient.Do(req)
	must(t, err)
	must(t, res.Body.Close())
	req.Header.Set("If-None-Match", res.Header.Get("ETag"))
	same, err := http.DefaultClient.Do(req)
	must(t, err)
	must(t, same.Body.Close())
	if same.StatusCode != http.StatusNotModified {
		t.Errorf("unchanged: %d", same.StatusCode)
	}
	for n := 2; n < 12; n++ {
		b.get(link).has(t, 200)
	}
	if p := b.get(link); p.status != http.StatusTooManyRequests {
		t.Errorf("the thirteenth in an hour: %d", p.status)
	}
	s.now = s.now.Add(time.Hour)
	b.get(link).has(t, 200)
}

// The head may put the staff's keys into his feed: initials and role, nothing else; who heads no more gets
// them no more.
func TestStaffFeed(t *testing.T) {
	s := newSite(t)
	s.registry[binX] = ra.HeadAnswer{Verdict: "good", IIN: "123456789012", Organization: "АО «ТЕСТ»"}
	b := s.browser(s.head("123456789012", binX))
	h := person("КИМ АННА", "КИМ", "ПЕТРОВНА", "123456789011", pki.RoleLegal, pki.RoleEmployee)
	h.BIN, h.Organization = binX, "АО «ТЕСТ»"
	s.ca.add(s.ca.Authority.Issue(pkitest.Spec{Holder: h}))
	b.enter("d@example.kz")
	link := makeLink(t, b)
	if n := strings.Count(b.get(link).body, "BEGIN:VEVENT"); n != 1 {
		t.Errorf("%d events before", n)
	}
	b.post("/calendar/staff", url.Values{"staff": {"yes"}}).has(t, 200, "Убрать ключи сотрудников")
	staff := event(t, b.get(link).has(t, 200).body, 1)
	if !strings.Contains(staff, "К. А. П.") || strings.Contains(staff, "КИМ") || strings.Contains(staff, "ТЕСТ") {
		t.Errorf("%s", staff)
	}
	s.registry[binX] = ra.HeadAnswer{Verdict: "good", IIN: "123456789013"}
	if n := strings.Count(b.get(link).body, "BEGIN:VEVENT"); n != 1 {
		t.Errorf("%d events for a former head", n)
	}
	if p := b.post("/calendar/staff", url.Values{"staff": {"yes"}}); p.status == 200 {
		t.Error("a former head switched the staff's keys on")
	}
}

// The picture and the table tell the same, and what was replaced is in neither.
func TestCalendarPage(t *testing.T) {
	s := newSite(t)
	b := s.browser(s.ca.add(s.ca.Authority.Issue(pkitest.Spec{Holder: person("СЕРИКОВА АЙГУЛЬ", "СЕРИКОВА", "БОЛАТОВНА", "123456789013"),
		NotBefore: s.now.AddDate(0, 0, -300), NotAfter: s.now.AddDate(0, 0, 20)})))
	b.enter("p@example.kz")
	b.get("/calendar").has(t, 200, "Календарь сроков", "Сентябрь 2026: истекает ключей 1", "Октябрь 2026: истекает ключей 0", "21.09.2026", "СЕРИКОВА А. Б.", "Создать ссылку")
	for _, tag := range []string{"kk", "en"} {
		if p := b.get("/calendar?lang="+tag).has(t, 200); strings.Contains(p.body, "[calendar.") {
			t.Errorf("%s: a text is missing", tag)
		}
	}
	s.issueLater("123456789013", 300)
	if p := b.get("/calendar?lang=ru").has(t, 200); strings.Contains(p.body, "21.09.2026") {
		t.Error("a replaced key still stands in the calendar")
	}
}

func TestDigestIsChosen(t *testing.T) {
	s := newSite(t)
	b := s.browser(s.personal("123456789013"))
	b.enter("p@example.kz")
	b.post("/calendar/digest", url.Values{"digest": {"yes"}}).has(t, 200, "Отключить письмо", "Нет подтверждённого e-mail")
	if on, err := s.office.Digest(t.Context(), "123456789013"); !on || err != nil {
		t.Errorf("%v %v", on, err)
	}
	b.post("/calendar/digest", url.Values{"digest": {"no"}}).has(t, 200, "Включить письмо")
	actions := []string{}
	must(t, eachRecord(t.Context(), s, func(r audit.Record) { actions = append(actions, r.Action+" "+r.Result) }))
	if all := strings.Join(actions, ","); !strings.Contains(all, "digest.chosen on") || !strings.Contains(all, "digest.chosen off") {
		t.Errorf("recorded: %s", all)
	}
}

func eachRecord(ctx context.Context, s *site, f func(audit.Record)) error {
	all, err := s.store.AuditRecords(ctx, "test", 0, 1000)
	for _, r := range all {
		f(r)
	}
	return err
}

// Keys issued and not installed for a month are offered for revocation on the page of their application.
func TestForgottenKeysAreOfferedForRevocation(t *testing.T) {
	s := newSite(t)
	b := s.browser(s.personal("123456789013"))
	b.enter("p@example.kz")
	p := b.post("/keys/reissue", url.Values{"email": {"p@example.kz"}, "city": {"Алматы"}, "storage": {"PKCS12"}})
	p = b.click(b.click(p.has(t, 200, "Создайте новые ключи")))
	s.issue(p)
	issued := s.now
	for _, days := range []int{1, 31} {
		s.now = issued.AddDate(0, 0, days)
		b.click(b.get("/signin"))
		page := b.get(p.path).has(t, 200)
		if got := strings.Contains(page.body, "/keys/revoke?serial="); got != (days > 30) {
			t.Errorf("after %d days revoking is offered: %v\n%s", days, got, text(page.body))
		}
	}
}
