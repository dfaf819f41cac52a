package cabinet

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"senim/internal/pkitest"
	"senim/internal/ra"
	"senim/pki"
)

// TestC40ConfirmersCertificate: expired, on hold, or not to be checked; nothing is decided.
func TestC40ConfirmersCertificate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, code, words string
		key               func(*site) *pkitest.Leaf
		before            func(*site, *pkitest.Leaf)
	}{
		{"expired", "CERT_EXPIRED", "31.08.2026", func(s *site) *pkitest.Leaf {
			return s.staffFrom(iinD, pki.RoleFirstHead, s.now.AddDate(0, 0, -366))
		}, nil},
		{"on hold", "CERT_ON_HOLD", "приостановлен", nil, func(s *site, k *pkitest.Leaf) {
			_, err := s.ca.Revoke(t.Context(), k.Certificate.SerialHex(), "certificateHold", time.Time{}, "test")
			must(t, err)
		}},
		{"revoked", "CERT_REVOKED", "", nil, func(s *site, k *pkitest.Leaf) {
			_, err := s.ca.Revoke(t.Context(), k.Certificate.SerialHex(), "keyCompromise", time.Time{}, "test")
			must(t, err)
		}},
		{"silent", "CHECK_UNAVAILABLE", "Не удалось проверить", nil, func(s *site, _ *pkitest.Leaf) { s.ca.silent = true }},
		{"registry silent", "CHECK_UNAVAILABLE", "Не удалось проверить", nil, func(s *site, _ *pkitest.Leaf) { s.registry[binX] = ra.HeadAnswer{} }},
		{"not the head any more", "NOT_HEAD_NOW", "руководит другой человек", nil, func(s *site, _ *pkitest.Leaf) {
			h := s.registry[binX]
			h.IIN = iinZ
			s.registry[binX] = h
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := company(t)
			d := s.enters("d@example.kz", s.head(iinD, binX))
			e := s.enters("e@example.kz", s.personal(iinE))
			number := e.applies(ra.RoleEmployee)
			key := s.head(iinD, binX)
			if c.key != nil {
				key = c.key(s)
			}
			if c.before != nil {
				c.before(s, key)
			}
			d.posts(key, s.decision("confirm", iinD, binX, "", s.app(number))).has(t, 422, `data-code="`+c.code+`"`, c.words)
			s.refusedWith(number, "application.confirmed", c.code)
			s.state(number, ra.AwaitingDirector)
			must(t, s.office.Issue(t.Context(), ra.Task{Number: number, Revision: 1}))
			if len(s.ca.orders) != 0 {
				t.Error("something was issued")
			}
		})
	}
}

// TestC41HeadOfAnotherCompanyPosts: a key with the role of a head, of another BIN.
func TestC41HeadOfAnotherCompanyPosts(t *testing.T) {
	t.Parallel()
	s := company(t)
	key := s.head(iinZ, binY)
	z := s.enters("z@example.kz", key)
	e := s.enters("e@example.kz", s.personal(iinE))
	number := e.applies(ra.RoleEmployee)
	a := s.app(number)
	for _, bin := range []string{binX, binY} {
		z.posts(key, s.decision("confirm", iinZ, bin, "", a)).has(t, 404, `data-code="NOT_YOUR_APPLICATION"`)
		s.refusedWith(number, "application.confirmed", "NOT_YOUR_APPLICATION")
	}
	unknown := a
	var err error
	unknown.Number, err = ra.NewNumber(s.now, 9999)
	must(t, err)
	z.posts(key, s.decision("confirm", iinZ, binY, "", unknown)).has(t, 404, `data-code="NOT_YOUR_APPLICATION"`)
	z.posts(key, s.decision("reject", iinZ, binX, "нет", a)).has(t, 404, `data-code="NOT_YOUR_APPLICATION"`)
	s.refusedWith(number, "application.rejected", "NOT_YOUR_APPLICATION")
	s.state(number, ra.AwaitingDirector)
}

// TestReject: a reason is required and signed; the applicant reads it word for word.
func TestReject(t *testing.T) {
	t.Parallel()
	s := company(t)
	d := s.enters("d@example.kz", s.head(iinD, binX))
	e := s.enters("e@example.kz", s.personal(iinE))
	number := e.applies(ra.RoleEmployee)
	d.get("/confirm/reject").has(t, 422, "Отметьте хотя бы одну заявку")
	d.get("/confirm/reject?number="+number).has(t, 200, "Почему вы отклоняете?", "СЕРИКОВА")
	d.post("/confirm/reject", url.Values{"number": {number}, "reason": {"  "}}).has(t, 422, "Напишите причину")
	d.post("/confirm/reject", url.Values{"number": {number}, "reason": {strings.Repeat("я", 501)}}).has(t, 422, "не длиннее 500")
	d.posts(d.keys[0], s.decision("reject", iinD, binX, "", s.app(number))).has(t, 422, `data-code="REASON_REQUIRED"`)
	p := d.post("/confirm/reject", url.Values{"number": {number}, "reason": {"Не наш <b>сотрудник</b> &\r\n  «тут»"}}).has(t, 200, "Подпишите отказ по 1 заявке")
	s.state(number, ra.AwaitingDirector)
	d.click(p).has(t, 200, "Отклонена 1 заявка")
	a := s.state(number, ra.Rejected)
	if a.Reason.Text != "Не наш <b>сотрудник</b> & «тут»" || a.Rejection == nil || a.Rejection.IIN != iinD {
		t.Errorf("%+v %+v", a.Reason, a.Rejection)
	}
	s.evidence(a.Rejection.Evidence, choice(a))
	if all := s.recorded(number, "application.rejected"); len(all) != 1 || all[0].Result != "ok" || all[0].Detail["evidence"] != a.Rejection.Evidence {
		t.Errorf("recorded %+v", all)
	}
	s.told("e@example.kz", "N-11", "Отклонена", "Не наш <b>сотрудник</b> & «тут»")
	e.get("/applications/"+number).has(t, 200, "Заявка отклонена", "&lt;b&gt;сотрудник", `data-who="head" data-state="stop"`)
	d.click(p).has(t, 422, `data-code="CHALLENGE_STALE"`) // the signature of the page serves once
}

// TestDecisionForged: only our own document, fresh, whole, and with one signature is taken.
func TestDecisionForged(t *testing.T) {
	t.Parallel()
	s := company(t)
	head := s.head(iinD, binX)
	d := s.enters("d@example.kz", head)
	e := s.enters("e@example.kz", s.personal(iinE))
	number := e.applies(ra.RoleEmployee)
	a := s.app(number)
	good := s.decision("confirm", iinD, binX, "", a)
	other := a
	other.SignedHash = strings.Repeat("0", 64)
	old := s.now
	s.now = s.now.Add(-ra.DecisionTTL - time.Second)
	stale := s.decision("confirm", iinD, binX, "", a)
	s.now = old.Add(time.Hour)
	early := s.decision("confirm", iinD, binX, "", a)
	s.now = old
	odd, short := a, a
	odd.Number, short.SignedHash = "e@example.kz", "00"
	many := make([]ra.Application, ra.MaxDecided+1)
	for i := range many {
		many[i] = a
	}
	for name, c := range map[string]struct{ document, code string }{
		"more than shown": {strings.Replace(good, "</decision>", "<note>и ещё</note></decision>", 1), "SIGNATURE_INVALID"},
		"another site":    {strings.Replace(good, origin, "http://evil.example", 1), "SIGNATURE_INVALID"},
		"spaces":          {strings.Replace(good, "<act>", " <act>", 1), "SIGNATURE_INVALID"},
		"no number":       {s.decision("confirm", iinD, binX, "", odd), "SIGNATURE_INVALID"},
		"no hash":         {s.decision("confirm", iinD, binX, "", short), "SIGNATURE_INVALID"},
		"another kind":    {a.Document, "SIGNATURE_INVALID"},
		"another act":     {s.decision("approve", iinD, binX, "", a), "NOTHING_CHOSEN"},
		"nothing":         {s.decision("confirm", iinD, binX, ""), "NOTHING_CHOSEN"},
		"too many":        {s.decision("confirm", iinD, binX, "", many...), "TOO_MANY_CHOSEN"},
		"stale":           {stale, "DECISION_STALE"},
		"from tomorrow":   {early, "DECISION_STALE"},
		"another text":    {s.decision("confirm", iinD, binX, "", other), "REVISION_CHANGED"},
		"for another":     {s.decision("confirm", iinS, binX, "", a), "CERT_OTHER_PERSON"},
	} {
		p := d.posts(head, c.document)
		if p.status != 422 || !strings.Contains(p.body, `data-code="`+c.code+`"`) {
			t.Errorf("%s: %d, want %s: %s", name, p.status, c.code, text(p.body))
		}
	}
	for name, answer := range map[string]string{"no answer": "", "no XML": `["<a"]`, "no signature": `["<decision/>"]`} {
		if p := d.post("/confirm/sign", url.Values{"answer": {answer}}); p.status != 422 {
			t.Errorf("%s: %d", name, p.status)
		}
	}
	all := url.Values{}
	for i := range ra.MaxDecided + 1 {
		n, err := ra.NewNumber(s.now, 9000+i)
		must(t, err)
		all.Add("number", n)
	}
	d.get("/confirm/sign?"+all.Encode()).has(t, 422, `data-code="TOO_MANY_CHOSEN"`)
	broken := signWith(t, head, "xml", d.under(purposeDecide, good))
	broken = strings.Replace(broken, "<act>confirm", "<act>reject", 1)
	d.post("/confirm/sign", url.Values{"answer": {broken}}).has(t, 422, `data-code="SIGNATURE_INVALID"`)
	s.state(number, ra.AwaitingDirector)
	d.posts(head, good).has(t, 200, "Подтверждена") // the same by hand is good
}

// TestConfirmNeedsACompanyKey: a personal key does not say for which organisation one decides.
func TestConfirmNeedsACompanyKey(t *testing.T) {
	t.Parallel()
	s := company(t)
	d := s.enters("d@example.kz", s.personal(iinD))
	e := s.enters("e@example.kz", s.personal(iinE))
	number := e.applies(ra.RoleEmployee)
	d.get("/confirm").has(t, 422, `data-code="COMPANY_KEY_NEEDED"`)
	d.posts(d.keys[0], s.decision("confirm", iinD, binX, "", s.app(number))).has(t, 404, `data-code="NOT_YOUR_APPLICATION"`)
	stranger := s.browser()
	for _, path := range []string{"/confirm", "/confirm/sign?number=" + number, "/confirm/done", "/apply/legal/employee"} {
		if p := stranger.get(path); p.path != "/signin" {
			t.Errorf("%s is open to strangers", path)
		}
	}
	stranger.post("/confirm/sign", nil).has(t, 200, "Вход")
	s.state(number, ra.AwaitingDirector)
}

// TestConfirmPagesInEveryLanguage looks for missing texts on the pages of this area.
func TestConfirmPagesInEveryLanguage(t *testing.T) {
	t.Parallel()
	for _, tag := range []string{"kk", "ru", "en"} {
		s := company(t)
		d := s.enters("d@example.kz", s.head(iinD, binX))
		e := s.enters("e@example.kz", s.staff(iinE, pki.RoleEmployee))
		one, two, three := e.applies(ra.RoleFinance), e.applies(ra.RoleHR), e.signs(e.draft())
		look := func(p page) page {
			t.Helper()
			if m := missing.FindString(p.body); m != "" || strings.Contains(p.body, "[confirm.") || p.status >= 500 {
				t.Errorf("%s in %s: %d %s", p.path, tag, p.status, m)
			}
			return p
		}
		d.lang, e.lang = tag, tag
		e.get("/?lang=" + tag)
		for _, path := range []string{"/confirm", "/confirm?all=1", "/confirm/sign", "/confirm/reject?number=" + one, "/applications/" + one, "/confirm/sign?number=none"} {
			look(d.get(path))
		}
		for _, path := range []string{"/", "/keys", "/apply/legal", "/apply/legal/employee", "/apply/legal/employee/data?bin=" + binX, "/applications/" + two, "/confirm"} {
			look(e.get(path))
		}
		look(e.post("/apply/legal/employee", url.Values{"bin": {"1"}}))
		look(e.post("/apply/legal/employee/data", url.Values{"bin": {binX}}))
		look(d.click(look(d.post("/confirm/reject", url.Values{"number": {one}, "reason": {"x"}}))))
		sign := look(d.get("/confirm/sign?number=" + two + "&number=" + three + "&number=" + one))
		look(d.click(sign))
		look(d.click(sign))
		look(d.get("/confirm"))
		for _, n := range []string{one, two, three} {
			look(e.get("/applications/" + n))
		}
	}
}
