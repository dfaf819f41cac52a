package cabinet

import (
	"strings"
	"testing"
	"time"

	"senim/internal/pkitest"
	"senim/internal/ra"
	"senim/pki"
)

// The list says when, where and how each key was issued; what is over lies in a folded archive.
func TestKeysTellHowTheyCame(t *testing.T) {
	s := newSite(t)
	old := s.personal("123456789013")
	desk := person("СЕРИКОВА АЙГУЛЬ", "СЕРИКОВА", "БОЛАТОВНА", "123456789013", pki.RoleIndividual, pki.RoleIdentifiedAtDesk)
	other := s.ca.add(s.ca.Authority.Issue(pkitest.Spec{Holder: desk}))
	gone := s.ca.add(s.ca.Authority.Issue(pkitest.Spec{Holder: person("СЕРИКОВА АЙГУЛЬ", "СЕРИКОВА", "", "123456789013"), NotBefore: s.now.AddDate(-2, 0, 0), NotAfter: s.now.AddDate(-1, 0, 0)}))
	b := s.browser(old)
	b.enter("")
	p := b.get("/keys").has(t, 200, "нет сведений", "оператором в ЦОН по документу", "Где выдан", "Архив: старые ключи (1)", "Последний вход", "этот сеанс", "Файл")
	if strings.Count(p.body, "этот сеанс") != 1 {
		t.Error("another key is said to be in use")
	}
	if strings.Count(p.body, "Последний вход") != 1 {
		t.Error("a key nobody signed in with was used")
	}
	elsewhere := s.browser(other)
	elsewhere.click(elsewhere.get("/signin"))
	s.now = s.now.Add(time.Minute)
	elsewhere.get("/keys").has(t, 200, "Последний вход", "01.09.2026 15:00", "этот сеанс") // with the first key
	p = b.get("/keys").has(t, 200, "01.09.2026 15:00")
	if strings.Count(p.body, "Последний вход") != 2 {
		t.Error("the use of the other key is not told")
	}
	archive := p.body[strings.Index(p.body, `id="archive"`):]
	archive = archive[:strings.Index(archive, "</details>")]
	if !strings.Contains(archive, gone.Certificate.SerialHex()) || strings.Contains(archive, old.Certificate.SerialHex()) {
		t.Error("the archive does not hold what is over, and that alone")
	}

	// A key the cabinet itself gave tells of its application.
	step := b.click(b.draft())
	step = b.click(step)
	number := strings.TrimPrefix(step.path, "/applications/")
	number, _, _ = strings.Cut(number, "/")
	a, err := s.office.Find(t.Context(), ra.Viewer{IIN: "123456789013"}, number)
	must(t, err)
	must(t, s.office.Issue(t.Context(), ra.Task{Number: a.Number, Revision: a.Revision}))
	b.get("/keys").has(t, 200, "прежним действующим ключом", "онлайн", ra.FormatNumber(number), `href="/applications/`+number+`"`)
}
