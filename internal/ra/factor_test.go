package ra

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"senim/internal/ident"
	"senim/internal/notice"
	"senim/internal/pkitest"
	"senim/internal/trust"
	"senim/pki"
)

const about = "delegation:x"

// guarded is a town that asks for a second factor.
func guarded(t *testing.T, kinds ...FactorKind) *town {
	w := newTown(t)
	w.o.c.Factor = FactorConfig{Kinds: kinds}
	return w
}

// code is what the newest letter says.
func (w *town) code() string {
	w.t.Helper()
	for _, l := range slices.Backward(w.m.d.letters) {
		if l.N == "N-21" {
			return l.Vars["code"]
		}
	}
	w.t.Fatal("no code was sent")
	return ""
}

// wrong is a code that is not the one sent.
func (w *town) wrong() string {
	if w.code() == "000000" {
		return "000001"
	}
	return "000000"
}

// pass asks for a code and types it.
func (w *town) pass(iin, about string, k FactorKind) {
	w.t.Helper()
	f, err := w.o.StartFactor(w.t.Context(), iin, about, k)
	w.ok(err)
	_, err = w.o.CheckFactor(w.t.Context(), iin, f.Handle, w.code())
	w.ok(err)
}

func (w *town) open(iin, about string) bool {
	w.t.Helper()
	open, err := w.o.FactorOpen(w.t.Context(), iin, about)
	w.ok(err)
	return open
}

// refused is want for an error with something around it.
func refused(t *testing.T, name string, err error, code string, evidence ...string) {
	t.Helper()
	var no *Refusal
	if !errors.As(err, &no) || no.Code != code {
		t.Errorf("%s: %v, want %s", name, err, code)
		return
	}
	for i := 0; i < len(evidence); i += 2 {
		if no.Evidence[evidence[i]] != evidence[i+1] {
			t.Errorf("%s: %s is %q, want %q", name, evidence[i], no.Evidence[evidence[i]], evidence[i+1])
		}
	}
}

// TestC01ReissueNeedsTheFactor: the signed application is not taken before the code of its revision.
func TestC01ReissueNeedsTheFactor(t *testing.T) {
	w := guarded(t, FactorSMS, FactorEmail)
	p := w.add(w.ca.Individual())
	iin := p.Certificate.Holder().IIN
	w.m.d.accounts[iin] = Account{IIN: iin, Email: "p@example.kz", Lang: "kk", ConfirmedAt: t0.Add(-FactorAge)}
	w.phones[ident.IIN(iin)] = "+77010000013"
	a, signed := w.prepared(p)
	_, err := w.o.Submit(t.Context(), iin, a.Number, signed)
	refused(t, "without a code", err, "FACTOR_NEEDED")

	w.pass(iin, "reissue:"+FormatNumber(a.Number)+"-r2", FactorSMS)
	_, err = w.o.Submit(t.Context(), iin, a.Number, signed)
	refused(t, "a code for another revision", err, "FACTOR_NEEDED")

	w.now = w.now.Add(FactorResend)
	w.pass(iin, a.FactorAbout(), FactorSMS)
	last := w.m.d.letters[len(w.m.d.letters)-1]
	if last.Channel != notice.SMS || last.To != "+77010000013" || last.Lang != "kk" || len(last.Vars["code"]) != 6 {
		t.Errorf("the message %+v", last)
	}
	a, err = w.o.Submit(t.Context(), iin, a.Number, signed)
	w.ok(err)
	if a.State != Approved {
		t.Error(a.State)
	}
	var acts []string
	for _, e := range w.m.d.events {
		acts = append(acts, e.Action)
		if strings.Contains(e.Object+e.Result, w.code()) || slices.Contains(slices.Collect(mapValues(e.Detail)), w.code()) {
			t.Errorf("%s tells the code", e.Action)
		}
	}
	if got := strings.Join(acts, " "); !strings.Contains(got, "factor.started factor.passed application.approved application.signed") {
		t.Errorf("recorded %s", got)
	}
	for _, f := range w.m.d.factors {
		if f.Sum == "" || strings.Contains(f.Sum, w.code()) {
			t.Errorf("kept %q", f.Sum)
		}
	}
}

func mapValues(m map[string]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for _, v := range m {
			if !yield(v) {
				return
			}
		}
	}
}

// TestC29FiveWrongCodes: the sixth, right one is refused; a minute later a new code serves.
func TestC29FiveWrongCodes(t *testing.T) {
	w := guarded(t, FactorSMS)
	w.phones["1"] = "+77010000013"
	ctx := t.Context()
	f, err := w.o.StartFactor(ctx, "1", about, FactorSMS)
	w.ok(err)
	for _, left := range []string{"4", "3", "2", "1"} {
		_, err = w.o.CheckFactor(ctx, "1", f.Handle, w.wrong())
		refused(t, "wrong", err, "CODE_WRONG", "n", left)
	}
	_, err = w.o.CheckFactor(ctx, "1", f.Handle, w.wrong())
	refused(t, "the fifth", err, "CODE_EXHAUSTED")
	_, err = w.o.CheckFactor(ctx, "1", f.Handle, w.code())
	refused(t, "the sixth, right", err, "CODE_EXHAUSTED")
	if w.open("1", about) {
		t.Error("passed after five wrong codes")
	}
	w.now = w.now.Add(FactorResend - time.Second)
	_, err = w.o.StartFactor(ctx, "1", about, FactorSMS)
	refused(t, "after 59 s", err, "CODE_SOON", "n", "1")
	w.now = w.now.Add(time.Second)
	w.pass("1", about, FactorSMS)
	if !w.open("1", about) {
		t.Error("the new code does not serve")
	}
}

func TestFactorEnds(t *testing.T) {
	w := guarded(t, FactorSMS)
	w.phones["1"], w.phones["2"] = "+77010000013", "+77010000012"
	ctx := t.Context()
	f, err := w.o.StartFactor(ctx, "1", about, FactorSMS)
	w.ok(err)
	code := w.code()
	_, err = w.o.CheckFactor(ctx, "2", f.Handle, code)
	refused(t, "another person", err, "CODE_EXPIRED")
	_, err = w.o.CheckFactor(ctx, "1", "none", code)
	refused(t, "an unknown handle", err, "CODE_EXPIRED")
	w.now = w.now.Add(FactorTTL)
	_, err = w.o.CheckFactor(ctx, "1", f.Handle, code)
	refused(t, "after five minutes", err, "CODE_EXPIRED")

	first, err := w.o.StartFactor(ctx, "1", about, FactorSMS)
	w.ok(err)
	code = w.code()
	w.now = w.now.Add(FactorResend)
	_, err = w.o.StartFactor(ctx, "1", about, FactorSMS)
	w.ok(err)
	_, err = w.o.CheckFactor(ctx, "1", first.Handle, code)
	refused(t, "followed by another", err, "CODE_EXPIRED")

	w.now = w.now.Add(FactorResend)
	w.pass("1", about, FactorSMS)
	last := w.m.d.factors[len(w.m.d.factors)-1].Handle
	_, err = w.o.CheckFactor(ctx, "1", last, w.code())
	refused(t, "used", err, "CODE_USED")
	if w.open("2", about) || w.open("1", "delegation:y") {
		t.Error("a code opened more than it was asked for")
	}
	w.now = w.now.Add(FactorPass + time.Second)
	if w.open("1", about) {
		t.Error("passed for ever")
	}

	_, err = w.o.StartFactor(ctx, "1", about, FactorSMS)
	w.ok(err)
	w.now = w.now.Add(FactorResend)
	_, err = w.o.StartFactor(ctx, "1", about, FactorSMS)
	refused(t, "a sixth code in a day", err, "CODE_LIMIT", "until", w.m.d.factors[0].Sent.Add(24*time.Hour).Format(time.RFC3339))
	w.now = t0.Add(24*time.Hour + time.Second)
	_, err = w.o.StartFactor(ctx, "1", about, FactorSMS)
	w.ok(err)
	w.now = w.now.Add(48 * time.Hour)
	w.ok(w.o.Sweep(ctx))
	if len(w.m.d.factors) != 1 {
		t.Errorf("%d factors are kept", len(w.m.d.factors))
	}
}

// asked is a mobile base that does not answer.
type asked struct{ *town }

func (asked) Phone(context.Context, string, ident.IIN) PhoneAnswer { return PhoneAnswer{} }

func TestFactorOffer(t *testing.T) {
	w := guarded(t, FactorSMS, FactorEmail)
	ctx := t.Context()
	_, err := w.o.FactorOffer(ctx, "1", about)
	refused(t, "nothing at all", err, "FACTOR_DESK")
	w.o.c.People = asked{w}
	_, err = w.o.FactorOffer(ctx, "1", about)
	refused(t, "the base is silent", err, trust.CodeUnavailable)

	w.m.d.accounts["1"] = Account{IIN: "1", Email: "p@example.kz", ConfirmedAt: t0.Add(-FactorAge)}
	offer, err := w.o.FactorOffer(ctx, "1", about)
	w.ok(err)
	if !offer.Unknown || len(offer.Ways) != 1 || offer.Ways[0].Masked != "p•••@example.kz" {
		t.Errorf("%+v", offer)
	}
	w.o.c.People = w
	w.phones["1"] = "+77010000013"
	offer, err = w.o.FactorOffer(ctx, "1", about)
	w.ok(err)
	if offer.Unknown || len(offer.Ways) != 2 || offer.Ways[0].Masked != "+7 701 ••• •• 13" {
		t.Errorf("%+v", offer)
	}
	delete(w.phones, "1")
	w.ok(w.o.AddressBad(ctx, "p@example.kz", true))
	_, err = w.o.FactorOffer(ctx, "1", about)
	refused(t, "letters do not arrive", err, "FACTOR_DESK")
	_, err = w.o.StartFactor(ctx, "1", about, FactorEmail)
	refused(t, "start all the same", err, "FACTOR_DESK")
	w.phones["1"] = "+77010000013"
	_, err = w.o.StartFactor(ctx, "1", about, FactorDocument)
	refused(t, "a kind that is not offered", err, "FACTOR_KIND")
	for _, a := range []string{"", "x", "reissue", "unknown", "delegation:" + strings.Repeat("x", 90), "delegation:\n"} {
		if _, err := w.o.StartFactor(ctx, "1", a, FactorSMS); err == nil {
			t.Errorf("a factor for %q", a)
		}
	}
}

// TestFactorOfAChangedAddress: a changed e-mail cannot serve for 24 hours.
func TestFactorOfAChangedAddress(t *testing.T) {
	w := guarded(t, FactorEmail)
	ctx := t.Context()
	w.m.d.accounts["1"] = Account{IIN: "1", Email: "old@example.kz", ConfirmedAt: t0.Add(-FactorAge)}
	_, err := w.o.Register(ctx, "1", "new@example.kz", "", "ru")
	w.ok(err)
	offer, err := w.o.FactorOffer(ctx, "1", about)
	w.ok(err)
	if offer.Ways[0].to != "old@example.kz" {
		t.Errorf("before the link was used: %+v", offer.Ways)
	}
	w.ok(w.o.ConfirmEmail(ctx, w.token()))
	_, err = w.o.FactorOffer(ctx, "1", about)
	refused(t, "just changed", err, "FACTOR_YOUNG", "until", t0.Add(24*time.Hour).Format(time.RFC3339))
	w.now = t0.Add(24*time.Hour - time.Second)
	_, err = w.o.StartFactor(ctx, "1", about, FactorEmail)
	refused(t, "after 23:59:59", err, "FACTOR_YOUNG")
	w.now = w.now.Add(time.Second)
	w.pass("1", about, FactorEmail)
}

// TestNonresidentIsNotAsked: the step is skipped, and that is recorded.
func TestNonresidentIsNotAsked(t *testing.T) {
	w := guarded(t, FactorSMS)
	w.people["1"] = PersonAnswer{Verdict: trust.Good, Nonresident: true}
	w.people["2"] = PersonAnswer{Verdict: trust.Good}
	w.people["3"] = PersonAnswer{Nonresident: true} // the registry did not answer
	for iin, want := range map[string]bool{"1": true, "2": false, "3": false} {
		skipped, err := w.o.ExemptFactor(t.Context(), iin, about)
		w.ok(err)
		if skipped != want || w.open(iin, about) != want {
			t.Errorf("%s: skipped %v", iin, skipped)
		}
	}
	e := w.m.d.events[len(w.m.d.events)-1]
	if len(w.m.d.events) != 1 || e.Action != "factor.passed" || e.Result != "nonresident" || w.letters() != "" {
		t.Errorf("recorded %+v, letters %s", w.m.d.events, w.letters())
	}
	if skipped, err := w.o.ExemptFactor(t.Context(), "1", about); err != nil || !skipped || len(w.m.d.events) != 1 {
		t.Errorf("skipped once more: %v %v, %d events", skipped, err, len(w.m.d.events))
	}
}

// papers are digital documents with one code.
type papers struct {
	code    string
	verdict trust.Verdict
}

func (p papers) Code(_ context.Context, _ ident.IIN, code string) trust.Verdict {
	if p.verdict == trust.Good && code != p.code {
		return trust.Bad
	}
	return p.verdict
}

func TestFactorByDocument(t *testing.T) {
	w := guarded(t, FactorDocument)
	ctx := t.Context()
	w.o.c.Factor.Documents = papers{verdict: trust.Unknown}
	f, err := w.o.StartFactor(ctx, "1", about, FactorDocument)
	w.ok(err)
	_, err = w.o.CheckFactor(ctx, "1", f.Handle, "123456")
	refused(t, "the adapter is silent", err, trust.CodeUnavailable)
	w.o.c.Factor.Documents = papers{"123456", trust.Good}
	_, err = w.o.CheckFactor(ctx, "1", f.Handle, "123457")
	refused(t, "another code", err, "CODE_WRONG", "n", "4")
	_, err = w.o.CheckFactor(ctx, "1", f.Handle, "123456")
	w.ok(err)
	if !w.open("1", about) || w.letters() != "" {
		t.Errorf("not passed, or letters %s", w.letters())
	}
}

func TestFactorConfig(t *testing.T) {
	for _, c := range []struct {
		name string
		c    FactorConfig
		ok   bool
	}{
		{"nothing", FactorConfig{}, true}, {"none", FactorConfig{Kinds: []FactorKind{FactorNone}}, true},
		{"both", FactorConfig{Kinds: []FactorKind{FactorEmail, FactorSMS}}, true},
		{"none and more", FactorConfig{Kinds: []FactorKind{FactorSMS, FactorNone}}, false},
		{"twice", FactorConfig{Kinds: []FactorKind{FactorSMS, FactorSMS}}, false},
		{"unknown", FactorConfig{Kinds: []FactorKind{"fax"}}, false},
		{"no adapter", FactorConfig{Kinds: []FactorKind{FactorDocument}}, false},
		{"unknown act", FactorConfig{Kinds: []FactorKind{FactorSMS}, For: []string{ActReissue, "tea"}}, false},
		{"adapter", FactorConfig{Kinds: []FactorKind{FactorDocument}, Documents: papers{}}, true},
	} {
		if err := c.c.check(); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	c := FactorConfig{Kinds: []FactorKind{FactorSMS}, For: []string{ActReissue}}
	if !c.needs("reissue:1") || c.needs("delegation:1") || (FactorConfig{Kinds: []FactorKind{FactorNone}}).needs("reissue:1") {
		t.Error("asked for other acts than set")
	}
}

func TestCodesAreSixDigits(t *testing.T) {
	seen := map[byte]bool{}
	for range 200 {
		code, err := newCode()
		if err != nil || len(code) != 6 || strings.Trim(code, "0123456789") != "" {
			t.Fatalf("%q, %v", code, err)
		}
		seen[code[0]] = true
	}
	if len(seen) < 9 { // 200 draws miss two given digits of ten with a chance of 10⁻¹⁷
		t.Errorf("first digits %v", seen)
	}
}

// headOf is a head of X.
func headOf(iin string) pkitest.Spec {
	h := pkitest.Member(pki.RoleFirstHead)
	h.IIN = iin
	return pkitest.Spec{Holder: h}
}

// TestRevokingSomebodyElsesKeyNeedsTheFactor: for exactly the keys of the act; one's own key never.
func TestRevokingSomebodyElsesKeyNeedsTheFactor(t *testing.T) {
	w := guarded(t, FactorSMS)
	ctx := t.Context()
	boss := w.add(w.ca.Issue(headOf("123456789011")))
	one, two := w.add(w.ca.Issue(headOf("123456789012"))), w.add(w.ca.Issue(headOf("123456789012")))
	w.heads["123456789021"] = HeadAnswer{Verdict: trust.Good, IIN: "123456789011"}
	w.phones["123456789011"] = "+77010000011"
	both := []string{one.Certificate.SerialHex(), two.Certificate.SerialHex()}
	ask := func(serial string, with ...string) error {
		_, err := w.o.Revoke(ctx, boss.Certificate, Revocation{Serial: serial, Reason: "keyCompromise", With: with})
		return err
	}
	refused(t, "no code", ask(both[0], both...), "FACTOR_NEEDED")
	w.pass("123456789011", Revocation{With: both}.FactorAbout(), FactorSMS)
	refused(t, "one alone", ask(both[0]), "FACTOR_NEEDED")
	refused(t, "not of the act", ask(boss.Certificate.SerialHex(), both...), "FACTOR_NEEDED")
	w.ok(ask(both[1], both[1], both[0]))
	w.ok(ask(both[0], both...))
	w.ok(ask(boss.Certificate.SerialHex()))
}
