package cabinet

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"senim/dsig"
	"senim/internal/notice"
	"senim/internal/pkitest"
	"senim/internal/ra"
	"senim/internal/trust"
	"senim/pki"
)

// TestC08HeadConfirms: E applies, D confirms with his ЮЛ key; E finds it without typing the number.
func TestC08HeadConfirms(t *testing.T) {
	t.Parallel()
	s := company(t)
	d := s.enters("d@example.kz", s.head(iinD, binX))
	e := s.enters("e@example.kz", s.personal(iinE))
	d.get("/confirm").has(t, 200, "Сейчас нет заявок")
	number := e.applies(ra.RoleFinance)
	a := s.state(number, ra.AwaitingDirector)
	e.get("/applications/"+number).has(t, 200, "Ожидает подтверждения руководителя", "заявка закроется", "01.10.2026", `data-who="head" data-state="now"`)

	asked := s.letters("d@example.kz")
	if last := asked[len(asked)-1]; last.N != "N-10" || last.Vars["link"] != origin+"/confirm" {
		t.Errorf("D was told %+v", last)
	}
	if !strings.Contains(numbers(s.letters("e@example.kz")), "N-09") {
		t.Error("E was not told the number")
	}
	p := d.get("/confirm").has(t, 200, "СЕРИКОВА АЙГУЛЬ", "Сотрудник с правом подписи финансовых документов", "Персональный компьютер", "это первые ключи",
		ra.FormatNumber(number), "01.10.2026")
	d.get("/applications/"+number).has(t, 200, "/confirm/sign?number="+number)
	fingerprint := s.seenPrint(a)
	p.has(t, 200, fingerprint)
	d.get("/confirm/sign").has(t, 422, "Отметьте хотя бы одну заявку")
	p = d.get("/confirm/sign?number="+number).has(t, 200, "Подпишите подтверждение 1 заявки", a.SignedHash, fingerprint)
	s.state(number, ra.AwaitingDirector) // looking is not confirming
	d.click(p).has(t, 200, "Подтверждена 1 заявка", ra.FormatNumber(number))
	d.get("/confirm/done").has(t, 200, "Подтверждена 1 заявка") // a reload shows it again and does nothing
	a = s.state(number, ra.Approved)

	records := s.recorded(number, "application.confirmed")
	if len(records) != 1 || records[0].Result != "ok" || records[0].Detail["hash"] != a.SignedHash || records[0].Detail["signer"] != d.keys[0].Certificate.SerialHex() ||
		records[0].Detail["evidence"] != a.Approvals[0].Evidence || records[0].Detail["revision"] != "1" {
		t.Errorf("recorded %+v", records)
	}
	s.evidence(a.Approvals[0].Evidence, choice(a))

	must(t, s.office.Issue(t.Context(), ra.Task{Number: number, Revision: 1}))
	e.get("/applications").has(t, 200, ra.FormatNumber(number), "Выпущена")
	e.click(e.get("/applications/"+number).has(t, 200, "подтвердил руководитель")).has(t, 200, "Сертификаты успешно установлены")
	if h := e.keys[1].Certificate.Holder(); h.BIN != binX || ra.RoleOf(h) != ra.RoleFinance {
		t.Errorf("the new key is of %s %s", h.BIN, ra.RoleOf(h))
	}
}

// seenPrint is the fingerprint of an application's request.
func (s *site) seenPrint(a ra.Application) string {
	s.t.Helper()
	return fmt.Sprintf("%x", sha256.Sum256(a.Requests[0].CSR))
}

// evidence reads the signed decision back and checks that its signature covers what it should.
func (s *site) evidence(hash, want string) {
	s.t.Helper()
	must(s.t, s.store.RA().View(s.t.Context(), func(tx ra.Tx) error {
		kept, err := tx.SignedDecision(s.t.Context(), hash)
		if err != nil {
			return err
		}
		doc, err := dsig.Parse(kept.Document)
		if err != nil {
			return err
		}
		v, err := doc.VerifyOne()
		if err == nil && (!bytes.Contains(v.Signed, []byte(want)) || v.Certificate.SerialHex() != kept.Serial) {
			s.t.Errorf("the evidence is %s", v.Signed)
		}
		return err
	}))
}

// TestC08RenewalGoesToTheHead: the ЮЛ key of an employee is renewed with the head's confirmation, in
// the role it had.
func TestC08RenewalGoesToTheHead(t *testing.T) {
	t.Parallel()
	s := company(t)
	d := s.enters("d@example.kz", s.head(iinD, binX))
	e := s.enters("e@example.kz", s.staff(iinE, pki.RoleHR))
	number := e.signs(e.draft())
	s.state(number, ra.AwaitingDirector)
	must(t, s.office.Issue(t.Context(), ra.Task{Number: number, Revision: 1}))
	s.state(number, ra.AwaitingDirector) // no job issues what nobody confirmed
	d.get("/confirm").has(t, 200, "Перевыпуск ключей", "Сотрудник отдела кадров, до", "действует")
	d.click(d.get("/confirm/sign?number="+number)).has(t, 200, "Подтверждена")
	must(t, s.office.Issue(t.Context(), ra.Task{Number: number, Revision: 1}))
	e.click(e.get("/applications/"+number)).has(t, 200, "Сертификаты успешно установлены", "Отозвать прежний ключ")
	if h := e.keys[1].Certificate.Holder(); ra.RoleOf(h) != ra.RoleHR || h.BIN != binX {
		t.Errorf("renewed as %s of %s", ra.RoleOf(h), h.BIN)
	}
}

// TestC08ManyInOneSignature: one signature for all that is ticked; each application answers for itself.
func TestC08ManyInOneSignature(t *testing.T) {
	t.Parallel()
	s := company(t)
	d := s.enters("d@example.kz", s.head(iinD, binX))
	one, two := s.enters("e@example.kz", s.personal(iinE)), s.enters("s@example.kz", s.personal(iinS))
	first, second := one.applies(ra.RoleEmployee), one.applies(ra.RoleSignRight)
	third := two.applies(ra.RoleHR)
	p := d.get("/confirm?all=1").has(t, 200, first, second, third)
	if n := strings.Count(p.body, " checked>") + strings.Count(p.body, " checked "); n != 3 {
		t.Errorf("%d ticked", n)
	}
	sign := d.get("/confirm/sign?"+url.Values{"number": {first, second, third, third}}.Encode()).has(t, 200, "Подпишите подтверждение 3 заявок")
	one.post("/applications/"+second+"/withdraw", nil).has(t, 200, "Отозвана")
	d.click(sign).has(t, 200, "Принято не всё", "Подтверждены 2 заявки", "СЕРИКОВА АЙГУЛЬ", `data-code="APPLICATION_WITHDRAWN"`, "Заявка отозвана")
	a, b := s.state(first, ra.Approved), s.state(third, ra.Approved)
	s.state(second, ra.Withdrawn)
	if a.Approvals[0].Evidence != b.Approvals[0].Evidence {
		t.Error("one signature left two evidences")
	}
	s.evidence(a.Approvals[0].Evidence, choice(a)+"<application><number>"+second)
	s.refusedWith(second, "application.confirmed", "APPLICATION_WITHDRAWN")
	d.click(sign).has(t, 422, `data-code="CHALLENGE_STALE"`)
	d.posts(d.keys[0], s.decision("confirm", iinD, binX, "", a, b)).has(t, 200, "Ничего не принято", `data-code="ALREADY_CONFIRMED"`)
	if len(s.app(first).Approvals) != 1 {
		t.Error("confirmed twice")
	}
}

// TestC09OwnApplicationIsNotInTheInbox: D's own is absent, a direct post is refused, the registry's
// answer approves it.
func TestC09OwnApplicationIsNotInTheInbox(t *testing.T) {
	t.Parallel()
	s := company(t)
	key := s.head(iinD, binX)
	d := s.enters("d@example.kz", key)
	good := s.registry[binX]
	s.registry[binX] = ra.HeadAnswer{}
	number := d.signs(d.draft())
	a := s.state(number, ra.Signed)
	s.registry[binX] = good
	if p := d.get("/confirm").has(t, 200, "Вашей собственной заявки здесь не бывает"); strings.Contains(p.body, number) {
		t.Error("his own application is in his inbox")
	}
	d.get("/confirm/sign?number="+number).has(t, 422, `data-code="SELF_CONFIRM"`)
	d.posts(key, s.decision("confirm", iinD, binX, "", a)).has(t, 422, `data-code="SELF_CONFIRM"`)
	s.refusedWith(number, "application.confirmed", "SELF_CONFIRM")
	s.state(number, ra.Signed)
	must(t, s.office.Reroute(t.Context(), ra.Task{Number: number, Revision: 1}))
	if a = s.state(number, ra.Approved); len(a.Approvals) != 0 {
		t.Error("a person approved it")
	}
	d.posts(key, s.decision("confirm", iinD, binX, "", a)).has(t, 422, `data-code="SELF_CONFIRM"`)
}

// TestC10ApplicantsCertificate: D confirms E's application with a certificate of E.
func TestC10ApplicantsCertificate(t *testing.T) {
	t.Parallel()
	s := company(t)
	d := s.enters("d@example.kz", s.head(iinD, binX))
	personal, legal := s.personal(iinE), s.staff(iinE, pki.RoleSignRight)
	e := s.enters("e@example.kz", personal)
	number := e.applies(ra.RoleEmployee)
	a := s.state(number, ra.AwaitingDirector)
	s.delegates("d1", iinE)
	d.posts(personal, s.decision("confirm", iinD, binX, "", a)).has(t, 422, `data-code="SELF_CONFIRM"`)
	d.posts(legal, s.decision("confirm", iinD, binX, "", a)).has(t, 422, `data-code="SELF_CONFIRM"`)
	s.refusedWith(number, "application.confirmed", "SELF_CONFIRM")
	d.posts(s.personal(iinS), s.decision("confirm", iinD, binX, "", a)).has(t, 422, `data-code="CERT_OTHER_PERSON"`)
	s.refusedWith(number, "application.confirmed", "CERT_OTHER_PERSON")
	s.state(number, ra.AwaitingDirector)
}

// TestC11HRMayNotConfirm: neither as an employee nor with a delegation.
func TestC11HRMayNotConfirm(t *testing.T) {
	t.Parallel()
	s := company(t)
	hr := s.staff(iinS, pki.RoleHR)
	b := s.enters("s@example.kz", hr)
	e := s.enters("e@example.kz", s.personal(iinE))
	number := e.applies(ra.RoleEmployee)
	s.delegates("d1", iinS)
	if p := b.get("/keys"); strings.Contains(p.body, `href="/confirm"`) {
		t.Error("HR is offered the inbox")
	}
	b.get("/confirm").has(t, 422, `data-code="ROLE_CANNOT_CONFIRM"`)
	b.get("/confirm/sign?number="+number).has(t, 422, `data-code="ROLE_CANNOT_CONFIRM"`)
	for _, act := range []string{"confirm", "reject"} {
		b.posts(hr, s.decision(act, iinS, binX, map[string]string{"reject": "нет"}[act], s.app(number))).has(t, 422, `data-code="ROLE_CANNOT_CONFIRM"`)
		s.refusedWith(number, map[string]string{"confirm": "application.confirmed", "reject": "application.rejected"}[act], "ROLE_CANNOT_CONFIRM")
	}
	s.state(number, ra.AwaitingDirector)
}

// TestC12HeadOfAnotherCompany gets the same answer as for an unknown number.
func TestC12HeadOfAnotherCompany(t *testing.T) {
	t.Parallel()
	s := company(t)
	z := s.enters("z@example.kz", s.head(iinZ, binY))
	e := s.enters("e@example.kz", s.personal(iinE))
	number := e.applies(ra.RoleEmployee)
	unknown, err := ra.NewNumber(s.now, 9999)
	must(t, err)
	for _, path := range []string{"/applications/", "/applications?number=", "/confirm/sign?number=", "/confirm/reject?number="} {
		his, none := z.get(path+number).has(t, 404, `data-code="NOT_YOUR_APPLICATION"`), z.get(path+unknown)
		if a, b := strings.ReplaceAll(text(his.body), number, unknown), text(none.body); his.status != none.status || a != b {
			t.Errorf("%s: %q, but of an unknown number %q", path, a, b)
		}
	}
	if p := z.get("/confirm"); strings.Contains(p.body, number) {
		t.Error("it is in the inbox of another company")
	}
}

// TestC15DelegatesOwnApplication: S may not confirm his own, nor may another delegate; D can.
func TestC15DelegatesOwnApplication(t *testing.T) {
	t.Parallel()
	s := company(t)
	key := s.staff(iinS, pki.RoleSignRight)
	b := s.enters("s@example.kz", key)
	peer := s.staff(iinE, pki.RoleSignRight)
	other := s.enters("e@example.kz", peer)
	d := s.enters("d@example.kz", s.head(iinD, binX))
	b.get("/confirm").has(t, 422, `data-code="ROLE_CANNOT_CONFIRM"`) // not a delegate yet
	s.delegates("d1", iinS)
	s.delegates("d2", iinE)
	number := b.signs(b.draft())
	a := s.state(number, ra.AwaitingDirector)
	for _, one := range []*browser{b, other} {
		if p := one.get("/confirm").has(t, 200); strings.Contains(p.body, number) {
			t.Error("a delegate's application is in a delegate's inbox")
		}
	}
	b.posts(key, s.decision("confirm", iinS, binX, "", a)).has(t, 422, `data-code="SELF_CONFIRM"`)
	s.refusedWith(number, "application.confirmed", "SELF_CONFIRM")
	other.posts(peer, s.decision("confirm", iinE, binX, "", a)).has(t, 422, `data-code="HEAD_CONFIRMS_DELEGATE"`)
	s.refusedWith(number, "application.confirmed", "HEAD_CONFIRMS_DELEGATE")
	if n := numbers(s.letters("e@example.kz")); strings.Contains(n, "N-10") {
		t.Error("another delegate was asked")
	}
	d.click(d.get("/confirm/sign?number="+number)).has(t, 200, "Подтверждена")
	s.state(number, ra.Approved)
}

// TestDelegateIsAskedAndConfirms: the letter N-10 goes to delegates too, and the record names the
// delegation.
func TestDelegateIsAskedAndConfirms(t *testing.T) {
	t.Parallel()
	s := company(t)
	b := s.enters("s@example.kz", s.staff(iinS, pki.RoleSignRight))
	e := s.enters("e@example.kz", s.personal(iinE))
	d := s.browser(s.head(iinD, binX))
	d.enter("d@example.kz") // and does not confirm the address
	s.delegates("d1", iinS)
	number := e.applies(ra.RoleEmployee)
	if n := numbers(s.letters("d@example.kz")); strings.Contains(n, "N-10") {
		t.Errorf("%s went to an address nobody confirmed", n)
	}
	if l := s.letters("s@example.kz"); len(l) == 0 || l[len(l)-1].N != "N-10" {
		t.Errorf("the delegate was told %s", numbers(l))
	}
	b.get("/applications/"+number).has(t, 200, "Эта заявка ждёт вашего решения")
	b.click(b.get("/confirm/sign?number="+number)).has(t, 200, "Подтверждена")
	if all := s.recorded(number, "application.confirmed"); len(all) != 1 || all[0].Detail["delegation"] != "d1" {
		t.Errorf("recorded %+v", all)
	}
	e.get("/applications/"+number).has(t, 200, "подтвердил сотрудник по поручению")
	for _, l := range s.letters("s@example.kz") {
		if _, err := notice.Render(l, "Senim"); err != nil {
			t.Error(err)
		}
	}
}

// TestC13DelegateConfirms: D delegates to S by his signature, S confirms E's application, it is issued,
// and the record of the confirmation names the delegation.
func TestC13DelegateConfirms(t *testing.T) {
	t.Parallel()
	s := company(t)
	key := s.staff(iinS, pki.RoleSignRight)
	b := s.enters("s@example.kz", key)
	e := s.enters("e@example.kz", s.personal(iinE))
	d := s.enters("d@example.kz", s.head(iinD, binX))
	d.delegate(iinS, "confirm").has(t, 200, "Права переданы")
	id := s.living(binX, iinS, ra.PowerConfirm)
	number := e.applies(ra.RoleEmployee)
	b.get("/confirm").has(t, 200, number)
	b.click(b.get("/confirm/sign?number="+number)).has(t, 200, "Подтверждена")
	if all := s.recorded(number, "application.confirmed"); id == "" || len(all) != 1 || all[0].Detail["delegation"] != id || all[0].Detail["signer"] != key.Certificate.SerialHex() {
		t.Errorf("recorded %+v, the delegation is %q", all, id)
	}
	must(t, s.office.Issue(t.Context(), ra.Task{Number: number, Revision: 1}))
	if a := s.state(number, ra.Issued); a.Approvals[0].Delegation != id {
		t.Errorf("%+v", a.Approvals)
	}
}

// TestC13DelegateNoMore: a delegate whose key was revoked, who was dismissed, or whose head heads no
// more, confirms nothing and sees nothing, before anybody wrote down that the delegation ended.
func TestC13DelegateNoMore(t *testing.T) {
	t.Parallel()
	for name, lost := range map[string]func(s *site, key *pkitest.Leaf){
		"key revoked": func(s *site, key *pkitest.Leaf) {
			s.ca.follow = nil // nobody followed the revocation yet
			_, err := s.ca.Revoke(s.t.Context(), key.Certificate.SerialHex(), "keyCompromise", time.Time{}, "")
			must(s.t, err)
		},
		"dismissed": func(s *site, _ *pkitest.Leaf) {
			must(s.t, s.store.RA().Update(s.t.Context(), func(tx ra.Tx) error {
				return tx.PutDismissal(s.t.Context(), ra.Dismissal{ID: "d", BIN: binX, IIN: iinS, Head: iinD, At: s.now})
			}))
		},
		"another head": func(s *site, _ *pkitest.Leaf) {
			s.registry[binX] = ra.HeadAnswer{Verdict: trust.Good, IIN: iinZ, Organization: "АО «ТЕСТ»", AsOf: s.now}
		},
		"silent registry": func(s *site, _ *pkitest.Leaf) { s.registry[binX] = ra.HeadAnswer{} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := company(t)
			key := s.staff(iinS, pki.RoleSignRight)
			b := s.enters("s@example.kz", key)
			e := s.enters("e@example.kz", s.personal(iinE))
			s.delegates("d1", iinS)
			number := e.applies(ra.RoleEmployee)
			a := s.state(number, ra.AwaitingDirector)
			b.get("/applications/"+number).has(t, 200, "Эта заявка ждёт вашего решения")
			lost(s, key)
			b.get("/applications/"+number).has(t, 404, `data-code="NOT_YOUR_APPLICATION"`)
			if p := b.get("/confirm"); p.status < 400 || strings.Contains(p.body, number) {
				t.Errorf("the inbox answers %d", p.status)
			}
			if p := b.posts(key, s.decision("confirm", iinS, binX, "", a)); p.status < 400 {
				t.Errorf("a confirmation is answered %d", p.status)
			}
			s.state(number, ra.AwaitingDirector)
		})
	}
}

// TestNT23ScannerConfirmsNothing: whoever opens the link of N-10, signed in or not, decides nothing.
func TestNT23ScannerConfirmsNothing(t *testing.T) {
	t.Parallel()
	s := company(t)
	d := s.enters("d@example.kz", s.head(iinD, binX))
	e := s.enters("e@example.kz", s.personal(iinE))
	number := e.applies(ra.RoleEmployee)
	m, _ := s.lastLetter("d@example.kz")
	link := strings.TrimPrefix(m.Vars["link"], origin)
	before := s.state(number, ra.AwaitingDirector)
	for _, b := range []*browser{s.browser(), d} {
		for _, path := range []string{link, link + "/sign?number=" + number, link + "/reject?number=" + number, link + "/done", link + "?all=1", "/applications/" + number} {
			if p := b.get(path); p.status != 200 {
				t.Errorf("GET %s: %d", path, p.status)
			}
		}
	}
	if after := s.state(number, ra.AwaitingDirector); !after.Changed.Equal(before.Changed) || len(s.recorded(number, "application.confirmed")) != 0 {
		t.Error("looking changed something")
	}
}
