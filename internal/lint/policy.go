package lint

import (
	"encoding/asn1"
	"errors"
	"fmt"

	"senim/internal/profile"
)

func policyRules() []Rule {
	return []Rule{{Name: "profile-policies", Clause: "RFC 5280 4.2.1.4, crypto.md §9", kinds: []Kind{Holder}, check: profiled(profilePolicies)}}
}

// Qualifiers of RFC 5280 4.2.1.4.
var (
	qualifierCPS    = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 2, 1}
	qualifierNotice = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 2, 2}
)

type policyInformation struct {
	ID         asn1.ObjectIdentifier
	Qualifiers []policyQualifier `asn1:"optional"`
}

type policyQualifier struct {
	ID    asn1.ObjectIdentifier
	Value asn1.RawValue
}

// profilePolicies: those of the profile in its order, each with the address of its statement and,
// where the profile has it, the notice that repeats it.
func profilePolicies(s Subject, p profile.Profile) error {
	got, err := readPolicies(s)
	if err != nil {
		return err
	}
	if len(got) != len(p.Policies) {
		return fmt.Errorf("%d policies, the profile has %d", len(got), len(p.Policies))
	}
	for i, want := range p.Policies {
		id, cps := want.OID, want.CPS
		if id == nil {
			id = s.Meant.Policy
		}
		if cps == "" {
			cps = s.Meant.CPS
		}
		if !got[i].ID.Equal(id) {
			return fmt.Errorf("policy %s, want %s", got[i].ID, id)
		}
		if err := qualifiers(got[i].Qualifiers, cps, want.Notice); err != nil {
			return err
		}
	}
	return nil
}

// readPolicies takes the extension apart with another reader than the one that wrote it.
func readPolicies(s Subject) (all []policyInformation, err error) {
	for _, e := range s.Certificate.Extensions {
		if !e.OID.Equal(policiesID) {
			continue
		}
		rest, err := asn1.Unmarshal(e.Value, &all)
		if err != nil || len(rest) > 0 {
			return nil, errors.New("the policies cannot be read")
		}
	}
	return all, nil
}

func qualifiers(got []policyQualifier, cps string, notice bool) error {
	n := 1
	if notice {
		n = 2
	}
	if len(got) != n {
		return fmt.Errorf("%d qualifiers of a policy, want %d", len(got), n)
	}
	if !got[0].ID.Equal(qualifierCPS) || got[0].Value.Tag != asn1.TagIA5String || string(got[0].Value.Bytes) != cps {
		return errors.New("the address of the statement is not the authority's")
	}
	if !notice {
		return nil
	}
	var text struct {
		Explicit asn1.RawValue
	}
	rest, err := asn1.Unmarshal(got[1].Value.FullBytes, &text)
	if err != nil || len(rest) > 0 || !got[1].ID.Equal(qualifierNotice) || text.Explicit.Tag != asn1.TagUTF8String || string(text.Explicit.Bytes) != cps {
		return errors.New("the notice does not repeat the address of the statement")
	}
	return nil
}
