package participant

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"senim/internal/ident"
	"senim/internal/trust"
)

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
	case err == nil && e.Blocked && r.Category != Individual:
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
		if p.TIN != r.TIN || p.Type != r.ProfileType() {
			continue
		}
		switch p.Status {
		case Active:
			if r.Category.Enterprise() {
				return stop(trust.Bad, "ALREADY_SAME_HEAD", "")
			}
			return stop(trust.Bad, "ALREADY_REGISTERED", "")
		case Blocked, EnterpriseBlocked:
			return stop(trust.Bad, "ACCOUNT_BLOCKED", cmp.Or(p.Note, p.Reason))
		case HeadChangeBlocked:
		}
	}
	return k
}

// headed reports whether the enterprise had a head here already: whoever asks for it registers it again. One who was
// blocked when his successor signed the agreement counts.
func (o *Office) headed(ctx context.Context, q question) (yes bool, err error) {
	if !q.reg.Category.Enterprise() {
		return false, nil
	}
	err = o.c.Store.View(ctx, func(tx Tx) error {
		all, err := tx.ProfilesOf(ctx, subjectTIN(q.reg.Category, q.cert))
		yes = slices.ContainsFunc(all, func(p Profile) bool {
			return p.Type == TypeHead && (p.Status == Active || p.Status == HeadChangeBlocked)
		})
		return err
	})
	return yes, err
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
