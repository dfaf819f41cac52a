package desk_test

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"senim/internal/desk"
	"senim/internal/ra"
	"senim/internal/trust"
	"senim/pki"
)

// A person without keys gets them at the desk: one operator identifies, another approves.
func TestNewKeysAtTheDesk(t *testing.T) {
	w := newWorldOf(t, func(c *desk.Config) {
		c.Places = []ra.Place{{ID: "astana", City: ra.Words{"ru": "Астана"}, Name: ra.Words{"ru": "ЦОН № 1"}, Address: ra.Words{"ru": "Достык, 1"}, Hours: ra.Words{"ru": "9–18"}}}
	})
	one, two := w.clerks()
	one.post("/desk/find", url.Values{"q": {visitor}}).has(t, 200, "ЖАҚСЫБАЕВ ЕРЛАН СӘКЕНҰЛЫ", "/desk/take?who=folder")
	at := one.identified(takeForm(), papers())
	at.has(t, 200, "Вы уже подписали", "ЦОН № 1")
	if strings.Contains(at.body, "data-agent=") {
		t.Error("who identified is asked to approve")
	}
	two.get("/desk/").has(t, 200, at.path)
	seen := two.get(at.path)
	seen.has(t, 200, `data-step="approve"`, "Совпадает с реестром", "045 678 901")
	two.click(seen).has(t, 200, `data-state="APPROVED"`, `http-equiv="refresh"`)
	w.issue(at)
	install := one.get(at.path)
	install.has(t, 200, `data-step="install"`)
	one.click(install).has(t, 200, `data-state="INSTALLED"`)
	one.get(at.path+"/receipt").has(t, 200, "ЖАҚСЫБАЕВ ЕРЛАН СӘКЕНҰЛЫ", "Установил личность", "Утвердил", w.back.keys[0].Serial)
	if o := w.back.orders[0]; o.Identity != "" || o.Profile != "individual" || o.Subject.CommonName != "ЖАҚСЫБАЕВ ЕРЛАН" {
		t.Errorf("ordered %+v", o)
	}
	two.post("/desk/find", url.Values{"q": {at.path[len("/desk/applications/"):]}}).has(t, 200, `data-state="INSTALLED"`)
	for _, action := range []string{"check.searched ok", "application.awaiting_desk ok", "desk.examined ok", "desk.requests ok", "desk.identified ok", "desk.approved ok", "application.installed ok", "application.key_signed ok"} {
		if !slices.Contains(w.back.actions(t), action) {
			t.Errorf("%s is not recorded", action)
		}
	}
}

// What the registries are asked at the desk is asked by the operator whose page it is, and after the approval by who gave it.
func TestRegistriesKnowWhichOperatorAsks(t *testing.T) {
	w := newWorld(t)
	one, two := w.clerks()
	w.back.heads[company] = ra.HeadAnswer{Verdict: trust.Good, IIN: visitor, Organization: "АО «ТЕСТ»"}
	asks := func(what, who string, f func()) {
		t.Helper()
		w.back.asked = nil
		f()
		if n := w.back.asked; n[who] == 0 || len(n) != 1 {
			t.Errorf("%s: asked by %v, want %s alone", what, n, who)
		}
	}
	head := takeForm()
	head.Set("role", "head")
	head.Set("bin", company)
	var at page
	asks("the folder", clerkOne, func() { one.post("/desk/find", url.Values{"q": {visitor}}).has(t, 200) })
	asks("identification", clerkOne, func() { at = one.identified(head, papers()) })
	asks("approval", clerkTwo, func() { two.click(two.get(at.path)).has(t, 200, `data-state="APPROVED"`) })
	asks("issuing", clerkTwo, func() { w.issue(at) })
	asks("installation", clerkOne, func() { one.click(one.get(at.path)).has(t, 200, `data-state="INSTALLED"`) })
}

// An operator cannot serve himself, in any way (C-37).
func TestC37OperatorsOwnIIN(t *testing.T) {
	w := newWorld(t)
	one, two := w.clerks()
	own := takeForm()
	own.Set("iin", clerkOne)
	one.post("/desk/take", own).has(t, 422, "OPERATOR_SELF")
	one.post("/desk/find", url.Values{"q": {clerkOne}}).has(t, 422, "OPERATOR_SELF")
	w.back.people[clerkOne] = ra.PersonAnswer{Verdict: trust.Good, Surname: "ЖАҚСЫБАЕВ", Name: "ЕРЛАН", Patronymic: "СӘКЕНҰЛЫ"}
	at := two.identified(own, papers())
	one.get(at.path).has(t, 422, "OPERATOR_SELF")
	for _, path := range []string{"/approve", "/override", "/identify", "/keys", "/install", "/reject", "/change", "/contact"} {
		one.post(at.path+path, url.Values{"answer": {"x"}, "text": {"так надо"}, "email": {"x@example.kz"}, "storage": {"PKCS12"}}).has(t, 422, "OPERATOR_SELF")
	}
	one.upload(at.path+"/examine", papers(), pdf()).has(t, 422, "OPERATOR_SELF")
	serial := w.back.key(clerkOne).SerialHex()
	one.get("/desk/keys/"+serial).has(t, 422, "OPERATOR_SELF")
	one.post("/desk/keys/"+serial, url.Values{"act": {"revoke"}, "reason": {"keyCompromise"}, "document": {"045678901"}}).has(t, 422, "OPERATOR_SELF")

	other := takeForm()
	represented := papers()
	for k, v := range map[string]string{"attorney_name": "КТО-ТО", "attorney_iin": clerkOne, "attorney_number": "17", "attorney_notary": "Нотариус", "attorney_date": "2026-01-10"} {
		represented.Set(k, v)
	}
	taken := one.post("/desk/take", other)
	one.upload(taken.path+"/examine", represented, pdf()).has(t, 422, "OPERATOR_SELF")
	if !slices.Contains(w.back.actions(t), "desk.refused OPERATOR_SELF") {
		t.Error("the refusal is not recorded")
	}
}

// The same operator does not approve what he identified, however he signs.
func TestTwoOperatorsAreTwo(t *testing.T) {
	w := newWorld(t)
	one, two := w.clerks()
	at := one.identified(takeForm(), papers())
	one.post(at.path+"/approve", url.Values{"answer": {"x"}}).has(t, 422, "SAME_OPERATOR")
	seen := two.get(at.path)
	seen.has(t, 200, `data-step="approve"`)
	colleague := one.agent(seen) // his colleague's key over the right text
	two.post(at.path+"/approve", url.Values{"answer": {colleague}}).has(t, 422, "CERT_OTHER_PERSON")
	two.get(at.path)
	two.post(at.path+"/approve", url.Values{"answer": {`["<x/>"]`}}).has(t, 422, "SIGNATURE_INVALID")
	good := two.agent(seen)
	one.upload(at.path+"/examine", papers(), []byte("%PDF-1.7 another")).has(t, 200, `data-step="sign"`)
	two.post(at.path+"/approve", url.Values{"answer": {good}}).has(t, 422, "NOT_IDENTIFIED")
	two.upload(at.path+"/examine", papers(), pdf()).has(t, 200, `data-step="sign"`)
	one.click(one.get(at.path)).has(t, 422, "NOT_EXAMINED")
}

// A mismatch with the register needs the second operator's own reason; silence lets nothing pass.
func TestRegistryMismatch(t *testing.T) {
	w := newWorld(t)
	one, two := w.clerks()
	married := papers()
	married.Set("surname", "Сейткали")
	at := one.identified(takeForm(), married)
	at.has(t, 200, "NAME_DIFFERS")
	seen := two.get(at.path)
	seen.has(t, 200, `data-step="override"`, "NAME_DIFFERS")
	two.post(at.path+"/approve", url.Values{"answer": {"x"}}).has(t, 422, "NAME_DIFFERS")
	two.post(at.path+"/override", url.Values{"text": {""}}).has(t, 422, `id="text-error"`)
	ready := two.post(at.path+"/override", url.Values{"text": {"свидетельство о браке № 15"}})
	ready.has(t, 200, `data-step="approve"`, "свидетельство о браке № 15")
	was := w.back.people[visitor]
	w.back.people[visitor] = ra.PersonAnswer{Verdict: trust.Unknown}
	two.get(at.path).has(t, 200, `data-step="second"`, "CHECK_UNAVAILABLE")
	two.post(at.path+"/approve", url.Values{"answer": {two.agent(ready)}}).has(t, 422, "CHECK_UNAVAILABLE")
	w.back.people[visitor] = ra.PersonAnswer{Verdict: trust.Bad, Code: "PERSON_EXCLUDED"}
	two.get(at.path).has(t, 200, `data-step="second"`, "PERSON_EXCLUDED")
	w.back.people[visitor] = was
	two.click(two.get(at.path)).has(t, 200, `data-state="APPROVED"`, "свидетельство о браке № 15")
	if !slices.Contains(w.back.actions(t), "desk.override ok") {
		t.Error("the override is not recorded")
	}
}

// The first operator cannot pass on a case while the register does not answer.
func TestRegistrySilentAtTheDesk(t *testing.T) {
	w := newWorld(t)
	one, _ := w.clerks()
	at := one.post("/desk/take", takeForm())
	w.back.people[visitor] = ra.PersonAnswer{Verdict: trust.Unknown}
	at = one.upload(at.path+"/examine", papers(), pdf())
	at.has(t, 200, "Не удалось проверить")
	at = one.click(at)
	one.click(at).has(t, 422, "CHECK_UNAVAILABLE")
}

// Papers that prove nothing are refused beside their field.
func TestPapersRefused(t *testing.T) {
	w := newWorld(t)
	one, _ := w.clerks()
	at := one.post("/desk/take", takeForm())
	for _, c := range []struct {
		field, value, wrong string
		scan                []byte
	}{
		{"expires", time.Now().AddDate(0, 0, -1).Format(time.DateOnly), "expires", pdf()},
		{"expires", "завтра", "expires", pdf()},
		{"document", "№", "document", pdf()},
		{"surname", strings.Repeat("А", 101), "surname", pdf()},
		{"attorney_number", "17", "attorney_number", pdf()},
		{"document", "045678901", "scan", nil},
		{"document", "045678901", "scan", []byte("<html><script>alert(1)</script>")},
		{"document", "045678901", "scan", append([]byte("%PDF-"), make([]byte, 5<<20)...)},
	} {
		f := papers()
		f.Set(c.field, c.value)
		one.upload(at.path+"/examine", f, c.scan).has(t, 422, `id="`+c.wrong+`-error"`)
	}
	one.upload(at.path+"/examine", papers(), make([]byte, 7<<20)).has(t, 413)
	proxy := papers()
	for k, v := range map[string]string{"attorney_name": "ИВАНОВ ИВАН", "attorney_iin": newHead, "attorney_number": "17", "attorney_notary": "Петрова", "attorney_date": time.Now().AddDate(0, 0, 2).Format(time.DateOnly)} {
		proxy.Set(k, v)
	}
	one.upload(at.path+"/examine", proxy, pdf()).has(t, 422, `id="attorney_date-error"`)
	proxy.Set("attorney_date", "2026-01-10")
	one.upload(at.path+"/examine", proxy, pdf()).has(t, 200, `data-step="keys"`, "ИВАНОВ ИВАН")
	for field, value := range map[string]string{"iin": "123", "bin": "1", "email": "кто", "role": "царь", "storage": "карман"} {
		f := takeForm()
		f.Set("role", "head")
		f.Set("bin", company)
		f.Set(field, value)
		one.post("/desk/take", f).has(t, 422, `id="`+field+`-error"`)
	}
}

// A scan is given as a file, whatever is inside, and lies sealed in the database.
func TestScanIsNoPage(t *testing.T) {
	w := newWorld(t)
	one, _ := w.clerks()
	at := one.post("/desk/take", takeForm())
	one.get(at.path+"/scan").has(t, 404)
	one.upload(at.path+"/examine", papers(), pdf())
	r, err := one.client.Get(w.site.URL + at.path + "/scan")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if r.Header.Get("Content-Type") != "application/octet-stream" || !strings.HasPrefix(r.Header.Get("Content-Disposition"), "attachment") || r.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("headers %v", r.Header)
	}
}

// The keys of staff wait for their head after the desk; those of a head need the register's word.
func TestCompaniesAtTheDesk(t *testing.T) {
	w := newWorld(t)
	one, two := w.clerks()
	w.back.heads[company] = ra.HeadAnswer{Verdict: trust.Good, IIN: newHead, Organization: "АО «ТЕСТ»"}
	staff := takeForm()
	staff.Set("role", "sign-right")
	staff.Set("bin", company)
	at := one.identified(staff, papers())
	two.click(two.get(at.path)).has(t, 200, `data-state="AWAITING_DIRECTOR"`, "АО «ТЕСТ»")
	if a, err := w.back.office.Case(t.Context(), at.path[len("/desk/applications/"):]); err != nil || len(a.Asked) != 1 || a.Asked[0] == visitor {
		t.Errorf("the head is not asked: %v, %v", a.Asked, err)
	}
	head := takeForm()
	head.Set("role", "head")
	head.Set("bin", company)
	at = one.identified(head, papers())
	at.has(t, 200, "HEAD_NOT_IN_REGISTRY")
	two.get(at.path).has(t, 200, `data-step="override"`)
	two.click(two.post(at.path+"/override", url.Values{"text": {"приказ № 3, ещё не загружен"}})).has(t, 200, `data-state="APPROVED"`)
	w.issue(at) // the register still says otherwise, and two operators have passed over it
	one.get(at.path).has(t, 200, `data-state="ISSUED"`)
}

// Another address or storage means new keys and new signatures; carriers and the chip are written here.
func TestChangeAtTheDesk(t *testing.T) {
	w := newWorld(t)
	one, two := w.clerks()
	at := one.identified(takeForm(), papers())
	one.post(at.path+"/change", url.Values{"email": {"кто"}, "storage": {"PKCS12"}}).has(t, 422, `id="email-error"`)
	one.post(at.path+"/change", url.Values{"email": {"v@example.kz"}, "storage": {"AKKZIDCardStore"}}).has(t, 200, `data-step="keys"`, "AKKZIDCardStore")
	two.post(at.path+"/approve", url.Values{"answer": {"x"}}).has(t, 422, "NOT_IDENTIFIED")
	one.click(one.click(one.get(at.path))).has(t, 200, `data-step="second"`)
	two.click(two.get(at.path))
	w.issue(at)
	if o := w.back.orders[0]; !o.Storage.Equal(pki.StorageIDCard) {
		t.Errorf("storage %v", o.Storage)
	}
}

// Refusing tells a reason; an address as told is not confirmed by telling.
func TestRejectAndContact(t *testing.T) {
	w := newWorld(t)
	one, two := w.clerks()
	at := one.post("/desk/take", takeForm())
	one.post(at.path+"/contact", url.Values{"email": {"кто"}}).has(t, 422, `id="email-error"`)
	one.post(at.path+"/contact", url.Values{"email": {"v@example.kz"}}).has(t, 200, "Адрес ещё не подтверждён")
	if a, err := w.back.office.Account(t.Context(), visitor); err != nil || a.Confirmed() != "" || a.Email != "v@example.kz" {
		t.Errorf("account %+v, %v", a, err)
	}
	two.post(at.path+"/reject", url.Values{"text": {""}}).has(t, 422, `id="text-error"`)
	two.post(at.path+"/reject", url.Values{"text": {"документ чужой"}}).has(t, 200, `data-state="REJECTED"`, "документ чужой")
	one.upload(at.path+"/examine", papers(), pdf()).has(t, 422, "APPLICATION_STATE")
	one.get("/desk/applications/261127000019").has(t, 404, "NOT_YOUR_APPLICATION")
}

// Outside the desk's networks there is no desk.
func TestDeskNetworks(t *testing.T) {
	w := newWorldOf(t, func(c *desk.Config) {
		c.Networks, c.Elsewhere = []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}, http.NotFoundHandler()
	})
	stranger := w.person(clerkOne, authorityBIN, pki.RoleOperator)
	for _, path := range []string{"/desk/", "/desk/signin", "/desk/registry", "/desk/list", "/desk/assets"} {
		stranger.get(path).has(t, 404, "404 page not found")
	}
	stranger.post("/desk/signin", url.Values{"answer": {"x"}}).has(t, 404)
	inside := newWorldOf(t, func(c *desk.Config) {
		c.Networks, c.Elsewhere = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, http.NotFoundHandler()
	})
	inside.person(clerkOne, authorityBIN, pki.RoleOperator).signIn().has(t, 200)
}
