package cabinet

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"

	"senim/internal/ident"
	"senim/internal/ra"
	fromregistry "senim/internal/registry"
	"senim/internal/trust"
)

// asksConsent is the state's service of consents.
type asksConsent struct {
	sent  []string
	given bool
	err   error
}

func (a *asksConsent) AskConsent(_ context.Context, iin ident.IIN) (bool, error) {
	if a.err == nil {
		a.sent = append(a.sent, string(iin))
	}
	return a.given, a.err
}

func (a *asksConsent) ConsentGiven(context.Context, ident.IIN) (bool, error) { return a.given, a.err }

// The register of persons wants the applicant's consent, and no load stands in: his application waits, its page says so and
// asks for it, and goes on once it is there. Nobody is sent a message unasked, or for another.
func TestConsentForAnApplication(t *testing.T) {
	t.Parallel()
	s := company(t)
	service := &asksConsent{}
	s.config.Consents = service
	h, err := New(s.config)
	must(t, err)
	s.server.Config.Handler = h
	d := s.enters("d@example.kz", s.head(iinD, binX))
	e := s.enters("e@example.kz", s.personal(iinE))
	s.folk[iinE] = struct {
		ra.PersonAnswer
		phone  ident.Phone
		silent bool
	}{PersonAnswer: ra.PersonAnswer{Verdict: trust.Unknown, Code: fromregistry.ConsentNeeded}}
	e.post("/apply/legal/employee", url.Values{"bin": {binX}})
	number := e.signs(e.post("/apply/legal/employee/data", employeeForm(ra.RoleHR)))
	s.state(number, ra.Signed)
	page, wait := "/applications/"+number, "/applications/"+number+"/consent"
	e.get(page).has(t, 200, "Запросить согласие", "Реестр физических лиц отвечает о человеке только с его согласия")
	if len(service.sent) != 0 {
		t.Fatal("a message was sent unasked")
	}
	if p := d.get(page); strings.Contains(p.body, wait) {
		t.Error("the head may ask for the consent of another")
	}
	d.post(wait, nil)
	if len(service.sent) != 0 {
		t.Error("the head had a message sent to another")
	}
	service.err = errors.New("silent")
	if p := e.post(wait, nil); !strings.Contains(p.body, "CONSENT_UNSENT") {
		t.Errorf("the service is silent: %s", text(p.body))
	}
	service.err = fromregistry.ErrAskedLately
	e.post(wait, nil).has(t, 200, "Не удалось узнать о согласии")
	service.err = nil
	e.post(wait, nil).has(t, 200, "Ждём вашего ответа", `http-equiv="refresh"`)
	if len(service.sent) != 1 || service.sent[0] != iinE {
		t.Errorf("messages to %v", service.sent)
	}
	service.given = true
	delete(s.folk, iinE)
	e.get(wait).has(t, 200, "Согласие получено")
	s.state(number, ra.Signed) // looking goes on with nothing
	e.post(page+"/recheck", nil).has(t, 200, "Ожидает подтверждения руководителя")
	s.state(number, ra.AwaitingDirector)
	if p := e.get(wait); p.path != page {
		t.Errorf("afterwards the page of the wait is %s", p.path)
	}

	s.config.Consents = nil // nobody can be asked here
	h, err = New(s.config)
	must(t, err)
	s.server.Config.Handler = h
	if p := e.get(page); strings.Contains(p.body, wait) {
		t.Error("offers to ask for a consent")
	}
}
