package participant

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"senim/internal/ident"
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
	e.Checks = append(e.Checks, roleCheck(q.cert, q.reg.Category), o.numberCheck(q))
	if report.Verdict() != trust.Good || e.Checks[len(e.Checks)-1].Verdict != trust.Good {
		for _, rule := range []string{"G6", "G7", "G8", "G9"} {
			e.Checks = append(e.Checks, Check{Rule: rule, Name: "not-asked", Verdict: trust.Unknown})
		}
		return e, Subject{}, nil
	}
	checks, subject := o.askRegistry(ctx, q)
	e.Checks = append(e.Checks, checks...)
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
func roleCheck(cert *pki.Certificate, c Category) Check {
	h := cert.Holder()
	k := Check{Rule: "G5", Name: "role", Verdict: trust.Good, Evidence: map[string]string{"role": roleCode(h)}}
	switch {
	case c.Enterprise():
		if !h.Has(pki.RoleLegal) || !h.Has(pki.RoleFirstHead) {
			k.Verdict, k.Code = trust.Bad, "CERT_NO_HEAD_ROLE"
		}
	case !h.Has(pki.RoleIndividual) || h.BIN != "" || h.Has(pki.RoleLegal):
		k.Verdict, k.Code = trust.Bad, "CERT_NOT_PERSONAL"
	}
	return k
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

// askTables is G9 and what our own tables know of the enterprise.
func (o *Office) askTables(ctx context.Context, q question, registry []Check) ([]Check, error) {
	var own []Check
	err := o.c.Store.View(ctx, func(tx Tx) error {
		r := q.reg
		r.IIN, r.TIN = ident.IIN(q.cert.Holder().IIN), subjectTIN(q.reg.Category, q.cert)
		own = []Check{o.accountCheck(ctx, tx, r)}
		if !r.Category.Enterprise() {
			return nil
		}
		held, err := o.previousHead(ctx, tx, r, registry)
		if err != nil {
			return err
		}
		own = append(own, held...)
		if q.step == 1 {
			p, err := o.pendingCheck(ctx, tx, r)
			if err != nil {
				return err
			}
			own = append(own, p)
		}
		return nil
	})
	return own, err
}

// accountCheck is G9: the enterprise and the account are not blocked, and the profile is not
// active already.
func (o *Office) accountCheck(ctx context.Context, tx Tx, r Registration) Check {
	k := Check{Rule: "G9", Name: "account", Verdict: trust.Good, Evidence: map[string]string{}}
	stop := func(v trust.Verdict, code, reason string) Check {
		k.Verdict, k.Code = v, code
		if reason != "" {
			k.Evidence["reason"] = reason
		}
		return k
	}
	e, err := tx.Enterprise(ctx, r.TIN)
	switch {
	case err == nil && e.Blocked:
		return stop(trust.Bad, "ENTERPRISE_BLOCKED", e.BlockedReason)
	case err != nil && !errors.Is(err, ErrNotFound):
		return stop(trust.Unknown, trust.CodeUnavailable, "")
	}
	a, err := tx.Account(ctx, r.IIN)
	switch {
	case err == nil && a.State == AccountBlocked:
		return stop(trust.Bad, "ACCOUNT_BLOCKED", a.BlockedReason)
	case err != nil && !errors.Is(err, ErrNotFound):
		return stop(trust.Unknown, trust.CodeUnavailable, "")
	}
	profiles, err := tx.Profiles(ctx, r.IIN)
	if err != nil {
		return stop(trust.Unknown, trust.CodeUnavailable, "")
	}
	for _, p := range profiles {
		if p.TIN != r.TIN || p.Type != r.Category.ProfileType() {
			continue
		}
		switch p.Status {
		case Active:
			if r.Category.Enterprise() {
				return stop(trust.Bad, "ALREADY_SAME_HEAD", "")
			}
			return stop(trust.Bad, "ALREADY_REGISTERED", "")
		case Blocked, EnterpriseBlocked:
			return stop(trust.Bad, "ACCOUNT_BLOCKED", p.Reason)
		case HeadChangeBlocked:
		}
	}
	return k
}

// previousHead turns "the registry names another head" into CERT_PREVIOUS_HEAD for the head our
// own tables still have (section 9), and notes that the enterprise is registered already. Then it
// is no longer the same head.
func (o *Office) previousHead(ctx context.Context, tx Tx, r Registration, registry []Check) ([]Check, error) {
	all, err := tx.ProfilesOf(ctx, r.TIN)
	if err != nil {
		return nil, err
	}
	var own []Check
	for _, p := range all {
		if p.Type != TypeHead || p.Status != Active {
			continue
		}
		note := Check{Rule: "G9", Name: "registered", Verdict: trust.Good, Evidence: map[string]string{"since": stamp(p.Since)}}
		own = append(own, note)
		if p.IIN != r.IIN {
			continue
		}
		for _, c := range registry {
			if c.Code == "REGISTRY_OTHER_HEAD" || c.Code == "REGISTRY_HEAD_DISMISSED" {
				c.Code = "CERT_PREVIOUS_HEAD"
				own = append(own, c)
			}
		}
	}
	return own, nil
}

// pendingCheck says that another person's registration of the enterprise waits for its link.
func (o *Office) pendingCheck(ctx context.Context, tx Tx, r Registration) (Check, error) {
	k := Check{Rule: "G9", Name: "pending", Verdict: trust.Good}
	all, err := tx.OpenRegistrations(ctx, r.TIN)
	if err != nil {
		return k, err
	}
	var until time.Time
	for _, other := range all {
		if other.State == StateSigned && other.IIN != r.IIN && !other.Over(o.now()) && other.Expires.After(until) {
			until = other.Expires
		}
	}
	if !until.IsZero() {
		k.Verdict, k.Code, k.Evidence = trust.Bad, "REGISTRATION_PENDING", map[string]string{"date": stamp(until)}
	}
	return k, nil
}

// merge adds our own checks: the previous head's takes the place of the registry's, and then he is
// not told that he is the head already.
func merge(checks, own []Check) []Check {
	previous := false
	for _, c := range own {
		if c.Code == "CERT_PREVIOUS_HEAD" {
			previous = true
			for i := range checks {
				if checks[i].Rule == c.Rule && checks[i].Name == c.Name {
					checks[i] = c
				}
			}
		}
	}
	for _, c := range own {
		switch {
		case c.Code == "CERT_PREVIOUS_HEAD":
		case previous && c.Code == "ALREADY_SAME_HEAD":
		default:
			checks = append(checks, c)
		}
	}
	return checks
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
