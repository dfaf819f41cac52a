package cabinet

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"senim/internal/ra"
	"senim/pki"
)

// Every confirmation is signed under a challenge of its own: single use, of this browser, five minutes and not a second
// more, and for the document that was shown.
func TestSec1ConfirmationIsFresh(t *testing.T) {
	t.Parallel()
	s := company(t)
	head := s.head(iinD, binX)
	d, other := s.enters("d@example.kz", head), s.browser(head)
	other.click(other.get("/signin")).has(t, 200)
	e := s.enters("e@example.kz", s.personal(iinE))
	number := e.applies(ra.RoleEmployee)
	document := s.decision("confirm", iinD, binX, "", s.app(number))
	post := func(b *browser, signed string) page {
		t.Helper()
		return b.post("/confirm/sign", url.Values{"answer": {answered(t, head, signed)}})
	}
	refused := func(what string, p page) {
		t.Helper()
		if p.status != 422 || !strings.Contains(p.body, `data-code="CHALLENGE_STALE"`) && !strings.Contains(p.body, `data-code="SIGNATURE_INVALID"`) {
			t.Errorf("%s: %d: %s", what, p.status, text(p.body))
		}
		s.state(number, ra.AwaitingDirector)
	}
	refused("none was opened", post(d, document))
	d.under(purposeDecide, document)
	refused("signed without it", post(d, document))
	refused("of another browser", post(d, other.under(purposeDecide, document)))
	refused("of another purpose", post(d, d.under(purposeDelegate, document)))
	rejection := s.decision("reject", iinD, binX, "нет", s.app(number))
	refused("opened for another document", post(d, strings.Replace(d.under(purposeDecide, rejection), rejection[:len(rejection)-len("</decision>")], document[:len(document)-len("</decision>")], 1)))
	old := d.under(purposeDecide, document)
	newer := d.under(purposeDecide, document)
	refused("replaced by a newer", post(d, old))
	refused("and the newer was taken with that answer", post(d, newer))

	now := s.now
	late := d.under(purposeDecide, document)
	s.now = now.Add(5*time.Minute + time.Second)
	refused("5:01", post(d, late))
	s.now = now
	last := d.under(purposeDecide, document)
	s.now = now.Add(5 * time.Minute)
	post(d, last).has(t, 200)
	s.state(number, ra.Approved)
	post(d, last).has(t, 422, `data-code="CHALLENGE_STALE"`)
}

// The applicant's own signature is taken under a challenge too, beside the document whose bytes are fixed.
func TestSec1ApplicationIsFresh(t *testing.T) {
	s := newSite(t)
	key := s.personal("123456789013")
	b := s.browser(key)
	b.enter("")
	p := b.click(b.draft()).has(t, 200, "Шаг 3 из 5")
	a := s.app(numberIn.FindStringSubmatch(p.path)[1])
	answer := url.Values{"answer": {answered(t, key, a.Document)}}
	now := s.now
	s.now = now.Add(5*time.Minute + time.Second)
	b.post(p.path+"/sign", answer).has(t, 422, `data-code="CHALLENGE_STALE"`)
	s.state(a.Number, ra.Draft)
	b.get(p.path).has(t, 200, "Шаг 3 из 5")
	b.post(p.path+"/sign", answer).has(t, 200)
	s.state(a.Number, ra.Approved)
}

// So are delegations and dismissals, and their ends.
func TestSec1HeadsDocumentsAreFresh(t *testing.T) {
	t.Parallel()
	s := company(t)
	head := s.head(iinD, binX)
	d := s.enters("d@example.kz", head)
	s.staff(iinS, pki.RoleSignRight)
	key := s.staff(iinE, pki.RoleEmployee)
	s.delegates("d1", iinS)
	one, err := s.office.Delegation(t.Context(), head.Certificate.Holder(), "d1")
	must(t, err)
	d.post("/delegation/d1/end", url.Values{"answer": {answered(t, head, s.office.EndDocument(one))}}).has(t, 422, `data-code="CHALLENGE_STALE"`)

	d.get("/company/dismiss?serial="+key.Certificate.SerialHex()).has(t, 200)
	gone, _, err := s.office.ProposeDismissal(t.Context(), head.Certificate.Holder(), key.Certificate.SerialHex())
	must(t, err)
	d.post("/company/dismiss", url.Values{"answer": {answered(t, head, s.office.DismissalDocument(gone))}}).has(t, 422)
	if was, err := s.office.Dismissed(t.Context(), binX, iinE); was || err != nil {
		t.Error("dismissed by a signature under no challenge")
	}
	if one, err = s.office.Delegation(t.Context(), head.Certificate.Holder(), "d1"); err != nil || one.Ended != "" {
		t.Errorf("ended by a signature under no challenge: %v", err)
	}
}
