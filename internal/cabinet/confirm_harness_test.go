package cabinet

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"senim/internal/audit"
	"senim/internal/auth"
	"senim/internal/notice"
	"senim/internal/pkitest"
	"senim/internal/ra"
	"senim/internal/store"
	"senim/internal/trust"
	"senim/pki"
)

var legalRoles = map[string]pki.Role{ra.RoleHead: pki.RoleFirstHead, ra.RoleSignRight: pki.RoleSignRight, ra.RoleFinance: pki.RoleFinance,
	ra.RoleHR: pki.RoleHR, ra.RoleEmployee: pki.RoleEmployee}

// The cast of cabinet.md: D heads X, E works there, S may be his delegate, Z heads Y.
const (
	iinD, iinE, iinS, iinZ = "123456789011", "123456789012", "009900000008", "009900000909"
	docFormat              = `<decision version="1"><act>%s</act><iin>%s</iin><bin>%s</bin><applications>%s</applications><reason>%s</reason><time>%s</time><origin>` + origin + `</origin></decision>`
)

// company is a site where D heads X and Z heads Y, and the register of persons knows everybody.
func company(t *testing.T) *site {
	t.Helper()
	s := newSite(t)
	s.registry[binX] = ra.HeadAnswer{Verdict: trust.Good, IIN: iinD, Organization: "АО «ТЕСТ»", AsOf: s.now}
	s.registry[binY] = ra.HeadAnswer{Verdict: trust.Good, IIN: iinZ, Organization: "ТОО «ДОСТЫК»", AsOf: s.now}
	known := s.folk[""]
	known.PersonAnswer = ra.PersonAnswer{Verdict: trust.Good, Surname: "СЕРИКОВА", Name: "АЙГУЛЬ", Patronymic: "БОЛАТОВНА", AsOf: s.now}
	s.folk[iinE], s.folk[iinS], s.folk[iinD] = known, known, known
	return s
}

// staff issues a key of X in a role.
func (s *site) staff(iin string, role pki.Role) *pkitest.Leaf {
	return s.staffFrom(iin, role, time.Time{})
}

// staffFrom issues one that began, and will end a year after, another day than usual.
func (s *site) staffFrom(iin string, role pki.Role, from time.Time) *pkitest.Leaf {
	h := person("СЕРИКОВА АЙГУЛЬ", "СЕРИКОВА", "БОЛАТОВНА", iin, pki.RoleLegal, role)
	h.BIN, h.Organization = binX, "АО «ТЕСТ»"
	return s.ca.add(s.ca.Authority.Issue(pkitest.Spec{Holder: h, NotBefore: from}))
}

// enters signs in with keys, the first of them, and has a confirmed address.
func (s *site) enters(email string, keys ...*pkitest.Leaf) *browser {
	s.t.Helper()
	b := s.browser(keys...)
	b.enter(email)
	must(s.t, s.store.RA().Update(s.t.Context(), func(tx ra.Tx) error {
		a, err := tx.Account(s.t.Context(), keys[0].Certificate.Holder().IIN)
		if err != nil {
			return err
		}
		a.ConfirmedAt = s.now
		return tx.PutAccount(s.t.Context(), a)
	}))
	return b
}

// again signs in once more, after time has passed.
func (b *browser) again() *browser {
	b.s.t.Helper()
	b.click(b.get("/signin"))
	return b
}

// applies brings an employee's application through its pages to its signature and gives its number.
func (b *browser) applies(role string) string {
	b.s.t.Helper()
	b.post("/apply/legal/employee", url.Values{"bin": {binX}}).has(b.s.t, 200, "АО «ТЕСТ»", "ИИН принадлежит вам")
	p := b.post("/apply/legal/employee/data", url.Values{"bin": {binX}, "role": {role}, "email": {"e@example.kz"}, "city": {"Алматы"}, "storage": {"PKCS12"}})
	return b.signs(p)
}

// signs makes the keys of a draft and signs it.
func (b *browser) signs(draft page) string {
	b.s.t.Helper()
	p := b.click(b.click(draft.has(b.s.t, 200, "Шаг 2 из 5")).has(b.s.t, 200, "Шаг 3 из 5"))
	m := numberIn.FindStringSubmatch(p.path)
	if m == nil {
		b.s.t.Fatalf("%s is no application:\n%s", p.path, text(p.body))
	}
	return m[1]
}

// app reads an application from the store; state fails the test when it stands elsewhere.
func (s *site) app(number string) (a ra.Application) {
	s.t.Helper()
	must(s.t, s.store.RA().View(s.t.Context(), func(tx ra.Tx) (err error) {
		a, err = tx.Application(s.t.Context(), number)
		return err
	}))
	return a
}

func (s *site) state(number string, want ra.State) ra.Application {
	s.t.Helper()
	a := s.app(number)
	if a.State != want {
		s.t.Fatalf("%s is %s, want %s", number, a.State, want)
	}
	return a
}

// choice is an application as a decision names it.
func choice(a ra.Application) string {
	return fmt.Sprintf("<application><number>%s</number><revision>%d</revision><sha256>%s</sha256></application>", a.Number, a.Revision, a.SignedHash)
}

// decision is the document written by hand, for posts no page would make.
func (s *site) decision(act, iin, bin, reason string, apps ...ra.Application) string {
	all := ""
	for _, a := range apps {
		all += choice(a)
	}
	return fmt.Sprintf(docFormat, act, iin, bin, all, reason, s.now.UTC().Format(time.RFC3339))
}

// challenge opens the challenge of a document in a browser's session, as its page does.
func (s *site) challenge(b *browser, purpose, document string) auth.Challenge {
	s.t.Helper()
	at, err := url.Parse(s.server.URL)
	must(s.t, err)
	for _, c := range b.c.Jar.Cookies(at) {
		if ch, err := s.desk.AskAbout(s.t.Context(), c.Value, purpose, document); err == nil {
			return ch
		}
	}
	s.t.Fatal("the browser has no session")
	return auth.Challenge{}
}

// under is a document with the challenge opened for it.
func (b *browser) under(purpose, document string) string {
	b.s.t.Helper()
	return b.s.challenge(b, purpose, document).In(document)
}

// posts signs a document with a key, under a challenge of its own, and posts it past the pages.
func (b *browser) posts(key *pkitest.Leaf, document string) page {
	b.s.t.Helper()
	document = b.under(purposeDecide, document)
	answer, err := json.Marshal([]string{signWith(b.s.t, key, "xml", document)})
	must(b.s.t, err)
	return b.post("/confirm/sign", url.Values{"answer": {string(answer)}})
}

// delegates writes a delegation of D's rights, both or those named, as the delegation pages do.
func (s *site) delegates(id, iin string, powers ...string) {
	s.t.Helper()
	if len(powers) == 0 {
		powers = []string{ra.PowerConfirm, ra.PowerRevoke}
	}
	must(s.t, s.store.RA().Update(s.t.Context(), func(tx ra.Tx) error {
		return tx.PutDelegation(s.t.Context(), ra.Delegation{ID: id, BIN: binX, Head: iinD, IIN: iin, Powers: powers,
			From: s.now.Add(-time.Hour), Until: s.now.AddDate(0, 6, 0), Made: s.now})
	}))
}

// recorded finds the records of an action about an application.
func (s *site) recorded(number, action string) []audit.Record {
	s.t.Helper()
	all, err := s.store.FindAudit(s.t.Context(), store.AuditQuery{About: "application " + ra.FormatNumber(number), Action: action, Limit: 20})
	must(s.t, err)
	return all
}

// refusedWith fails the test unless the last record of an action says that it was refused, and why.
func (s *site) refusedWith(number, action, code string) {
	s.t.Helper()
	all := s.recorded(number, action)
	if len(all) == 0 || all[len(all)-1].Result != "refused" || all[len(all)-1].Detail["code"] != code {
		s.t.Errorf("%s of %s: recorded %+v, want a refusal %s", action, number, all, code)
	}
}

// letters are the messages to an address, as "N-10 status link".
func (s *site) letters(to string) (all []notice.Message) {
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
			if o.To == to {
				all = append(all, o.Message)
			}
		}
	}))
	return all
}

// numbers are the N of letters, in order.
func numbers(all []notice.Message) string {
	var n []string
	for _, m := range all {
		n = append(n, m.N)
	}
	return strings.Join(n, " ")
}
