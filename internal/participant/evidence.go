package participant

import (
	"time"

	"senim/internal/trust"
)

// Check is one rule of the gate and what came of it.
type Check struct {
	// Rule is the rule's number, "G1" to "G9".
	Rule string `json:"rule"`
	// Name says in a word what was looked at: chain, validity, revocation, purpose, role,
	// enterprise, head, registry, account, person, pending.
	Name    string        `json:"name"`
	Verdict trust.Verdict `json:"verdict"`
	// Code is empty when the verdict is good.
	Code string `json:"code,omitempty"`
	// Evidence is what was looked at; times in RFC 3339. It never holds the registry's own head.
	Evidence map[string]string `json:"evidence,omitempty"`
}

// Evidence is one run of the gate, kept as it was.
type Evidence struct {
	ID           string
	Registration string
	At           time.Time
	Checks       []Check
	// Standing is what the records of registries said before they were asked. It is not kept.
	Standing string
}

// Verdict is bad when a check is bad, else unknown when one is not good, else good. Nothing
// checked is unknown.
func (e Evidence) Verdict() trust.Verdict {
	if len(e.Checks) == 0 {
		return trust.Unknown
	}
	verdict := trust.Good
	for _, c := range e.Checks {
		switch c.Verdict {
		case trust.Good:
		case trust.Bad:
			return trust.Bad
		default:
			verdict = trust.Unknown
		}
	}
	return verdict
}

// Passed reports whether every check is good. 'Could not check' never passes.
func (e Evidence) Passed() bool { return e.Verdict() == trust.Good }

// Failed lists the checks that did not pass, those known to be bad before those that could not be
// made. A check that was not made because an earlier one failed has no code and is left out: the
// earlier one says why.
func (e Evidence) Failed() []Check {
	var bad, unknown []Check
	for _, c := range e.Checks {
		switch {
		case c.Verdict == trust.Good || c.Code == "":
		case c.Verdict == trust.Bad:
			bad = append(bad, c)
		default:
			unknown = append(unknown, c)
		}
	}
	return append(bad, unknown...)
}

// Codes lists the codes of Failed.
func (e Evidence) Codes() []string {
	var codes []string
	for _, c := range e.Failed() {
		codes = append(codes, c.Code)
	}
	return codes
}

// Find gives the check of a rule.
func (e Evidence) Find(rule string) (Check, bool) {
	for _, c := range e.Checks {
		if c.Rule == rule {
			return c, true
		}
	}
	return Check{}, false
}
