package state_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"senim/internal/ident"
	"senim/internal/registry"
	"senim/internal/state"
	"senim/internal/state/statetest"
	"senim/internal/store"
	"senim/internal/store/storetest"
)

// A person's consent: without it his record is not asked for, he is sent one message when he asks for it, and once he
// has given it the register answers. A withdrawn one is wanted anew.
func TestConsent(t *testing.T) {
	w := newWorld(t, nil)
	w.gateway.Put("GBDFLINFO", man, statetest.Person(man, ""))
	w.gateway.Consent(man, "")
	person := func(p registry.Purpose) registry.Answer[registry.Person] { return w.Person(t.Context(), p, man) }

	if a := person(registry.ForRegister); a.Verdict != registry.Unknown || a.Code != registry.ConsentNeeded {
		t.Fatalf("without a consent: %+v", a)
	}
	before := w.gateway.Asked()
	if a := person(registry.ForNotify); a.Code != registry.ConsentNeeded || w.gateway.Asked() != before {
		t.Errorf("a letter asks for a consent: %+v", a)
	}
	if w.gateway.Texts() != 0 {
		t.Fatal("a question sent the person a message")
	}
	if given, err := w.AskConsent(t.Context(), man); given || err != nil || w.gateway.Texts() != 1 {
		t.Fatalf("asked: %v, %v, %d messages", given, err, w.gateway.Texts())
	}
	if _, err := w.AskConsent(t.Context(), man); !errors.Is(err, registry.ErrAskedLately) || w.gateway.Texts() != 1 {
		t.Errorf("asked twice at once: %v", err)
	}
	if given, err := w.ConsentGiven(t.Context(), man); given || err != nil || w.gateway.Texts() != 1 {
		t.Errorf("not given yet: %v, %v", given, err)
	}
	w.gateway.Consent(man, "token one")
	if given, err := w.ConsentGiven(t.Context(), man); !given || err != nil {
		t.Fatalf("given: %v, %v", given, err)
	}
	if a := person(registry.ForRegister); a.Verdict != registry.Good || a.Value.Surname != "СКРЫТАЯ" {
		t.Fatalf("with a consent: %+v", a)
	}
	w.gateway.Consent(man, "")
	if a := person(registry.ForRegister); a.Verdict != registry.Unknown || a.Code != registry.ConsentNeeded {
		t.Errorf("withdrawn: %+v", a)
	}
	w.gateway.Consent(man, "token two")
	if a := person(registry.ForRegister); a.Verdict != registry.Good {
		t.Errorf("given anew, while a gate asks: %+v", a)
	}
	for range 4 {
		w.pass(time.Minute)
		if _, err := w.AskConsent(t.Context(), man); err != nil {
			t.Error(err)
		}
	}
	w.pass(time.Minute)
	if _, err := w.AskConsent(t.Context(), man); !errors.Is(err, registry.ErrAskedLately) {
		t.Errorf("a sixth message in a day: %v", err)
	}
	if n := w.count("registry.consent.asked"); n != 5 {
		t.Errorf("%d requests in the audit", n)
	}
	if said := w.said(); strings.Contains(said, man) || strings.Contains(said, "token") {
		t.Errorf("the log says:\n%s", said)
	}
}

// A person whose message was surely not sent may have one sent at once, and is not told that it waits for him; where the
// service may have sent it, he waits as after any other.
func TestConsentThatWasNotSent(t *testing.T) {
	for name, c := range map[string]struct {
		twist func(*statetest.Answer)
		sent  bool // as far as anybody can know
	}{
		"a fault":               {twist: func(a *statetest.Answer) { a.Raw, a.Status = statetest.Fault, 500 }},
		"a status of failure":   {twist: func(a *statetest.Answer) { a.Code = "SCE001" }},
		"an error of its site":  {twist: func(a *statetest.Answer) { a.Raw, a.Status = "out of order", 503 }},
		"a broken connection":   {twist: func(a *statetest.Answer) { a.Break = true }},
		"we are not known":      {twist: func(a *statetest.Answer) { a.Raw, a.Status = "who?", 403 }},
		"silence":               {twist: func(a *statetest.Answer) { a.Silence = time.Minute }, sent: true},
		"no answer that counts": {twist: func(a *statetest.Answer) { a.Data = "<x></x>" }, sent: true},
		"an answer of another":  {twist: func(a *statetest.Answer) { a.Correlation = "another" }, sent: true},
	} {
		w := newWorld(t, func(c *state.Config) { c.Bounds.Whole = 300 * time.Millisecond })
		w.gateway.Consent(man, "")
		w.gateway.Twist(c.twist)
		for range 3 {
			if given, err := w.AskConsent(t.Context(), man); given || err == nil || errors.Is(err, registry.ErrAskedLately) {
				t.Errorf("%s: %v, %v", name, given, err)
			}
			if c.sent {
				break
			}
		}
		w.gateway.Twist(nil)
		before := w.gateway.Texts()
		if _, err := w.AskConsent(t.Context(), man); errors.Is(err, registry.ErrAskedLately) != c.sent || !c.sent && err != nil {
			t.Errorf("%s: asked again: %v", name, err)
		}
		if sent := w.gateway.Texts() - before; (sent == 0) != c.sent {
			t.Errorf("%s: asked again: %d messages", name, sent)
		}
		if _, err := w.AskConsent(t.Context(), man); !errors.Is(err, registry.ErrAskedLately) {
			t.Errorf("%s: asked again at once: %v", name, err)
		}
	}
}

// Only a valid consent is one: whatever else the service says or fails to say opens nothing, and is not taken for a no.
func TestConsentUnsure(t *testing.T) {
	for name, c := range map[string]struct {
		says   string
		twist  func(*statetest.Answer)
		failed bool
	}{
		"another status":        {says: "<status>NEW</status><code>x</code><publickey>k</publickey>"},
		"refused":               {says: "<status>REJECTED</status>"},
		"valid without a token": {says: "<status>VALID</status><code></code>"},
		"two statuses":          {says: "<status>VALID</status><status>REJECTED</status><code>x</code>", failed: true},
		"no status":             {says: "<code>x</code>", failed: true},
		"a fault":               {twist: func(a *statetest.Answer) { a.Raw, a.Status = statetest.Fault, 500 }, failed: true},
		"somebody else signed it": {says: "<status>VALID</status><code>x</code>", twist: func(a *statetest.Answer) {
			a.Change = func(s string) string { return strings.Replace(s, ">x<", ">y<", 1) }
		}, failed: true},
		"an answer of yesterday": {says: "<status>VALID</status><code>x</code>", twist: func(a *statetest.Answer) { a.At = a.At.Add(-24 * time.Hour) }, failed: true},
	} {
		w := newWorld(t, nil)
		w.gateway.Put("KDP_SERVICE", man, c.says)
		w.gateway.Twist(c.twist)
		if given, err := w.ConsentGiven(t.Context(), man); given || (err != nil) != c.failed {
			t.Errorf("%s: %v, %v", name, given, err)
		}
		if a := w.Person(t.Context(), registry.ForKey, man); a.Verdict != registry.Unknown || (a.Code == registry.ConsentNeeded) == c.failed {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

// A consent that one node saw is there for every other, and the message that asks for one is sent so often and no more,
// whichever node sends it.
func TestConsentOfAnotherNode(t *testing.T) {
	for name, url := range map[string]func(*testing.T) string{
		"sqlite":   func(t *testing.T) string { return t.TempDir() + "/senim.db" },
		"postgres": func(t *testing.T) string { return storetest.PostgresURL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			at := url(t)
			key := []byte("0123456789abcdef0123456789abcdef")
			var now func() time.Time
			kept := func(node string) *store.Store {
				return storetest.Open(t, store.Config{URL: at, Node: node, Key: key, Now: func() time.Time { return now() }})
			}
			w := newWorld(t, func(c *state.Config) { now = c.Now; c.Consents = kept("one").StateConsents() })
			w.gateway.Put("GBDFLINFO", man, statetest.Person(man, ""))
			second := kept("two")
			gateway := w.gateway.Config()
			other, err := state.New(state.Config{Gateway: &gateway, Audit: w.record, Hash: func(string) string { return "keyed-hash" }, Consents: second.StateConsents(), Now: w.time})
			if err != nil {
				t.Fatal(err)
			}
			w.gateway.Consent(man, "")
			if given, err := w.AskConsent(t.Context(), man); given || err != nil {
				t.Fatalf("asked: %v, %v", given, err)
			}
			if _, err := other.AskConsent(t.Context(), man); !errors.Is(err, registry.ErrAskedLately) || w.gateway.Texts() != 1 {
				t.Errorf("the other node sends one at once: %v, %d messages", err, w.gateway.Texts())
			}
			consents := second.StateConsents()
			w.pass(time.Minute) // one message was sent; of the next two the last was not
			for range 2 {
				if may, err := consents.MayAsk(t.Context(), man, 0, 5); !may || err != nil {
					t.Errorf("may be asked: %v, %v", may, err)
				}
			}
			if err := consents.NotAsked(t.Context(), man); err != nil {
				t.Error(err)
			}
			if may, err := consents.MayAsk(t.Context(), man, time.Hour, 3); may || err != nil {
				t.Errorf("the messages before are forgotten too: %v, %v", may, err)
			}
			if may, err := consents.MayAsk(t.Context(), man, 0, 3); !may || err != nil {
				t.Errorf("a message that was not sent counts: %v, %v", may, err)
			}
			w.gateway.Consent(man, "token one")
			if given, err := w.ConsentGiven(t.Context(), man); !given || err != nil {
				t.Fatalf("given: %v, %v", given, err)
			}
			// a letter asks the service of access nothing: what the other node has, it has from the database
			if a := other.Person(t.Context(), registry.ForNotify, man); a.Verdict != registry.Good {
				t.Errorf("the other node: %+v", a)
			}
			if token, _, ok, err := second.StateConsents().Consent(t.Context(), man); !ok || err != nil || token != "token one" {
				t.Errorf("kept: %q, %v, %v", token, ok, err)
			}
			w.pass(31 * time.Minute)
			if a := other.Person(t.Context(), registry.ForNotify, man); a.Code != registry.ConsentNeeded {
				t.Errorf("a consent whose time is over: %+v", a)
			}
		})
	}
}

// The service of consents is silent: pages that wait for a consent take no turn of the gates, and soon it is left alone,
// while people whose consent is kept are answered about as before.
func TestSilentConsentsHoldNobodyUp(t *testing.T) {
	const other = "009941000001"
	w := newWorld(t, func(c *state.Config) {
		c.Bounds.Whole, c.Bounds.Queue, c.Bounds.Turns = 500*time.Millisecond, 200*time.Millisecond, 2
	})
	for _, iin := range []ident.IIN{man, other} {
		w.gateway.Put("GBDFLINFO", string(iin), statetest.Person(string(iin), ""))
	}
	w.gateway.Consent(man, "token")
	if given, err := w.ConsentGiven(t.Context(), man); !given || err != nil {
		t.Fatalf("given: %v, %v", given, err)
	}
	w.gateway.Twist(func(a *statetest.Answer) {
		if a.Service == "KDP_SERVICE" {
			a.Silence = time.Minute
		}
	})
	look := func() error { _, err := w.ConsentGiven(t.Context(), other); return err }
	var looks sync.WaitGroup
	begun := w.gateway.Asked()
	for range 2 {
		looks.Go(func() {
			if err := look(); err == nil {
				t.Error("a silent service has an answer")
			}
		})
	}
	for w.gateway.Asked() < begun+2 { // both looks have their turns
		time.Sleep(time.Millisecond) //nolint:forbidigo // the fake tells nobody
	}
	if a := w.Person(t.Context(), registry.ForKey, man); a.Verdict != registry.Good {
		t.Errorf("a gate, while two pages look: %+v", a)
	}
	looks.Wait()
	for range 3 {
		if err := look(); err == nil {
			t.Error("a silent service has an answer")
		}
	}
	before := w.gateway.Asked()
	if err := look(); err == nil || w.gateway.Asked() != before {
		t.Errorf("a service that was silent five times is asked again: %v", err)
	}
	if a := w.Person(t.Context(), registry.ForKey, other); a.Verdict != registry.Unknown || a.Code != state.Open || w.gateway.Asked() != before {
		t.Errorf("a gate that wants a consent of it: %+v", a)
	}
	if a := w.Person(t.Context(), registry.ForKey, man); a.Verdict != registry.Good {
		t.Errorf("a gate afterwards: %+v", a)
	}
	if n := w.count("registry.adapter.open"); n != 1 {
		t.Errorf("%d services are left alone", n)
	}
}
