package cabinet

import (
	"net/url"
	"testing"
	"time"

	"senim/internal/ra"
	"senim/internal/trust"
)

// How long applications and drafts wait is the installation's to say: pages, letters, the head's decision and the nightly
// job keep to it.
func TestTermsOfTheInstallation(t *testing.T) {
	t.Parallel()
	s := newSiteOf(t, 0, func(c *ra.Config) {
		c.Terms = ra.Terms{Confirm: 48 * time.Hour, Draft: 24 * time.Hour, Install: 72 * time.Hour}
	})
	s.registry[binX] = ra.HeadAnswer{Verdict: trust.Good, IIN: iinD, Organization: "АО «ТЕСТ»", AsOf: s.now}
	known := s.folk[""]
	known.PersonAnswer = ra.PersonAnswer{Verdict: trust.Good, Surname: "СЕРИКОВА", Name: "АЙГУЛЬ", Patronymic: "БОЛАТОВНА", AsOf: s.now}
	s.folk[iinE], s.folk[iinD] = known, known
	d := s.enters("d@example.kz", s.head(iinD, binX))
	e := s.enters("e@example.kz", s.personal(iinE))
	number := e.applies(ra.RoleEmployee)
	e.get("/applications/"+number).has(t, 200, "03.09.2026") // s.now is the first of September
	d.get("/confirm").has(t, 200, "03.09.2026")
	draft := e.post("/apply/legal/employee/data", url.Values{"bin": {binX}, "role": {ra.RoleHR}, "email": {"e@example.kz"}, "city": {"Алматы"}, "storage": {"PKCS12"}})
	unsigned := numberIn.FindStringSubmatch(draft.path)[1]
	s.now = s.now.Add(25 * time.Hour)
	must(t, s.office.Sweep(t.Context()))
	s.state(number, ra.AwaitingDirector)
	e.again().get("/applications/"+unsigned).has(t, 404)
	s.now = s.now.Add(23*time.Hour + time.Second)
	d.again().get("/confirm").has(t, 200, "Сейчас нет заявок")
	d.posts(d.keys[0], s.decision("confirm", iinD, binX, "", s.app(number))).has(t, 422, `data-code="APPLICATION_EXPIRED"`)
	must(t, s.office.Sweep(t.Context()))
	s.state(number, ra.Expired)
}
