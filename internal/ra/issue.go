package ra

import (
	"context"
	"errors"
	"fmt"

	"senim/internal/audit"
	"senim/internal/ident"
	"senim/internal/trust"
	"senim/pki"
)

// Issue makes the certificates of an approved application: the handler of [JobIssue]. It may be
// called any number of times; orders are named by application, revision and index. The old key
// revoked meanwhile rejects the application (R2, C-06); one that expired meanwhile does not (C-04).
// That is asked at every try, and once more when the certificates are there: who lost his right while the
// authority was silent, or at that very moment, gets none, and what was issued is revoked.
func (o *Office) Issue(ctx context.Context, t Task) error {
	a, err := o.load(ctx, t.Number)
	if err != nil {
		return fmt.Errorf("issue %s: %w", FormatNumber(t.Number), err)
	}
	if a.State != Approved || a.Revision != t.Revision {
		return nil // done before, edited, or withdrawn
	}
	if done, err := o.undue(ctx, a); err != nil || done {
		return err
	}
	if !a.IssueBegun {
		if err := o.beginIssue(ctx, a); err != nil {
			return err
		}
		a.IssueBegun = true
	}
	certs := make([]Certificate, len(a.Requests))
	for i, spec := range KeySet(a.Role, len(a.Requests) > 1) { // as it was signed, whatever the setting is now
		certs[i], err = o.c.Issuer.Issue(ctx, Order{
			ID: orderOf(a) + "-k" + itoa(i), Profile: spec.Profile, CSR: a.Requests[i].CSR, Subject: a.Subject, Email: a.Email,
			Storage: a.Storage.oid(), Replaces: a.Replaces, Identity: o.identity(a), By: "application " + FormatNumber(a.Number),
		})
		var no *Refusal
		if errors.As(err, &no) {
			o.c.Log.WarnContext(ctx, "order refused", "application", FormatNumber(a.Number), "code", no.Code, "err", err)
			return o.rejectIssue(ctx, a, Reason{Code: no.Code, Evidence: no.Evidence})
		}
		if err != nil {
			return fmt.Errorf("issue %s: %w", FormatNumber(a.Number), err)
		}
	}
	if done, err := o.undue(ctx, a); err != nil || done {
		return err
	}
	_, err = o.change(ctx, a.Subject.IIN, a.Number, "application.issued", func(tx Tx, a *Application) error {
		if a.State == Issued || a.State == Installed {
			return nil
		}
		if err := a.Issue(certs, o.c.Now()); err != nil {
			return err
		}
		if err := awaitFirst(ctx, tx, a); err != nil {
			return err
		}
		return o.remind(ctx, tx, a, "N-13", 0, o.c.Now())
	})
	return err
}

// orderOf names the orders of an application, but for the place in the set.
func orderOf(a Application) string { return FormatNumber(a.Number) + "-r" + itoa(a.Revision) }

// undue looks once more at what may have changed since the signature. done means that the application was
// rejected.
func (o *Office) undue(ctx context.Context, a Application) (done bool, err error) {
	old, err := o.c.Keys.Key(ctx, a.SignerSerial)
	switch {
	case a.SignerSerial == "": // on paper: two operators signed instead
	case errors.Is(err, ErrNoKey): // a personal key of another trusted authority: ask the judge
		if revoked, err := o.signerRevoked(ctx, a); err != nil {
			return false, err
		} else if revoked {
			return true, o.rejectIssue(ctx, a, Reason{Code: "OLD_KEY_REVOKED"})
		}
	case err != nil:
		return false, fmt.Errorf("issue %s: %w", FormatNumber(a.Number), err)
	case old.onHold(): // lifted, the issue goes on; made final, it is rejected
		return false, fmt.Errorf("issue %s: the signer's key is on hold", FormatNumber(a.Number))
	case !old.RevokedAt.IsZero():
		return true, o.rejectIssue(ctx, a, Reason{Code: "OLD_KEY_REVOKED"})
	}
	if why, gone, err := o.gone(ctx, a); err != nil || gone {
		if err == nil {
			err = o.rejectIssue(ctx, a, why)
		}
		return gone, err
	}
	if a.Role == RoleHead && !a.overridden() {
		switch head := o.head(ctx, a.mover(), a); {
		case head.unknown():
			return false, fmt.Errorf("issue %s: the registry does not answer", FormatNumber(a.Number))
		case head.bad() || head.IIN != a.Subject.IIN:
			return true, o.rejectIssue(ctx, a, Reason{Code: "HEAD_CHANGED", Evidence: head.evidence()})
		}
	}
	var gone *Refusal
	if err := o.notDismissed(ctx, a.Subject, a.Role); errors.As(err, &gone) {
		return true, o.rejectIssue(ctx, a, Reason{Code: gone.Code})
	} else if err != nil {
		return false, err
	}
	return false, nil
}

// beginIssue closes the application for changes.
func (o *Office) beginIssue(ctx context.Context, a Application) error {
	_, err := o.change(ctx, a.Subject.IIN, a.Number, "application.issuing", func(_ Tx, b *Application) error {
		if b.Revision != a.Revision {
			return refuse("REVISION_CHANGED", "n", itoa(b.Revision))
		}
		return b.BeginIssue(o.c.Now())
	})
	return err
}

// rejectIssue rejects an approved application, after it has revoked what was issued for it already.
func (o *Office) rejectIssue(ctx context.Context, a Application, why Reason) error {
	if a.IssueBegun {
		if err := o.revokeIssued(ctx, a, why); err != nil {
			return err
		}
	}
	return o.reject(ctx, a, why)
}

func (o *Office) revokeIssued(ctx context.Context, a Application, why Reason) error {
	keys, err := o.c.Keys.Of(ctx, a.Subject.IIN)
	if err != nil {
		return fmt.Errorf("issue %s: %w", FormatNumber(a.Number), err)
	}
	task := RevokeTask{Reason: "cessationOfOperation", By: "application " + FormatNumber(a.Number)}
	if why.Code == "NOT_EMPLOYED" || why.Code == "HEAD_CHANGED" {
		task.Reason = "affiliationChanged"
	}
	for _, k := range keys {
		if place.ReplaceAllString(k.Order, "") == orderOf(a) {
			task.Serials = append(task.Serials, k.Serial)
		}
	}
	return o.RevokeAll(ctx, task)
}

// signerRevoked asks the judge about a signer our own authority did not issue.
func (o *Office) signerRevoked(ctx context.Context, a Application) (bool, error) {
	cert, err := signerOf(a)
	if err != nil {
		return false, err
	}
	check, ok := o.c.Judge.Certificate(ctx, cert, trust.Any).Find(trust.CheckRevocation)
	switch {
	case ok && check.Verdict == trust.Good:
		return false, nil
	case ok && check.Verdict == trust.Bad && check.Evidence["reason"] != "certificateHold":
		return true, nil
	}
	return false, fmt.Errorf("issue %s: the signer is on hold, or his revocation could not be checked", FormatNumber(a.Number))
}

func (o *Office) reject(ctx context.Context, a Application, why Reason) error {
	_, err := o.change(ctx, a.Subject.IIN, a.Number, "application.rejected", func(tx Tx, b *Application) error {
		if b.State.Final() || b.Revision != a.Revision {
			return nil
		}
		if err := b.RejectBy(why, o.c.Now()); err != nil {
			return err
		}
		return o.tell(ctx, tx, b, "N-11")
	})
	return err
}

// Installed records that the agent wrote the keys; the owner is told (N-12). What the new keys signed of it is kept; without,
// their first signature on another occasion is ([Office.KeySigned]).
func (o *Office) Installed(ctx context.Context, iin, number string, serials []string, signed ...KeySignature) (Application, error) {
	was, err := o.mine(ctx, iin, number)
	if err != nil {
		return Application{}, err
	}
	kept, without, err := o.first(ctx, was, signed)
	if err != nil {
		return Application{}, o.notInstalled(ctx, iin, number, err)
	}
	phone := o.c.People.Phone(ctx, iin, ident.IIN(iin))
	a, err := o.change(ctx, iin, number, "application.installed", func(tx Tx, a *Application) error {
		if err := o.install(ctx, tx, a, serials, phone); err != nil {
			return err
		}
		return o.keepFirst(ctx, tx, a, kept, without)
	})
	if err != nil {
		return Application{}, o.notInstalled(ctx, iin, number, err)
	}
	return a, nil
}

// notInstalled records that what was reported is not what was issued (C-26), and gives the error back.
func (o *Office) notInstalled(ctx context.Context, by, number string, err error) error {
	no, ok := errors.AsType[*Refusal](err)
	if !ok || no.Code != "CERT_KEY_MISMATCH" {
		return err
	}
	return errors.Join(err, o.c.Store.Update(ctx, func(tx Tx) error {
		return tx.Audit(ctx, audit.Event{Action: "application.install.failed", Actor: tx.Hash(by), Object: "application " + FormatNumber(number), Result: no.Code})
	}))
}

// install notes that the keys are installed, wherever that was, once: the owner is told, and reminded of the old key.
func (o *Office) install(ctx context.Context, tx Tx, a *Application, serials []string, phone PhoneAnswer) error {
	was := a.State
	if err := a.Install(serials, o.c.Now()); err != nil || was == Installed {
		return err
	}
	if a.Replaces != "" {
		if err := o.remind(ctx, tx, a, "N-22", 0, o.c.Now()); err != nil {
			return err
		}
	}
	return o.tellInstalled(ctx, tx, a, phone)
}

// Edit goes back to a draft of the next revision.
func (o *Office) Edit(ctx context.Context, iin, number string, f Form) (Application, error) {
	f, err := f.clean()
	if err != nil {
		return Application{}, err
	}
	return o.change(ctx, iin, number, "application.edited", func(tx Tx, a *Application) error {
		draft, who := a.State == Draft, a.heard()
		if err := a.Edit(f.Email, f.City, f.Storage, o.c.Now()); err != nil || draft {
			return err
		}
		return o.tellEnded(ctx, tx, a, who, "edited")
	})
}

// Withdraw ends an application at its applicant's wish.
func (o *Office) Withdraw(ctx context.Context, iin, number string) (Application, error) {
	return o.change(ctx, iin, number, "application.withdrawn", func(tx Tx, a *Application) error {
		draft := a.State == Draft
		if err := a.Withdraw(o.c.Now()); err != nil || draft {
			return err
		}
		return o.tellEnded(ctx, tx, a, a.heard(), "withdrawn")
	})
}

// Answered notes that the person has answered the offer to revoke the replaced key.
func (o *Office) Answered(ctx context.Context, iin, number string) error {
	_, err := o.change(ctx, iin, number, "application.offer_answered", func(_ Tx, a *Application) error {
		a.Offered = true
		return nil
	})
	return err
}

// signerOf reads the signer's certificate back from the signed document, which was verified when
// it came.
func signerOf(a Application) (*pki.Certificate, error) {
	v, err := verified(a.SignedDocument)
	if err != nil {
		return nil, fmt.Errorf("read a signed application: %w", err)
	}
	return v.Certificate, nil
}
