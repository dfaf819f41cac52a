package lint

import (
	"senim/algid"
)

// outsideRules are somebody else's, for certificates of RSA keys; nobody else's know GOST.
func outsideRules() []Rule {
	return []Rule{{Name: "zlint", Clause: "zlint v3.7.1: RFC 5280 and 8813, ETSI, Mozilla, BR on keys", check: outside}}
}

func outside(s Subject) error {
	if s.Certificate.Key != algid.RSA {
		return nil
	}
	return zlint(s.Certificate.Raw, s.Kind == Root)
}

// NotApplied is a rule of zlint, or a whole source of rules, that is not asked, and why.
type NotApplied struct {
	Name, Why string
	Source    bool
}
