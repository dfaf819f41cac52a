package cabinet

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"senim/internal/ident"
	"senim/internal/lang"
	"senim/internal/pkitest"
	"senim/internal/ra"
	"senim/internal/trust"
	"senim/pki"
)

const (
	staffD, staffE, staffS, staffB = "009900001204", "009900001214", "009900001224", "009900001234"
)

// member issues a key of X or Y to somebody in a role.
func (s *site) member(iin, bin, cn string, role pki.Role) *pkitest.Leaf {
	h := person(cn, strings.Fields(cn)[0], "", iin, pki.RoleLegal, role)
	h.BIN, h.Organization = bin, "АО «ТЕСТ»"
	return s.ca.add(s.ca.Authority.Issue(pkitest.Spec{Holder: h}))
}

func (s *site) leads(bin, iin string) {
	s.registry[ident.BIN(bin)] = ra.HeadAnswer{Verdict: trust.Good, IIN: iin, Organization: "АО «ТЕСТ»", AsOf: s.now}
}

// account gives a person an account with a confirmed address.
func (s *site) account(iin string) {
	s.t.Helper()
	must(s.t, s.store.RA().Update(s.t.Context(), func(tx ra.Tx) error {
		return tx.PutAccount(s.t.Context(), ra.Account{IIN: iin, Email: "p" + iin[9:] + "@example.kz", Lang: lang.RU, ConfirmedAt: s.now, ConsentAt: s.now, Created: s.now, Changed: s.now})
	}))
}

// record is one audit record.
type record struct {
	action, object, result string
	detail                 map[string]string
}

func (s *site) query(query string, scan func(*sql.Rows) error, args ...any) {
	s.t.Helper()
	db, err := sql.Open("sqlite", s.file)
	must(s.t, err)
	defer db.Close()
	rows, err := db.QueryContext(s.t.Context(), query, args...)
	must(s.t, err)
	defer rows.Close()
	for rows.Next() {
		must(s.t, scan(rows))
	}
	must(s.t, rows.Err())
}

// audited reads the records of an action, oldest first.
func (s *site) audited(action string) (all []record) {
	s.t.Helper()
	s.query("select action, object, result, detail from audit where action = ? order by seq", func(r *sql.Rows) error {
		var one record
		var detail string
		if err := r.Scan(&one.action, &one.object, &one.result, &detail); err != nil {
			return err
		}
		all = append(all, one)
		return json.Unmarshal([]byte(detail), &all[len(all)-1].detail)
	}, action)
	return all
}

// written counts what was written, by number.
func (s *site) written(n string) (count int) {
	s.t.Helper()
	s.query("select count(*) from outbox where n = ?", func(r *sql.Rows) error { return r.Scan(&count) }, n)
	return count
}

// delegate lets the head in b delegate to a person through the pages.
func (b *browser) delegate(iin string, powers ...string) page {
	b.s.t.Helper()
	form := url.Values{"iin": {iin}, "from": {b.s.now.Format(time.DateOnly)}, "until": {b.s.now.AddDate(0, 1, 0).Format(time.DateOnly)}}
	for _, p := range powers {
		form.Set(p, "yes")
	}
	p := b.post("/delegation/new", form)
	if p.status != 200 {
		return p
	}
	return b.click(p.has(b.s.t, 200, "Подпишите делегирование"))
}

// living is the delegation that counts for a person now.
func (s *site) living(bin, iin, power string) (id string) {
	s.t.Helper()
	must(s.t, s.store.RA().View(s.t.Context(), func(tx ra.Tx) error {
		all, err := tx.OpenDelegationsTo(s.t.Context(), iin)
		for _, d := range all {
			if d.BIN == bin && d.Allows(power) && d.Living(s.now) {
				id = d.ID
			}
		}
		return err
	}))
	return id
}

// waiting puts an application of a person of X that waits for the head.
func (s *site) waiting(iin, role, signer string) string {
	s.t.Helper()
	a := ra.Application{Number: must1(s.t)(ra.NewNumber(s.now, 7)), Revision: 1, Kind: ra.Reissue, State: ra.AwaitingDirector, Role: role, SignerSerial: signer, Replaces: signer,
		Subject: ra.Subject{IIN: iin, BIN: binX, CommonName: "СЕРИКОВ ЕРЛАН"}, SignedHash: "hash", SignedAt: s.now, Created: s.now, Changed: s.now, Lang: lang.RU}
	must(s.t, s.store.RA().Update(s.t.Context(), func(tx ra.Tx) error { return tx.Put(s.t.Context(), a) }))
	return a.Number
}

func must1(t *testing.T) func(string, error) string {
	return func(v string, err error) string {
		t.Helper()
		must(t, err)
		return v
	}
}

func (s *site) application(number string) (a ra.Application) {
	s.t.Helper()
	must(s.t, s.store.RA().View(s.t.Context(), func(tx ra.Tx) (err error) {
		a, err = tx.Application(s.t.Context(), number)
		return err
	}))
	return a
}

// TestC14TemplateNeeded: the head enters the IIN of an employee who only holds an employee's key.
func TestC14TemplateNeeded(t *testing.T) {
	s := newSite(t)
	s.leads(binX, staffD)
	s.member(staffE, binX, "СЕРИКОВ ЕРЛАН", pki.RoleEmployee)
	s.member(staffE, binY, "СЕРИКОВ ЕРЛАН", pki.RoleSignRight) // of another company
	b := s.browser(s.head(staffD, binX))
	b.enter("")
	b.delegate(staffE, "confirm").has(t, 422, `data-code="DELEGATE_KEY_NEEDED"`, "Сотрудник с правом подписи")
	if s.living(binX, staffE, "confirm") != "" || len(s.audited("delegation.made")) != 0 {
		t.Error("it was written all the same")
	}

	key := s.member(staffE, binX, "СЕРИКОВ ЕРЛАН", pki.RoleSignRight)
	for _, c := range []struct {
		name, want string
		change     func(url.Values)
	}{
		{"no power", "Выберите хотя бы одно право", func(v url.Values) { v.Del("confirm") }},
		{"wrong IIN", "12 цифр", func(v url.Values) { v.Set("iin", "123456789010") }},
		{"longer than a year", "не дольше года", func(v url.Values) { v.Set("until", "2027-09-02") }},
		{"over before it begins", "не дольше года", func(v url.Values) { v.Set("until", "2026-08-31") }},
		{"begins in the past", "не дольше года", func(v url.Values) { v.Set("from", "2026-08-30") }},
		{"no date", "Укажите дату", func(v url.Values) { v.Set("from", "yesterday") }},
		{"himself", "самому себе", func(v url.Values) { v.Set("iin", staffD) }},
	} {
		form := url.Values{"iin": {staffE}, "from": {"2026-09-01"}, "until": {"2027-08-31"}, "confirm": {"yes"}}
		c.change(form)
		if p := b.post("/delegation/new", form); p.status != 422 || !strings.Contains(text(p.body), c.want) {
			t.Errorf("%s: %d, %s", c.name, p.status, text(p.body))
		}
	}
	_, err := s.ca.Revoke(t.Context(), key.Certificate.SerialHex(), "keyCompromise", time.Time{}, "")
	must(t, err)
	b.delegate(staffE, "confirm").has(t, 422, `data-code="DELEGATE_KEY_NEEDED"`)
}

// TestC13GivenBySignature: D delegates to S by his signature; S's confirmation counts and names the
// delegation. S may not give it on, and may not end it.
func TestC13GivenBySignature(t *testing.T) {
	s := newSite(t)
	s.leads(binX, staffD)
	s.account(staffS)
	s.account(staffD)
	sKey := s.member(staffS, binX, "САДЫКОВА САУЛЕ", pki.RoleSignRight)
	d := s.browser(s.head(staffD, binX))
	d.click(d.get("/signin")).has(t, 200, "Мои ключи")
	d.get("/delegation").has(t, 200, "Пока права никому не переданы")
	d.delegate(staffS, "confirm").has(t, 200, "Права переданы", "САДЫКОВА САУЛЕ может действовать вместо вас")
	id := s.living(binX, staffS, "confirm")
	if id == "" || s.living(binX, staffS, "revoke") != "" || s.written("N-26") != 2 {
		t.Fatalf("living %q, letters %d", id, s.written("N-26"))
	}
	if made := s.audited("delegation.made"); len(made) != 1 || made[0].object != "delegation "+id || made[0].detail["powers"] != "confirm" || made[0].detail["hash"] == "" {
		t.Errorf("recorded %+v", made)
	}
	d.get("/delegation").has(t, 200, "САДЫКОВА САУЛЕ", "Действует", "подтверждать заявки сотрудников", "с 01.09.2026 по 01.10.2026")

	a := s.application(s.waiting(staffE, ra.RoleEmployee, "x"))
	must(t, a.Confirm(ra.Confirmer{IIN: staffS, BIN: binX, Serial: sKey.Certificate.SerialHex(), Role: ra.RoleSignRight, Delegation: id}, 1, "hash", "signed", s.now))
	if a.State != ra.Approved || a.Approvals[0].Delegation != id {
		t.Errorf("%s, %+v", a.State, a.Approvals)
	}

	sb := s.browser(sKey)
	sb.click(sb.get("/signin")).has(t, 200)
	sb.get("/delegation").has(t, 422, `data-code="HEAD_ONLY"`, "Это может сделать только первый руководитель организации")
	sb.delegate(staffE, "confirm").has(t, 422, `data-code="HEAD_ONLY"`)
	sb.get("/delegation/"+id+"/end").has(t, 422, `data-code="HEAD_ONLY"`)
	y := s.browser(s.head("009900001244", binY))
	s.leads(binY, "009900001244")
	y.enter("")
	y.get("/delegation/"+id+"/end").has(t, 404, `data-code="DELEGATION_UNKNOWN"`)

	end := d.get("/delegation/"+id+"/end").has(t, 200, "Прекратить делегирование")
	to, call, form := end.agent(t)
	form.Set("answer", d.ask(strings.ReplaceAll(call, `act=\"end\"`, `act=\"give\"`)))
	d.post(to, form).has(t, 422, `data-code="SIGNATURE_INVALID"`)
	d.click(d.get("/delegation/"+id+"/end")).has(t, 200, "Делегирование прекращено")
	one, err := s.office.Delegation(t.Context(), d.keys[0].Certificate.Holder(), id)
	must(t, err)
	form.Set("answer", answered(t, d.keys[0], d.under(purposeDelegate, s.office.EndDocument(one))))
	d.post(to, form).has(t, 422, `data-code="DELEGATION_ENDED"`)
	d.get("/delegation").has(t, 200, "Прекращено руководителем 01.09.2026")
	if ended := s.audited("delegation.ended"); s.living(binX, staffS, "confirm") != "" || len(ended) != 1 || ended[0].detail["reason"] != "withdrawn" || s.written("N-26.ended") != 2 {
		t.Errorf("ended %+v, letters %d", ended, s.written("N-26.ended"))
	}
}

// TestC15DelegateNotForHimself: S may not confirm his own application, whatever was delegated; D may.
func TestC15DelegateNotForHimself(t *testing.T) {
	s := newSite(t)
	s.leads(binX, staffD)
	key := s.member(staffS, binX, "САДЫКОВА САУЛЕ", pki.RoleSignRight)
	d := s.browser(s.head(staffD, binX))
	d.enter("")
	d.delegate(staffS, "confirm", "revoke").has(t, 200, "Права переданы")
	a := s.application(s.waiting(staffS, ra.RoleSignRight, key.Certificate.SerialHex()))
	err := a.Confirm(ra.Confirmer{IIN: staffS, BIN: binX, Role: ra.RoleSignRight, Delegation: s.living(binX, staffS, "confirm")}, 1, "hash", "signed", s.now)
	if no, ok := errors.AsType[*ra.Refusal](err); !ok || no.Code != "SELF_CONFIRM" {
		t.Errorf("%v", err)
	}
	must(t, a.Confirm(ra.Confirmer{IIN: staffD, BIN: binX, Role: ra.RoleHead, Leader: true}, 1, "hash", "signed", s.now))
}

// A delegation counts only while its holder's key is valid and its head heads, at once, and what ended it
// is written down.
func TestDelegationEndsWithItsKey(t *testing.T) {
	s := newSite(t)
	s.leads(binX, staffD)
	key := s.member(staffS, binX, "САДЫКОВА САУЛЕ", pki.RoleSignRight)
	e := s.member(staffE, binX, "СЕРИКОВ ЕРЛАН", pki.RoleEmployee)
	d := s.browser(s.head(staffD, binX))
	d.enter("")
	d.delegate(staffS, "revoke").has(t, 200, "Права переданы")
	may := func() error {
		_, _, err := s.office.Revocable(t.Context(), key.Certificate.Holder(), e.Certificate.SerialHex())
		return err
	}
	must(t, may())
	s.leads(binX, staffB)
	if may() == nil {
		t.Error("the head who gave it heads no more")
	}
	s.leads(binX, staffD)
	s.registry[binX] = ra.HeadAnswer{}
	if no, ok := errors.AsType[*ra.Refusal](may()); !ok || no.Code != "CHECK_UNAVAILABLE" {
		t.Error("a silent registry lets a delegate act")
	}
	s.leads(binX, staffD)
	_, err := s.ca.Revoke(t.Context(), key.Certificate.SerialHex(), "keyCompromise", time.Time{}, "")
	must(t, err)
	if may() == nil {
		t.Error("the holder's key is revoked")
	}
	must(t, s.office.KeyRevoked(t.Context(), key.Certificate.SerialHex()))
	if ended := s.audited("delegation.ended"); len(ended) != 1 || ended[0].detail["reason"] != "key" {
		t.Errorf("%+v", ended)
	}
	s.member(staffS, binX, "САДЫКОВА САУЛЕ", pki.RoleSignRight)
	d.delegate(staffS, "revoke").has(t, 200, "Права переданы")
	must(t, may())
	s.now = s.now.AddDate(0, 1, 1)
	must(t, s.office.Sweep(t.Context()))
	if ended := s.audited("delegation.ended"); len(ended) != 2 || ended[1].detail["reason"] != "term" || may() == nil {
		t.Errorf("%+v", ended)
	}
}

// TestC11HRMayNotRevoke: V6. The attempt is in the audit record.
func TestC11HRMayNotRevoke(t *testing.T) {
	s := newSite(t)
	s.leads(binX, staffD)
	victim := s.member(staffE, binX, "СЕРИКОВ ЕРЛАН", pki.RoleEmployee).Certificate.SerialHex()
	b := s.browser(s.member(staffS, binX, "КАДРОВА АЛИЯ", pki.RoleHR))
	b.enter("")
	b.get("/keys/revoke?serial="+victim).has(t, 422, `data-code="ROLE_CANNOT_CONFIRM"`)
	b.post("/keys/revoke", url.Values{"serial": {victim}, "reason": {"affiliationChanged"}}).has(t, 422, `data-code="ROLE_CANNOT_CONFIRM"`)
	b.get("/company").has(t, 422, `data-code="COMPANY_ONLY"`)
	b.get("/company/dismiss?serial="+victim).has(t, 422, `data-code="HEAD_ONLY"`)
	if all := s.audited("cert.revocation.asked"); len(all) != 1 || all[0].result != "ROLE_CANNOT_CONFIRM" || all[0].object != victim {
		t.Errorf("recorded %+v", all)
	}
	b.post("/keys/revoke", url.Values{"serial": {"123456789012"}, "reason": {"123456789012"}}).has(t, 404, `data-code="KEY_UNKNOWN"`)
	if all := s.audited("cert.revocation.asked"); len(all) != 2 || all[1].object != "unknown" {
		t.Errorf("what was typed is recorded: %+v", all)
	}
	if k, _ := s.ca.Key(t.Context(), victim); !k.RevokedAt.IsZero() {
		t.Error("revoked")
	}
	_, err := s.office.Revoke(t.Context(), b.keys[0].Certificate, ra.Revocation{Serial: victim, Reason: "affiliationChanged"})
	if no, ok := errors.AsType[*ra.Refusal](err); !ok || no.Code != "ROLE_CANNOT_CONFIRM" {
		t.Errorf("signed all the same: %v", err)
	}
}

// TestC02OldKeyRevokedOnOffer: the old key is revoked as superseded, OCSP says so at once, the new one lives.
func TestC02OldKeyRevokedOnOffer(t *testing.T) {
	s := newSite(t)
	old, other := s.personal(staffS), s.personal(staffS)
	b := s.browser(other)
	b.enter("")
	serial := old.Certificate.SerialHex()
	p := b.post("/keys/revoke", url.Values{"serial": {serial}, "reason": {"superseded"}})
	b.click(p.has(t, 200, "Подпишите отзыв", "Больше нельзя будет этими ключами")).has(t, 200, "Ключ отозван")
	k, err := s.ca.Key(t.Context(), serial)
	must(t, err)
	if k.Reason != "superseded" || s.ca.Status(t.Context(), old.Certificate, nil, s.now).State != trust.StateRevoked ||
		s.ca.Status(t.Context(), other.Certificate, nil, s.now).State != trust.StateGood {
		t.Errorf("%+v", k)
	}
	if done := s.audited("cert.revocation.done"); len(done) != 1 || done[0].object != serial || done[0].detail["reason"] != "superseded" {
		t.Errorf("recorded %+v", done)
	}
}

// TestC33SecondRevocation: the second answer is the first date.
func TestC33SecondRevocation(t *testing.T) {
	s := newSite(t)
	key := s.personal(staffS)
	b := s.browser(s.personal(staffS))
	b.enter("")
	serial := key.Certificate.SerialHex()
	first := b.post("/keys/revoke", url.Values{"serial": {serial}, "reason": {"keyCompromise"}, "since": {"2026-08-20"}})
	b.click(first.has(t, 200, "20.08.2026")).has(t, 200, "Ключ отозван")
	s.now = s.now.Add(10 * time.Minute)
	b.post("/keys/revoke", url.Values{"serial": {serial}, "reason": {"superseded"}}).has(t, 422, `data-code="ALREADY_REVOKED"`, "01.09.2026 15:00")
	at, err := s.office.Revoke(t.Context(), b.keys[0].Certificate, ra.Revocation{Serial: serial, Reason: "superseded"})
	if err != nil || !at.Equal(s.now.Add(-10*time.Minute)) {
		t.Errorf("%v, %v", at, err)
	}
	if done := s.audited("cert.revocation.done"); len(done) != 1 {
		t.Errorf("a second revocation was recorded as done: %+v", done)
	}
}

// Who may choose which reason (cabinet.md §11), by who asks.
func TestRevocationReasons(t *testing.T) {
	s := newSite(t)
	s.leads(binX, staffD)
	sKey := s.member(staffS, binX, "САДЫКОВА САУЛЕ", pki.RoleSignRight)
	e := s.member(staffE, binX, "СЕРИКОВ ЕРЛАН", pki.RoleEmployee)
	head := s.head(staffD, binX)
	d := s.browser(head)
	d.enter("")
	d.delegate(staffS, "revoke").has(t, 200)
	owner := s.browser(s.personal(staffE)) // V2: a personal key revokes the key of the organisation
	owner.enter("")
	delegate := s.browser(sKey)
	delegate.enter("")
	all := []string{"superseded", "keyCompromise", "affiliationChanged", "cessationOfOperation", "certificateHold", "unspecified"}
	for _, c := range []struct {
		name string
		b    *browser
		may  []string
	}{
		{"owner", owner, []string{"superseded", "keyCompromise", "cessationOfOperation", "certificateHold", "unspecified"}},
		{"head", d, []string{"affiliationChanged", "keyCompromise", "cessationOfOperation", "certificateHold", "unspecified"}},
		{"delegate", delegate, []string{"affiliationChanged", "unspecified"}},
	} {
		p := c.b.get("/keys/revoke?serial=" + e.Certificate.SerialHex())
		for _, reason := range all {
			if strings.Contains(p.body, `value="`+reason+`"`) != slices.Contains(c.may, reason) {
				t.Errorf("%s, %s: offered or not, the other way round", c.name, reason)
			}
			signer := c.b.keys[0].Certificate
			v := ra.Revocation{Serial: e.Certificate.SerialHex(), Reason: reason, Since: s.now.AddDate(0, 0, 1), Text: "x"}
			_, err := s.office.Revoke(t.Context(), signer, v) // a day in the future: refused, after the reason was looked at
			want := "REASON_INVALID"
			if slices.Contains(c.may, reason) {
				want = "DATE_FUTURE"
			}
			if no, ok := errors.AsType[*ra.Refusal](err); !ok || no.Code != want {
				t.Errorf("%s, %s: %v, want %s", c.name, reason, err, want)
			}
		}
	}
	delegate.get("/keys/revoke?serial="+head.Certificate.SerialHex()).has(t, 422, `data-code="ROLE_CANNOT_CONFIRM"`)
	s.account(staffD)
	s.account(staffE)
	someone := s.folk[staffE]
	someone.phone = "+77010000012"
	s.folk[staffE] = someone
	p := delegate.click(delegate.post("/keys/revoke", url.Values{"serial": {e.Certificate.SerialHex()}, "reason": {"affiliationChanged"}}))
	p.has(t, 200, "Ключ отозван")
	if s.written("N-14") != 3 {
		t.Errorf("%d messages, want one letter each to owner and head and one SMS", s.written("N-14"))
	}
	must(t, s.office.KeyRevoked(t.Context(), e.Certificate.SerialHex()))
	if s.written("N-14") != 3 {
		t.Error("told twice")
	}
}

// TestC32HeadChanges: delegations end, what waits is rejected, the new head is offered the keys, once.
func TestC32HeadChanges(t *testing.T) {
	s := newSite(t)
	s.leads(binX, staffD)
	for _, iin := range []string{staffD, staffE, staffS, staffB} {
		s.account(iin)
	}
	dX, dY, dPersonal := s.head(staffD, binX), s.head(staffD, binY), s.personal(staffD)
	s.member(staffS, binX, "САДЫКОВА САУЛЕ", pki.RoleSignRight)
	d := s.browser(dX)
	d.click(d.get("/signin")).has(t, 200)
	d.delegate(staffS, "confirm", "revoke").has(t, 200, "Права переданы")
	s.waiting(staffE, ra.RoleEmployee, "x")

	must(t, s.office.HeadChanged(t.Context(), binX, "1")) // a change that left D head: nothing of his ends
	if s.living(binX, staffS, "confirm") == "" {
		t.Error("ended although the head is the same")
	}
	number := s.waiting(staffE, ra.RoleEmployee, "x")
	s.registry[binX] = ra.HeadAnswer{}
	if s.office.HeadChanged(t.Context(), binX, "2") == nil {
		t.Error("followed while the registry is silent")
	}
	s.leads(binX, staffB)
	for range 2 { // a job may run again
		must(t, s.office.HeadChanged(t.Context(), binX, "2"))
	}
	if s.living(binX, staffS, "confirm") != "" {
		t.Error("the delegation lives")
	}
	if a := s.application(number); a.State != ra.Rejected || a.Reason.Code != "HEAD_CHANGED" {
		t.Errorf("%s %s", a.State, a.Reason.Code)
	}
	ended, offered := s.audited("delegation.ended"), s.audited("head_change.offered")
	if len(ended) != 1 || ended[0].detail["reason"] != "head-changed" || len(offered) != 1 || offered[0].detail["keys"] != "1" {
		t.Errorf("recorded %+v, %+v", ended, offered)
	}
	if s.written("N-26.ended") != 2 || s.written("N-23") != 1 || s.written("N-11") == 0 {
		t.Errorf("letters %d %d %d", s.written("N-26.ended"), s.written("N-23"), s.written("N-11"))
	}
	d.get("/delegation").has(t, 422, `data-code="HEAD_NOT_IN_REGISTRY"`)
	d.get("/company").has(t, 422, `data-code="HEAD_NOT_IN_REGISTRY"`)

	b := s.browser(s.head(staffB, binX))
	b.click(b.get("/signin")).has(t, 200)
	p := b.get("/keys").has(t, 200, "Ключи прежнего руководителя: 1", dX.Certificate.SerialHex())
	for _, other := range []*pkitest.Leaf{dY, dPersonal} {
		if strings.Contains(p.body, other.Certificate.SerialHex()) {
			t.Error("a key that is none of B's business is offered")
		}
		b.get("/keys/revoke?serial="+other.Certificate.SerialHex()).has(t, 404, `data-code="KEY_UNKNOWN"`)
	}

	// The setting that revokes them: only the head's keys of X, and nothing when the head is unknown.
	must(t, s.office.RevokePrevious(t.Context(), ra.CompanyTask{BIN: binX}))
	for _, c := range []struct {
		leaf    *pkitest.Leaf
		revoked bool
	}{{dX, true}, {dY, false}, {dPersonal, false}, {b.keys[0], false}} {
		if k, _ := s.ca.Key(t.Context(), c.leaf.Certificate.SerialHex()); k.RevokedAt.IsZero() == c.revoked || c.revoked && k.Reason != "affiliationChanged" {
			t.Errorf("%s %s: %+v", k.IIN, k.BIN, k)
		}
	}
}

// The end of an organisation closes what is open in it.
func TestEntityEnds(t *testing.T) {
	s := newSite(t)
	s.leads(binX, staffD)
	s.account(staffE)
	key := s.member(staffS, binX, "САДЫКОВА САУЛЕ", pki.RoleSignRight)
	d := s.browser(s.head(staffD, binX))
	d.enter("")
	d.delegate(staffS, "confirm").has(t, 200)
	number := s.waiting(staffE, ra.RoleEmployee, "x")
	s.registry[binX] = ra.HeadAnswer{Verdict: trust.Bad, Code: "ENTERPRISE_LIQUIDATED"}
	must(t, s.office.EntityEnded(t.Context(), binX, "3"))
	if a := s.application(number); a.State != ra.Rejected || a.Reason.Code != "ORGANISATION_ENDED" || s.living(binX, staffS, "confirm") != "" || s.written("N-11") != 1 {
		t.Errorf("%s %s", a.State, a.Reason.Code)
	}
	for _, k := range []*pkitest.Leaf{key, d.keys[0]} {
		if why := keyOf(k.Certificate).Ended(s.registry[binX], false); why != "liquidated" {
			t.Errorf("reminders: %q", why)
		}
	}
	s.registry[binX] = ra.HeadAnswer{}
	if why := keyOf(key.Certificate).Ended(s.registry[binX], false); why != "" {
		t.Errorf("a silent registry ends reminders: %q", why)
	}
}

// One signature of the head: the mark, the keys of this company, what waits, what was delegated.
func TestDismissal(t *testing.T) {
	s := newSite(t)
	s.leads(binX, staffD)
	s.account(staffE)
	one, two := s.member(staffE, binX, "СЕРИКОВ ЕРЛАН", pki.RoleSignRight), s.member(staffE, binX, "СЕРИКОВ ЕРЛАН", pki.RoleEmployee)
	other, personal := s.member(staffE, binY, "СЕРИКОВ ЕРЛАН", pki.RoleEmployee), s.personal(staffE)
	head := s.head(staffD, binX)
	d := s.browser(head)
	d.enter("")
	d.delegate(staffE, "confirm").has(t, 200)
	number := s.waiting(staffE, ra.RoleEmployee, two.Certificate.SerialHex())
	serial := two.Certificate.SerialHex()
	d.get("/company").has(t, 200, "Ключей: 3", "СЕРИКОВ ЕРЛАН", "Истекает", ra.FormatNumber(number), "Напомним", "нет e-mail", "/company/dismiss?serial="+serial)
	d.get("/company/dismiss?serial="+head.Certificate.SerialHex()).has(t, 422, `data-code="DISMISS_SELF"`)
	for _, foreign := range []*pkitest.Leaf{other, personal} {
		d.get("/company/dismiss?serial="+foreign.Certificate.SerialHex()).has(t, 404, `data-code="KEY_UNKNOWN"`)
	}
	p := d.get("/company/dismiss?serial="+serial).has(t, 200, "все его ключи этой организации: 2", "Больше нельзя будет этими ключами", "подписать", one.Certificate.SerialHex())
	to, call, form := p.agent(t)
	form.Set("answer", d.ask(strings.Replace(call, serial, personal.Certificate.SerialHex(), 1)))
	d.post(to, form).has(t, 422, `data-code="SIGNATURE_INVALID"`)
	thief := s.browser(one)
	_, call, _ = d.get("/company/dismiss?serial=" + serial).agent(t)
	form.Set("answer", thief.ask(strings.ReplaceAll(call, `"iin":"`+staffD+`"`, `"iin":""`)))
	d.post(to, form).has(t, 422, `data-code="HEAD_ONLY"`)
	if gone, err := s.office.Dismissed(t.Context(), binX, staffE); gone || err != nil {
		t.Fatal("dismissed by a signature that is not the head's", err)
	}
	d.click(d.get("/company/dismiss?serial="+serial)).has(t, 200, "Сотрудник отмечен как уволенный", "отозвано ключей: 2")
	for _, c := range []struct {
		leaf    *pkitest.Leaf
		revoked bool
	}{{one, true}, {two, true}, {other, false}, {personal, false}, {head, false}} {
		if k, _ := s.ca.Key(t.Context(), c.leaf.Certificate.SerialHex()); k.RevokedAt.IsZero() == c.revoked || c.revoked && k.Reason != "affiliationChanged" {
			t.Errorf("%s %s: %+v", k.IIN, k.BIN, k)
		}
	}
	if a := s.application(number); a.State != ra.Rejected || a.Reason.Code != "NOT_EMPLOYED" {
		t.Errorf("%s %s", a.State, a.Reason.Code)
	}
	if ended := s.audited("delegation.ended"); len(ended) != 1 || ended[0].detail["reason"] != "dismissed" || len(s.audited("employee.dismissed")) != 1 ||
		len(s.audited("cert.revocation.asked")) != 2 || len(s.audited("cert.revocation.done")) != 2 || s.written("N-14") != 2 || s.written("N-11") != 1 {
		t.Errorf("recorded %+v; letters %d, %d", ended, s.written("N-14"), s.written("N-11"))
	}
	k := keyOf(two.Certificate)
	gone, err := s.office.DismissedAmong(t.Context(), []string{k.IIN})
	if why := k.Ended(s.registry[binX], gone[ra.Post{BIN: k.BIN, IIN: k.IIN}]); why != "dismissed" || err != nil {
		t.Errorf("reminders: %q, %v", why, err)
	}
	must(t, s.office.RevokeAll(t.Context(), ra.RevokeTask{Serials: []string{serial}, Reason: "affiliationChanged", By: "x"})) // the job, later
	if len(s.audited("cert.revocation.done")) != 2 {
		t.Error("revoked twice")
	}

	// L3: no key of X any more, until he is hired again.
	left := s.member(staffE, binX, "СЕРИКОВ ЕРЛАН", pki.RoleEmployee) // issued meanwhile
	e := s.browser(left)
	e.click(e.get("/signin")).has(t, 200)
	e.post("/keys/reissue", url.Values{"email": {"p@example.kz"}, "city": {"Алматы"}, "storage": {"PKCS12"}}).has(t, 422, `data-code="NOT_EMPLOYED"`)
	back := regexp.MustCompile(`/company/return/[0-9a-f]{32}`).FindString(d.get("/company").has(t, 200, "Уволенные: 1").body)
	e.get(back).has(t, 422, `data-code="HEAD_ONLY"`)
	d.click(d.get(back).has(t, 200, "снова принят на работу")).has(t, 200, "Отметка снята")
	d.get(back).has(t, 404, `data-code="DISMISSAL_UNKNOWN"`)
	e.post("/keys/reissue", url.Values{"email": {"p@example.kz"}, "city": {"Алматы"}, "storage": {"PKCS12"}}).has(t, 200, "Шаг 2 из 5")
	if len(s.audited("employee.returned")) != 1 {
		t.Error("the return is not recorded")
	}
}

// A long list has pages, filters and an order; a delegate sees what he may do and no more.
func TestCompanyPage(t *testing.T) {
	s := newSite(t)
	s.leads(binX, staffD)
	head := s.head(staffD, binX)
	first := s.ca.add(s.ca.Authority.Issue(pkitest.Spec{Holder: pki.Holder{CommonName: "РАНЬШЕ ВСЕХ", Surname: "РАНЬШЕ", IIN: staffE, BIN: binX, Organization: "АО «ТЕСТ»", Country: "KZ",
		Roles: []pki.Role{pki.RoleLegal, pki.RoleEmployee}}, NotBefore: s.now.AddDate(0, -2, 0), NotAfter: s.now.AddDate(0, 0, 12).Add(-time.Hour)})) // by days of the calendar, as letters count
	for i := range ra.StaffPage {
		s.member(fmt.Sprintf("0099001%05d", i), binX, fmt.Sprintf("РАБОТНИК %d", i), pki.RoleFinance)
	}
	sKey := s.member(staffS, binX, "САДЫКОВА САУЛЕ", pki.RoleSignRight)
	d := s.browser(head)
	d.enter("")
	p := d.get("/company").has(t, 200, "Ключей: 53", "Страница 1 из 2", "РАНЬШЕ ВСЕХ", "осталось 12 дней", "<svg", "09.2026")
	if strings.Index(p.body, "РАНЬШЕ ВСЕХ") > strings.Index(p.body, "РАБОТНИК") {
		t.Error("the key that ends first is not on top")
	}
	if strings.Contains(p.body, staffE) {
		t.Error("numbers of people stand in a list that does not need them")
	}
	p2 := d.get("/company?page=2").has(t, 200, "Страница 2 из 2")
	if n := strings.Count(p.body, "/keys/revoke?serial=") + strings.Count(p2.body, "/keys/revoke?serial="); n != 53 {
		t.Errorf("%d keys on both pages", n)
	}
	d.get("/company?state=soon").has(t, 200, "Ключей: 1", "РАНЬШЕ ВСЕХ")
	d.get("/company?role=head&page=9").has(t, 200, "Ключей: 1", "СЕРИКОВА")
	d.get("/company?state=ended").has(t, 200, "Таких ключей нет")
	d.get("/company?state=nonsense&role=nonsense&page=-1").has(t, 200, "Ключей: 53")

	sb := s.browser(sKey)
	sb.enter("")
	sb.get("/company").has(t, 422, `data-code="COMPANY_ONLY"`)
	d.delegate(staffS, "confirm").has(t, 200)
	p = sb.get("/company?state=soon").has(t, 200, "Вы действуете вместо руководителя", "РАНЬШЕ ВСЕХ")
	if strings.Contains(p.body, "/keys/revoke?serial=") || strings.Contains(p.body, "/company/dismiss") {
		t.Error("offers what was not delegated")
	}
	sb.get("/keys/revoke?serial="+first.Certificate.SerialHex()).has(t, 422, `data-code="ROLE_CANNOT_CONFIRM"`)
	d.delegate(staffS, "revoke").has(t, 200)
	p = sb.get("/company?state=soon").has(t, 200, "/keys/revoke?serial="+first.Certificate.SerialHex())
	if strings.Contains(p.body, "/company/dismiss") {
		t.Error("dismissal is the head's")
	}
	sb.get("/company/dismiss?serial="+first.Certificate.SerialHex()).has(t, 422, `data-code="HEAD_ONLY"`)
	s.browser().get("/company").has(t, 200, "Вход")
}

// Every page about people in every language: no text is missing, no {name} left.
func TestStaffPagesInEveryLanguage(t *testing.T) {
	for _, tag := range []string{"kk", "ru", "en"} {
		t.Run(tag, func(t *testing.T) {
			s := newSite(t)
			s.leads(binX, staffD)
			s.member(staffS, binX, "САДЫКОВА САУЛЕ", pki.RoleSignRight)
			key := s.member(staffE, binX, "СЕРИКОВ ЕРЛАН", pki.RoleEmployee)
			d := s.browser(s.head(staffD, binX))
			d.enter("")
			d.lang = tag
			look := func(p page) page {
				t.Helper()
				if m := missing.FindString(p.body); m != "" || p.status >= 500 {
					t.Errorf("%d %s: %s", p.status, p.path, m)
				}
				return p
			}
			look(d.get("/delegation"))
			look(d.get("/delegation/new"))
			look(d.post("/delegation/new", url.Values{"from": {"x"}}))
			for _, iin := range []string{staffE, staffD, "1"} {
				look(d.post("/delegation/new", url.Values{"iin": {iin}, "from": {"2026-09-01"}, "until": {"2026-10-01"}, "confirm": {"yes"}}))
			}
			look(d.click(look(d.post("/delegation/new", url.Values{"iin": {staffS}, "from": {"2026-09-02"}, "until": {"2026-10-01"}, "confirm": {"yes"}, "revoke": {"yes"}}))))
			list := look(d.get("/delegation"))
			look(d.click(look(d.get(regexp.MustCompile(`/delegation/[0-9a-f]{32}/end`).FindString(list.body)))))
			look(d.get("/delegation"))
			look(d.get("/delegation/none/end"))
			look(d.get("/company?state=all"))
			look(d.click(look(d.get("/company/dismiss?serial=" + key.Certificate.SerialHex()))))
			look(d.get("/company/dismiss?serial=" + key.Certificate.SerialHex()))
			back := regexp.MustCompile(`/company/return/[0-9a-f]{32}`).FindString(look(d.get("/company")).body)
			look(d.click(look(d.get(back))))
			look(d.get(back))
			e := s.browser(s.member(staffE, binX, "СЕРИКОВ ЕРЛАН", pki.RoleEmployee))
			e.enter("")
			e.lang = tag
			look(e.get("/company"))
			look(e.get("/delegation"))
		})
	}
}
