package portal

import (
	"testing"

	"senim/internal/ident"
	"senim/internal/participant"
	"senim/internal/registry"
)

// A load that takes the head away between the gate's answers and the transaction that acts on them stops it, over
// the real records: nothing is done, the link stays good, and the next try is told the cause.
func TestLoadBetweenGateAndCompletion(t *testing.T) {
	w := newWorld(t)
	w.heads(iinA, iinB)
	b := w.browser()
	w.register(b, "b@example.kz", passB)
	b.follow().sign(w.head(iinB, binX)).at("/login/password")
	w.before = func() { w.before = func() { w.heads(iinA, "") } } // the first transaction is of the password
	b.post("/login/password", "password", passB).refused("RACE_RETRY")
	if w.before != nil {
		t.Fatal("no load came")
	}
	if w.statusOf(iinA, binX) != participant.Active || w.statusOf(iinB, binX) != "" || w.audited("head.changed") != 0 {
		t.Errorf("A %s, B %q", w.statusOf(iinA, binX), w.statusOf(iinB, binX))
	}
	w.heads(iinA, iinB)
	// A load that says nothing else of the enterprise stops nobody.
	w.before = func() { w.before = func() { w.heads(iinA, iinB) } }
	b.get("/login/password").post("/login/password", "password", passB).at("/me?done=1")
	if w.statusOf(iinA, binX) != participant.HeadChangeBlocked {
		t.Errorf("A %s", w.statusOf(iinA, binX))
	}
}

// The same for who registers in his own name: he is excluded from the database of persons meanwhile.
func TestPersonExcludedBetween(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.begin(participant.Individual).sign(w.personal(iinC)).at("/2").fill("c@example.kz", passB).at("/3").sign(w.personal(iinC)).at("/4")
	b.follow().sign(w.personal(iinC)).at("/login/password")
	w.before = func() { w.before = func() { w.exclude(iinC) } }
	b.post("/login/password", "password", passB).refused("RACE_RETRY")
	if w.statusOf(iinC, iinC) == participant.Active {
		t.Error("registered all the same")
	}
	b.get("/login/password").post("/login/password", "password", passB).refused("PERSON_EXCLUDED")
}

// exclude loads that a person was excluded.
func (w *world) exclude(iin ident.IIN) {
	w.load(registry.Batch{Source: registry.SourcePersons, Full: true, AsOf: w.time(), Operator: "system", Persons: []registry.Person{
		{IIN: iinA, Surname: "ТЕСТТОВ", Name: "ТЕСТТ"}, {IIN: iinB, Surname: "ТЕСТОВ", Name: "ТЕСТ"}, {IIN: iin, Surname: "СЕРИКОВА", Name: "АЙГУЛЬ", Excluded: true}}})
}
