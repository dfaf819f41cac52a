package cabinet

import (
	"context"
	"encoding/json"
	"errors"
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"senim/internal/ident"
	"senim/internal/lang"
	"senim/internal/notice"
	"senim/internal/pkitest"
	"senim/internal/ra"
	"senim/internal/store"
	"senim/internal/trust"
	"senim/internal/web"
	"senim/pki"
)

// guarded is a site that asks for a second factor.
func guarded(t *testing.T) *site {
	return newSiteOf(t, 0, func(c *ra.Config) { c.Factor.Kinds = []ra.FactorKind{ra.FactorSMS, ra.FactorEmail} })
}

// reach gives a person a phone and, since two days, a confirmed address.
func (s *site) reach(iin string, phone ident.Phone, email string) {
	s.t.Helper()
	p := s.folk[ident.IIN(iin)]
	p.Verdict, p.phone = trust.Good, phone
	s.folk[ident.IIN(iin)] = p
	a := ra.Account{IIN: iin, Email: email, City: "Алматы", Lang: lang.RU, ConsentAt: s.now, Created: s.now, Changed: s.now}
	if email != "" {
		a.ConfirmedAt = s.now.Add(-48 * time.Hour)
	}
	must(s.t, s.store.RA().Update(s.t.Context(), func(tx ra.Tx) error { return tx.PutAccount(context.Background(), a) }))
}

// lettersOf are the messages of a number, in the order they were written.
func (s *site) lettersOf(n string) (all []notice.Outgoing) {
	s.t.Helper()
	must(s.t, s.store.Notice().View(s.t.Context(), func(tx notice.Tx) error {
		for id := int64(1); ; id++ {
			o, err := tx.Outgoing(s.t.Context(), id)
			if errors.Is(err, notice.ErrNotFound) {
				return nil
			}
			if err != nil {
				return err
			}
			if o.N == n {
				all = append(all, o)
			}
		}
	}))
	return all
}

// letter is the newest of a number.
func (s *site) letter(n string) notice.Outgoing {
	s.t.Helper()
	all := s.lettersOf(n)
	if len(all) == 0 {
		s.t.Fatalf("no %s was written", n)
	}
	return all[len(all)-1]
}

// results are those of an action, oldest first.
func (s *site) results(action string) (all []string) {
	s.t.Helper()
	records, err := s.store.FindAudit(s.t.Context(), store.AuditQuery{Action: action, Limit: 1000})
	must(s.t, err)
	for _, r := range records {
		all = append(all, r.Result)
	}
	return all
}

// fill reads the hidden fields of the page's form with an action, and posts it with more fields.
func (b *browser) fill(p page, to string, fields ...string) page {
	b.s.t.Helper()
	at := strings.Index(p.body, `action="`+to+`"`)
	if at < 0 {
		b.s.t.Fatalf("%s has no form to %s:\n%s", p.path, to, text(p.body))
	}
	rest := p.body[at:]
	rest = rest[:strings.Index(rest, "</form>")]
	form := url.Values{}
	for _, h := range hidden.FindAllStringSubmatch(rest, -1) {
		form.Set(html.UnescapeString(h[1]), html.UnescapeString(h[2]))
	}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return b.post(to, form)
}

// back signs in without registering: the account is there.
func (b *browser) back() {
	b.s.t.Helper()
	b.click(b.get("/signin")).has(b.s.t, 200, "Мои ключи ЭЦП")
}

// other is a code that is not the one in the newest letter.
func (s *site) other() string {
	if s.letter("N-21").Vars["code"] == "000000" {
		return "000001"
	}
	return "000000"
}

// TestC01ReissueWithTheFactor walks the steps 1–11: the code by e-mail, the signature, the keys; the
// old key stays valid and its revocation is offered.
func TestC01ReissueWithTheFactor(t *testing.T) {
	s := guarded(t)
	old := s.personal("123456789013")
	s.reach("123456789013", "+77010000013", "p@example.kz")
	b := s.browser(old)
	b.back()
	p := b.click(b.draft()).has(t, 200, "Получите код подтверждения", "Шаг 3 из 5", "+7 701 ••• •• 13", "p•••@example.kz")
	if p.path != "/factor" || strings.Contains(p.body, "+77010000013") || strings.Contains(p.body, "p@example.kz") {
		t.Errorf("%s shows an address", p.path)
	}
	number := regexp.MustCompile(`/applications/\d{12}`).FindString(p.body)
	b.get(number).has(t, 200, "Получить код", "Изменить")
	if strings.Contains(b.get(number).body, "data-agent=") {
		t.Error("the signature is asked for before the code")
	}
	p = b.fill(p, "/factor", "kind", "email").has(t, 200, "Введите код", "Письмо отправлено на p•••@example.kz", "Осталось попыток: 5",
		`autocomplete="one-time-code"`, `inputmode="numeric"`, "Новый код можно запросить через 60 с")
	m := s.letter("N-21")
	if m.To != "p@example.kz" || m.Lang != lang.RU || m.Vars["action"] != "@factor.action.reissue" {
		t.Errorf("%+v", m)
	}
	p = b.fill(p, "/factor/code", "code", "12").has(t, 422, "6 цифр", "Осталось попыток: 5")
	p = b.fill(p, "/factor/code", "code", s.other()).has(t, 422, "Код неверен, осталось попыток: 4", `href="#code"`)
	p = b.fill(p, "/factor/code", "code", m.Vars["code"][:3]+" "+m.Vars["code"][3:]).has(t, 200, "Шаг 3 из 5", old.Certificate.SerialHex())
	p = b.click(p).has(t, 200, "Сертификаты выпускаются")
	s.issue(p)
	made := b.click(b.get(p.path)).has(t, 200, "Сертификаты успешно установлены", "Отозвать прежний ключ")
	if k, err := s.ca.Key(t.Context(), old.Certificate.SerialHex()); err != nil || !k.Live(s.now) {
		t.Errorf("the old key is not valid any more: %v", err)
	}
	if n := strings.TrimPrefix(made.path, "/applications/"); n == "" || len(s.lettersOf("N-12")) != 2 { // by e-mail and by SMS
		t.Errorf("%s, %d letters N-12", made.path, len(s.lettersOf("N-12")))
	}
	if started, passed, failed := s.results("factor.started"), s.results("factor.passed"), s.results("factor.failed"); len(started) != 1 || len(passed) != 1 || len(failed) != 1 || failed[0] != "CODE_WRONG" {
		t.Errorf("recorded %v %v %v", started, passed, failed)
	}
}

// TestC29ExhaustedCode: five wrong codes, then the right one; a minute later a new one, by another way.
func TestC29ExhaustedCode(t *testing.T) {
	s := guarded(t)
	s.reach("123456789013", "+77010000013", "p@example.kz")
	b := s.browser(s.personal("123456789013"))
	b.back()
	choose := b.click(b.draft())
	p := b.fill(choose, "/factor", "kind", "sms").has(t, 200, "SMS отправлено на номер +7 701 ••• •• 13")
	for range 4 {
		b.fill(p, "/factor/code", "code", s.other()).has(t, 422, "Код неверен")
	}
	b.fill(p, "/factor/code", "code", s.other()).has(t, 422, `data-code="CODE_EXHAUSTED"`, "Пять раз")
	b.fill(p, "/factor/code", "code", s.letter("N-21").Vars["code"]).has(t, 422, `data-code="CODE_EXHAUSTED"`)
	b.fill(p, "/factor", "kind", "sms").has(t, 422, `data-code="CODE_SOON"`)
	s.now = s.now.Add(time.Minute)
	p = b.fill(b.get("/factor?"+query(choose)).has(t, 200, "Куда прислать код"), "/factor", "kind", "email").has(t, 200, "Введите код", "Выбрать другой способ")
	b.fill(p, "/factor", "kind", "email").has(t, 422, "Новый код можно запросить через 60 с", "Введите код")
	b.fill(p, "/factor/code", "code", s.letter("N-21").Vars["code"]).has(t, 200, "Подпишите заявку")
}

// query is the address of the factor's page, from its form.
func query(p page) string {
	v := url.Values{}
	for _, h := range hidden.FindAllStringSubmatch(p.body, -1) {
		if h[1] == "for" || h[1] == "next" {
			v.Set(h[1], html.UnescapeString(h[2]))
		}
	}
	return v.Encode()
}

// TestFactorCannotBeOffered: nothing there is the desk; a base that does not answer is no "no".
func TestFactorCannotBeOffered(t *testing.T) {
	s := guarded(t)
	s.reach("123456789013", "", "")
	b := s.browser(s.personal("123456789013"))
	b.back()
	b.click(b.draft()).has(t, 422, `data-code="FACTOR_DESK"`, "ЦОН", `href="/profile"`, `href="/applications/`)
	q := "/factor?for=reissue:1&next=" + url.QueryEscape("/keys")
	silence := func() {
		p := s.folk["123456789013"]
		p.silent = true
		s.folk["123456789013"] = p
	}
	silence()
	b.get(q).has(t, 422, `data-code="CHECK_UNAVAILABLE"`, "Не удалось проверить", "телефон в Базе мобильных граждан", `href="/factor?`)
	s.reach("123456789013", "", "p@example.kz")
	b.get(q).has(t, 200, "p•••@example.kz", "не отвечает, поэтому SMS не предложено")
	b.post("/factor", url.Values{"for": {"reissue:1"}, "next": {"/keys"}, "kind": {"sms"}}).has(t, 422, "Выберите, куда прислать код")
	b.post("/factor", url.Values{"for": {"nothing"}, "next": {"/keys"}, "kind": {"email"}}).has(t, 422, `data-code="FACTOR_KIND"`)
	must(t, s.store.RA().Update(t.Context(), func(tx ra.Tx) error {
		a, err := tx.Account(t.Context(), "123456789013")
		a.ConfirmedAt = s.now
		return errors.Join(err, tx.PutAccount(t.Context(), a))
	}))
	b.get(q).has(t, 422, `data-code="CHECK_UNAVAILABLE"`)
	delete(s.folk, "123456789013")
	b.get(q).has(t, 422, `data-code="FACTOR_YOUNG"`, "подтверждён недавно")
}

// TestNonresidentSeesNoFactor: the step is skipped, and recorded.
func TestNonresidentSeesNoFactor(t *testing.T) {
	s := guarded(t)
	s.reach("123456789013", "", "")
	p := s.folk["123456789013"]
	p.Nonresident = true
	s.folk["123456789013"] = p
	b := s.browser(s.personal("123456789013"))
	b.back()
	b.click(b.click(b.draft()).has(t, 200, "Шаг 3 из 5", "Подпишите заявку")).has(t, 200, "Сертификаты выпускаются")
	if got := s.results("factor.passed"); len(got) != 1 || got[0] != "nonresident" {
		t.Errorf("recorded %v", got)
	}
	b.get("/factor?for=delegation:1&next="+url.QueryEscape("/keys")).has(t, 200, "Вы нерезидент")
	if got := b.post("/factor", url.Values{"for": {"delegation:1"}, "next": {"/keys"}, "kind": {"none"}}); got.path != "/keys" {
		t.Errorf("went to %s", got.path)
	}
}

// TestRevokingOthersKeysAsksForACode: once for the whole list; one's own key asks for none.
func TestRevokingOthersKeysAsksForACode(t *testing.T) {
	s := guarded(t)
	one, two := s.head("123456789012", binX), s.head("123456789012", binX)
	s.registry[binX] = ra.HeadAnswer{Verdict: trust.Good, IIN: "123456789011", Organization: "АО «ТЕСТ»", AsOf: s.now}
	s.reach("123456789011", "+77010000011", "")
	own := s.head("123456789011", binX)
	b := s.browser(own)
	b.back()
	wanted := url.Values{"serial": {one.Certificate.SerialHex(), two.Certificate.SerialHex()}, "reason": {"affiliationChanged"}}
	p := b.post("/keys/revoke", wanted).has(t, 200, "Получите код подтверждения")
	b.get("/keys/revoke/sign").has(t, 200, "Получите код подтверждения")
	p = b.fill(p, "/factor", "kind", "sms")
	if m := s.letter("N-21"); m.Vars["action"] != "@factor.action.revocation" {
		t.Errorf("%+v", m.Vars)
	}
	p = b.fill(p, "/factor/code", "code", s.letter("N-21").Vars["code"]).has(t, 200, "Подпишите отзыв")
	b.click(p).has(t, 200, "Ключи отозваны")
	b.post("/keys/revoke", url.Values{"serial": {own.Certificate.SerialHex()}, "reason": {"superseded"}}).has(t, 200, "Подпишите отзыв")
}

// code passes the second factor from its page and gives the page that follows.
func (b *browser) code(p page) page {
	b.s.t.Helper()
	p = b.fill(p.has(b.s.t, 200, "Получите код подтверждения"), "/factor", "kind", "sms")
	return b.fill(p, "/factor/code", "code", b.s.letter("N-21").Vars["code"])
}

var toCode = regexp.MustCompile(`href="(/factor\?[^"]+)"`)

// byLink follows the page's link to the second factor, and passes it.
func (b *browser) byLink(p page) page {
	b.s.t.Helper()
	m := toCode.FindStringSubmatch(p.has(b.s.t, 200, "Получить код").body)
	if m == nil || strings.Contains(p.body, `data-agent`) {
		b.s.t.Fatalf("%s asks for no code, or for a signature without it", p.path)
	}
	b.s.now = b.s.now.Add(ra.FactorResend)
	return b.code(b.get(html.UnescapeString(m[1])))
}

// TestDelegationAndDismissalAskForACode: to give and to end a delegation and to dismiss somebody, and
// no signature without it is taken.
func TestDelegationAndDismissalAskForACode(t *testing.T) {
	s := guarded(t)
	s.leads(binX, staffD)
	s.reach(staffD, "+77010000011", "")
	s.account(staffE)
	key := s.member(staffE, binX, "СЕРИКОВ ЕРЛАН", pki.RoleSignRight)
	b := s.browser(s.head(staffD, binX))
	b.back()
	p := b.post("/delegation/new", url.Values{"iin": {staffE}, "from": {"2026-09-01"}, "until": {"2026-10-01"}, "confirm": {"yes"}})
	b.get("/delegation/sign").has(t, 200, "Получите код подтверждения")
	b.click(b.code(p).has(t, 200, "Подпишите делегирование")).has(t, 200, "Права переданы")
	if m := s.letter("N-21"); m.Vars["action"] != "@factor.action.delegation" {
		t.Errorf("%+v", m.Vars)
	}
	id := s.living(binX, staffE, ra.PowerConfirm)
	end, dismiss := "/delegation/"+id+"/end", "/company/dismiss?serial="+key.Certificate.SerialHex()

	// A page of before, or of another tab: the office itself asks.
	sign := func(path, document string) page {
		return b.post(path, url.Values{"answer": {answered(t, b.keys[0], b.under(purposeDelegate, document))}})
	}
	d, err := s.office.Delegation(t.Context(), b.keys[0].Certificate.Holder(), id)
	must(t, err)
	sign(end, s.office.EndDocument(d)).has(t, 422, `data-code="FACTOR_NEEDED"`)
	b.click(b.byLink(b.get(end)).has(t, 200, "Прекратить делегирование")).has(t, 200, "Делегирование прекращено")

	person, _, err := s.office.ProposeDismissal(t.Context(), b.keys[0].Certificate.Holder(), key.Certificate.SerialHex())
	must(t, err)
	under := s.challenge(b, purposeDismiss, s.office.DismissalDocument(person))
	signed, err := web.SignedXML(answered(t, b.keys[0], under.In(s.office.DismissalDocument(person))))
	must(t, err)
	refusal, ok := errors.AsType[*ra.Refusal](s.office.Dismiss(t.Context(), under, person, signed))
	if gone, err := s.office.Dismissed(t.Context(), binX, staffE); !ok || refusal.Code != "FACTOR_NEEDED" || gone || err != nil {
		t.Errorf("dismissed without a code: %v, %v, %v", refusal, gone, err)
	}
	b.click(b.byLink(b.get(dismiss)).has(t, 200, "Подписать и отозвать ключи")).has(t, 200, "Сотрудник отмечен как уволенный")
	if k, _ := s.ca.Key(t.Context(), key.Certificate.SerialHex()); k.RevokedAt.IsZero() {
		t.Error("the key lives")
	}
}

// answered is what the agent gives for a document signed with a key.
func answered(t *testing.T, key *pkitest.Leaf, document string) string {
	t.Helper()
	all, err := json.Marshal([]string{signWith(t, key, "xml", document)})
	must(t, err)
	return string(all)
}

// TestFactorPagesInEveryLanguage: every text is there, on every page of the step.
func TestFactorPagesInEveryLanguage(t *testing.T) {
	for _, tag := range []string{"kk", "ru", "en"} {
		s := guarded(t)
		s.reach("123456789013", "+77010000013", "p@example.kz")
		b := s.browser(s.personal("123456789013"))
		b.back()
		b.lang = tag
		look := func(p page) page {
			t.Helper()
			if m := missing.FindString(p.body); m != "" || strings.Contains(p.body, "[factor.") || strings.Contains(p.body, "[profile.") || p.status >= 500 {
				t.Errorf("%s %s: %d %s", tag, p.path, p.status, m)
			}
			return p
		}
		b.get("/keys/reissue")
		p := look(b.click(b.post("/keys/reissue", url.Values{"email": {"p@example.kz"}, "city": {"Алматы"}, "storage": {"PKCS12"}})))
		look(b.get(regexp.MustCompile(`/applications/\d{12}`).FindString(p.body)))
		p = look(b.fill(p, "/factor", "kind", "sms"))
		look(b.fill(p, "/factor/code", "code", s.other()))
		look(b.get("/factor?" + query(p) + "&choose=1"))
		s.now = s.now.Add(ra.FactorTTL)
		look(b.fill(p, "/factor/code", "code", s.other()).has(t, 422, `data-code="CODE_EXPIRED"`))
		look(b.get("/profile"))
		must(t, s.office.AddressBad(t.Context(), "p@example.kz", true))
		must(t, s.office.Unsubscribe(t.Context(), "123456789013"))
		look(b.get("/profile"))
	}
}
