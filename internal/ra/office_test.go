package ra

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"senim/algid"
	"senim/dsig"
	"senim/internal/ident"
	"senim/internal/pkitest"
	"senim/internal/trust"
	"senim/pki"
)

// town is an office with everything around it in memory.
type town struct {
	t      *testing.T
	ca     *pkitest.Authority
	m      *memory
	o      *Office
	now    time.Time
	report trust.Report
	keys   map[string]Key
	heads  map[ident.BIN]HeadAnswer
	people map[ident.IIN]PersonAnswer
	phones map[ident.IIN]ident.Phone
	orders map[string]int
	during func() // happens while the authority issues; nil: nothing
	fail   error
}

func (w *town) Certificate(context.Context, *pki.Certificate, trust.Purpose) trust.Report {
	return w.report
}
func (w *town) Head(_ context.Context, _ string, bin ident.BIN) HeadAnswer { return w.heads[bin] }

func (w *town) Person(_ context.Context, _ string, iin ident.IIN) PersonAnswer {
	if p, ok := w.people[iin]; ok {
		return p
	}
	return PersonAnswer{Verdict: trust.Bad, Code: "PERSON_UNKNOWN"}
}

func (w *town) Phone(_ context.Context, _ string, iin ident.IIN) PhoneAnswer {
	if p, ok := w.phones[iin]; ok {
		return PhoneAnswer{Verdict: trust.Good, Phone: p}
	}
	return PhoneAnswer{Verdict: trust.Bad, Code: "NO_PHONE"}
}

func (w *town) Key(_ context.Context, serial string) (Key, error) {
	k, ok := w.keys[serial]
	if !ok {
		return k, ErrNoKey
	}
	return k, nil
}
func (w *town) Of(_ context.Context, iin string) ([]Key, error) {
	return w.list(func(k Key) bool { return k.IIN == iin }), nil
}
func (w *town) OfCompany(_ context.Context, bin string) ([]Key, error) {
	return w.list(func(k Key) bool { return k.BIN == bin }), nil
}
func (w *town) list(want func(Key) bool) (all []Key) {
	for _, k := range w.keys {
		if want(k) {
			all = append(all, k)
		}
	}
	return all
}

func (w *town) Issue(_ context.Context, o Order) (Certificate, error) {
	w.orders[o.ID]++
	if w.during != nil {
		w.during()
	}
	if w.fail != nil {
		return Certificate{}, w.fail
	}
	c := Certificate{Serial: "serial of " + o.ID, NotAfter: w.now.AddDate(1, 0, 0)}
	if _, had := w.keys[c.Serial]; !had { // into the books, as the authority does
		w.keys[c.Serial] = Key{Serial: c.Serial, Order: o.ID, Profile: o.Profile, IIN: o.Subject.IIN, BIN: o.Subject.BIN, NotBefore: w.now, NotAfter: c.NotAfter}
	}
	return c, nil
}

func (w *town) Revoke(_ context.Context, serial, reason string, _ time.Time, _ string) (time.Time, error) {
	k := w.keys[serial]
	if k.RevokedAt.IsZero() {
		k.RevokedAt, k.Reason = w.now, reason
		w.keys[serial] = k
	}
	return k.RevokedAt, nil
}

// lift ends a hold.
func (w *town) lift(serial string) {
	k := w.keys[serial]
	k.RevokedAt, k.Reason = time.Time{}, ""
	w.keys[serial] = k
}

func newTown(t *testing.T) *town {
	t.Helper()
	w := &town{t: t, ca: pkitest.New(t), m: newMemory(), now: t0, keys: map[string]Key{}, heads: map[ident.BIN]HeadAnswer{},
		people: map[ident.IIN]PersonAnswer{}, phones: map[ident.IIN]ident.Phone{}, orders: map[string]int{},
		report: trust.Report{{Name: trust.CheckRevocation, Verdict: trust.Good}}}
	var err error
	w.o, err = New(Config{Store: w.m, Judge: w, Registry: w, People: w, Keys: w, Issuer: w, Revoker: w, Origin: "https://cabinet.example.kz",
		Now: func() time.Time { return w.now }, Identities: ident.Rules{TestIdentities: []string{"123456789021"}}})
	if err != nil {
		t.Fatal(err)
	}
	w.known(pkitest.Person())
	return w
}

// known puts a person into the register of persons, unless somebody is there under his IIN.
func (w *town) known(h pki.Holder) {
	if _, there := w.people[ident.IIN(h.IIN)]; !there && h.IIN != "" {
		w.people[ident.IIN(h.IIN)] = PersonAnswer{Verdict: trust.Good, Surname: h.Surname, Name: strings.TrimPrefix(h.CommonName, h.Surname), Patronymic: h.Given}
	}
}

// add puts a certificate into the authority's books, and its holder into the register of persons.
func (w *town) add(l *pkitest.Leaf) *pkitest.Leaf {
	h := l.Certificate.Holder()
	w.known(h)
	w.keys[l.Certificate.SerialHex()] = Key{Serial: l.Certificate.SerialHex(), IIN: h.IIN, BIN: h.BIN, NotBefore: l.Certificate.NotBefore,
		NotAfter: l.Certificate.NotAfter, Raw: l.Certificate.Raw}
	return l
}

func (w *town) ask(l *pkitest.Leaf) Ask {
	return Ask{Kind: Reissue, Signer: l.Certificate, Form: Form{Email: "p@example.kz", City: "Алматы", Storage: PKCS12, Lang: "ru"}}
}

// prepared brings an application of l to where its document is signed, and signs it.
func (w *town) prepared(l *pkitest.Leaf) (Application, []byte) {
	w.t.Helper()
	return w.preparedAs(l, w.ask(l))
}

// preparedAs is prepared for any kind of application.
func (w *town) preparedAs(l *pkitest.Leaf, ask Ask) (Application, []byte) {
	w.t.Helper()
	ctx := w.t.Context()
	a, err := w.o.Draft(ctx, ask)
	w.ok(err)
	h := l.Certificate.Holder()
	h.BIN = a.Subject.BIN
	csr := pkitest.Request(w.t, pkitest.NewKey(w.t, algid.GOST512), h, "p@example.kz")
	a, err = w.o.Requests(ctx, h.IIN, a.Number, [][]byte{csr})
	w.ok(err)
	xml, err := dsig.SignEnveloped(rand.Reader, []byte(a.Document), dsig.Options{Key: l.Key, Certificate: l.Certificate})
	w.ok(err)
	return a, xml
}

// signed brings an application of l to SIGNED or APPROVED.
func (w *town) signed(l *pkitest.Leaf) Application {
	w.t.Helper()
	a, xml := w.prepared(l)
	a, err := w.o.Submit(w.t.Context(), a.Subject.IIN, a.Number, xml)
	w.ok(err)
	return a
}

// signedAs is signed for any kind of application.
func (w *town) signedAs(l *pkitest.Leaf, ask Ask) Application {
	w.t.Helper()
	a, xml := w.preparedAs(l, ask)
	a, err := w.o.Submit(w.t.Context(), a.Subject.IIN, a.Number, xml)
	w.ok(err)
	return a
}

func (w *town) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *town) confirmed(iin string) {
	w.m.d.accounts[iin] = Account{IIN: iin, Email: "p@example.kz", Lang: "kk", ConfirmedAt: t0}
}

func (w *town) letters() string {
	var all []string
	for _, l := range w.m.d.letters {
		all = append(all, l.N)
	}
	return strings.Join(all, " ")
}

func task(a Application) Task { return Task{a.Number, a.Revision} }

func TestC25KilledIssueGoesOn(t *testing.T) { // C-01 without a second factor, too
	w := newTown(t)
	p := w.add(w.ca.Individual())
	iin := p.Certificate.Holder().IIN
	w.confirmed(iin)
	a := w.signed(p)
	if a.State != Approved || len(w.m.d.jobs) != 1 || w.m.d.jobs[0].Kind != JobIssue {
		t.Fatalf("%s, jobs %+v", a.State, w.m.d.jobs)
	}
	for _, part := range []string{"<number>" + a.Number, "<revision>1", "<kind>reissue", "<iin>" + iin, "<email>p@example.kz", "<city>Алматы", "<storage>PKCS12",
		"<sha256>" + hexSum(a.Requests[0].CSR), "<replaces>" + p.Certificate.SerialHex(), "<time>2026-09-01T10:00:00Z", "<origin>https://cabinet.example.kz"} {
		if !strings.Contains(a.Document, part) { // R7
			t.Errorf("the signed application lacks %s", part)
		}
	}
	w.fail = errors.New("killed")
	if err := w.o.Issue(t.Context(), task(a)); err == nil {
		t.Fatal("a failed issue must be tried again")
	}
	w.fail = nil
	w.ok(w.o.Issue(t.Context(), task(a)))
	w.ok(w.o.Issue(t.Context(), task(a)))
	if len(w.orders) != 1 {
		t.Errorf("orders %v: more than one name", w.orders)
	}
	a, err := w.o.Installed(t.Context(), iin, a.Number, []string{w.m.d.apps[a.Number].Certificates[0].Serial})
	w.ok(err)
	if a.State != Installed || w.letters() != "N-09 N-12" {
		t.Errorf("%s, letters %s", a.State, w.letters())
	}
}

func TestC04KeyExpiresWhileWaiting(t *testing.T) { // R2
	w := newTown(t)
	p := w.add(w.ca.Individual())
	a := w.signed(p)
	w.now = p.Certificate.NotAfter.Add(time.Hour)
	w.report = trust.Report{{Name: trust.CheckValidity, Verdict: trust.Bad, Code: trust.CodeExpired}}
	w.ok(w.o.Issue(t.Context(), task(a)))
	if a, _ = w.o.load(t.Context(), a.Number); a.State != Issued {
		t.Error(a.State)
	}
}

func TestC06KeyRevokedWhileWaiting(t *testing.T) {
	w := newTown(t)
	p := w.add(w.ca.Individual())
	w.confirmed(p.Certificate.Holder().IIN)
	a := w.signed(p)
	_, err := w.Revoke(t.Context(), p.Certificate.SerialHex(), "keyCompromise", time.Time{}, "")
	w.ok(err)
	w.ok(w.o.Issue(t.Context(), task(a)))
	a, _ = w.o.load(t.Context(), a.Number)
	if a.State != Rejected || a.Reason.Code != "OLD_KEY_REVOKED" || w.letters() != "N-09 N-11" || len(w.orders) != 0 {
		t.Errorf("%s %s, letters %s, orders %v", a.State, a.Reason.Code, w.letters(), w.orders)
	}
}

// The authority was silent, or was just issuing, when the old key was revoked: no new key is in force.
func TestC06KeyRevokedAfterTheFirstTry(t *testing.T) {
	for name, silent := range map[string]bool{"while the authority was silent": true, "while it issued": false} {
		t.Run(name, func(t *testing.T) {
			w := newTown(t)
			p := w.add(w.ca.Individual())
			a := w.signed(p)
			revoke := func() {
				_, err := w.Revoke(t.Context(), p.Certificate.SerialHex(), "keyCompromise", time.Time{}, "")
				w.ok(err)
			}
			if w.during = revoke; silent {
				w.during = nil
				w.fail = errors.New("silent")
				if err := w.o.Issue(t.Context(), task(a)); err == nil {
					t.Fatal("issued by nobody")
				}
				w.fail = nil
				revoke()
			}
			w.ok(w.o.Issue(t.Context(), task(a)))
			if a, _ = w.o.load(t.Context(), a.Number); a.State != Rejected || a.Reason.Code != "OLD_KEY_REVOKED" {
				t.Errorf("%s %s", a.State, a.Reason.Code)
			}
			issued := w.list(func(k Key) bool { return k.Order != "" })
			if silent != (len(issued) == 0) {
				t.Errorf("issued: %+v", issued)
			}
			for _, k := range issued {
				if k.RevokedAt.IsZero() || k.Reason != "cessationOfOperation" {
					t.Errorf("in force: %+v", k)
				}
			}
		})
	}
}

func TestAuthorityRefuses(t *testing.T) {
	w := newTown(t)
	a := w.signed(w.add(w.ca.Individual()))
	w.fail = refuse("KEY_REUSED")
	w.ok(w.o.Issue(t.Context(), task(a)))
	if a, _ = w.o.load(t.Context(), a.Number); a.State != Rejected || a.Reason.Code != "KEY_REUSED" {
		t.Errorf("%s %s", a.State, a.Reason.Code)
	}
}

func TestRevocationSaysWhatIsWrong(t *testing.T) {
	w := newTown(t)
	p := w.add(w.ca.Individual())
	for code, v := range map[string]Revocation{
		"REASON_INVALID":  {Reason: "affiliationChanged"},
		"REASON_REQUIRED": {Reason: "unspecified"},
		"REASON_LONG":     {Reason: "unspecified", Text: strings.Repeat("ы", 501)},
		"DATE_FUTURE":     {Reason: "unspecified", Text: strings.Repeat("ы", 500), Since: w.now.Add(time.Hour)},
	} {
		v.Serial = p.Certificate.SerialHex()
		_, err := w.o.Revoke(t.Context(), p.Certificate, v)
		want(t, code, err, code)
	}
}

func TestRevokedKeyDropsWhatWaits(t *testing.T) {
	w := newTown(t)
	p := w.add(w.ca.Individual())
	w.confirmed(p.Certificate.Holder().IIN)
	a := w.signed(p)
	at, err := w.o.Revoke(t.Context(), p.Certificate, Revocation{Serial: p.Certificate.SerialHex(), Reason: "keyCompromise"})
	w.ok(err)
	a, _ = w.o.load(t.Context(), a.Number)
	if a.State != Rejected || w.letters() != "N-09 N-14 N-11" {
		t.Errorf("%s, letters %s", a.State, w.letters())
	}
	w.now = w.now.Add(time.Hour)
	again, err := w.o.Revoke(t.Context(), p.Certificate, Revocation{Serial: p.Certificate.SerialHex(), Reason: "keyCompromise"})
	if err != nil || !again.Equal(at) || w.letters() != "N-09 N-14 N-11" { // V7, C-33
		t.Errorf("revoked again at %s (first %s), %v, letters %s", again, at, err, w.letters())
	}
}

// A hold pauses what waits on the strength of the key; lifted, it is issued; made final, rejected.
func TestHoldPausesWhatWaits(t *testing.T) {
	for _, final := range []bool{false, true} {
		w := newTown(t)
		p := w.add(w.ca.Individual())
		serial := p.Certificate.SerialHex()
		a := w.signed(p)
		_, err := w.Revoke(t.Context(), serial, "certificateHold", time.Time{}, "")
		w.ok(err)
		w.ok(w.o.KeyRevoked(t.Context(), serial))
		if err := w.o.Issue(t.Context(), task(a)); err == nil {
			t.Error("no second try while the key is on hold")
		}
		if a, _ = w.o.load(t.Context(), a.Number); a.State != Approved || len(w.orders) != 0 {
			t.Errorf("on hold: %s, orders %v", a.State, w.orders)
		}
		want, had := Issued, len(w.m.d.jobs)
		w.lift(serial)
		w.ok(w.o.KeyRevoked(t.Context(), serial)) // told of the end, too
		if jobs := w.m.d.jobs[had:]; len(jobs) != 1 || jobs[0].Kind != JobIssue || jobs[0].Payload != task(a) {
			t.Errorf("after lifting asked for %+v", jobs)
		}
		if final {
			want = Rejected
			_, err := w.Revoke(t.Context(), serial, "keyCompromise", time.Time{}, "")
			w.ok(err)
			w.ok(w.o.KeyRevoked(t.Context(), serial))
		}
		w.ok(w.o.Issue(t.Context(), task(a)))
		if a, _ = w.o.load(t.Context(), a.Number); a.State != want {
			t.Errorf("after the hold: %s, want %s", a.State, want)
		}
	}
}

// A hold set again after it was lifted is told again, by e-mail and SMS; the same hold never twice.
func TestSecondHoldIsTold(t *testing.T) {
	w := newTown(t)
	p := w.add(w.ca.Individual())
	serial, iin := p.Certificate.SerialHex(), p.Certificate.Holder().IIN
	w.confirmed(iin)
	w.phones[ident.IIN(iin)] = "+77011234567"
	for _, told := range []string{"N-14.hold N-14.hold", "N-14.hold N-14.hold N-14.hold N-14.hold"} {
		_, err := w.Revoke(t.Context(), serial, "certificateHold", time.Time{}, "")
		w.ok(err)
		w.ok(w.o.KeyRevoked(t.Context(), serial))
		w.ok(w.o.KeyRevoked(t.Context(), serial))
		if w.letters() != told {
			t.Errorf("told %s, want %s", w.letters(), told)
		}
		w.lift(serial)
		w.now = w.now.Add(time.Hour)
	}
}

func TestGate(t *testing.T) {
	w := newTown(t)
	p := w.ca.Individual() // not in the books
	_, _, err := w.o.Gate(t.Context(), w.ask(p))
	want(t, "another authority's key", err, "NOT_OUR_KEY")
	w.add(p)
	ask := w.ask(p)
	other := *w.ca.Individual().Certificate
	other.Serial, ask.Signer = p.Certificate.Serial, &other
	_, _, err = w.o.Gate(t.Context(), ask)
	want(t, "another authority's key under our serial", err, "NOT_OUR_KEY")
	ask = w.ask(p)
	ask.Form.Storage = IDCard
	_, err = w.o.Draft(t.Context(), ask)
	want(t, "C-27", err, "IDCARD_DESK_ONLY")
	ask.Form.Storage = Kaztoken
	_, err = w.o.Draft(t.Context(), ask)
	want(t, "R5", err, "CARRIER_DESK_ONLY")
	w.report = trust.Report{{Name: trust.CheckRevocation, Verdict: trust.Unknown, Code: trust.CodeUnavailable}}
	_, _, err = w.o.Gate(t.Context(), w.ask(p))
	want(t, "could not check", err, trust.CodeUnavailable)
	w.report = nil
	_, _, err = w.o.Gate(t.Context(), w.ask(p))
	want(t, "an empty report", err, trust.CodeUnavailable)
}

func TestLimits(t *testing.T) {
	w := newTown(t)
	p := w.add(w.ca.Individual())
	first, err := w.o.Draft(t.Context(), w.ask(p))
	w.ok(err)
	again, err := w.o.Draft(t.Context(), w.ask(p))
	w.ok(err)
	if again.Number != first.Number {
		t.Error("pressing twice made two applications")
	}
	w.signed(p)
	w.signed(w.add(w.ca.Individual())) // other keys of his
	w.signed(w.add(w.ca.Individual()))
	_, err = w.o.Draft(t.Context(), w.ask(p))
	want(t, "a fourth open one", err, "TOO_MANY_APPLICATIONS")
}

func TestUnconfirmedAddressGetsNothing(t *testing.T) {
	w := newTown(t)
	p := w.add(w.ca.Individual())
	w.m.d.accounts[p.Certificate.Holder().IIN] = Account{Email: "p@example.kz"}
	w.signed(p)
	if w.letters() != "" {
		t.Errorf("letters %s", w.letters())
	}
}

// A job that was dropped after weeks of failures is asked for again; what an application waits for decides which.
func TestSweepAsksAgain(t *testing.T) {
	for state, kind := range map[State]string{Signed: JobRoute, Approved: JobIssue, Issued: "", AwaitingDirector: ""} {
		w := newTown(t)
		a := w.signed(w.add(w.ca.Individual()))
		a.State = state
		w.m.d.apps[a.Number] = a
		w.m.d.jobs = nil
		w.ok(w.o.Sweep(t.Context()))
		if len(w.m.d.jobs) != 0 {
			t.Errorf("%s: asked again at once: %+v", state, w.m.d.jobs)
		}
		w.now = w.now.Add(25 * time.Hour)
		w.ok(w.o.Sweep(t.Context()))
		got := ""
		for _, j := range w.m.d.jobs {
			if task, ok := j.Payload.(Task); ok && task.Number == a.Number {
				got += j.Kind
			}
		}
		if got != kind {
			t.Errorf("%s: asked for %q, want %q", state, got, kind)
		}
	}
}

func TestSweep(t *testing.T) {
	w := newTown(t)
	p := w.add(w.ca.Individual())
	draft, err := w.o.Draft(t.Context(), w.ask(p))
	w.ok(err)
	waiting := *signedEmployee(t)
	waiting.Number = "260901000022"
	w.m.d.apps[waiting.Number] = waiting
	w.now = t0.Add(DraftTTL + time.Second)
	w.ok(w.o.Sweep(t.Context()))
	if _, err := w.o.load(t.Context(), draft.Number); !errors.Is(err, ErrNotFound) {
		t.Error("an old draft was kept")
	}
	w.now = t0.Add(ConfirmTTL + time.Second)
	w.ok(w.o.Sweep(t.Context()))
	if a, _ := w.o.load(t.Context(), waiting.Number); a.State != Expired {
		t.Error(a.State)
	}
}

func TestHeadChangedBeforeIssue(t *testing.T) { // C-32
	w := newTown(t)
	p := w.ca.Individual()
	iin := p.Certificate.Holder().IIN
	w.heads["123456789021"] = HeadAnswer{Verdict: trust.Good, IIN: iin, Organization: "АО «ТЕСТ»"}
	ask := w.ask(p)
	ask.Kind, ask.Form.BIN = FirstHead, "123456789021"
	a, err := w.o.Draft(t.Context(), ask)
	w.ok(err)
	a.State, a.Requests, a.SignedAt = Approved, []Request{{}}, w.now
	w.m.d.apps[a.Number] = a
	w.add(p)
	w.heads["123456789021"] = HeadAnswer{}
	if err := w.o.Issue(t.Context(), task(a)); err == nil {
		t.Error("issued while the registry is silent")
	}
	w.heads["123456789021"] = HeadAnswer{Verdict: trust.Good, IIN: "another"}
	w.ok(w.o.Issue(t.Context(), task(a)))
	if a, _ = w.o.load(t.Context(), a.Number); a.State != Rejected || a.Reason.Code != "HEAD_CHANGED" || len(w.orders) != 0 {
		t.Errorf("%s %s %v", a.State, a.Reason.Code, w.orders)
	}
}
