package cabinet

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"senim/internal/pkitest"
	"senim/internal/ra"
	"senim/internal/trust"
)

// expiredKey is a key of the authority that ended a minute ago.
func (s *site) expiredKey(iin string) *pkitest.Leaf {
	return s.ca.add(s.ca.Authority.Issue(pkitest.Spec{Holder: person("СЕРИКОВА АЙГУЛЬ", "СЕРИКОВА", "БОЛАТОВНА", iin),
		NotBefore: s.now.AddDate(-1, 0, 0), NotAfter: s.now.Add(-time.Minute)}))
}

// With a key that expired a minute ago nobody signs in: the page says why and where to go, and no
// application is made until the person asks for one.
func TestC03ExpiredKeyGoesToTheDesk(t *testing.T) {
	s := newSite(t)
	s.places(ra.Place{ID: "a", City: ra.Words{"ru": "Астана", "kk": "Астана"}, Name: ra.Words{"ru": "ЦОН № 1"}, Address: ra.Words{"ru": "Достык, 1"}, Hours: ra.Words{"ru": "9–18"}, Phone: "+77170000001"},
		ra.Place{ID: "b", City: ra.Words{"ru": "Алматы"}, Name: ra.Words{"ru": "ЦОН № 2"}, Address: ra.Words{"ru": "Абая, 10"}, Hours: ra.Words{"ru": "9–20"}})
	iin := "123456789013"
	b := s.browser(s.expiredKey(iin))
	p := b.click(b.get("/signin").has(t, 200, `href="/visit"`)) // an agent that offers no expired key leaves the person there
	p.has(t, 422, `data-code="KEY_EXPIRED_NO_RENEWAL"`, "01.09.2026", "Продление невозможно", "ЦОН № 1", "ЦОН № 2", "+77170000001", "Что взять с собой", "Подать заявку на визит", "По правилам с 11.08.2025 ключи выдают и онлайн, с проверкой лица")
	if b.get("/keys").path != "/signin" {
		t.Error("an expired key opened a session")
	}
	if list := s.of(iin); len(list) != 0 {
		t.Errorf("signing in made %d applications", len(list))
	}
	if one := b.get("/visit?city=" + url.QueryEscape("Алматы")); strings.Contains(one.body, "ЦОН № 1") || !strings.Contains(one.body, "ЦОН № 2") {
		t.Error("the city is not looked at")
	}

	must(t, s.store.RA().Update(t.Context(), func(tx ra.Tx) error {
		return tx.PutAccount(t.Context(), ra.Account{IIN: iin, City: "алматы", Email: "p@example.kz", Created: s.now, Changed: s.now})
	}))
	if near := b.get("/visit"); strings.Contains(near.body, "ЦОН № 1") || !strings.Contains(near.body, "ЦОН № 2") {
		t.Error("the nearest desk is not the one of his city")
	}
	p = b.post("/visit", nil)
	p.has(t, 200, "Заявка ждёт вашего визита", "01.10.2026")
	list := s.of(iin)
	if len(list) != 1 || list[0].State != ra.AwaitingDesk || list[0].Kind != ra.Issuance || list[0].Subject.CommonName != "СЕРИКОВА АЙГУЛЬ" || list[0].Email != "p@example.kz" ||
		list[0].Reason.Code != "KEY_EXPIRED_NO_RENEWAL" {
		t.Fatalf("applications %+v", list)
	}
	b.post("/visit", nil).has(t, 200, ra.FormatNumber(list[0].Number))
	if len(s.of(iin)) != 1 {
		t.Error("pressing twice made two")
	}
	b.get("/applications/"+list[0].Number).has(t, 200, "Вход") // nobody is signed in
}

// Nobody gets an application from the page without having proved a key that expired.
func TestVisitNeedsAnExpiredKey(t *testing.T) {
	s := newSite(t)
	stranger := s.browser()
	stranger.get("/visit").has(t, 200, "Что взять с собой", "Список мест не задан")
	if strings.Contains(stranger.get("/visit").body, "Подать заявку на визит") {
		t.Error("an application is offered to nobody")
	}
	if p := stranger.post("/visit", url.Values{"bin": {binX}}); p.path != "/signin" {
		t.Errorf("posted: %d %s", p.status, p.path)
	}
	if p := stranger.get("/visit/done"); p.path != "/visit" {
		t.Errorf("done: %s", p.path)
	}

	late := s.expiredKey("123456789013")
	b := s.browser(late)
	b.click(b.get("/signin"))
	_, err := s.ca.Revoke(t.Context(), late.Certificate.SerialHex(), "keyCompromise", s.now, "test")
	must(t, err)
	b.post("/visit", nil).has(t, 422, `data-code="CERT_REVOKED"`)

	other := s.browser(s.ca.Authority.Expired()) // a certificate the authority's records do not have
	other.click(other.get("/signin"))
	other.post("/visit", nil).has(t, 422, `data-code="NOT_OUR_KEY"`)
	s.now = s.now.Add(-48 * time.Hour) // the clock was set back: the key is valid again
	fresh := s.browser(s.expiredKey("123456789012"))
	s.now = s.now.Add(time.Hour)
	fresh.click(fresh.get("/signin")).has(t, 422, `data-code="KEY_EXPIRED_NO_RENEWAL"`)
	s.now = s.now.Add(-2 * time.Hour)
	fresh.post("/visit", nil).has(t, 422, `data-code="KEY_NOT_EXPIRED"`)
}

// The head whom the registry does not name is told of which day its data are, and offered the desk.
func TestC30HeadIsOfferedTheDesk(t *testing.T) {
	s := newSite(t)
	b := s.browser(s.personal("123456789011"))
	b.enter("b@example.kz")
	s.registry[binX] = ra.HeadAnswer{Verdict: trust.Good, IIN: "123456789012", Organization: "АО «ТЕСТ»", AsOf: s.now.AddDate(0, 0, -1)}
	b.post("/apply/legal", url.Values{"bin": {binX}}).has(t, 422, `data-code="HEAD_NOT_IN_REGISTRY"`, "31.08.2026", "/visit?bin="+binX)
	b.get("/visit?bin="+binX).has(t, 200, "Подать заявку на визит")
	b.post("/visit", url.Values{"bin": {binX}}).has(t, 200, "Заявка ждёт вашего визита")
	list := s.of("123456789011")
	if len(list) != 1 || list[0].State != ra.AwaitingDesk || list[0].Role != ra.RoleHead || list[0].Subject.Organization != "АО «ТЕСТ»" || list[0].Reason.Code != "HEAD_NOT_IN_REGISTRY" {
		t.Fatalf("applications %+v", list)
	}
	b.get("/applications/"+list[0].Number).has(t, 200, "Ожидает явки", "/visit")
	b.post("/applications/"+list[0].Number+"/edit", url.Values{"email": {"x@example.kz"}, "city": {"Алматы"}, "storage": {"PKCS12"}}).has(t, 422, `data-code="APPLICATION_STATE"`)
	s.registry[binX] = ra.HeadAnswer{}
	b.post("/visit", url.Values{"bin": {binX}}).has(t, 422, `data-code="CHECK_UNAVAILABLE"`)
	b.post("/visit", url.Values{"bin": {"12"}}).has(t, 422, `data-code="BIN_INVALID"`)
	b.post("/visit", url.Values{"bin": {binY}}).has(t, 422, `data-code="ENTERPRISE_UNKNOWN"`)
	company := s.browser(s.head("123456789012", binX))
	company.enter("d@example.kz")
	company.post("/visit", url.Values{"bin": {binX}}).has(t, 422, `data-code="PERSONAL_KEY_NEEDED"`)
	b.post("/applications/"+list[0].Number+"/withdraw", nil).has(t, 200, "Отозвана")
}

// The pages stand in every language.
func TestVisitLanguages(t *testing.T) {
	s := newSite(t)
	b := s.browser(s.expiredKey("123456789013"))
	p := b.click(b.get("/signin"))
	b.post("/visit", nil)
	for _, tag := range []string{"kk", "ru", "en"} {
		for _, path := range []string{"/visit", "/visit/done"} {
			p = b.get(path + "?lang=" + tag)
			p.has(t, 200, `lang="`+tag+`"`)
			if strings.Contains(p.body, "[desk.") {
				t.Errorf("%s %s: a text is missing", path, tag)
			}
		}
	}
}

// of lists a person's applications.
func (s *site) of(iin string) []ra.Application {
	s.t.Helper()
	list, err := s.office.Mine(s.t.Context(), ra.Viewer{IIN: iin})
	must(s.t, err)
	return list
}

// places makes the site again with desks.
func (s *site) places(all ...ra.Place) {
	s.t.Helper()
	judge, err := trust.New(trust.Config{Pool: s.ca.Pool(), Revocation: s.ca, Now: func() time.Time { return s.now }})
	must(s.t, err)
	h, err := New(Config{Origin: origin, Auth: s.desk, Office: s.office, Judge: judge, Keys: s.ca, Places: all, Now: func() time.Time { return s.now }})
	must(s.t, err)
	s.server.Config.Handler = h
}
