package participant

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"senim/internal/trust"
	"senim/pki"
)

// question is what the gate is asked: this certificate, for this registration, at this step.
type question struct {
	cert *pki.Certificate
	reg  Registration
	step int // 1: certificate chosen; 3: agreement signed; 4: completion
}

// gate runs every check of section 8.2 and reports each. The registry and our own tables are asked
// only for a certificate that is trusted, valid, not revoked and fit for signing: until then the
// caller has not proved that he is who he says, and learns nothing of any enterprise (section 17).
func (o *Office) gate(ctx context.Context, q question) (Evidence, Subject, error) {
	id, err := newID(o.c.Random)
	if err != nil {
		return Evidence{}, Subject{}, fmt.Errorf("run gate: %w", err)
	}
	e := Evidence{ID: id, Registration: q.reg.ID, At: o.now()}
	report := o.c.Judge.Certificate(ctx, q.cert, trust.Signing)
	e.Checks = fromReport(report)
	e.Checks = append(e.Checks, o.roleCheck(q.cert, q.reg.Category), o.numberCheck(q))
	if report.Verdict() != trust.Good || e.Checks[len(e.Checks)-1].Verdict != trust.Good {
		for _, rule := range []string{"G6", "G7", "G8", "G9"} {
			e.Checks = append(e.Checks, Check{Rule: rule, Name: "not-asked", Verdict: trust.Unknown})
		}
		return e, Subject{}, nil
	}
	if err := o.c.Store.View(ctx, func(tx Tx) error {
		e.Standing, err = o.standing(ctx, tx, q.reg.Category, q.cert)
		return err
	}); err != nil {
		return e, Subject{}, fmt.Errorf("run gate: %w", err)
	}
	again, err := o.headed(ctx, q)
	if err != nil {
		return e, Subject{}, fmt.Errorf("run gate: %w", err)
	}
	checks, subject := o.askRegistry(ctx, q, again)
	e.Checks = append(e.Checks, checks...)
	q.reg.Subject = subject
	own, err := o.askTables(ctx, q, checks)
	if err != nil {
		return e, subject, fmt.Errorf("run gate: %w", err)
	}
	e.Checks = merge(e.Checks, own)
	return e, subject, nil
}

// fromReport numbers the checks of a certificate G1 to G4.
func fromReport(r trust.Report) []Check {
	rules := map[string]string{trust.CheckChain: "G1", trust.CheckValidity: "G2", trust.CheckRevocation: "G3", trust.CheckPurpose: "G4"}
	var checks []Check
	for _, c := range r {
		rule, ok := rules[c.Name]
		if !ok {
			rule = "G1"
		}
		code := c.Code
		if c.Verdict != trust.Good && code == "" {
			code = trust.CodeUnavailable
		}
		checks = append(checks, Check{Rule: rule, Name: c.Name, Verdict: c.Verdict, Code: code, Evidence: maps.Clone(c.Evidence)})
	}
	if len(checks) == 0 { // nobody looked: never good
		checks = append(checks, Check{Rule: "G1", Name: trust.CheckChain, Verdict: trust.Unknown, Code: trust.CodeUnavailable})
	}
	return checks
}

// roleCheck is G5: the first head of a legal entity, or a person's own certificate without a BIN.
func (o *Office) roleCheck(cert *pki.Certificate, c Category) Check {
	h := cert.Holder()
	k := Check{Rule: "G5", Name: "role", Verdict: trust.Good, Evidence: map[string]string{"role": roleCode(h), "roles": usages(cert)}}
	switch {
	case c.Enterprise():
		heads := []pki.Role{pki.RoleFirstHead}
		if c == StructuralUnit {
			heads = o.c.UnitRoles
		}
		if !h.Has(pki.RoleLegal) || !slices.ContainsFunc(heads, h.Has) {
			k.Verdict, k.Code = trust.Bad, "CERT_NO_HEAD_ROLE"
		}
	case !h.Has(pki.RoleIndividual) || h.BIN != "" || h.Has(pki.RoleLegal):
		k.Verdict, k.Code = trust.Bad, "CERT_NOT_PERSONAL"
	}
	return k
}

// usages are the extended key usages as they stand in the certificate, for the evidence.
func usages(cert *pki.Certificate) string {
	ids := make([]string, len(cert.ExtKeyUsage))
	for i, id := range cert.ExtKeyUsage {
		ids[i] = id.String()
	}
	return strings.Join(ids, " ")
}

// numberCheck is the part of G6 and R6 that the certificate alone decides: whose it is and of which
// organisation, and that the numbers are real ones (or listed test identities).
func (o *Office) numberCheck(q question) Check {
	h := q.cert.Holder()
	k := Check{Rule: "G6", Name: "numbers", Verdict: trust.Good, Evidence: map[string]string{}}
	bad := func(code string) Check {
		k.Verdict, k.Code = trust.Bad, code
		return k
	}
	if _, err := o.c.Rules.AdmitIIN(h.IIN); err != nil {
		return bad("NUMBER_INVALID")
	}
	if q.step > 1 && h.IIN != string(q.reg.IIN) {
		return bad("CERT_OTHER_PERSON")
	}
	if !q.reg.Category.Enterprise() {
		return k
	}
	k.Evidence["certificate"] = h.BIN
	if h.BIN == "" {
		return bad("CERT_NO_BIN")
	}
	if _, err := o.c.Rules.AdmitBIN(h.BIN); err != nil {
		return bad("NUMBER_INVALID")
	}
	if q.step > 1 && h.BIN != q.reg.TIN {
		k.Evidence["a"], k.Evidence["b"] = h.BIN, q.reg.TIN
		return bad("CERT_WRONG_BIN")
	}
	return k
}

// Registered reports whether the run found that the enterprise has an active head already, which
// is what the original says and no more (section 9).
func (e Evidence) Registered() bool {
	for _, c := range e.Checks {
		if c.Name == "registered" {
			return true
		}
	}
	return false
}
