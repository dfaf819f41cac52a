package cabinet

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"senim/internal/ra"
	"senim/internal/trust"
)

var numberIn = regexp.MustCompile(`/applications/(\d{12})`)

// issue does what the job would.
func (s *site) issue(p page) {
	s.t.Helper()
	m := numberIn.FindStringSubmatch(p.path)
	if m == nil {
		s.t.Fatalf("%s is no application", p.path)
	}
	must(s.t, s.office.Issue(s.t.Context(), ra.Task{Number: m[1], Revision: 1}))
}

// TestC02OldKeyRevokedAfterReissue is story B: a person's key is renewed and the old one revoked.
func TestC02OldKeyRevokedAfterReissue(t *testing.T) {
	s := newSite(t)
	old := s.personal("123456789013")
	b := s.browser(old)
	b.enter("p@example.kz")
	b.get("/keys").has(t, 200, "СЕРИКОВА АЙГУЛЬ БОЛАТОВНА", "Перевыпуск ключей ЭЦП")
	b.get("/keys/reissue").has(t, 200, "Шаг 1 из 5")
	p := b.post("/keys/reissue", url.Values{"email": {"p@example.kz"}, "city": {"Алматы"}, "storage": {"PKCS12"}})
	p = b.click(p.has(t, 200, "Шаг 2 из 5"))
	p = b.click(p.has(t, 200, "Шаг 3 из 5", old.Certificate.SerialHex()))
	p.has(t, 200, "Сертификаты выпускаются", `http-equiv="refresh"`)
	s.issue(p)
	s.issue(p) // the job may run twice
	p = b.click(b.get(p.path).has(t, 200, "Установите сертификаты"))
	p.has(t, 200, "Сертификаты успешно установлены", "Отозвать прежний ключ", "/keys/revoke?reason=superseded&amp;serial="+old.Certificate.SerialHex())
	b.get("/keys").has(t, 200, "ключ заменён, но ещё действует")

	b.get("/keys/revoke?reason=superseded&serial="+old.Certificate.SerialHex()).has(t, 200, "Отзыв ключа ЭЦП")
	p = b.post("/keys/revoke", url.Values{"serial": {old.Certificate.SerialHex()}, "reason": {"superseded"}})
	p = b.click(p.has(t, 200, "Подпишите отзыв"))
	p.has(t, 200, "Ключ отозван", "Сеанс, открытый этим ключом, завершён")
	if b.get("/keys").path != "/signin" {
		t.Error("the session of a revoked key lives on")
	}
	b.click(b.get("/signin")).has(t, 422, `data-code="CERT_REVOKED"`)
	b.keys = b.keys[1:]
	b.click(b.get("/signin")).has(t, 200, "Мои ключи ЭЦП", "Отозван")
}

// TestStoryA gives a new head the keys of his company and lets him revoke those of the old one.
func TestStoryA(t *testing.T) {
	s := newSite(t)
	before := s.head("123456789012", binX)
	b := s.browser(s.personal("123456789011"))
	b.enter("")
	b.get("/apply/legal").has(t, 200, "Проверить БИН")
	s.registry[binX] = ra.HeadAnswer{Verdict: trust.Good, IIN: "123456789012", Organization: "АО «ТЕСТ»", AsOf: s.now}
	b.post("/apply/legal", url.Values{"bin": {binX}}).has(t, 422, `data-code="HEAD_NOT_IN_REGISTRY"`, "ЦОН")

	s.registry[binX] = ra.HeadAnswer{Verdict: trust.Good, IIN: "123456789011", Organization: "АО «ТЕСТ»", AsOf: s.now}
	b.post("/apply/legal", url.Values{"bin": {binX}}).has(t, 200, "АО «ТЕСТ»")
	p := b.post("/apply/legal/data", url.Values{"bin": {binX}, "email": {"b@example.kz"}, "city": {"Алматы"}, "storage": {"PKCS12"}})
	p = b.click(b.click(p.has(t, 200, "Создайте новые ключи")))
	p.has(t, 200, "Сертификаты выпускаются")
	s.issue(p)
	b.click(b.get(p.path)).has(t, 200, "Сертификаты успешно установлены")

	serial := before.Certificate.SerialHex()
	b.get("/keys").has(t, 200, "Ключи прежнего руководителя: 1", "/keys/revoke?serial="+serial)
	b.get("/keys/revoke?serial="+serial).has(t, 200, "Смена руководителя")
	p = b.post("/keys/revoke", url.Values{"serial": {serial}, "reason": {"affiliationChanged"}})
	b.click(p).has(t, 200, "Ключ отозван")
	b.post("/keys/revoke", url.Values{"serial": {serial}, "reason": {"affiliationChanged"}}).has(t, 422, `data-code="ALREADY_REVOKED"`)
	if strings.Contains(b.get("/keys").body, "Ключи прежнего руководителя") {
		t.Error("the previous head's keys are still offered")
	}
}
