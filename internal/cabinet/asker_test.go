package cabinet

import (
	"net/url"
	"slices"
	"testing"

	"senim/internal/ra"
)

// Who asks a registry is the person whose page or signature it was, or whose act moved the application on; never the
// system (registries.md §12, §14).
func TestRegistriesKnowWhoAsks(t *testing.T) {
	t.Parallel()
	s := company(t)
	asks := func(what string, f func(), want ...string) {
		t.Helper()
		s.asked = map[string]int{}
		f()
		for by, n := range s.asked {
			if !slices.Contains(want, by) {
				t.Errorf("%s: %q asked %d times", what, by, n)
			}
		}
		for _, by := range want {
			if s.asked[by] == 0 {
				t.Errorf("%s: %s did not ask", what, by)
			}
		}
	}
	d := s.enters("d@example.kz", s.head(iinD, binX))
	e := s.enters("e@example.kz", s.personal(iinE))
	var number string
	asks("the employee's application", func() { number = e.applies(ra.RoleFinance) }, iinE)
	asks("the head's pages", func() {
		for _, path := range []string{"/keys", "/confirm", "/delegation", "/staff", "/reports", "/calendar", "/applications", "/profile"} {
			d.get(path)
		}
	}, iinD)
	asks("the head's confirmation", func() {
		d.click(d.get("/confirm/sign?number="+number)).has(t, 200, "Подтверждена 1 заявка")
	}, iinD)
	asks("issuing what the head confirmed", func() { must(t, s.office.Issue(t.Context(), ra.Task{Number: number, Revision: 1})) }, iinD)
	asks("the employee's installation", func() {
		e.click(e.get("/applications/"+number)).has(t, 200, "Сертификаты успешно установлены")
	}, iinE)
	b := s.browser(s.personal(iinD))
	b.get("/signin")
	b.click(b.get("/signin"))
	asks("the first head's form", func() { b.post("/apply/legal", url.Values{"bin": {binX}}) }, iinD)
}
