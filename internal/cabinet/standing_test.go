package cabinet

import (
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"senim/internal/ident"
	"senim/internal/ra"
	"senim/internal/trust"
	"senim/pki"
)

// TestC32FormerHeadsDelegate: from the moment the registry names another head, or none, a delegate of
// the former one confirms nothing and sees nothing, though nobody has followed the change yet; while
// the registry is silent he confirms nothing either.
func TestC32FormerHeadsDelegate(t *testing.T) {
	s := company(t)
	number := s.enters("e@example.kz", s.staff(iinE, pki.RoleEmployee)).applies(ra.RoleEmployee)
	key := s.staff(iinS, pki.RoleSignRight)
	s.delegates("d1", iinS)
	b := s.enters("s@example.kz", key)
	b.get("/confirm").has(t, 200, ra.FormatNumber(number))
	b.get("/applications/"+number).has(t, 200)
	document := s.decision("confirm", iinS, binX, "", s.app(number))

	good := s.registry[binX]
	for _, c := range []struct {
		what   string
		answer ra.HeadAnswer
		status int
		code   string
	}{
		{"another head", ra.HeadAnswer{Verdict: trust.Good, IIN: iinZ, Organization: good.Organization, AsOf: s.now}, 422, "ROLE_CANNOT_CONFIRM"},
		{"no head", ra.HeadAnswer{Verdict: trust.Bad, Code: "ENTERPRISE_LIQUIDATED", AsOf: s.now}, 422, "ROLE_CANNOT_CONFIRM"},
		{"silence", ra.HeadAnswer{}, 422, "CHECK_UNAVAILABLE"},
	} {
		s.registry[ident.BIN(binX)] = c.answer
		b.posts(key, document).has(t, c.status, `data-code="`+c.code+`"`)
		b.get("/confirm").has(t, c.status, `data-code="`+c.code+`"`)
		b.get("/applications/"+number).has(t, 404, `data-code="NOT_YOUR_APPLICATION"`)
		s.state(number, ra.AwaitingDirector)
		s.refusedWith(number, "application.confirmed", c.code)
		if w, err := s.office.Watched(t.Context(), iinS); err != nil || len(w.Companies) > 0 {
			t.Errorf("%s: a delegate looks after %v, %v", c.what, w.Companies, err)
		}
	}
	s.registry[ident.BIN(binX)] = good
	b.posts(key, document).has(t, 200)
	s.state(number, ra.Approved)
}

// TestSearchByAnotherDesksOperator: the role of an operator alone opens nobody's keys: he is of the
// authority's own organisation, and comes from its desks.
func TestSearchByAnotherDesksOperator(t *testing.T) {
	s := newSite(t)
	other := s.personal("123456789014")
	b := s.browser(s.operator())
	b.enter("")
	judge, err := trust.New(trust.Config{Pool: s.ca.Pool(), Revocation: s.ca, Now: func() time.Time { return s.now }})
	must(t, err)
	for _, c := range []struct {
		what string
		c    Config
		may  bool
	}{
		{"no desk", Config{}, false},
		{"of another organisation", Config{OperatorBIN: binX}, false},
		{"from elsewhere", Config{OperatorBIN: binY, DeskNetworks: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}, false},
		{"from the desk", Config{OperatorBIN: binY, DeskNetworks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}}, true},
	} {
		c.c.Origin, c.c.Auth, c.c.Office, c.c.Judge, c.c.Keys, c.c.Now = origin, s.desk, s.office, judge, s.ca, func() time.Time { return s.now }
		h, err := New(c.c)
		must(t, err)
		s.server.Config.Handler = h
		p := b.post("/check/person", url.Values{"number": {"123456789014"}})
		if c.may {
			p.has(t, 200, other.Certificate.SerialHex())
			continue
		}
		p.has(t, 403, `data-code="CONSENT_NEEDED"`)
		if strings.Contains(b.check(other.Certificate.SerialHex()).body, "123456789014") {
			t.Errorf("%s: the whole number is shown", c.what)
		}
	}
}

// TestC15DelegateOfAnotherPower: whoever acts for the head in anything is confirmed by the head alone.
func TestC15DelegateOfAnotherPower(t *testing.T) {
	s := company(t)
	b := s.enters("s@example.kz", s.staff(iinS, pki.RoleSignRight))
	peer := s.staff(iinE, pki.RoleSignRight)
	other := s.enters("e@example.kz", peer)
	s.delegates("d1", iinS, ra.PowerRevoke)
	s.delegates("d2", iinE, ra.PowerConfirm)
	a := s.state(b.signs(b.draft()), ra.AwaitingDirector)
	other.posts(peer, s.decision("confirm", iinE, binX, "", a)).has(t, 422, `data-code="HEAD_CONFIRMS_DELEGATE"`)
	if n := numbers(s.letters("e@example.kz")); strings.Contains(n, "N-10") {
		t.Error("another delegate was asked")
	}
}
