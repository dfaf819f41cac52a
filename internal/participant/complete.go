package participant

import (
	"context"
	"errors"
	"fmt"

	"senim/internal/ident"
	"senim/internal/job"
	"senim/internal/lang"
	"senim/internal/trust"
	"senim/pki"
)

// HeadChangedKind is the job that tells the cabinet that a company's head changed, so that it offers
// to revoke the previous head's keys of that company with reason affiliationChanged. Its payload
// is [HeadChanged].
const HeadChangedKind = "head.changed"

// HeadChanged is the payload of [HeadChangedKind]: ids only. The handler reads the profiles.
type HeadChanged struct {
	Registration string `json:"registration"`
	Previous     string `json:"previous"` // profile id of the previous head
	Next         string `json:"next"`     // profile id of the new head
}

// CompanyOf is the tin of the company whose head changed.
func (o *Office) CompanyOf(ctx context.Context, j HeadChanged) (string, error) {
	var p Profile
	err := o.c.Store.View(ctx, func(tx Tx) (err error) { p, err = tx.Profile(ctx, j.Next); return err })
	if err != nil {
		return "", fmt.Errorf("read the new head's profile: %w", err)
	}
	return p.TIN, nil
}

// Complete finishes the registration of a letter's link for a person who has just signed in with
// key and password. The gate runs again on the certificate of step 3; then everything of section
// 8.3 happens in one transaction: the account and profile of the person, the previous head's
// block, the end of his sessions for the company, other registrations superseded, letters, audit
// and the job for the cabinet. Either all of it, or nothing and the link is still good.
//
// Refusals: LINK_STALE (with done when complete), CERT_OTHER_PERSON, SUPERSEDED_BY_OTHER,
// RACE_RETRY, and [*GateClosed]; one that is only CHECK_UNAVAILABLE leaves the link good.
func (o *Office) Complete(ctx context.Context, key LinkKey, iin ident.IIN) (Registration, error) {
	r, err := o.byLink(ctx, key)
	if errors.Is(err, ErrNotFound) {
		return r, deny("LINK_STALE")
	}
	if err != nil {
		return r, fmt.Errorf("complete registration: %w", err)
	}
	if err := o.completable(ctx, r, iin); err != nil {
		return r, err
	}
	cert, err := pki.ParseCertificate(r.Signer)
	if err != nil {
		return r, fmt.Errorf("complete registration: %w", err)
	}
	e, subject, err := o.gate(ctx, question{cert: cert, reg: r, step: 4})
	if err != nil {
		return r, err
	}
	if !e.Passed() {
		return r, o.refuse(ctx, r, e)
	}
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		r, err = o.finish(ctx, tx, key, iin, cert, e, subject)
		return err
	})
	if closed, ok := errors.AsType[*shut](err); ok {
		return r, o.refuse(ctx, r, e.with(closed.Check))
	}
	if err != nil {
		return r, fmt.Errorf("complete registration: %w", raced(err))
	}
	return r, nil
}

// completable says why the link may not be used, and writes down that its time is over.
func (o *Office) completable(ctx context.Context, r Registration, iin ident.IIN) error {
	if r.IIN != iin {
		return deny("CERT_OTHER_PERSON")
	}
	switch {
	case r.State == StateCompleted:
		return deny("LINK_STALE", "done", "1")
	case r.State == StateCancelled && r.Reason == "SUPERSEDED_BY_OTHER":
		return deny("SUPERSEDED_BY_OTHER")
	case r.State.Open() && r.Over(o.now()):
		if err := o.Expire(ctx, r.ID); err != nil {
			return err
		}
		return deny("LINK_STALE")
	case r.State != StateSigned:
		return deny("LINK_STALE")
	}
	return nil
}

// refuse writes down a gate that did not pass at completion.
func (o *Office) refuse(ctx context.Context, r Registration, e Evidence) error {
	err := o.c.Store.Update(ctx, func(tx Tx) error {
		now, err := tx.Registration(ctx, r.ID)
		if err != nil {
			return err
		}
		if now.State != StateSigned {
			return ErrRace
		}
		now.Evidence = e.ID
		step := RegistrationUnchecked
		if e.Verdict() == trust.Bad {
			step = RegistrationRefused
		}
		if now, err = now.step(step); err != nil {
			return err
		}
		if step == RegistrationRefused {
			now.Reason, now.Ended = e.Failed()[0].Code, o.now()
			now = now.forget()
		}
		if err := tx.PutEvidence(ctx, e); err != nil {
			return err
		}
		if err := tx.PutRegistration(ctx, now); err != nil {
			return err
		}
		if !now.State.Open() { // after the row: the account stays while another link may need it
			if err := o.forgetAccount(ctx, tx, now.IIN); err != nil {
				return err
			}
		}
		return tx.Audit(ctx, event(tx, "reg.refused", now, result(e), map[string]string{"step": "4"}))
	})
	if err != nil {
		return fmt.Errorf("refuse registration: %w", raced(err))
	}
	return &GateClosed{Evidence: e}
}

// finish is the transaction. What lives in our own tables is read again here, so that nothing
// that changed since the gate ran is overlooked.
func (o *Office) finish(ctx context.Context, tx Tx, key LinkKey, iin ident.IIN, cert *pki.Certificate, e Evidence, s Subject) (Registration, error) {
	r, err := tx.RegistrationByLink(ctx, string(key))
	if err != nil {
		return r, err
	}
	now := o.now()
	switch {
	case r.State == StateCancelled && r.Reason == "SUPERSEDED_BY_OTHER":
		return r, deny("SUPERSEDED_BY_OTHER")
	case r.State != StateSigned || r.Over(now) || r.IIN != iin:
		return r, ErrRace
	}
	if err := o.still(ctx, tx, r.Category, cert, e); err != nil {
		return r, err
	}
	r.Subject = s // what the registry says now, a practice among it, and not what it said at step 1
	if c := o.accountCheck(ctx, tx, r); c.Verdict != trust.Good {
		return r, &Denied{Code: c.Code, Evidence: c.Evidence}
	}
	if err := tx.PutEvidence(ctx, e); err != nil {
		return r, err
	}
	if err := o.activateAccount(ctx, tx, r, now); err != nil {
		return r, err
	}
	if err := o.putEnterprise(ctx, tx, r, s, now); err != nil {
		return r, err
	}
	previous, err := o.blockHeads(ctx, tx, r, now, e.ID)
	if err != nil {
		return r, err
	}
	next, err := o.activateProfile(ctx, tx, r, s, now, e.ID)
	if err != nil {
		return r, err
	}
	if err := o.supersedeOthers(ctx, tx, r, now); err != nil {
		return r, err
	}
	if r, err = r.step(RegistrationCompleted); err != nil {
		return r, err
	}
	r.Ended, r.Evidence = now, e.ID
	r = r.forget()
	if err := tx.PutRegistration(ctx, r); err != nil {
		return r, err
	}
	if err := o.announce(ctx, tx, r, previous, next); err != nil {
		return r, err
	}
	return r, tx.Audit(ctx, event(tx, "reg.completed", r, "ok", map[string]string{"profile": next.ID}))
}

// announce writes N-05 and, for every head who lost his profile, the audit event head.changed and the
// job for the cabinet.
func (o *Office) announce(ctx context.Context, tx Tx, r Registration, previous []Profile, next Profile) error {
	done := func(l lang.Tag) map[string]string {
		return map[string]string{"category": l.Text("portal.category." + string(r.Category)), "org": next.Name}
	}
	if err := o.tell(ctx, tx, "N-05", r.IIN, r.ID, done); err != nil {
		return err
	}
	for _, p := range previous {
		detail := map[string]string{"previous": p.ID, "next": next.ID}
		if err := tx.Audit(ctx, event(tx, "head.changed", r, "ok", detail)); err != nil {
			return err
		}
		j := job.Job{Kind: HeadChangedKind, Payload: HeadChanged{Registration: r.ID, Previous: p.ID, Next: next.ID}, Unique: r.ID + p.ID}
		if err := tx.Enqueue(ctx, j); err != nil {
			return err
		}
	}
	return nil
}
