package state_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"senim/internal/registry"
	"senim/internal/state/statetest"
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
