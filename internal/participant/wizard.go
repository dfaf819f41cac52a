package participant

import (
	"context"
	"errors"
	"fmt"

	"senim/internal/auth"
	"senim/internal/ident"
	"senim/internal/lang"
	"senim/internal/trust"
	"senim/pki"
)

// ExpireKind is the job that ends a registration whose time is over; its payload is [ExpireJob].
const ExpireKind = "participant.expire"

// ExpireJob is the payload of [ExpireKind].
type ExpireJob struct {
	ID string `json:"id"`
}

// Start begins a registration. The cookie is the secret by which the browser that began it comes
// back to it; only its hash is kept.
func (o *Office) Start(ctx context.Context, c Category, l lang.Tag) (r Registration, cookie string, err error) {
	id, err := newID(o.c.Random)
	if err != nil {
		return Registration{}, "", fmt.Errorf("begin registration: %w", err)
	}
	if cookie, err = newToken(o.c.Random); err != nil {
		return Registration{}, "", fmt.Errorf("begin registration: %w", err)
	}
	now := o.now()
	r = Registration{
		ID: id, Owner: hashToken(cookie), Category: c, State: StateCategory, Lang: l,
		Started: now, Expires: now.Add(o.c.Register.DraftTTL),
	}
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		if err := tx.PutRegistration(ctx, r); err != nil {
			return err
		}
		if err := tx.Enqueue(ctx, expireJob(r)); err != nil {
			return err
		}
		return tx.Audit(ctx, event(tx, "reg.started", r, "ok", nil))
	})
	if err != nil {
		return Registration{}, "", fmt.Errorf("begin registration: %w", err)
	}
	return r, cookie, nil
}

// Registration reads a registration for the browser that began it. [ErrNotFound] for any other
// browser, so that a stranger learns nothing; LINK_STALE when its time is over.
func (o *Office) Registration(ctx context.Context, id, cookie string) (Registration, error) {
	var r Registration
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		r, err = o.owned(ctx, tx, id, cookie)
		return err
	})
	return r, err
}

func (o *Office) owned(ctx context.Context, tx Tx, id, cookie string) (Registration, error) {
	r, err := tx.Registration(ctx, id)
	if err != nil {
		return Registration{}, fmt.Errorf("read registration: %w", err)
	}
	if cookie == "" || r.Owner != hashToken(cookie) { // both are hashes of 256 random bits
		return Registration{}, fmt.Errorf("read registration: %w", ErrNotFound)
	}
	if r.State.Open() && r.Over(o.now()) {
		return r, deny("DRAFT_STALE", "until", stamp(r.Expires))
	}
	return r, nil
}

// Certificate takes the certificate whose key was proved at step 1 (R1), runs the gate on it and
// keeps it: a certificate that passes opens step 2, one that does not gives [*GateClosed] and can
// be checked again with [Office.Recheck] without another signature.
func (o *Office) Certificate(ctx context.Context, id, cookie string, p *auth.Proof) (Registration, error) {
	r, err := o.Registration(ctx, id, cookie)
	if err != nil {
		return r, err
	}
	if !r.mayChoose() {
		return r, deny("STEP_PASSED")
	}
	person := describe(p.Certificate)
	iin, err := ident.ParseIIN(p.Holder.IIN)
	if err != nil {
		return r, deny("CERT_NO_IIN")
	}
	other := r.IIN != "" && (r.IIN != iin || r.TIN != subjectTIN(r.Category, p.Certificate))
	r.IIN, r.TIN, r.Certificate, r.Proved, r.Person = iin, subjectTIN(r.Category, p.Certificate), p.Certificate.Raw, o.now(), person
	if other { // another person or company: nothing typed before is his
		r.Entered, r.Password, r.Known = Entered{}, "", false
	}
	return o.check(ctx, r, p.Certificate)
}

// Recheck runs the gate again on the certificate proved before: «Повторить проверку».
func (o *Office) Recheck(ctx context.Context, id, cookie string) (Registration, error) {
	r, err := o.Registration(ctx, id, cookie)
	if err != nil {
		return r, err
	}
	if r.Certificate == nil || !r.mayChoose() {
		return r, deny("STEP_PASSED")
	}
	cert, err := pki.ParseCertificate(r.Certificate)
	if err != nil {
		return r, fmt.Errorf("check again: %w", err)
	}
	return o.check(ctx, r, cert)
}

// check runs the gate at step 1 and writes what came of it.
func (o *Office) check(ctx context.Context, r Registration, cert *pki.Certificate) (Registration, error) {
	e, subject, err := o.gate(ctx, question{cert: cert, reg: r, step: 1})
	if err != nil {
		return r, err
	}
	step := RegistrationStopped
	r.Evidence, r.Subject = e.ID, Subject{}
	if e.Passed() {
		step, r.Subject = RegistrationPassed, subject
	}
	if r, err = r.step(step); err != nil {
		return r, fmt.Errorf("keep certificate: %w", err)
	}
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		now, err := tx.Registration(ctx, r.ID)
		if err != nil {
			return err
		}
		if !now.mayChoose() {
			return ErrRace
		}
		if err := tx.PutEvidence(ctx, e); err != nil {
			return err
		}
		if err := tx.PutRegistration(ctx, r); err != nil {
			return err
		}
		return tx.Audit(ctx, event(tx, "cert.checked", r, result(e), nil))
	})
	if err != nil {
		return r, fmt.Errorf("keep certificate: %w", raced(err))
	}
	if !e.Passed() {
		return r, &GateClosed{Evidence: e}
	}
	return r, nil
}

// LastGate reads the last run of the gate of a registration, for the page of step 1.
func (o *Office) LastGate(ctx context.Context, r Registration) (Evidence, error) {
	var e Evidence
	if r.Evidence == "" {
		return e, nil
	}
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		e, err = tx.Evidence(ctx, r.Evidence)
		return err
	})
	return e, err
}

// result names the outcome of a gate run for the audit log.
func result(e Evidence) string {
	switch e.Verdict() {
	case trust.Good:
		return "ok"
	case trust.Bad:
		return e.Failed()[0].Code
	case trust.Unknown:
	}
	return "CHECK_UNAVAILABLE"
}

// raced turns a lost race into the refusal people see.
func raced(err error) error {
	if errors.Is(err, ErrRace) {
		return deny("RACE_RETRY")
	}
	return err
}

// subjectTIN is the number the registration is for, as the certificate gives it.
func subjectTIN(c Category, cert *pki.Certificate) string {
	if c.Enterprise() {
		return cert.Holder().BIN
	}
	return cert.Holder().IIN
}

// describe reads from a certificate what pages show of it.
func describe(cert *pki.Certificate) Person {
	h := cert.Holder()
	return Person{
		CommonName: h.CommonName, Surname: h.Surname, Given: h.Given, Organization: h.Organization, Role: roleCode(h),
		Serial: cert.SerialHex(), Issuer: cert.Issuer.String(), NotBefore: cert.NotBefore, NotAfter: cert.NotAfter,
	}
}

// roleCode names the strongest role of a holder; pages say it as web.role.<code>.
func roleCode(h pki.Holder) string {
	for _, role := range []pki.Role{pki.RoleFirstHead, pki.RoleSignRight, pki.RoleFinance, pki.RoleHR, pki.RoleEmployee,
		pki.RoleInfoSystem, pki.RoleLegal, pki.RoleIndividual} {
		if h.Has(role) {
			return role.String()
		}
	}
	return "other"
}
