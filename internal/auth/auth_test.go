package auth_test

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"senim/cms"
	"senim/internal/auth"
	"senim/internal/pkitest"
	"senim/internal/store/storetest"
	"senim/internal/trust"
	"senim/pki"
)

const origin = "https://cabinet.example.kz"

// bench is a desk with an authority, a clock and a revocation source the test steers.
type bench struct {
	t      *testing.T
	ca     *pkitest.Authority
	desk   *auth.Desk
	other  *auth.Desk // the same store, another site
	now    time.Time
	status trust.Status
}

func (b *bench) Status(context.Context, *pki.Certificate, *pki.Certificate, time.Time) trust.Status {
	return b.status
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, ca: pkitest.New(t), status: trust.Status{State: trust.StateGood, Source: "ocsp"}}
	b.now = b.ca.Now
	clock := func() time.Time { return b.now }
	judge, err := trust.New(trust.Config{Pool: b.ca.Pool(), Revocation: b, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	store := storetest.SQLite(t).Auth()
	for _, d := range []struct {
		desk         **auth.Desk
		site, origin string
	}{{&b.desk, "cabinet", origin}, {&b.other, "portal", "https://portal.example.kz"}} {
		*d.desk, err = auth.New(auth.Config{Store: store, Judge: judge, Site: d.site, Origin: d.origin, Now: clock})
		if err != nil {
			t.Fatal(err)
		}
	}
	return b
}

func (b *bench) begin() string {
	b.t.Helper()
	sid, err := b.desk.Begin(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	return sid
}

func (b *bench) ask(sid, purpose string) auth.Challenge {
	b.t.Helper()
	c, err := b.desk.Ask(b.t.Context(), sid, purpose, "")
	if err != nil {
		b.t.Fatal(err)
	}
	return c
}

func (b *bench) sign(k *pkitest.Leaf, text string, change ...func(*cms.Options)) []byte {
	b.t.Helper()
	o := cms.Options{Key: k.Key, Certificate: k.Certificate, Content: []byte(text), Detached: true, SigningTime: b.now}
	for _, f := range change {
		f(&o)
	}
	der, err := cms.Sign(rand.Reader, o)
	if err != nil {
		b.t.Fatal(err)
	}
	return der
}

// code is the code of a refusal; "" when the answer was accepted.
func (b *bench) code(sid, purpose string, answer []byte) string {
	b.t.Helper()
	_, err := b.desk.Prove(b.t.Context(), sid, purpose, answer, trust.SignIn)
	if err == nil {
		return ""
	}
	r, ok := errors.AsType[*auth.Refusal](err)
	if !ok {
		b.t.Fatalf("not a refusal: %v", err)
	}
	return r.Code
}

func (b *bench) want(what, got, want string) {
	b.t.Helper()
	if got != want {
		b.t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func TestSec1Good(t *testing.T) {
	b := newBench(t)
	k := b.ca.Individual()
	sid := b.begin()
	b.want("detached", b.code(sid, "sign-in", b.sign(k, b.ask(sid, "sign-in").Text())), "")
	attached := b.sign(k, b.ask(sid, "sign-in").Text(), func(o *cms.Options) { o.Detached = false })
	b.want("attached, equal", b.code(sid, "sign-in", attached), "")
}

func TestSec1SingleUse(t *testing.T) {
	b := newBench(t)
	k := b.ca.Individual()
	sid := b.begin()
	answer := b.sign(k, b.ask(sid, "sign-in").Text())
	b.want("first", b.code(sid, "sign-in", answer), "")
	b.want("again", b.code(sid, "sign-in", answer), auth.CodeStale)

	answer = b.sign(k, b.ask(sid, "sign-in").Text())
	var passed atomic.Int32
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if _, err := b.desk.Prove(t.Context(), sid, "sign-in", answer, trust.SignIn); err == nil {
				passed.Add(1)
			}
		})
	}
	wg.Wait()
	if n := passed.Load(); n != 1 {
		t.Errorf("50 at once: %d passed", n)
	}
}

func TestSec1TakenEvenWhenWrong(t *testing.T) {
	b := newBench(t)
	k := b.ca.Individual()
	sid := b.begin()
	answer := b.sign(k, b.ask(sid, "sign-in").Text())
	b.want("rubbish", b.code(sid, "sign-in", []byte("rubbish")), auth.CodeSignature)
	b.want("right answer after rubbish", b.code(sid, "sign-in", answer), auth.CodeStale)
}

func TestSec1FiveMinutes(t *testing.T) {
	b := newBench(t)
	k := b.ca.Individual()
	sid := b.begin()
	for _, c := range []struct {
		after time.Duration
		want  string
	}{{5 * time.Minute, ""}, {5*time.Minute + time.Second, auth.CodeStale}} {
		answer := b.sign(k, b.ask(sid, "sign-in").Text())
		b.now = b.now.Add(c.after)
		b.want(c.after.String(), b.code(sid, "sign-in", answer), c.want)
	}
}

func TestSec1SessionBound(t *testing.T) {
	b := newBench(t)
	k := b.ca.Individual()
	mine, theirs := b.begin(), b.begin()
	answer := b.sign(k, b.ask(mine, "sign-in").Text())
	b.ask(theirs, "sign-in")
	b.want("another browser", b.code(theirs, "sign-in", answer), auth.CodeSignature)
	b.want("no session", b.code("", "sign-in", answer), auth.CodeStale)
	b.want("unknown session", b.code(strings.Repeat("A", 43), "sign-in", answer), auth.CodeStale)
	_, err := b.other.Prove(t.Context(), mine, "sign-in", answer, trust.SignIn)
	if r, ok := errors.AsType[*auth.Refusal](err); !ok || r.Code != auth.CodeStale {
		t.Errorf("another site: %v", err)
	}
}

func TestSec1OriginAndPurposeBound(t *testing.T) {
	b := newBench(t)
	k := b.ca.Individual()
	sid := b.begin()
	c := b.ask(sid, "sign-in")
	c.Origin = "https://evil.example.kz"
	b.want("another origin", b.code(sid, "sign-in", b.sign(k, c.Text())), auth.CodeSignature)

	answer := b.sign(k, b.ask(sid, "sign-in").Text())
	b.ask(sid, "revoke")
	b.want("sign-in used to revoke", b.code(sid, "revoke", answer), auth.CodeSignature)
	b.want("purpose never asked", b.code(sid, "confirm", answer), auth.CodeStale)

	d, err := b.desk.Ask(t.Context(), sid, "revoke", strings.Repeat("ab", 32))
	if err != nil {
		t.Fatal(err)
	}
	bare := d
	bare.Digest = ""
	b.want("without the digest", b.code(sid, "revoke", b.sign(k, bare.Text())), auth.CodeSignature)
}

func TestSec1NewReplacesOld(t *testing.T) {
	b := newBench(t)
	k := b.ca.Individual()
	sid := b.begin()
	old := b.sign(k, b.ask(sid, "sign-in").Text())
	b.ask(sid, "sign-in")
	b.want("old challenge", b.code(sid, "sign-in", old), auth.CodeSignature)
}

func TestSec1ExactlyOurBytes(t *testing.T) {
	b := newBench(t)
	k := b.ca.Individual()
	sid := b.begin()
	text := b.ask(sid, "sign-in").Text()
	b.want("one byte changed", b.code(sid, "sign-in", b.sign(k, strings.Replace(text, "sign-in", "sign-io", 1))), auth.CodeSignature)
	text = b.ask(sid, "sign-in").Text()
	attached := b.sign(k, text+" ", func(o *cms.Options) { o.Detached = false })
	b.want("attached, longer", b.code(sid, "sign-in", attached), auth.CodeSignature)
	text = b.ask(sid, "sign-in").Text()
	two, err := cms.AddSigner(rand.Reader, b.sign(k, text), cms.Options{Key: k.Key, Certificate: k.Certificate, Content: []byte(text), SigningTime: b.now})
	if err != nil {
		t.Fatal(err)
	}
	b.want("two signers", b.code(sid, "sign-in", two), auth.CodeSignature)
	b.ask(sid, "sign-in")
	b.want("too large", b.code(sid, "sign-in", make([]byte, 65<<10)), auth.CodeSignature)
}

func TestSec1TamperedSignature(t *testing.T) {
	b := newBench(t)
	k := b.ca.Individual()
	for i := range 8 {
		sid := b.begin()
		answer := b.sign(k, b.ask(sid, "sign-in").Text())
		answer[len(answer)-1-i*7] ^= 1
		b.want("tampered", b.code(sid, "sign-in", answer), auth.CodeSignature)
	}
}

func TestSec1Certificate(t *testing.T) {
	b := newBench(t)
	sign, signIn := b.ca.ClassicPair(pkitest.Person())
	for _, c := range []struct {
		name   string
		key    *pkitest.Leaf
		status trust.Status
		want   string
	}{
		{"combined", b.ca.Individual(), trust.Status{State: trust.StateGood}, ""},
		{"sign-in key", signIn, trust.Status{State: trust.StateGood}, ""},
		{"signing key", sign, trust.Status{State: trust.StateGood}, trust.CodeNotForSignIn},
		{"expired", b.ca.Expired(), trust.Status{State: trust.StateGood}, trust.CodeExpired},
		{"not yet valid", b.ca.NotYetValid(), trust.Status{State: trust.StateGood}, trust.CodeNotYetValid},
		{"foreign", b.ca.Foreign(), trust.Status{State: trust.StateGood}, trust.CodeUntrusted},
		{"revoked", b.ca.Individual(), trust.Status{State: trust.StateRevoked, RevokedAt: b.now}, trust.CodeRevoked},
		{"could not check", b.ca.Individual(), trust.Status{State: trust.StateUnknown, Err: "time out"}, trust.CodeUnavailable},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.status = c.status
			sid := b.begin()
			got := b.code(sid, "sign-in", b.sign(c.key, b.ask(sid, "sign-in").Text()))
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestSec1DomainSeparation(t *testing.T) {
	b := newBench(t)
	c := b.ask(b.begin(), "sign-in")
	if !auth.IsChallenge([]byte(c.Text())) || auth.IsChallenge([]byte("<application/>")) {
		t.Error("challenges are not told from documents")
	}
	want := "senim-challenge 1\norigin: " + origin + "\npurpose: sign-in\nnonce: " + c.Nonce +
		"\nissued: 2026-09-01T10:00:00Z\nexpires: 2026-09-01T10:05:00Z\n"
	if c.Text() != want || len(c.Nonce) != 43 {
		t.Errorf("text is\n%s", c.Text())
	}
}

func TestSec1NoncesDoNotRepeat(t *testing.T) {
	b := newBench(t)
	sid := b.begin()
	seen := map[string]bool{}
	for range 200 {
		n := b.ask(sid, "sign-in").Nonce
		if seen[n] {
			t.Fatal("a nonce came twice")
		}
		seen[n] = true
	}
}

func TestSec7Sessions(t *testing.T) {
	b := newBench(t)
	ctx := t.Context()
	sid := b.begin()
	if err := b.desk.Set(ctx, sid, map[string]string{"draft": "x", "gone": "y"}); err != nil {
		t.Fatal(err)
	}
	if err := b.desk.Set(ctx, sid, map[string]string{"gone": ""}); err != nil {
		t.Fatal(err)
	}
	s, err := b.desk.Load(ctx, sid)
	if err != nil || s.Values["draft"] != "x" || s.Values["gone"] != "" || s.SignedIn() {
		t.Fatalf("pre-session: %+v, %v", s, err)
	}
	up, err := b.desk.Elevate(ctx, sid, auth.Session{IIN: "123456789011", Serial: "s", Fingerprint: "f"})
	if err != nil || up == sid {
		t.Fatalf("elevate: %v, id changed %v", err, up != sid)
	}
	if _, err := b.desk.Load(ctx, sid); !auth.IsNotFound(err) {
		t.Errorf("the id from before sign-in still works: %v", err)
	}
	if _, err := b.other.Load(ctx, up); !auth.IsNotFound(err) {
		t.Errorf("the session works on another site: %v", err)
	}
	if n, err := b.desk.EndWhere(ctx, auth.Filter{}, auth.ByPerson); n != 0 || err != nil {
		t.Errorf("an empty filter ended %d sessions, %v", n, err)
	}
	if n, err := b.other.EndWhere(ctx, auth.Filter{Serial: "s"}, auth.ByCertificate); n != 1 || err != nil {
		t.Errorf("ended %d sessions of a revoked certificate, %v", n, err)
	}
	if _, err := b.desk.Load(ctx, up); !auth.IsNotFound(err) {
		t.Errorf("the session of a revoked certificate lives: %v", err)
	}
}

// Of several who take a value at once one gets it.
func TestSec7TakenOnce(t *testing.T) {
	b := newBench(t)
	sid := b.begin()
	if err := b.desk.Set(t.Context(), sid, map[string]string{"question": "x", "draft": "y"}); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	var got atomic.Int32
	for range 8 {
		all.Go(func() {
			switch v, err := b.desk.Take(t.Context(), sid, "question"); {
			case err != nil:
				t.Error(err)
			case v == "x":
				got.Add(1)
			}
		})
	}
	all.Wait()
	if s, err := b.desk.Load(t.Context(), sid); err != nil || got.Load() != 1 || s.Values["draft"] != "y" {
		t.Errorf("%d got it; left %v, %v", got.Load(), s.Values, err)
	}
}

func TestSec7IdleAndAbsolute(t *testing.T) {
	b := newBench(t)
	ctx := t.Context()
	sid, idle := b.begin(), b.begin()
	for range 23 { // 20 minutes apart at most: 7 h 40 min
		b.now = b.now.Add(20 * time.Minute)
		if _, err := b.desk.Load(ctx, sid); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.desk.Load(ctx, idle); !auth.IsNotFound(err) {
		t.Errorf("idle session: %v", err)
	}
	b.now = b.now.Add(20 * time.Minute)
	if _, err := b.desk.Load(ctx, sid); err != nil {
		t.Errorf("at 8 h: %v", err)
	}
	b.now = b.now.Add(time.Second)
	if _, err := b.desk.Load(ctx, sid); !auth.IsNotFound(err) {
		t.Errorf("after 8 h: %v", err)
	}
}
