package cabinet

import (
	"context"
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"senim/algid"
	"senim/internal/auth"
	"senim/internal/pkitest"
	"senim/internal/ra"
	"senim/internal/trust"
)

// TestSignInRefused signs in with every kind of wrong key; each gets its own page.
func TestSignInRefused(t *testing.T) {
	for _, c := range []struct {
		name  string
		key   func(*site) *pkitest.Leaf
		want  string
		words string
	}{
		{"expired", func(s *site) *pkitest.Leaf { return s.ca.Expired() }, "KEY_EXPIRED_NO_RENEWAL", "центр обслуживания"},
		{"foreign authority", func(s *site) *pkitest.Leaf { return s.ca.Foreign() }, "CERT_UNTRUSTED", "Что было проверено"},
		{"signing key only", func(s *site) *pkitest.Leaf { k, _ := s.ca.ClassicPair(pkitest.Person()); return k }, "CERT_NOT_FOR_AUTH", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t)
			b := s.browser(c.key(s))
			b.click(b.get("/signin")).has(t, 422, `data-code="`+c.want+`"`, c.words)
			if p := b.get("/keys"); p.path != "/signin" {
				t.Errorf("a session was opened: %s", p.path)
			}
		})
	}
}

// TestC23Misused replays and borrows answers (SEC-1).
func TestC23Misused(t *testing.T) {
	s := newSite(t)
	b := s.browser(s.personal("123456789013"))
	to, call, form := b.get("/signin").agent(t)
	form.Set("answer", b.ask(call))

	other := s.browser()
	other.get("/signin")
	other.post(to, form).has(t, 422, `data-code="SIGNATURE_INVALID"`)
	if p := other.get("/keys"); p.path != "/signin" {
		t.Errorf("a borrowed answer opened a session: %s", p.path)
	}
	if got := s.results("auth.proof"); len(got) == 0 || got[len(got)-1] == "ok" {
		t.Errorf("the borrowed answer is recorded as %v", got)
	}
	s.browser().post(to, form).has(t, 422, `data-code="CHALLENGE_STALE"`)
	b.post(to, form).has(t, 200, "Регистрация")
	b.post(to, form).has(t, 422, `data-code="CHALLENGE_STALE"`)

	to, call, form = b.get("/signin").agent(t)
	form.Set("answer", b.ask(call))
	s.now = s.now.Add(5*time.Minute + time.Second)
	b.post(to, form).has(t, 422, `data-code="CHALLENGE_STALE"`)
	form.Set("answer", "")
	b.post(to, form).has(t, 422, `data-code="AGENT_ANSWER"`)
	form.Set("answer", `["not base64 !"]`)
	b.post(to, form).has(t, 422, `data-code="AGENT_ANSWER"`)
}

// TestSec7SessionIDChanges: the id from before sign-in is nothing afterwards.
func TestSec7SessionIDChanges(t *testing.T) {
	s := newSite(t)
	b := s.browser(s.personal("123456789013"))
	at, err := url.Parse(s.server.URL)
	must(t, err)
	id := func() string {
		for _, c := range b.c.Jar.Cookies(at) {
			if c.Name == "senim-cabinet" {
				return c.Value
			}
		}
		return ""
	}
	p := b.get("/signin")
	before := id()
	b.click(p)
	if after := id(); before == "" || after == "" || after == before {
		t.Errorf("ids %q and %q", before, after)
	}
	b.post("/signout", nil)
	if p := b.get("/keys"); p.path != "/signin" {
		t.Error("signed out, but not")
	}
}

// draft brings a browser to the page that makes keys.
func (b *browser) draft() page {
	b.s.t.Helper()
	b.get("/keys/reissue")
	return b.post("/keys/reissue", url.Values{"email": {"p@example.kz"}, "city": {"Алматы"}, "storage": {"PKCS12"}}).has(b.s.t, 200, "Шаг 2 из 5")
}

// answer posts another answer than the agent's.
func (b *browser) answer(p page, v any) page {
	b.s.t.Helper()
	to, _, form := p.agent(b.s.t)
	out, err := json.Marshal(v)
	must(b.s.t, err)
	form.Set("answer", string(out))
	return b.post(to, form)
}

func requestID(t *testing.T, p page) string {
	t.Helper()
	_, call, _ := p.agent(t)
	return regexp.MustCompile(`"requestId":"([^"]*)"`).FindStringSubmatch(call)[1]
}

// TestC20C21RequestsRefused sends requests that prove nothing, were used before, or belong to others.
func TestC20C21RequestsRefused(t *testing.T) {
	s := newSite(t)
	old := s.personal("123456789013")
	b := s.browser(old)
	b.enter("")
	p := b.draft()
	id := requestID(t, p)
	me := person("СЕРИКОВА АЙГУЛЬ", "СЕРИКОВА", "БОЛАТОВНА", "123456789013")
	send := func(keys ...any) page { return b.answer(p, map[string]any{"requestId": id, "keys": keys}) }
	fresh := pkitest.NewKey(t, algid.GOST512)

	send(b.request(old.Key, me, "p@example.kz")).has(t, 422, `data-code="KEY_REUSED"`)
	other := me
	other.IIN = "123456789011"
	send(b.request(fresh, other, "p@example.kz")).has(t, 422, `data-code="REQUEST_OTHER_PERSON"`)
	send(b.request(fresh, me, "other@example.kz")).has(t, 422, `data-code="REQUEST_OTHER_PERSON"`)
	send(b.request(pkitest.NewKey(t, algid.RSA), me, "p@example.kz")).has(t, 422, `data-code="REQUEST_INVALID"`)
	send().has(t, 422, `data-code="AGENT_ANSWER"`)
	send(map[string]string{"csr": "AAAA"}).has(t, 422, `data-code="REQUEST_INVALID"`)
	broken := b.request(fresh, me, "p@example.kz")
	broken["csr"] = flip(broken["csr"])
	send(broken).has(t, 422, `data-code="NO_POSSESSION"`)
	b.get(p.path).has(t, 200, "Шаг 2 из 5")
}

// flip changes a byte near the end of base64: inside the signature.
func flip(b64 string) string {
	at := len(b64) - 12
	c := byte('A')
	if b64[at] == 'A' {
		c = 'B'
	}
	return b64[:at] + string(c) + b64[at+1:]
}

// TestC22SignatureRefused signs the application wrongly; it stays a draft.
func TestC22SignatureRefused(t *testing.T) {
	s := newSite(t)
	old := s.personal("123456789013")
	b := s.browser(old)
	b.enter("")
	p := b.click(b.draft()).has(t, 200, "Шаг 3 из 5")
	_, call, _ := p.agent(t)
	var c struct{ Args struct{ Data string } }
	must(t, json.Unmarshal([]byte(call), &c))
	doc := c.Args.Data
	shown := doc
	answer := func(signed string) page {
		s.challenge(b, purposeApply, shown)
		return b.answer(p, []string{signed})
	}
	sign := func(k *pkitest.Leaf, doc string) page { return answer(signWith(t, k, "xml", doc)) }

	sign(old, strings.Replace(doc, "Алматы", "Астана", 1)).has(t, 422, `data-code="SIGNATURE_INVALID"`)
	good := signWith(t, old, "xml", doc)
	answer(strings.Replace(good, "p@example.kz", "x@example.kz", 1)).has(t, 422, `data-code="SIGNATURE_INVALID"`)
	answer("<application/>").has(t, 422, `data-code="SIGNATURE_INVALID"`)
	sign(s.personal("123456789013"), doc).has(t, 422, `data-code="WRONG_KEY"`)
	s.ca.silent = true
	sign(old, doc).has(t, 422, `data-code="CHECK_UNAVAILABLE"`, "Не удалось проверить")
	s.ca.silent = false
	b.get(p.path).has(t, 200, "Шаг 3 из 5")
	answer(good).has(t, 200, "Сертификаты выпускаются")
	answer(good).has(t, 422, `data-code="APPLICATION_STATE"`)
}

// TestC26InstallMismatch reports another certificate than the one issued.
func TestC26InstallMismatch(t *testing.T) {
	s := newSite(t)
	b := s.browser(s.personal("123456789013"))
	b.enter("")
	p := b.click(b.click(b.draft()))
	s.issue(p)
	p = b.get(p.path)
	b.answer(p, map[string]any{"requestId": requestID(t, p), "files": []any{map[string]any{"serialNumber": "00"}}}).has(t, 422, `data-code="CERT_KEY_MISMATCH"`)
	b.get(p.path).has(t, 200, "Установите сертификаты")
}

// TestStrangers: another person's application and key are like none at all (C-12, C-24, C-41).
func TestStrangers(t *testing.T) {
	s := newSite(t)
	key := s.personal("123456789013")
	b := s.browser(key)
	b.enter("")
	p := b.draft()
	e := s.browser(s.personal("123456789012"))
	e.enter("")
	unknown, err := ra.NewNumber(s.now, 999)
	must(t, err)
	for _, path := range []string{p.path, "/applications/" + unknown, p.path + "/edit"} {
		e.get(path).has(t, 404, `data-code="NOT_YOUR_APPLICATION"`)
	}
	for _, path := range []string{"/keys", "/sign", "/install", "/withdraw", "/later"} {
		e.post(p.path+path, url.Values{"answer": {`["x"]`}}).has(t, 404, `data-code="NOT_YOUR_APPLICATION"`)
	}
	e.get("/keys/revoke?serial="+key.Certificate.SerialHex()).has(t, 404, `data-code="KEY_UNKNOWN"`)
	if strings.Contains(e.get("/applications").body, ra.FormatNumber(strings.TrimPrefix(p.path, "/applications/"))) {
		t.Error("another's application is listed")
	}
	y := s.browser(s.head("123456789014", binY))
	s.registry[binY] = ra.HeadAnswer{Verdict: trust.Good, IIN: "123456789014"}
	y.enter("")
	y.get(p.path).has(t, 404, `data-code="NOT_YOUR_APPLICATION"`)
	b.get(p.path).has(t, 200, "Шаг 2 из 5")
}

// TestS5RevocationEndsItsOwnSession: the key that signs is the one that is revoked, and the sessions it had
// opened may be ended before the page answers; the person reads what happened all the same.
func TestS5RevocationEndsItsOwnSession(t *testing.T) {
	s := newSite(t)
	s.ca.follow = func(ctx context.Context, serial string) error {
		_, err := s.desk.EndWhere(ctx, auth.Filter{Serial: serial}, auth.ByCertificate)
		return err
	}
	key := s.personal("123456789013")
	b := s.browser(key)
	b.enter("")
	to, call, form := b.post("/keys/revoke", url.Values{"serial": {key.Certificate.SerialHex()}, "reason": {"superseded"}}).agent(t)
	form.Set("answer", b.ask(call))
	b.post(to, form).has(t, 200, "отозван")
	if p := b.get("/keys"); !strings.HasPrefix(p.path, "/signin") && p.path != "/" {
		t.Errorf("still signed in, at %s", p.path)
	}
}

// TestRevocationSignedByAnother: the fresh signature must be of the same person, over this wish.
func TestRevocationSignedByAnother(t *testing.T) {
	s := newSite(t)
	key := s.personal("123456789013")
	b := s.browser(key)
	b.enter("")
	serial := key.Certificate.SerialHex()
	p := b.post("/keys/revoke", url.Values{"serial": {serial}, "reason": {"superseded"}})
	to, call, form := p.agent(t)
	var c struct{ Args struct{ Data string } }
	must(t, json.Unmarshal([]byte(call), &c))
	form.Set("answer", `["`+strings.ReplaceAll(signWith(t, s.personal("123456789012"), "cms", c.Args.Data), "\n", `\n`)+`"]`)
	b.post(to, form).has(t, 422, `data-code="CERT_OTHER_PERSON"`)

	p = b.post("/keys/revoke", url.Values{"serial": {serial}, "reason": {"superseded"}})
	to, call, form = p.agent(t)
	b.post("/keys/revoke", url.Values{"serial": {serial}, "reason": {"cessationOfOperation"}}) // another tab
	form.Set("answer", b.ask(call))
	b.post(to, form).has(t, 422, `data-code="SIGNATURE_INVALID"`)
	if k, _ := s.ca.Key(t.Context(), serial); !k.RevokedAt.IsZero() {
		t.Error("the key was revoked")
	}
	b.post("/keys/revoke", url.Values{"serial": {serial}, "reason": {"affiliationChanged"}}).has(t, 422, "Выберите причину")
	b.post("/keys/revoke", url.Values{"serial": {serial}, "reason": {"unspecified"}}).has(t, 422, "Опишите причину")
	b.post("/keys/revoke", url.Values{"serial": {serial}, "reason": {"unspecified"}, "text": {strings.Repeat("ы", 501)}}).has(t, 422, "Причина слишком длинная")
}

// TestC31RegistrySilent: the page says "could not check"; signed applications wait and pass by
// themselves.
func TestC31RegistrySilent(t *testing.T) {
	s := newSite(t)
	b := s.browser(s.personal("123456789011"))
	b.enter("")
	b.post("/apply/legal", url.Values{"bin": {binX}}).has(t, 422, `data-code="ENTERPRISE_UNKNOWN"`)
	b.post("/apply/legal", url.Values{"bin": {"123456789022"}}).has(t, 422, "БИН состоит из 12 цифр", `value="123456789022"`)
	s.registry[binX] = ra.HeadAnswer{}
	b.post("/apply/legal", url.Values{"bin": {binX}}).has(t, 200, `data-code="REG_UNAVAILABLE"`, "Не удалось проверить", "Станет известно")
	good := ra.HeadAnswer{Verdict: trust.Good, IIN: "123456789011", Organization: "АО «ТЕСТ»", AsOf: s.now}
	p := b.click(b.post("/apply/legal/data", url.Values{"bin": {binX}, "email": {"b@example.kz"}, "city": {"Алматы"}, "storage": {"PKCS12"}}))
	p = b.click(p).has(t, 200, "Заявка проверяется", "Реестр не отвечает")
	task := ra.Task{Number: numberIn.FindStringSubmatch(p.path)[1], Revision: 1}
	if err := s.office.Reroute(t.Context(), task); err == nil {
		t.Error("a silent registry must be asked again")
	}
	s.registry[binX] = good
	must(t, s.office.Reroute(t.Context(), task))
	b.get(p.path).has(t, 200, "Сертификаты выпускаются", "АО «ТЕСТ»")
}

// C-31 for an employee: his application is kept too, though nobody can say yet what the organisation is called.
func TestC31RegistrySilentForAnEmployee(t *testing.T) {
	s := company(t)
	good := s.registry[binX]
	s.registry[binX] = ra.HeadAnswer{}
	e := s.enters("e@example.kz", s.personal(iinE))
	e.post("/apply/legal/employee", url.Values{"bin": {binX}}).has(t, 200, `data-code="REG_UNAVAILABLE"`, "Станет известно")
	number := e.signs(e.post("/apply/legal/employee/data", employeeForm(ra.RoleHR)))
	s.state(number, ra.Signed)
	s.registry[binX] = good
	must(t, s.office.Reroute(t.Context(), ra.Task{Number: number, Revision: 1}))
	if a := s.state(number, ra.AwaitingDirector); a.Subject.Organization != good.Organization {
		t.Errorf("the organisation is called %q", a.Subject.Organization)
	}
}

// TestFormKeepsWhatWasTyped: mistakes are said beside the fields, nothing is lost.
func TestFormKeepsWhatWasTyped(t *testing.T) {
	s := newSite(t)
	b := s.browser(s.personal("123456789013"))
	b.enter("")
	p := b.post("/keys/reissue", url.Values{"email": {"not an address"}, "city": {"Қарағанды"}, "storage": {"AKKZIDCardStore"}})
	p.has(t, 422, "Нужно исправить", `href="#email"`, `value="not an address"`, `value="Қарағанды"`, "ЦОН")
	b.post("/signup", url.Values{"email": {"a@example.kz"}, "email2": {"b@example.kz"}, "city": {"Астана"}, "lang": {"ru"}}).has(t, 422, "Адреса не совпадают", `value="Астана"`)
}

// TestSec7Injection posts markup through every field and reads it back on every page.
func TestSec7Injection(t *testing.T) {
	const evil = `"'><script>alert(1)</script>&`
	s := newSite(t)
	b := s.browser(s.personal("123456789013"))
	b.enter("")
	p := b.draft()
	pages := []page{
		b.post("/keys/reissue", url.Values{"email": {evil}, "city": {evil}, "storage": {evil}}),
		b.post(p.path+"/edit", url.Values{"email": {"p@example.kz"}, "city": {evil}, "storage": {"PKCS12"}}),
		b.get("/applications"), b.get("/signin?next=" + url.QueryEscape("/"+evil)),
		b.post("/signup", url.Values{"email": {evil}, "city": {evil}, "lang": {evil}}),
		b.post("/apply/legal", url.Values{"bin": {evil}}), b.get("/apply/legal/data?bin=" + url.QueryEscape(evil)),
		b.post("/check", url.Values{"serial": {evil}}), b.get("/applications?number=" + url.QueryEscape(evil)),
		b.get("/keys/revoke?reason=" + url.QueryEscape(evil) + "&serial=" + b.keys[0].Certificate.SerialHex()),
		b.post("/keys/revoke", url.Values{"serial": {b.keys[0].Certificate.SerialHex()}, "reason": {evil}, "text": {evil}, "since": {evil}}),
		b.get("/factor?for=" + url.QueryEscape(evil) + "&next=" + url.QueryEscape("/"+evil)), b.get("/signin?side=" + url.QueryEscape(evil)),
		b.post("/factor", url.Values{"for": {evil}, "next": {"/" + evil}, "kind": {evil}}), b.post("/factor/code", url.Values{"for": {evil}, "next": {evil}, "handle": {evil}, "code": {evil}}),
		b.get("/email/" + url.PathEscape(evil)), b.get("/" + url.PathEscape(evil)),
	}
	pages = append(pages, b.click(b.get(p.path))) // the document to be signed, with the evil city
	for _, one := range pages {
		if strings.Contains(one.body, "<script>alert") || strings.Contains(one.body, `"'><`) {
			t.Errorf("%s lets markup through:\n%s", one.path, one.body)
		}
	}
	if !strings.Contains(html.UnescapeString(pages[len(pages)-1].body), "alert(1)") {
		t.Error("the city is not in the document: the test shows nothing")
	}
}

// TestSec7GetChangesNothing walks the GET routes and compares the person's account, applications and keys.
func TestSec7GetChangesNothing(t *testing.T) {
	s := newSite(t)
	key := s.personal("123456789013")
	b := s.browser(key)
	b.enter("p@example.kz")
	p := b.draft()
	account, err := s.office.Account(t.Context(), "123456789013")
	must(t, err)
	mine, err := s.office.Mine(t.Context(), ra.Viewer{IIN: "123456789013"})
	must(t, err)
	for _, path := range []string{"/", "/signin", "/signup", "/signup/sign", "/profile", "/keys", "/keys/reissue", "/keys/revoke?serial=" + key.Certificate.SerialHex(),
		"/keys/revoke/sign", "/apply/legal", "/apply/legal/data?bin=" + binX, "/applications", p.path, p.path + "/edit", p.path + "/keys", p.path + "/sign",
		p.path + "/install", p.path + "/withdraw", p.path + "/later", "/check", "/email/x", "/factor?for=reissue:1&next=/keys", "/factor/code", "/profile/link", "/profile/reminders", "/signin?side=personal",
		"/check/person", "/check/consent/x", "/keys/share", "/keys/share/end", "/reports", "/reports/x"} {
		if got := b.get(path); got.status >= http.StatusInternalServerError {
			t.Errorf("GET %s: %d", path, got.status)
		}
	}
	if k, err := s.ca.Key(t.Context(), key.Certificate.SerialHex()); err != nil || !k.RevokedAt.IsZero() || len(s.ca.orders) != 0 {
		t.Error("a GET revoked or issued a key")
	}
	after, err := s.office.Account(t.Context(), "123456789013")
	must(t, err)
	again, err := s.office.Mine(t.Context(), ra.Viewer{IIN: "123456789013"})
	must(t, err)
	if account != after || len(mine) != 1 || len(again) != 1 || again[0].Changed != mine[0].Changed || again[0].State != mine[0].State {
		t.Error("a GET changed something")
	}
}
