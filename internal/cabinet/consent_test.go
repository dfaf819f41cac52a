package cabinet

import (
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"senim/internal/pkitest"
	"senim/internal/ra"
	"senim/internal/store"
	"senim/internal/trust"
	"senim/pki"
)

// Searching by number: one's own, a head's, an operator's; everybody else has one answer.
func TestCheckByPerson(t *testing.T) {
	s := newSite(t)
	mine, other := s.personal("123456789013"), s.personal("123456789014")
	h := person("СОТРУДНИК ПЕТР", "СОТРУДНИК", "", "123456789012", pki.RoleLegal, pki.RoleSignRight)
	h.BIN, h.Organization = binX, "АО «ТЕСТ»"
	s.ca.add(s.ca.Authority.Issue(pkitest.Spec{Holder: h}))
	s.registry[binX] = ra.HeadAnswer{Verdict: trust.Good, IIN: "123456789011", Organization: "АО «ТЕСТ»", AsOf: s.now}
	find := func(b *browser, number string) page { return b.post("/check/person", url.Values{"number": {number}}) }

	s.browser().get("/check/person").has(t, 200, "data-agent") // to sign in
	b := s.browser(mine)
	b.enter("")
	find(b, "123456789013").has(t, 200, mine.Certificate.SerialHex(), "123456789013")
	find(b, "12").has(t, 422, "Введите 12 цифр")
	known := find(b, "123456789014").has(t, 403, `data-code="CONSENT_NEEDED"`)
	for _, number := range []string{"990101300011", "123456789012", binX} {
		if p := find(b, number); p.status != known.status || p.body != known.body {
			t.Errorf("%s is answered otherwise than a known number:\n%s", number, text(p.body))
		}
	}
	if strings.Contains(known.body, other.Certificate.SerialHex()) {
		t.Error("another person's key is shown")
	}

	head := s.browser(s.head("123456789011", binX))
	head.enter("")
	find(head, binX).has(t, 200, "СОТРУДНИК ПЕТР", "123456789012")
	find(head, "123456789012").has(t, 200, "СОТРУДНИК ПЕТР")
	find(head, "123456789014").has(t, 403, `data-code="CONSENT_NEEDED"`)

	operator := s.browser(s.operator())
	operator.enter("")
	find(operator, "123456789014").has(t, 200, other.Certificate.SerialHex())

	records, err := s.store.FindAudit(t.Context(), store.AuditQuery{Action: "check.searched", Limit: 100})
	must(t, err)
	if len(records) != 9 {
		t.Errorf("%d searches are recorded", len(records))
	}
	for range 40 {
		known = find(b, "123456789014")
	}
	known.has(t, 429, `data-code="TOO_MANY_SEARCHES"`)
}

var consentLink = regexp.MustCompile(`data-link>` + regexp.QuoteMeta(origin) + `(/check/consent/[\w-]+)<`)

// A holder's link shows his keys to whoever also knows his number, for seven days, and can be closed.
func TestConsent(t *testing.T) {
	s := newSite(t)
	key := s.personal("123456789013")
	b := s.browser(key)
	b.enter("")
	give := func() string {
		t.Helper()
		p := b.post("/keys/share", nil).has(t, 200, "Ссылка готова", "показан один раз")
		return consentLink.FindStringSubmatch(p.body)[1]
	}
	open := func(link, iin string) page { return s.browser().post(link, url.Values{"iin": {iin}}) }
	no := func(p page) {
		t.Helper()
		p.has(t, 404, `data-code="CONSENT_UNKNOWN"`)
		if strings.Contains(p.body, "СЕРИКОВА") || strings.Contains(p.body, key.Certificate.SerialHex()) {
			t.Error("the page shows whose link it is")
		}
	}
	link := give()
	s.browser().get(link).has(t, 200, "Введите его ИИН")
	shown := open(link, "123456789013").has(t, 200, "СЕРИКОВА", key.Certificate.SerialHex(), "Действует")
	if strings.Contains(shown.body, "/keys/revoke") || strings.Contains(shown.body, "123456789013") {
		t.Error("a visitor is offered acts, or sees the number")
	}
	open(link, "1").has(t, 422, "Введите 12 цифр")
	no(open(link, "123456789014"))
	no(open("/check/consent/AAAA", "123456789013"))

	b.get("/keys/share").has(t, 200, "Открытые ссылки", "Сколько раз открыли")
	id := regexp.MustCompile(`name="id" value="(\w+)"`).FindStringSubmatch(b.get("/keys/share").body)[1]
	stranger := s.browser(s.personal("123456789014"))
	stranger.enter("")
	stranger.post("/keys/share/end", url.Values{"id": {id}}).has(t, 404, `data-code="CONSENT_UNKNOWN"`)
	open(link, "123456789013").has(t, 200, "СЕРИКОВА")
	b.post("/keys/share/end", url.Values{"id": {id}}).has(t, 200)
	no(open(link, "123456789013"))

	link = give()
	s.now = s.now.Add(ra.ConsentTTL - time.Minute)
	open(link, "123456789013").has(t, 200, "СЕРИКОВА")
	s.now = s.now.Add(time.Minute)
	no(open(link, "123456789013"))

	b.click(b.get("/signin")) // the session has ended meanwhile
	link = give()
	for range 5 {
		no(open(link, "123456789014"))
	}
	no(open(link, "123456789013")) // five wrong numbers closed it
	for range 5 {
		give()
	}
	b.post("/keys/share", nil).has(t, 422, `data-code="TOO_MANY_CONSENTS"`)
}
