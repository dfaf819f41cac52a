package participant

import (
	"context"
	"errors"
	"fmt"

	"senim/internal/auth"
	"senim/internal/lang"
	"senim/pki"
)

// Agreement gives the agreement in force and, for a registration at step 3, the document to be
// signed in the language.
func (o *Office) Agreement(ctx context.Context, r Registration, l lang.Tag) (Agreement, []byte, error) {
	var a Agreement
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		a, err = tx.Agreement(ctx, "", o.now())
		return err
	})
	if err != nil {
		return a, nil, fmt.Errorf("read agreement: %w", err)
	}
	doc, err := r.document(a, l, o.c.Origin)
	return a, doc, err
}

// Sign takes the signed agreement of step 3. It verifies the signature over exactly our document
// (SIGNATURE_INVALID; AGREEMENT_CHANGED when another version came into force, R8), that the signer
// is the person and company of step 1 (CERT_OTHER_PERSON, CERT_WRONG_BIN, R6), and runs the gate on
// the signer's certificate; then the letter goes out. A refusal leaves the step (R7).
func (o *Office) Sign(ctx context.Context, id, cookie string, signed []byte) (Registration, error) {
	r, err := o.Registration(ctx, id, cookie)
	if err != nil {
		return r, err
	}
	if r.State != StateData {
		return r, deny("STEP_PASSED")
	}
	cert, l, a, err := o.signer(ctx, r, signed)
	if err != nil {
		return r, err
	}
	e, _, err := o.gate(ctx, question{cert: cert, reg: r, step: 3})
	if err != nil {
		return r, err
	}
	if !e.Passed() {
		return r, o.notSigned(ctx, r, e)
	}
	return o.signedBy(ctx, r, a, l, cert, signed, e)
}

// notSigned writes down a gate that did not pass at step 3.
func (o *Office) notSigned(ctx context.Context, r Registration, e Evidence) error {
	r.Evidence = e.ID
	err := o.c.Store.Update(ctx, func(tx Tx) error {
		if err := tx.PutEvidence(ctx, e); err != nil {
			return err
		}
		return tx.Audit(ctx, event(tx, "reg.refused", r, result(e), map[string]string{"step": "3"}))
	})
	if err != nil {
		return fmt.Errorf("keep evidence: %w", err)
	}
	return &GateClosed{Evidence: e}
}

// signer verifies what was signed; a signature that does not hold is written down.
func (o *Office) signer(ctx context.Context, r Registration, signed []byte) (*pki.Certificate, lang.Tag, Agreement, error) {
	a, _, err := o.Agreement(ctx, r, r.Lang)
	if err != nil {
		return nil, "", a, err
	}
	if auth.IsChallenge(signed) {
		return nil, "", a, deny("SIGNATURE_INVALID")
	}
	cert, l, err := r.verifyAgreement(signed, a, o.c.Origin)
	if err == nil {
		return cert, l, a, nil
	}
	code := "SIGNATURE_INVALID"
	if errors.Is(err, errOtherVersion) {
		code = "AGREEMENT_CHANGED"
	}
	why := err
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		return tx.Audit(ctx, event(tx, "challenge.failed", r, code, map[string]string{"step": "3"}))
	})
	if err != nil {
		return nil, "", a, fmt.Errorf("refuse signature (%w): %w", why, err)
	}
	return nil, "", a, deny(code)
}

// signedBy writes a good signature and sends the letters of step 4.
func (o *Office) signedBy(ctx context.Context, r Registration, a Agreement, l lang.Tag, cert *pki.Certificate, signed []byte, e Evidence) (Registration, error) {
	sid, err := newID(o.c.Random)
	if err != nil {
		return r, fmt.Errorf("keep agreement: %w", err)
	}
	now, was := o.now(), r
	if r, err = r.step(RegistrationSigned); err != nil {
		return r, fmt.Errorf("keep agreement: %w", err)
	}
	r.Agreement, r.Signature, r.Signer, r.SignedAt = a.Version, sid, cert.Raw, now
	r.Expires, r.Evidence = now.Add(o.c.Register.LinkTTL), e.ID
	p, err := o.prove(ctx, signed, cert, e)
	if err != nil {
		return r, err
	}
	next := r
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		r = next // the function may be run again
		kept, err := tx.Registration(ctx, r.ID)
		if err != nil {
			return err
		}
		if kept.State != StateData || !kept.DataAt.Equal(r.DataAt) {
			return ErrRace
		}
		if err := o.still(ctx, tx, r.Category, cert, e); err != nil {
			return err
		}
		r.Letters, r.LastLetter = kept.Letters, kept.LastLetter
		if err := o.mayWrite(ctx, tx, r); err != nil {
			return err
		}
		if err := tx.PutEvidence(ctx, e); err != nil {
			return err
		}
		s := AgreementSignature{ID: sid, Registration: r.ID, Version: a.Version, Lang: l, Document: signed, Certificate: cert.Raw, Evidence: e.ID, At: now,
			TimeStamp: p.token, IIN: r.IIN, TIN: r.TIN, Type: r.ProfileType()}
		if err := errors.Join(tx.PutSignature(ctx, s), tx.AddProofs(ctx, sid, p.proofs)); err != nil {
			return err
		}
		if err := o.pending(ctx, tx, r); err != nil {
			return err
		}
		detail := p.with(map[string]string{"version": a.Version, "signature": sid})
		if err := tx.Audit(ctx, event(tx, "agreement.signed", r, "ok", detail)); err != nil {
			return err
		}
		if err := tx.Audit(ctx, event(tx, "reg.signed", r, "ok", detail)); err != nil {
			return err
		}
		if err := tx.Enqueue(ctx, expireJob(r)); err != nil {
			return err
		}
		if err := o.warnHead(ctx, tx, r); err != nil {
			return err
		}
		if err := o.blockEarly(ctx, tx, r, now, e.ID); err != nil {
			return err
		}
		return o.letter(ctx, tx, &r)
	})
	if closed, ok := errors.AsType[*shut](err); ok {
		return was, o.notSigned(ctx, was, e.with(closed.Check))
	}
	if err != nil {
		return r, fmt.Errorf("keep agreement: %w", raced(err))
	}
	return r, nil
}

// pending makes the account of a first registration: it can do nothing until completion. An account
// that exists is left as it is.
func (o *Office) pending(ctx context.Context, tx Tx, r Registration) error {
	if r.Known {
		return nil
	}
	a, err := tx.Account(ctx, r.IIN)
	switch {
	case err == nil && a.State != AccountPending:
		return ErrRace // became active meanwhile: step 2 must ask for its password
	case err != nil && !errors.Is(err, ErrNotFound):
		return err
	case err != nil:
		a = Account{IIN: r.IIN, Created: o.now()}
	}
	was := a.State
	if a, err = a.step(AccountSigned); err != nil {
		return err
	}
	if err := o.accountMoved(ctx, tx, r.IIN, was, AccountSigned); err != nil {
		return err
	}
	a.Name, a.Password, a.PasswordChanged, a.Lang = r.Person.Name(), r.Password, o.now(), r.Lang
	a.Email, a.Phone = r.Entered.Email, r.Entered.Phone
	return tx.PutAccount(ctx, a)
}

// Resend sends the letter again, within the limits of letters (LETTER_TOO_SOON, TOO_MANY_LETTERS,
// LETTERS_TODAY). Earlier letters stay good.
func (o *Office) Resend(ctx context.Context, id, cookie string) (Registration, error) {
	r, err := o.Registration(ctx, id, cookie)
	if err != nil {
		return r, err
	}
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		if r, err = o.owned(ctx, tx, id, cookie); err != nil {
			return err
		}
		if r.State != StateSigned {
			return deny("STEP_EARLIER")
		}
		if err := o.mayWrite(ctx, tx, r); err != nil {
			return err
		}
		return o.letter(ctx, tx, &r)
	})
	if err != nil {
		return r, fmt.Errorf("send letter again: %w", err)
	}
	return r, nil
}
