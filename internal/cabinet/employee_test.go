package cabinet

import (
	"net/url"
	"strings"
	"testing"

	"senim/internal/ra"
	"senim/internal/trust"
	"senim/pki"
)

func employeeForm(role string) url.Values {
	return url.Values{"bin": {binX}, "role": {role}, "email": {"e@example.kz"}, "city": {"Алматы"}, "storage": {"PKCS12"}}
}

// TestLookWithACompanysKey: nothing leads whom a company's key brought to where a personal one is needed, and the page
// says so without a refusal; applying is refused as ever.
func TestLookWithACompanysKey(t *testing.T) {
	t.Parallel()
	s := company(t)
	const link = `href="/apply/legal"`
	if p := s.enters("e@example.kz", s.personal(iinE)).get("/keys").has(t, 200, link); strings.Count(p.body, link) < 2 {
		t.Error("a personal key is not led there by the menu and by the list of keys")
	}
	z := s.enters("z@example.kz", s.head(iinZ, binY))
	for _, at := range []string{"/keys", "/applications", "/apply/legal"} {
		if p := z.get(at); strings.Contains(p.body, link) {
			t.Errorf("%s leads the head of a company to a page for personal keys", at)
		}
	}
	z.get("/apply/legal").has(t, 200, `data-code="PERSONAL_KEY_NEEDED"`, "личным ключом", "/apply/legal/employee")
	z.post("/apply/legal", url.Values{"bin": {binX}}).has(t, 422, `data-code="PERSONAL_KEY_NEEDED"`)
}

// TestEmployeeRefused: what the registries say no to, and mistakes in the form, make no application.
func TestEmployeeRefused(t *testing.T) {
	t.Parallel()
	s := company(t)
	e := s.enters("e@example.kz", s.personal(iinE))
	e.get("/").has(t, 200)
	e.get("/keys").has(t, 200, "/apply/legal/employee")
	e.get("/apply/legal").has(t, 200, "Я не руководитель")
	e.post("/apply/legal/employee", url.Values{"bin": {"123"}}).has(t, 422, "12 цифр")
	e.post("/apply/legal/employee", url.Values{"bin": {"960440000220"}}).has(t, 422)
	e.post("/apply/legal/employee", url.Values{"bin": {binX}}).has(t, 200, "Сотрудник отдела кадров", "Трудовые договоры")
	e.post("/apply/legal/employee/data", employeeForm(ra.RoleHead)).has(t, 422, "Выберите роль")
	e.post("/apply/legal/employee/data", employeeForm("")).has(t, 422, "Выберите роль")
	bad := employeeForm(ra.RoleHR)
	bad.Set("email", "x")
	e.post("/apply/legal/employee/data", bad).has(t, 422, "#email")

	good := s.folk[iinE]
	for _, c := range []struct {
		answer ra.PersonAnswer
		code   string
	}{
		{ra.PersonAnswer{Verdict: trust.Bad, Code: "PERSON_UNKNOWN", AsOf: s.now}, "PERSON_UNKNOWN"},
		{ra.PersonAnswer{Verdict: trust.Bad, Code: "PERSON_EXCLUDED", AsOf: s.now}, "PERSON_EXCLUDED"},
		{ra.PersonAnswer{Verdict: trust.Bad}, "PERSON_UNKNOWN"},
		{ra.PersonAnswer{Verdict: trust.Good, Surname: "ДРУГАЯ", Name: "АЙГУЛЬ"}, "PERSON_NAME_DIFFERS"},
	} {
		was := good
		was.PersonAnswer = c.answer
		s.folk[iinE] = was
		e.post("/apply/legal/employee", url.Values{"bin": {binX}}).has(t, 422, `data-code="`+c.code+`"`)
		e.post("/apply/legal/employee/data", employeeForm(ra.RoleHR)).has(t, 422, `data-code="`+c.code+`"`)
	}
	s.folk[iinE] = good
	d := s.enters("d@example.kz", s.personal(iinD))
	d.post("/apply/legal/employee", url.Values{"bin": {binX}}).has(t, 422, `data-code="HEAD_APPLIES_AS_HEAD"`, "/apply/legal")
	z := s.enters("z@example.kz", s.head(iinZ, binY))
	z.post("/apply/legal/employee", url.Values{"bin": {binX}}).has(t, 422, `data-code="KEY_OF_OTHER_COMPANY"`)
	must(t, s.store.RA().View(t.Context(), func(tx ra.Tx) error {
		all, err := tx.OfCompany(t.Context(), binX)
		if len(all) != 0 {
			t.Errorf("%d applications were made", len(all))
		}
		return err
	}))
}

// TestEmployeeWhenTheRegisterIsSilent: no verdict; the application is kept and goes on by itself.
func TestEmployeeWhenTheRegisterIsSilent(t *testing.T) {
	t.Parallel()
	s := company(t)
	d := s.enters("d@example.kz", s.head(iinD, binX))
	e := s.enters("e@example.kz", s.personal(iinE))
	good := s.folk[iinE]
	was := good
	was.PersonAnswer = ra.PersonAnswer{Verdict: trust.Unknown}
	s.folk[iinE] = was
	e.post("/apply/legal/employee", url.Values{"bin": {binX}}).has(t, 200, "Это не отказ", `data-code="REG_UNAVAILABLE"`)
	number := e.signs(e.post("/apply/legal/employee/data", employeeForm(ra.RoleHR)))
	if a := s.state(number, ra.Signed); a.Reason.Code != "REG_UNAVAILABLE" {
		t.Errorf("%+v", a.Reason)
	}
	e.get("/applications/"+number).has(t, 200, "Реестр не отвечает, заявка сохранена", `data-who="registry" data-state="now"`)
	if p := d.get("/confirm"); strings.Contains(p.body, number) {
		t.Error("it is in the inbox unchecked")
	}
	if err := s.office.Reroute(t.Context(), ra.Task{Number: number, Revision: 1}); err == nil {
		t.Error("a silent register must be asked again")
	}
	s.folk[iinE] = good
	must(t, s.office.Reroute(t.Context(), ra.Task{Number: number, Revision: 1}))
	s.state(number, ra.AwaitingDirector)
	s.told("d@example.kz", "N-10", "Сотрудник отдела кадров")
	d.get("/confirm").has(t, 200, number)

	s.folk[iinE] = was
	second := e.signs(e.post("/apply/legal/employee/data", employeeForm(ra.RoleFinance)))
	was.PersonAnswer = ra.PersonAnswer{Verdict: trust.Bad, Code: "PERSON_UNKNOWN", AsOf: s.now}
	s.folk[iinE] = was
	must(t, s.office.Reroute(t.Context(), ra.Task{Number: second, Revision: 1}))
	if a := s.state(second, ra.AwaitingDesk); a.Reason.Code != "PERSON_UNKNOWN" {
		t.Errorf("%+v", a.Reason)
	}
	e.get("/applications/"+second).has(t, 200, "ИИН не найден", `data-who="desk" data-state="now"`)
}

// TestEmployeeSignsWithAKeyOfTheCompany: a current ЮЛ key may sign for another role.
func TestEmployeeSignsWithAKeyOfTheCompany(t *testing.T) {
	t.Parallel()
	s := company(t)
	e := s.enters("e@example.kz", s.staff(iinE, pki.RoleEmployee))
	e.get("/apply/legal/employee").has(t, 200, binX)
	number := e.applies(ra.RoleSignRight)
	a := s.state(number, ra.AwaitingDirector)
	if a.Role != ra.RoleSignRight || a.Replaces != "" || a.SignerSerial != e.keys[0].Certificate.SerialHex() {
		t.Errorf("%+v", a)
	}
}
