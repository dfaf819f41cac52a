package qr

import (
	"errors"
	"testing"
	"time"

	"senim/internal/auth"
	"senim/internal/mgov"
	"senim/internal/trust"
)

var at = time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)

func ask() Ask {
	return Ask{Action: "/login", Field: "answer", Items: []Item{{Method: mgov.XML, Content: []byte("<a/>")}}, Fields: map[string][]string{"t": {"x"}}}
}

// outcome is a state, or the code or error instead.
func outcome(r Request, err error) string {
	if refused, ok := errors.AsType[*auth.Refusal](err); ok {
		return refused.Code
	}
	if errors.Is(err, ErrNotFound) {
		return "NOT_FOUND"
	}
	return string(r.State)
}

// Every act in every state, in time and after it.
func TestTransitions(t *testing.T) {
	in, late := at.Add(Life), at.Add(2*Life+time.Second)
	acts := map[string]func(Request, time.Time) (Request, error){
		"sign":   func(r Request, now time.Time) (Request, error) { return r.sign([]string{"s"}, now) },
		"take":   func(r Request, now time.Time) (Request, error) { return r.take("/login", now) },
		"other":  func(r Request, now time.Time) (Request, error) { return r.take("/other", now) },
		"cancel": func(r Request, _ time.Time) (Request, error) { return r.cancel() },
	}
	want := map[State]map[string][2]string{
		Waiting:   {"sign": {"signed", CodeExpired}, "take": {CodeWaiting, CodeExpired}, "other": {"NOT_FOUND", "NOT_FOUND"}, "cancel": {"cancelled", "cancelled"}},
		Signed:    {"sign": {CodeSigned, CodeSigned}, "take": {"taken", CodeExpired}, "other": {"NOT_FOUND", "NOT_FOUND"}, "cancel": {CodeSigned, CodeSigned}},
		Taken:     {"sign": {CodeSigned, CodeSigned}, "take": {CodeSigned, CodeSigned}, "other": {"NOT_FOUND", "NOT_FOUND"}, "cancel": {CodeSigned, CodeSigned}},
		Cancelled: {"sign": {CodeCancelled, CodeCancelled}, "take": {CodeCancelled, CodeCancelled}, "other": {"NOT_FOUND", "NOT_FOUND"}, "cancel": {"cancelled", "cancelled"}},
	}
	for state, byAct := range want {
		for name, act := range acts {
			for i, now := range []time.Time{in, late} {
				r := newRequest(make([]byte, 32), "portal", "sid", ask(), at)
				if r.State = state; state == Signed {
					r.Signed, r.Answer = at.Add(Life), []string{"s"}
				}
				after, err := act(r, now)
				if got := outcome(after, err); got != byAct[name][i] {
					t.Errorf("%s, %s at %s: %s, want %s", state, name, now.Sub(at), got, byAct[name][i])
				}
				over := after.State == Taken || after.State == Cancelled
				if over && after.State != state && (after.Answer != nil || after.Ask.Items != nil || after.Ask.Fields != nil) {
					t.Errorf("%s, %s: what was asked and answered outlives its use", state, name)
				}
			}
		}
	}
}

// A request is of its session, its site and its time; ids and tokens are 256 bits, of their own, and not in it.
func TestSecrets(t *testing.T) {
	key := make([]byte, 32)
	r := newRequest(key, "portal", "sid", ask(), at)
	if !r.of("portal", "sid") || r.of("portal", "sie") || r.of("cabinet", "sid") || r.of("portal", "") {
		t.Error("a request is not told by its session")
	}
	seen := map[string]bool{r.Code: true, r.Token: true, r.Session: true}
	for _, one := range []string{r.Handle, secret(key, "id", r.Handle), secret(key, "token", r.Handle)} {
		if len(one) != 43 || seen[one] {
			t.Errorf("%q is not 256 bits of its own", one)
		}
		seen[one] = true
	}
	other := newRequest(append([]byte{1}, key[1:]...), "portal", "sid", ask(), at)
	if other.Handle == r.Handle || secret(key, "id", r.Handle) == secret(append([]byte{1}, key[1:]...), "id", r.Handle) {
		t.Error("ids do not depend on the key")
	}
	short := ask()
	short.Until = at.Add(time.Minute)
	if got := newRequest(key, "portal", "sid", short, at).Expires; !got.Equal(short.Until) {
		t.Errorf("outlives its challenge: %s", got)
	}
	d := &Desk{c: Config{Key: key, Site: "portal"}}
	sealed := d.Seal("sid", "text")
	if text, ok := d.Unseal("sid", sealed); !ok || text != "text" {
		t.Error("a seal is not read")
	}
	for _, c := range []struct{ sid, sealed string }{{"sie", sealed}, {"", sealed}, {"sid", sealed + "A"}, {"sid", "A" + sealed}, {"sid", ""}, {"sid", "."}} {
		if _, ok := d.Unseal(c.sid, c.sealed); ok {
			t.Errorf("%q opens for %q", c.sealed, c.sid)
		}
	}
}

func TestAsk(t *testing.T) {
	for name, change := range map[string]func(*Ask){
		"nothing":   func(a *Ask) { a.Items = nil },
		"empty":     func(a *Ask) { a.Items[0].Content = nil },
		"method":    func(a *Ask) { a.Items[0].Method = mgov.Mix },
		"no form":   func(a *Ask) { a.Action = "" },
		"too large": func(a *Ask) { a.Items[0].Content = make([]byte, maxContent+1) },
	} {
		a := ask()
		change(&a)
		if a.check() == nil {
			t.Errorf("%s: taken", name)
		}
	}
	a := ask()
	if a.check() != nil || a.method() != mgov.XML || a.use() != trust.Signing {
		t.Error("a document is not asked for as one")
	}
	a.Items = append(a.Items, Item{Method: mgov.CMSSignOnly, Content: []byte("x")})
	if a.method() != mgov.Mix {
		t.Errorf("two methods are %s", a.method())
	}
	if a.Purpose = "sign-in"; a.use() != trust.SignIn {
		t.Error("sign-in takes any key")
	}
}
