//go:build !race

// Fifty key files are hundreds of millions of rounds of a key derivation, which the race detector makes twenty
// times as long: tools/test.sh runs this test without it.

package cabinet

import (
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"senim/internal/pkitest"
	"senim/internal/robot"
	"senim/pfx"
)

// TestManyFiftyCompanies renews the keys of fifty holders from one folder: one password per old key,
// one list per director, one new password. A wrong password, an expired key and one revoked meanwhile
// stop nobody else.
func TestManyFiftyCompanies(t *testing.T) {
	s := newSite(t)
	a := s.accountant()
	keys := s.fifty()
	for _, k := range keys {
		a.put(k)
	}
	ended := s.ca.add(s.ca.Authority.Issue(pkitest.Spec{Holder: s.holder(77, ""), NotBefore: s.now.AddDate(-1, 0, -3), NotAfter: s.now.AddDate(0, 0, -3)}))
	a.put(ended)
	foreign := pkitest.New(t, pkitest.Config{Name: "OTHER"}).Individual()
	a.put(foreign)

	// The folder: shown by the agent, checked by the server, the key that ends first before the others.
	p := a.use(a.get("/many").has(t, 200, "Ключи моих организаций"), "/many/list", robot.Choice{Passwords: a.passwords})
	p.has(t, 200, "1 ключ выдан другим центром", "51 ключ", "Продлить нельзя: срок вышел")
	serials, why := p.rows()
	if len(serials) != 51 || serials[0] != ended.Certificate.SerialHex() || serials[1] != keys[0].Certificate.SerialHex() || serials[50] != keys[49].Certificate.SerialHex() {
		t.Fatalf("%d rows, first %v", len(serials), serials[:2])
	}
	if why[serials[0]] != "expired" || why[serials[1]] != "" {
		t.Errorf("why not: %q, %q", why[serials[0]], why[serials[1]])
	}
	begun := time.Now()
	p = a.get("/many?tick=30")
	t.Logf("the page of 51 keys took %s", time.Since(begun))
	if got := tickedIn.FindAllStringSubmatch(p.body, -1); len(got) != 15 {
		t.Errorf("%d keys end within 30 days, want 15", len(got))
	}
	// Once the keys were opened, the list itself takes less than a second; a busy machine gets more.
	begun = time.Now()
	a.use(p, "/many/list", robot.Choice{})
	took := time.Since(begun)
	t.Logf("a list of 52 known keys took %s", took)
	if took > 5*time.Second {
		t.Errorf("a list of 52 known keys took %s", took)
	}
	if watched, err := s.office.FolderSerials(t.Context(), accountantIIN); err != nil || len(watched) != 51 {
		t.Errorf("looks after %d keys: %v", len(watched), err)
	}

	// The selection: everything, the expired one too.
	form := url.Values{"serial": serials}
	a.post("/many/choose", form).has(t, 200, "Продлить 51 ключ", "ТОО «0000»")
	form.Set("email", "")
	form.Set("city", "Алматы")
	form.Set("storage", "PKCS12")
	p = a.post("/many/batches", form).has(t, 200, `data-code="CERT_EXPIRED"`)
	p.expect(t, "map[keys:50 not:1]")
	id := strings.TrimPrefix(p.path, "/many/")

	// The owners see nothing of it before their own key has signed.
	head := s.browser(keys[3])
	head.click(head.get("/signin"))
	if text(head.get("/applications").body) != "" && strings.Contains(head.get("/applications").body, "/applications/2") {
		t.Error("a draft somebody else prepared is shown to the owner of the key")
	}

	p = a.use(p, "/keys", robot.Choice{Folder: a.folder}).has(t, 200, "Шаг 2")
	p.expect(t, "map[not:1 sign:50]")

	// Meanwhile one is revoked; one password is wrong.
	_, err := s.ca.Revoke(t.Context(), keys[5].Certificate.SerialHex(), "keyCompromise", time.Time{}, "test")
	must(t, err)
	wrong := map[string]string{}
	for file, password := range a.passwords {
		wrong[file] = password
	}
	wrong[a.files[keys[7].Certificate.SerialHex()]] = "Wrong123"
	p = a.use(p, "/sign", robot.Choice{Passwords: wrong, Skip: true})
	p.has(t, 200, `data-code="CERT_REVOKED"`)
	// 48 signed: 18 heads and 10 individuals pass by themselves, 20 employees wait for 10 directors.
	p.expect(t, "map[director:20 issuing:28 not:2 sign:1]")
	p.has(t, 200, `http-equiv="refresh" content="3"`, `data-code="AGENT_NOT_UNLOCKED"`)
	if n := strings.Count(p.body, "data-director="); n != 10 || strings.Contains(p.body, "senim-agent") {
		t.Errorf("%d directors; forms beside a page that reloads: %v", n, strings.Contains(p.body, "senim-agent"))
	}

	s.issueBatch(id)
	begun = time.Now()
	p = a.get(p.path)
	t.Logf("the page of the batch took %s", time.Since(begun))
	p.has(t, 200, "Шаг 3", "Установить все: 28", "Повторить то, что не получилось")
	if strings.Contains(p.body, `http-equiv="refresh"`) {
		t.Error("a page with something to do reloads by itself")
	}
	// Only the key that was not opened is asked for again.
	p = a.use(p, "/sign", robot.Choice{Passwords: a.passwords}, func(answer string) string {
		if n := strings.Count(answer, `"id":`); n != 1 {
			t.Errorf("%d documents were signed again", n)
		}
		return answer
	})
	p.expect(t, "map[director:20 install:28 issuing:1 not:2]")
	s.issueBatch(id)
	p = a.use(a.get(p.path), "/install", robot.Choice{NewPassword: "Secret42"})
	p.expect(t, "map[director:20 done:29 not:2]")

	// The directors confirm; then the rest is installed.
	s.confirmBatch(id)
	s.issueBatch(id)
	p = a.use(a.get(p.path).has(t, 200, "Установить все: 20"), "/install", robot.Choice{NewPassword: "Secret42"})
	p.expect(t, "map[done:49 not:2]")

	// Every new file opens with the new password, and the new keys stand in the table.
	fresh := 0
	entries, err := os.ReadDir(a.folder)
	must(t, err)
	for _, e := range entries {
		if a.passwords[e.Name()] == "" && strings.HasSuffix(e.Name(), ".p12") {
			content, err := os.ReadFile(filepath.Join(a.folder, e.Name()))
			must(t, err)
			if _, err := pfx.Decode(content, "Secret42"); err != nil {
				t.Errorf("%s: %v", e.Name(), err)
			}
			fresh++
		}
	}
	if fresh != 49 {
		t.Errorf("%d new key files", fresh)
	}
	watched, err := s.office.FolderSerials(t.Context(), accountantIIN)
	must(t, err)
	if len(watched) != 51 || slices.Contains(watched, keys[0].Certificate.SerialHex()) {
		t.Errorf("looks after %d keys; the old one still: %v", len(watched), slices.Contains(watched, keys[0].Certificate.SerialHex()))
	}
	p = a.get("/many").has(t, 200, "51 ключ")
	_, why = p.rows()
	if n := len(slices.DeleteFunc(slices.Collect(values(why)), func(w string) bool { return w != "" })); n != 49 {
		t.Errorf("%d keys can be renewed: %v", n, why)
	}
	// The owner sees his application now, and that his key has a successor.
	head.get("/applications").has(t, 200, "Установлена")
}
