package desk_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
)

// What an operator signs is signed under a challenge of the page he looked at: it serves once, and only there.
func TestSec1DeskIsFresh(t *testing.T) {
	w := newWorld(t)
	one, two := w.clerks()
	serial := w.back.key(visitor).SerialHex()
	begin := func() page {
		at := one.post("/desk/keys/"+serial, actForm("hold"))
		at.has(t, 200, `data-state="draft"`)
		return at
	}
	record := func(by *person, at page, answer string) page {
		return by.send(at.path, url.Values{"do": {"record"}, "answer": {answer}})
	}
	at := begin()
	one.agent(at)
	for _, document := range w.bound {
		bare, err := json.Marshal([]string{one.sign(document)})
		if err != nil {
			t.Fatal(err)
		}
		record(one, at, string(bare)).has(t, 422, "SIGNATURE_INVALID")
	}
	record(one, at, one.agent(at)).has(t, 422, "CHALLENGE_STALE") // taken by the answer before
	first := one.get(at.path)
	old := one.agent(first)
	one.get(at.path)
	record(one, at, old).has(t, 422, "SIGNATURE_INVALID") // under the challenge the newer page has replaced
	other := begin()
	record(one, at, one.agent(other)).has(t, 422, "CHALLENGE_STALE") // of another act's page
	last := one.agent(one.get(at.path))
	record(one, at, last).has(t, 200, `data-state="waiting"`)
	seen := two.get(at.path)
	if !strings.Contains(seen.body, "challenge") {
		t.Error("the second operator signs under none")
	}
	two.send(at.path, url.Values{"do": {"confirm"}, "answer": {last}}).has(t, 422, "SIGNATURE_INVALID")
	two.send(at.path, url.Values{"do": {"confirm"}, "answer": {two.agent(two.get(at.path))}}).has(t, 200, `data-state="done"`)
}
