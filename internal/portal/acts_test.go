package portal

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"senim/internal/web"
)

var actLink = regexp.MustCompile(`href="(/me/acts/[A-Za-z0-9_-]+)"`)

// What a person signed over a challenge is given to him with all that proves it: the signed bytes, the signature, the
// certificate, OCSP answers and the time-stamp. By those files alone senim verify finds it good.
func TestActVerifiesForEver(t *testing.T) {
	w, _ := stampedWorld(t)
	b := w.browser()
	b.login(w.head(iinA, binX), passA)
	b.get("/me/acts").says("Подписанных действий нет")
	b.get("/me").says("Мои подписи")
	b.get("/me/password").post("/me/password", "current", passA, "password", passB, "password2", passB).at("/me/password/sign")
	b.sign(w.head(iinA, binX))
	b = w.browser()
	b.login(w.head(iinA, binX), passB)
	m := actLink.FindStringSubmatch(b.get("/me/acts").says("Изменён пароль").page)
	if m == nil {
		t.Fatalf("no act:\n%s", text(b.page))
	}
	page := m[1]
	b.get(page).at(page).says("Метка времени").says("есть").says("change-password").says(web.VerifyFile)

	v := newVerifier(t, w)
	dir, command := v.bundle(b.get(page + "/all").page)
	names := entries(t, dir)
	for _, name := range []string{"signed.p7s", "stamp-1.tst", "answer-1.ocsp", "checks-1.json", "challenge.txt", "act.txt", "certificate.cer", web.VerifyFile} {
		if !slices.Contains(names, name) {
			t.Errorf("the archive lacks %s: %v", name, names)
		}
		if name == web.VerifyFile {
			continue
		}
		want, err := os.ReadFile(filepath.Join(dir, name))
		w.must(err)
		if b.get(page + "/" + name); b.status != 200 || b.page != string(want) {
			t.Errorf("%s by itself: %d", name, b.status)
		}
	}
	challenge, err := os.ReadFile(filepath.Join(dir, "challenge.txt"))
	w.must(err)
	if !strings.Contains(string(challenge), "change-password") {
		t.Errorf("the challenge: %s", challenge)
	}
	signed := w.time()
	v.verify(0, signed.Add(time.Hour), dir, command)
	v.verify(0, signed.AddDate(2, 0, 0), dir, command) // the key ended a year ago
	v.verify(1, signed.AddDate(2, 0, 0), dir, []string{"senim", "verify", "--trust", v.trusted, "--content", "challenge.txt", "signed.p7s"})

	for name, change := range map[string]func([]byte) []byte{
		"challenge.txt": func(b []byte) []byte { return append(slices.Clone(b), '\n') },
		"stamp-1.tst":   func(b []byte) []byte { return b[:len(b)-1] },
	} {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		w.must(err)
		w.must(os.WriteFile(filepath.Join(dir, name), change(raw), 0o600))
		v.verify(map[string]int{"challenge.txt": 1, "stamp-1.tst": 2}[name], signed.Add(time.Hour), dir, command)
		w.must(os.WriteFile(filepath.Join(dir, name), raw, 0o600))
	}

	if b.get(page + "/nothing"); b.status != 404 {
		t.Errorf("a part that is not there: %d", b.status)
	}
	other := w.browser()
	w.individual(iinC, "СЕРИКОВА АЙГУЛЬ", "c@example.kz")
	other.login(w.personal(iinC), passC)
	for _, path := range []string{page, page + "/all", page + "/signed.p7s"} { // another's is as if it were not there
		if other.get(path); other.status != 404 {
			t.Errorf("%s for another person: %d", path, other.status)
		}
	}
}
