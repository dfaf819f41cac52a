package portal

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"senim/internal/participant"
)

func unbase64(t testing.TB, s string) string {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func base64of(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// Step 2: every mistake at once, each beside its field, and nothing typed is lost.
func TestFieldsKeepWhatWasTyped(t *testing.T) {
	w := newWorld(t)
	w.heads(iinA, iinB)
	b := w.browser()
	b.begin(participant.LegalEntity).sign(w.head(iinB, binX)).at("/2").says("ГБД ЮЛ, данные на")
	step2 := b.path
	b.post(step2, "email", "b@@example", "email2", "b@example.kz", "phone", "12", "docnumber", "N 012345678", "docdate", "31.02.2020", "docissuer", "МВД РК", "password", "12345678", "password2", "1")
	if b.status != http.StatusUnprocessableEntity {
		t.Fatalf("status %d", b.status)
	}
	b.says("Проверьте адрес").says("Проверьте номер: +7").says("Проверьте дату").says("Пароль короче 10 символов")
	for _, kept := range []string{"b@@example", "b@example.kz", "N 012345678", "31.02.2020", "МВД РК"} {
		if !strings.Contains(b.page, `value="`+kept+`"`) {
			t.Errorf("%q is lost", kept)
		}
	}
	b.silentAbout(`value="12345678"`)
	b.get(step2).at("/2")
	if !strings.Contains(b.page, `value="N 012345678"`) {
		t.Error("after a reload what was typed is lost")
	}
	for password, says := range map[string]string{"1234567890": "подберут", "qwertyuiop": "подберут", iinB: "ИИН", "password123": "подберут", "aaaaaaaaaaaa": "подберут"} {
		b.post(step2, "email", "b@example.kz", "email2", "b@example.kz", "password", password, "password2", password).says(says)
	}
	b.post(step2, "email", "b@example.kz", "email2", "b@example.kz", "password", passB, "password2", passB+"x").says("Пароли в двух полях различаются")
	b.post(step2, "email", "b@example.kz", "email2", "b@example.kz").says("Пароль: заполните это поле")
	b.post(step2, "email", "b@example.kz", "email2", "c@example.kz", "password", passB, "password2", passB).says("Адреса в двух полях различаются").says("Пароль уже принят")
	b.fill("b@example.kz", passB).at("/3")
	b.get(step2).at("/2").says("Пароль уже принят").post(step2, "email", "b@example.kz", "email2", "b@example.kz").at("/3")
}

// What people type is text and nothing else, on every page that shows it.
func TestSec7Injection(t *testing.T) {
	w := newWorld(t)
	w.heads(iinA, iinB)
	const evil = `<script>alert(1)</script>"'&<>`
	b := w.browser()
	clean := func(b *browser) {
		t.Helper()
		if strings.Contains(b.page, "<script>alert") || strings.Contains(b.page, `"'&<>`) {
			t.Errorf("%s shows what was typed unescaped", b.path)
		}
	}
	b.begin(participant.LegalEntity).sign(w.head(iinB, binX)).at("/2")
	step2 := b.path
	b.post(step2, "email", evil, "email2", evil, "phone", evil, "docnumber", evil, "docdate", evil, "docissuer", evil, "password", evil, "password2", evil, "current", evil)
	clean(b)
	clean(b.get(step2))
	b.post(step2, "email", "b@example.kz", "email2", "b@example.kz", "docissuer", evil, "password", passB, "password2", passB).at("/3")
	clean(b)
	clean(b.get(step2))
	for _, path := range []string{"/login", "/login/password", "/login/profile", "/register", "/register/confirm", step2, strings.TrimSuffix(step2, "2") + "1", strings.TrimSuffix(step2, "2") + "3", "/language"} {
		c := w.browser()
		c.post(path, "answer", evil, "password", evil, "profile", evil, "category", evil, "t", evil, "act", evil, "lang", evil, "back", evil)
		clean(c)
	}
	for _, path := range []string{"/register/confirm?t=" + "%3Cscript%3Ealert(1)%3C/script%3E", "/register/%3Cscript%3Ealert(1)%3C%2Fscript%3E", "/nowhere?lang=%3Cscript%3E"} {
		clean(b.get(path))
	}
}

// Another browser is told nothing of a draft, not even whether it exists (section 17).
func TestSec17DraftOfAnother(t *testing.T) {
	w := newWorld(t)
	w.heads(iinA, iinB)
	b := w.browser()
	b.begin(participant.LegalEntity).sign(w.head(iinB, binX)).at("/2")
	other := w.browser()
	there := other.get(b.path).refused("DRAFT_OTHER_BROWSER").page
	never := other.get("/register/" + strings.Repeat("A", 22) + "/2").refused("DRAFT_OTHER_BROWSER").page
	if strings.ReplaceAll(text(there), b.path, "") != strings.ReplaceAll(text(never), b.path, "") {
		t.Error("the page tells whether the draft exists")
	}
	other.post(b.path, "email", "x@example.kz").refused("DRAFT_OTHER_BROWSER")
}

// The form has the five tiles, and wants one of them.
func TestCategories(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.get("/register").says("Физическое лицо").says("Индивидуальный предприниматель").says("Лицо, занимающееся частной практикой").
		says("Юридическое лицо").says("Структурное подразделение юридического лица")
	b.get("/register").post("/register", "category", "nothing").says("Выберите категорию")
	b.post("/register").says("Выберите категорию")
}

// Every page speaks three languages, with no key left untranslated.
func TestLanguages(t *testing.T) {
	w := newWorld(t)
	w.heads(iinA, iinB)
	b := w.browser()
	w.register(b, "b@example.kz", passB)
	base := strings.TrimSuffix(b.path, "4")
	for _, l := range []string{"kk", "ru", "en"} {
		for _, path := range []string{"/", "/login", "/register", base + "2", base + "4", "/register/confirm?t=x", "/login/password"} {
			sep := "?"
			if strings.Contains(path, "?") {
				sep = "&"
			}
			b.get(path + sep + "lang=" + l)
			if strings.Contains(b.page, "[portal.") || strings.Contains(b.page, "[codes.") || strings.Contains(b.page, "[web.") {
				t.Errorf("%s in %s shows a key", path, l)
			}
			if !strings.Contains(b.page, `<html lang="`+l+`"`) {
				t.Errorf("%s is not in %s", path, l)
			}
		}
	}
}

// A draft is kept three days and no longer.
func TestDraftTime(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.begin(participant.Individual).sign(w.personal(iinB)).at("/2")
	path := b.path
	w.pass(71 * 60 * 60 * 1e9)
	b.get(path).at("/2")
	w.pass(60 * 60 * 1e9)
	b.get(path).refused("DRAFT_STALE")
}

// No GET changes anything that is kept of participants, at any stage (security.md section 7).
func TestSec7GetChangesNothing(t *testing.T) {
	w := newWorld(t)
	w.heads(iinA, iinB)
	b := w.browser()
	walk := func() {
		t.Helper()
		w.mu.Lock()
		before := w.updates
		w.mu.Unlock()
		link := "/register/confirm?t=x"
		for _, m := range w.letters {
			if m.N == "N-15" {
				link = strings.TrimPrefix(m.Vars["link"], "http://localhost:8081")
			}
		}
		base := "/register/" + strings.Repeat("A", 22)
		if i := strings.Index(b.path, "/register/"); i >= 0 && len(b.path) > 32 {
			base = b.path[:32]
		}
		visitor := &browser{w: w, client: b.client}
		for _, path := range []string{"/", "/login", "/login/password", "/login/profile", "/me", "/register", base, base + "/1", base + "/2", base + "/3", base + "/4", link, "/esf-web/login/", "/esf-web/login/x"} {
			visitor.get(path)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.updates != before {
			t.Errorf("%d GETs wrote, standing at %s", w.updates-before, b.path)
		}
	}
	walk()
	b.begin(participant.LegalEntity)
	walk()
	b.get(b.path).sign(w.head(iinB, binX)).at("/2") // again: a new challenge replaced the page's
	walk()
	b.fill("b@example.kz", passB).at("/3")
	walk()
	b.sign(w.head(iinB, binX)).at("/4")
	walk()
	b.follow().sign(w.head(iinB, binX)).at("/login/password")
	walk()
	b.get("/login/password").post("/login/password", "password", passB).at("/me?done=1")
	walk()
}
