package desk_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"senim/internal/ra"
	"senim/internal/trust"
)

// The pages of the phone: masked, a code is sent once a minute, a wrong one is said beside its field, and a person
// without a phone is told where it is registered. Nobody checks his own.
func TestPhonePages(t *testing.T) {
	w := newWorld(t)
	one, _ := w.clerks()
	at := one.post("/desk/take", takeForm())
	at.has(t, 200, at.path+"/phone")
	p := one.get(at.path + "/phone")
	p.has(t, 200, "Отправить код по SMS")
	if strings.Contains(p.body, "77010000117") || strings.Contains(p.body, "7010000117") {
		t.Error("the whole number is shown")
	}
	for range 2 { // pressed twice, the first code still stands
		p = one.post(at.path+"/phone", nil)
		if p.has(t, 200, "Введите код из SMS"); p.path != at.path+"/phone/code" {
			t.Errorf("at %s", p.path)
		}
	}
	one.post(at.path+"/phone/code", url.Values{"code": {"12"}}).has(t, 422, `id="code-error"`, "осталось попыток")
	if n := len(slices.DeleteFunc(w.back.actions(t), func(a string) bool { return a != "factor.started ok" })); n != 1 {
		t.Errorf("%d codes were sent", n)
	}
	w.back.phone = &ra.PhoneAnswer{Verdict: trust.Bad}
	one.get(at.path+"/phone").has(t, 422, "PHONE_UNKNOWN", "нет телефона")
	w.back.phone = &ra.PhoneAnswer{}
	one.post(at.path+"/phone", nil).has(t, 422, "CHECK_UNAVAILABLE")
}
