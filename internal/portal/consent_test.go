package portal

import (
	"strings"
	"testing"
	"time"

	"senim/internal/participant"
	"senim/internal/registry"
	"senim/internal/state"
	"senim/internal/state/statetest"
)

// The register of persons wants the person's consent, and no load stands in: step 1 says so and asks for it, the page
// waits for the answer without a script, and the gate goes on once it is there. Nobody is sent a message unasked.
func TestConsentAtTheGate(t *testing.T) {
	l := newLive(t, func(_ *registry.Config, c *state.Config) { c.Gateway.Person = "GBDFLINFO" })
	l.pass(8 * 24 * time.Hour) // the load is too old
	l.gateway.Put("GBDFLINFO", iinB, statetest.Person(iinB, ""))

	b := l.browser().begin(participant.Individual).sign(l.personal(iinB))
	b.refused("CHECK_UNAVAILABLE").says("ГБД ФЛ требует согласия человека").says("Что делать Реестр физических лиц отвечает о человеке только с его согласия")
	page := b.path
	if l.gateway.Texts() != 0 {
		t.Fatal("a message was sent unasked")
	}
	wait := strings.TrimSuffix(page, "/1") + "/consent"
	b.post(wait).at("/consent")
	b.says("Нужно ваше согласие").says("SMS с номера 1414")
	if l.gateway.Texts() != 1 || !strings.Contains(b.page, `<meta http-equiv="refresh"`) {
		t.Fatalf("%d messages, page:\n%s", l.gateway.Texts(), text(b.page))
	}
	b.post(wait).at("/consent")
	b.get(wait).says("Ждём вашего ответа")
	if l.gateway.Texts() != 1 {
		t.Errorf("%d messages after asking twice and looking", l.gateway.Texts())
	}
	l.gateway.Twist(func(a *statetest.Answer) { a.Code = "SCE001" })
	b.get(wait).says("Не удалось узнать о согласии").says("Это не отказ")
	l.gateway.Twist(nil)
	l.gateway.Consent(iinB, "token")
	b.get(wait).says("Согласие получено")
	b.post(page, "act", "recheck").at("/2")
	b.get(wait).at("/1")

	stranger := l.browser()
	stranger.get(wait).refused("DRAFT_OTHER_BROWSER")
	other := l.browser().begin(participant.Individual)
	other.post(strings.TrimSuffix(other.path, "/1") + "/consent").at("/1")
	if l.gateway.Texts() != 1 {
		t.Errorf("%d messages: somebody without a proved key had one sent", l.gateway.Texts())
	}
}

// Without a service that asks, the page says what is wanted and offers nothing that cannot be done.
func TestConsentNobodyAsks(t *testing.T) {
	l := newLive(t, func(_ *registry.Config, c *state.Config) { c.Gateway.Person, c.Gateway.Access = "GBDFLINFO", "" })
	l.pass(8 * 24 * time.Hour)
	b := l.browser().begin(participant.Individual).sign(l.personal(iinB))
	b.refused("CHECK_UNAVAILABLE").says("ГБД ФЛ требует согласия человека").says("Повторить проверку")
	if strings.Contains(b.page, `/consent"`) {
		t.Error("offers to ask for a consent")
	}
}
