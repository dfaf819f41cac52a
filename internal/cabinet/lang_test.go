package cabinet

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"senim/internal/ra"
	"senim/internal/trust"
)

var missing = regexp.MustCompile(`\[(web|cabinet|codes|company|delegation)\.[^\]]*\]|\{[a-z0-9]+\}`)

// TestEveryPageInEveryLanguage looks for texts that are not in the catalogue and {names} nobody filled.
func TestEveryPageInEveryLanguage(t *testing.T) {
	for _, tag := range []string{"kk", "ru", "en"} {
		t.Run(tag, func(t *testing.T) {
			s := newSite(t)
			old := s.head("123456789012", binX)
			key := s.personal("123456789011")
			b := s.browser(key)
			b.enter("p@example.kz")
			b.lang = tag
			s.registry[binX] = ra.HeadAnswer{Verdict: trust.Good, IIN: "123456789011", Organization: "АО «ТЕСТ»", AsOf: s.now}
			look := func(p page) page {
				t.Helper()
				if m := missing.FindString(p.body); m != "" {
					t.Errorf("%s: %s", p.path, m)
				}
				if p.status >= 500 {
					t.Errorf("%s: %d", p.path, p.status)
				}
				return p
			}
			serial := key.Certificate.SerialHex()
			for _, path := range []string{"/signup", "/profile", "/keys", "/keys/reissue", "/apply/legal", "/apply/legal/data?bin=" + binX, "/applications",
				"/check", "/check/person", "/check/consent/x", "/keys/share", "/reports", "/reports/none", "/none", "/applications?number=1", "/keys/revoke?serial=" + serial, "/keys/revoke?serial=00", "/email/none"} {
				look(b.get(path))
			}
			look(b.post("/signup", url.Values{"email": {"x"}}))
			look(b.post("/keys/reissue", url.Values{"email": {"x"}, "storage": {"AKKZIDCardStore"}}))
			p := look(b.post("/apply/legal/data", url.Values{"bin": {binX}, "email": {"b@example.kz"}, "city": {"Алматы"}, "storage": {"PKCS12"}}))
			look(b.get(p.path + "/edit"))
			p = look(b.click(p))
			p = look(b.click(p))
			s.issue(p)
			look(b.click(look(b.get(p.path))))
			look(b.get("/applications"))
			look(b.get("/keys"))
			for _, at := range []string{"", "2026-08-31", "2030-01-01"} {
				look(b.post("/check", url.Values{"serial": {serial}, "date": {at}}))
			}
			look(b.post("/check", url.Values{"serial": {"1"}}))
			look(b.post("/check/person", url.Values{"number": {"990101300011"}}))
			look(b.post("/check/consent/x", url.Values{"iin": {"990101300011"}}))
			look(b.post("/keys/share", nil))
			look(b.get("/keys/share"))
			report := look(b.post("/reports", url.Values{"which": {"mine"}, "format": {"pdf"}}))
			must(t, s.office.MakeReport(t.Context(), ra.ReportTask{ID: strings.TrimPrefix(report.path, "/reports/")}))
			look(b.get(report.path))
			look(b.get("/reports"))
			look(b.get("/keys/revoke?previous=" + binX))
			look(b.click(look(b.post("/keys/revoke", url.Values{"serial": {old.Certificate.SerialHex(), serial}, "reason": {"keyCompromise"}, "since": {"2026-08-01"}}))))
			look(b.click(b.get("/signin")))
			s.ca.silent = true
			look(b.click(b.get("/signin")))
		})
	}
}

// TestRevokeAllOfThePreviousHead: one signature for several keys, by the head's own key.
func TestRevokeAllOfThePreviousHead(t *testing.T) {
	s := newSite(t)
	one, two := s.head("123456789012", binX), s.head("123456789012", binX)
	other := s.head("123456789012", binY)
	b := s.browser(s.head("123456789011", binX))
	s.registry[binX] = ra.HeadAnswer{Verdict: trust.Good, IIN: "123456789011", Organization: "АО «ТЕСТ»", AsOf: s.now}
	b.enter("")
	b.get("/keys").has(t, 200, "Ключи прежнего руководителя: 2", "Отозвать все")
	b.get("/keys/revoke?previous="+binX).has(t, 200, one.Certificate.SerialHex(), two.Certificate.SerialHex())
	p := b.post("/keys/revoke", url.Values{"serial": {one.Certificate.SerialHex(), two.Certificate.SerialHex()}, "reason": {"affiliationChanged"}})
	b.click(p).has(t, 200, "Ключи отозваны")
	for _, k := range []struct {
		serial  string
		revoked bool
	}{{one.Certificate.SerialHex(), true}, {two.Certificate.SerialHex(), true}, {other.Certificate.SerialHex(), false}} {
		if got, _ := s.ca.Key(t.Context(), k.serial); got.RevokedAt.IsZero() == k.revoked {
			t.Errorf("%s: revoked %v", k.serial, !got.RevokedAt.IsZero())
		}
	}
	b.get("/keys/revoke?serial="+other.Certificate.SerialHex()).has(t, 404, `data-code="KEY_UNKNOWN"`)
}
