package cabinet

import (
	"net/url"
	"testing"
	"time"

	"senim/internal/ra"
	"senim/internal/trust"
)

// A registry that could not tell is unknown in words of its own cause; a good answer says whence it is.
func TestR16CabinetNamesTheCause(t *testing.T) {
	s := newSite(t)
	b := s.browser(s.personal("123456789011"))
	b.enter("")
	ask := func(h ra.HeadAnswer) page {
		t.Helper()
		s.registry[binX] = h
		return b.post("/apply/legal", url.Values{"bin": {binX}})
	}
	since := time.Date(2026, 9, 1, 9, 0, 0, 0, time.UTC)
	for code, want := range map[string]string{
		"LIVE_SILENT":       "ГБД ЮЛ не отвечает с 01.09.2026 14:00",
		"LIVE_FAULT":        "шлюз на пути к ГБД ЮЛ сообщил об ошибке",
		"LIVE_UNREADABLE":   "ответ ГБД ЮЛ нельзя прочитать",
		"LIVE_SIGNATURE":    "подпись ответа ГБД ЮЛ не подтвердилась",
		"REGISTRY_TOO_OLD":  "данные ГБД ЮЛ слишком старые, последние на 01.09.2026",
		"LIVE_OTHER_NUMBER": "ГБД ЮЛ ответил о другом номере",
	} {
		ask(ra.HeadAnswer{Verdict: trust.Unknown, Code: code, Source: "gbdul", AsOf: since, Since: since}).has(t, 200, `data-code="REG_UNAVAILABLE"`, "Это не отказ", want)
	}
	ask(ra.HeadAnswer{Verdict: trust.Good, IIN: "123456789011", Organization: "АО «ТЕСТ»", AsOf: since, Source: "gbdul", Load: "418"}).
		has(t, 200, "ГБД ЮЛ, данные на 01.09.2026 14:00 (время Астаны), загрузка № 418.", "исправляют в органах юстиции")
}
