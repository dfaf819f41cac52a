package participant

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"senim/dsig"
	"senim/internal/auth"
	"senim/internal/ident"
	"senim/internal/job"
	"senim/internal/lang"
	"senim/internal/notice"
	"senim/internal/pkitest"
	"senim/internal/registry"
	"senim/internal/trust"
	"senim/pki"
)

const (
	iinA, iinB, iinC = "123456789012", "123456789011", "123456789013"
	binX, binY       = "123456789021", "123456789025"
	passA, passB     = "quiet-lake-41", "tall-birch-92"
)

// town is an office with everything around it hand-made.
type town struct {
	t         *testing.T
	authority *pkitest.Authority
	store     *memory
	office    *Office
	now       time.Time
	head      ident.IIN // registry's head of every company
	verdict   trust.Verdict
	taxpayer  *registry.Taxpayer // what the tax office says of everybody; nil: nothing was loaded
}

func (w *town) Certificate(_ context.Context, c *pki.Certificate, _ trust.Purpose) trust.Report {
	r := trust.Report{{Name: trust.CheckChain, Verdict: trust.Good}, {Name: trust.CheckValidity, Verdict: trust.Good},
		{Name: trust.CheckRevocation, Verdict: w.verdict}, {Name: trust.CheckPurpose, Verdict: trust.Good}}
	if w.verdict != trust.Good {
		r[2].Code = trust.CodeUnavailable
	}
	return r
}

func (w *town) Entity(context.Context, ident.BIN) registry.Answer[registry.LegalEntity] {
	return registry.Answer[registry.LegalEntity]{Verdict: registry.Good, Source: "gbdul", LoadID: "4", AsOf: w.now, NextLoad: w.now.AddDate(0, 0, 2),
		Value: registry.LegalEntity{Kind: registry.LE, NameRU: "АО «ТЕСТ»"}}
}

func (w *town) Organisation(ctx context.Context, bin ident.BIN, _ time.Time) (registry.Answer[registry.LegalEntity], registry.Answer[registry.Head]) {
	return w.Entity(ctx, bin), registry.Answer[registry.Head]{Verdict: registry.Good, Source: "gbdul", LoadID: "4", AsOf: w.now, NextLoad: w.now.AddDate(0, 0, 2),
		Value: registry.Head{Leader: registry.Leader{IIN: w.head, AppointedOn: "2026-01-01"}}}
}

func (w *town) Standing(context.Context, registry.Tx, ident.BIN) (string, error) {
	return "head " + string(w.head), nil
}

func (w *town) PersonStanding(context.Context, registry.Tx, ident.IIN) (string, error) {
	return "", nil
}

func (w *town) Person(context.Context, ident.IIN) registry.Answer[registry.Person] {
	return registry.Answer[registry.Person]{Verdict: registry.Good, Source: "gbdfl", AsOf: w.now}
}

func (w *town) Taxpayer(_ context.Context, tin string) registry.Answer[registry.Taxpayer] {
	if w.taxpayer == nil {
		return registry.Answer[registry.Taxpayer]{Verdict: registry.Unknown, Code: registry.NeverLoaded}
	}
	a := registry.Answer[registry.Taxpayer]{Verdict: registry.Good, Source: "kgd", LoadID: "7", AsOf: w.now, Value: *w.taxpayer}
	a.Value.TIN = tin
	return a
}

// quick is a hasher that spends little: what it makes is not for keeping.
func quick() *Hasher {
	h := NewHasher(nil)
	h.time, h.memory, h.threads = 1, 64, 1
	return h
}

func newTown(t *testing.T) *town {
	t.Helper()
	w := &town{t: t, authority: pkitest.New(t), store: newMemory(), head: iinB, verdict: trust.Good}
	w.now = w.authority.Now
	var err error
	w.office, err = New(Config{Store: w.store, Judge: w, Registry: w, Origin: "http://localhost:8081", Passwords: quick(),
		Rules: ident.Rules{TestIdentities: []string{iinA, iinB, iinC, binX, binY}}, Now: func() time.Time { return w.now }})
	w.must(err)
	w.must(w.office.Publish(t.Context(), Agreement{Version: "1.0", From: w.now.Add(-time.Hour), Text: map[lang.Tag]string{lang.RU: "текст", lang.KK: "мәтін", lang.EN: "text"}}))
	w.must(w.office.Seed(t.Context(), Seeded{IIN: iinA, Name: "ТЕСТТОВ", Email: "a@example.kz", Password: passA, Lang: lang.KK,
		Profiles: []SeededProfile{{Category: LegalEntity, TIN: binX, Name: "АО «ТЕСТ»"}, {Category: LegalEntity, TIN: binY, Name: "ТОО «ДОСТЫК»"}}}))
	return w
}

func (w *town) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *town) key(iin, bin string) *pkitest.Leaf {
	h := pkitest.Member(pki.RoleFirstHead)
	h.IIN, h.BIN = iin, bin
	return w.authority.Issue(pkitest.Spec{Holder: h})
}

func proof(l *pkitest.Leaf) *auth.Proof {
	return &auth.Proof{Certificate: l.Certificate, Holder: l.Certificate.Holder()}
}

// data takes a registration of B for X to step 3.
func (w *town) data(key *pkitest.Leaf) (Registration, string) {
	w.t.Helper()
	r, cookie, err := w.office.Start(w.t.Context(), LegalEntity, lang.RU)
	w.must(err)
	_, err = w.office.Certificate(w.t.Context(), r.ID, cookie, proof(key))
	w.must(err)
	r, err = w.office.Data(w.t.Context(), r.ID, cookie, Form{Entered: Entered{Email: "b@example.kz", EmailAgain: "b@example.kz"}, Password: passB, PasswordAgain: passB, Lang: lang.RU})
	w.must(err)
	return r, cookie
}

// signed takes it to step 4 and gives the link.
func (w *town) signed(r Registration, cookie string, key *pkitest.Leaf) LinkKey {
	w.t.Helper()
	_, doc, err := w.office.Agreement(w.t.Context(), r, lang.RU)
	w.must(err)
	out, err := dsig.SignEnveloped(rand.Reader, doc, dsig.Options{Key: key.Key, Certificate: key.Certificate})
	w.must(err)
	_, err = w.office.Sign(w.t.Context(), r.ID, cookie, out)
	w.must(err)
	return w.link()
}

func (w *town) link() LinkKey {
	w.t.Helper()
	for i := len(w.store.data.letters) - 1; i >= 0; i-- {
		if m := w.store.data.letters[i]; m.N == "N-15" {
			return KeyOf(m.Vars["link"][strings.Index(m.Vars["link"], "?t=")+3:])
		}
	}
	w.t.Fatal("no letter N-15")
	return ""
}

func (w *town) profile(iin, tin string) Profile {
	for _, p := range w.store.data.profiles {
		if string(p.IIN) == iin && p.TIN == tin {
			return p
		}
	}
	return Profile{}
}

func code(err error) string {
	var d *Denied
	if errors.As(err, &d) {
		return d.Code
	}
	var g *GateClosed
	if errors.As(err, &g) {
		return strings.Join(g.Evidence.Codes(), " ")
	}
	return fmt.Sprint(err)
}

// P-01: what one transaction does.
func TestP01Completion(t *testing.T) {
	w := newTown(t)
	key := w.key(iinB, binX)
	r, cookie := w.data(key)
	link := w.signed(r, cookie, key)
	waiting, other := w.data(key)
	_, _ = waiting, other
	done, err := w.office.Complete(t.Context(), link, iinB)
	w.must(err)

	if p := w.profile(iinB, binX); p.Status != Active || p.Evidence == "" || p.Evidence != done.Evidence {
		t.Errorf("B: %+v", p)
	}
	if p := w.profile(iinA, binX); p.Status != HeadChangeBlocked || p.Reason != ReasonHeadChange || p.Evidence != done.Evidence {
		t.Errorf("A in X: %+v", p)
	}
	if p := w.profile(iinA, binY); p.Status != Active {
		t.Errorf("A in Y: %+v", p)
	}
	if want := []string{"portal " + iinA + " " + binX}; !reflect.DeepEqual(w.store.data.ended, want) {
		t.Errorf("sessions ended: %v", w.store.data.ended)
	}
	if a := w.store.data.accounts[iinB]; a.State != AccountActive || a.EmailConfirmed.IsZero() {
		t.Errorf("B's account: %s", a.State)
	}
	if s := w.store.data.registrations[waiting.ID]; s.State != StateCancelled || s.Reason != "SUPERSEDED_BY_OTHER" {
		t.Errorf("other registration: %s %s", s.State, s.Reason)
	}
	var changed, jobs int
	for _, e := range w.store.data.events {
		if e.Action == "head.changed" {
			changed++
			if e.Detail["evidence"] != done.Evidence {
				t.Errorf("head.changed: %+v", e)
			}
		}
	}
	for _, j := range w.store.data.jobs {
		if j.Kind == HeadChangedKind {
			jobs++
			if got := j.Payload.(HeadChanged); got.Previous != w.profile(iinA, binX).ID || got.Next != w.profile(iinB, binX).ID {
				t.Errorf("job: %+v", got)
			}
		}
	}
	if changed != 1 || jobs != 1 {
		t.Errorf("%d events, %d jobs", changed, jobs)
	}
	var letters []string
	for _, m := range w.store.data.letters {
		letters = append(letters, m.N+" "+m.To+" "+string(m.Lang))
	}
	if want := []string{"N-08 a@example.kz kk", "N-15 b@example.kz ru", "N-06 a@example.kz kk", "N-05 b@example.kz ru"}; !reflect.DeepEqual(letters, want) {
		t.Errorf("letters: %v", letters)
	}
	if got := w.store.data.registrations[r.ID]; got.Password != "" || got.State != StateCompleted {
		t.Errorf("the ended registration keeps a password hash, or is %s", got.State)
	}
	// The evidence keeps every rule, G1 to G9.
	e := w.store.data.evidence[done.Evidence]
	for _, rule := range []string{"G1", "G2", "G3", "G4", "G5", "G6", "G7", "G8", "G9"} {
		if _, ok := e.Find(rule); !ok {
			t.Errorf("evidence without %s", rule)
		}
	}
	if _, err := w.office.Complete(t.Context(), link, iinB); code(err) != "LINK_STALE" {
		t.Errorf("a used link: %v", err)
	}
}

// P-34: whichever write of the completion fails, nothing has changed and the link is good.
func TestP34EveryWriteFails(t *testing.T) {
	w := newTown(t)
	key := w.key(iinB, binX)
	r, cookie := w.data(key)
	link := w.signed(r, cookie, key)
	before := w.store.data.clone()
	for n := 1; ; n++ {
		if n > 60 {
			t.Fatal("completion writes without end")
		}
		w.store.fail = n
		_, err := w.office.Complete(t.Context(), link, iinB)
		w.store.fail = 0
		if err == nil {
			if n < 10 {
				t.Errorf("only %d writes were tried", n)
			}
			break
		}
		if !errors.Is(err, errDisk) {
			t.Fatalf("write %d: %v", n, err)
		}
		if !reflect.DeepEqual(before, w.store.data) {
			t.Fatalf("write %d failed and something changed", n)
		}
	}
	if w.profile(iinB, binX).Status != Active {
		t.Error("the link was not good any more")
	}
}

// P-23: two registrations of X finish at the same instant: one head, and the loser is told.
func TestP23Race(t *testing.T) {
	for range 20 {
		w := newTown(t)
		keyB := w.key(iinB, binX)
		one, cookieOne := w.data(keyB)
		two, cookieTwo := w.data(keyB)
		links := []LinkKey{w.signed(one, cookieOne, keyB), w.signed(two, cookieTwo, keyB)}
		errs := make([]error, 2)
		var wg sync.WaitGroup
		for i := range links {
			wg.Go(func() { _, errs[i] = w.office.Complete(context.WithoutCancel(t.Context()), links[i], iinB) })
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			switch c := code(err); c {
			case "<nil>":
				won++
			case "RACE_RETRY", "SUPERSEDED_BY_OTHER":
			default:
				t.Errorf("the loser was told %s", c)
			}
		}
		if won != 1 {
			t.Fatalf("%d registrations completed", won)
		}
	}
}

// P-20, P-06 in the rules: too late, another person, and a check that could not be made.
func TestCompletionRefused(t *testing.T) {
	w := newTown(t)
	key := w.key(iinB, binX)
	r, cookie := w.data(key)
	link := w.signed(r, cookie, key)
	if _, err := w.office.Complete(t.Context(), link, iinC); code(err) != "CERT_OTHER_PERSON" {
		t.Errorf("another person: %v", err)
	}
	w.verdict = trust.Unknown
	if _, err := w.office.Complete(t.Context(), link, iinB); code(err) != "CHECK_UNAVAILABLE" {
		t.Errorf("could not check: %v", err)
	}
	w.verdict = ""
	if _, err := w.office.Complete(t.Context(), link, iinB); code(err) != "CHECK_UNAVAILABLE" {
		t.Errorf("no verdict at all: %v", err)
	}
	w.verdict = trust.Good
	w.now = w.now.Add(w.office.c.Register.LinkTTL)
	if _, err := w.office.Complete(t.Context(), link, iinB); code(err) != "LINK_STALE" {
		t.Errorf("too late: %v", err)
	}
	if s := w.store.data.registrations[r.ID].State; s != StateExpired {
		t.Errorf("registration is %s", s)
	}
	if _, ok := w.store.data.accounts[iinB]; ok {
		t.Error("the pending account stayed")
	}
	if w.profile(iinA, binX).Status != Active {
		t.Error("A was touched")
	}
}

// N-07: invited users wait for the new head's word, or are blocked, by the setting.
func TestInvitedUsers(t *testing.T) {
	for fate, want := range map[Fate]Status{Reconfirm: Active, Keep: Active, Block: HeadChangeBlocked} {
		w := newTown(t)
		w.office.c.Invited = fate
		w.store.data.accounts[iinC] = Account{IIN: iinC, Email: "c@example.kz", EmailConfirmed: w.now, State: AccountActive, Lang: lang.EN}
		w.store.data.profiles["u"] = Profile{ID: "u", IIN: iinC, TIN: binX, Type: TypeUser, Status: Active, Name: "АО «ТЕСТ»"}
		key := w.key(iinB, binX)
		r, cookie := w.data(key)
		_, err := w.office.Complete(t.Context(), w.signed(r, cookie, key), iinB)
		w.must(err)
		p := w.store.data.profiles["u"]
		if p.Status != want || (fate == Reconfirm) == p.ReconfirmBy.IsZero() {
			t.Errorf("%s: %+v", fate, p)
		}
		told := 0
		for _, m := range w.store.data.letters {
			if m.N == map[Fate]string{Reconfirm: "N-07", Block: "N-07.closed"}[fate] {
				told++
			}
		}
		if (fate != Keep) != (told == 1) {
			t.Errorf("%s: %d letters", fate, told)
		}
		if fate == Reconfirm && (p.Allowed(binX, w.now) != "" || p.Allowed(binX, w.now.AddDate(0, 0, 14)) != "PROFILE_BLOCKED") {
			t.Error("the fourteen days are not kept")
		}
	}
}

// Nothing that is kept of an act names a person: audit events, job payloads, letters' keys.
func TestNoPersonalNumbersInRecords(t *testing.T) {
	w := newTown(t)
	key := w.key(iinB, binX)
	r, cookie := w.data(key)
	_, err := w.office.Complete(t.Context(), w.signed(r, cookie, key), iinB)
	w.must(err)
	for _, secret := range []string{iinA, iinB, binX, "@example", "ТЕСТОВ", passB} {
		for what, all := range map[string]string{"events": fmt.Sprint(w.store.data.events), "jobs": fmt.Sprint(jobs(w.store.data.jobs)), "keys": keys(w.store.data.letters)} {
			if strings.Contains(all, secret) {
				t.Errorf("%s hold %q", what, secret)
			}
		}
	}
}

func jobs(all []job.Job) (payloads []any) {
	for _, j := range all {
		payloads = append(payloads, j.Payload, j.Unique)
	}
	return payloads
}

func keys(all []notice.Message) (s string) {
	for _, m := range all {
		s += m.Key + " "
	}
	return s
}
