package cabinet

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"senim/internal/lang"
	"senim/internal/pkitest"
	"senim/internal/ra"
	"senim/internal/trust"
)

// refusedSignIn signs in with a key that is refused: a page says why, and no session is opened.
func (s *site) refusedSignIn(key *pkitest.Leaf, code string, words ...string) page {
	s.t.Helper()
	b := s.browser(key)
	p := b.click(b.get("/signin")).has(s.t, 422, append(words, `data-code="`+code+`"`)...)
	if at := b.get("/keys").path; at != "/signin" {
		s.t.Errorf("a session was opened: %s", at)
	}
	return p
}

// TestC05NotYetValid: refused with the date from which the key is good.
func TestC05NotYetValid(t *testing.T) {
	s := newSite(t)
	key := s.ca.NotYetValid()
	s.refusedSignIn(key, "CERT_NOT_YET_VALID", lang.RU.Date(key.Certificate.NotBefore), "начнёт действовать")
	s.now = key.Certificate.NotBefore
	b := s.browser(key)
	b.click(b.get("/signin")).has(t, 200, "Регистрация")
}

// TestC07CouldNotCheck: neither OCSP nor a list answers.
func TestC07CouldNotCheck(t *testing.T) {
	s := newSite(t)
	s.ca.silent = true
	s.refusedSignIn(s.ca.Individual(), "CHECK_UNAVAILABLE", "Не удалось проверить", "Это не отказ")
}

// TestC24AnotherPersonsBrowser: E's key in P's browser opens E's own cabinet and nothing of P's.
func TestC24AnotherPersonsBrowser(t *testing.T) {
	s := newSite(t)
	p, e := s.personal("123456789013"), s.personal("123456789012")
	b := s.browser(p, e)
	b.enter("")
	draft := b.draft()
	number := strings.TrimPrefix(draft.path, "/applications/")
	b.keys = b.keys[1:]
	b.enter("")
	if list := b.get("/keys").has(t, 200, e.Certificate.SerialHex()); strings.Contains(list.body, p.Certificate.SerialHex()) {
		t.Error("P's key is listed")
	}
	b.get("/applications?number="+ra.FormatNumber(number)).has(t, 404, `data-code="NOT_YOUR_APPLICATION"`)
	b.get(draft.path).has(t, 404, `data-code="NOT_YOUR_APPLICATION"`)
	if p := b.get("/signup/sign"); p.path != "/signup" {
		t.Errorf("what P typed is kept for E: %s", p.path)
	}
}

// TestC27IDCardOnlyAtTheDesk: said beside the field.
func TestC27IDCardOnlyAtTheDesk(t *testing.T) {
	s := newSite(t)
	b := s.browser(s.personal("123456789013"))
	b.enter("")
	b.post("/keys/reissue", url.Values{"email": {"p@example.kz"}, "city": {"Алматы"}, "storage": {"AKKZIDCardStore"}}).
		has(t, 422, "На чип удостоверения ключи записывают только в ЦОН", `href="#storage"`)
	if list, err := s.office.Mine(t.Context(), ra.Viewer{IIN: "123456789013"}); err != nil || len(list) != 0 {
		t.Errorf("%d applications, %v", len(list), err)
	}
}

// TestC30AnotherHead: refused with the day of the data; when it changes under way, the desk.
func TestC30AnotherHead(t *testing.T) {
	s := newSite(t)
	b := s.browser(s.personal("123456789011"))
	b.enter("")
	day := s.now.Add(-24 * time.Hour)
	another := ra.HeadAnswer{Verdict: trust.Good, IIN: "123456789012", Organization: "АО «ТЕСТ»", AsOf: day}
	s.registry[binX] = another
	b.post("/apply/legal", url.Values{"bin": {binX}}).has(t, 422, `data-code="HEAD_NOT_IN_REGISTRY"`, lang.RU.Date(day), "ЦОН")
	mine := another
	mine.IIN = "123456789011"
	s.registry[binX] = mine
	p := b.click(b.post("/apply/legal/data", url.Values{"bin": {binX}, "email": {"b@example.kz"}, "city": {"Алматы"}, "storage": {"PKCS12"}}))
	s.registry[binX] = another
	b.click(p).has(t, 200, `data-code="HEAD_NOT_IN_REGISTRY"`, lang.RU.Date(day), "ЦОН")
	list, err := s.office.Mine(t.Context(), ra.Viewer{IIN: "123456789011"})
	must(t, err)
	if len(list) != 1 || list[0].State != ra.AwaitingDesk {
		t.Errorf("%+v", list)
	}
}

// TestNumberSearchIsLimited: 30 an hour for a session, in the field and in the address.
func TestNumberSearchIsLimited(t *testing.T) {
	s := newSite(t)
	b := s.browser(s.personal("123456789013"))
	b.enter("")
	mine := b.draft()
	unknown, err := ra.NewNumber(s.now, 999)
	must(t, err)
	for range 15 {
		b.get("/applications?number="+unknown).has(t, 404, `data-code="NOT_YOUR_APPLICATION"`)
		b.get("/applications/"+unknown).has(t, 404, `data-code="NOT_YOUR_APPLICATION"`)
	}
	b.get("/applications?number="+unknown).has(t, 429, `data-code="TOO_MANY_SEARCHES"`, "Ваши заявки видны в списке")
	b.get("/applications/"+unknown).has(t, 429, `data-code="TOO_MANY_SEARCHES"`)
	b.get(mine.path).has(t, 200, "Шаг 2 из 5")
	b.get("/applications").has(t, 200, "здесь все ваши заявки")
	s.now = s.now.Add(3 * time.Minute)
	b.get("/applications?number="+strings.TrimPrefix(mine.path, "/applications/")).has(t, 200, "Шаг 2 из 5")
}

// TestApplicationsAreLimited: three open at once, five in a day; the page says what to do.
func TestApplicationsAreLimited(t *testing.T) {
	s := newSite(t)
	var keys []*browser // one application renews a key: three of a person's keys
	for i := range 3 {
		b := s.browser(s.personal("123456789013"))
		if i == 0 {
			b.enter("")
		} else {
			b.back()
		}
		keys = append(keys, b)
	}
	apply := func(b *browser) page {
		return b.post("/keys/reissue", url.Values{"email": {"p@example.kz"}, "city": {"Алматы"}, "storage": {"PKCS12"}})
	}
	var open []page
	for _, b := range keys {
		open = append(open, b.click(b.click(apply(b))).has(t, 200, "Сертификаты выпускаются"))
	}
	const refusal = `data-code="TOO_MANY_APPLICATIONS"`
	apply(keys[0]).has(t, 422, refusal, "одновременно не больше 3", "отзовите лишнюю", `href="/applications"`)
	for i, p := range open[:2] {
		b := keys[i]
		b.post(p.path+"/withdraw", nil).has(t, 200)
		b.click(b.click(apply(b))).has(t, 200, "Сертификаты выпускаются")
	}
	keys[2].post(open[2].path+"/withdraw", nil).has(t, 200)
	apply(keys[2]).has(t, 422, refusal, "в день не больше 5")
	s.now = s.now.Add(24 * time.Hour)
	keys[2].back()
	apply(keys[2]).has(t, 200, "Шаг 2 из 5")
}
