package ra

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"senim/dsig"
	"senim/internal/ident"
	"senim/internal/trust"
	"senim/pki"
)

func verified(signed []byte) (*dsig.Verified, error) {
	doc, err := dsig.Parse(signed)
	if err != nil {
		return nil, err
	}
	return doc.VerifyOne()
}

// Viewer is who looks: the person and, when signed in with an organisation's key, its BIN.
type Viewer struct{ IIN, BIN string }

// Find gives an application to its applicant, or to the head of its organisation or his delegate;
// everybody else gets the answer for a number that does not exist (C-12).
func (o *Office) Find(ctx context.Context, who Viewer, number string) (Application, error) {
	a, err := o.load(ctx, number)
	if errors.Is(err, ErrNotFound) {
		return Application{}, refuse("NOT_YOUR_APPLICATION")
	}
	if err != nil {
		return Application{}, err
	}
	if a.Subject.IIN == who.IIN && !a.hidden("") {
		return a, nil
	}
	if a.State == Draft || a.Subject.BIN == "" || a.Subject.BIN != who.BIN {
		return Application{}, refuse("NOT_YOUR_APPLICATION")
	}
	if acts, err := o.actsFor(ctx, who); err != nil || !acts {
		return Application{}, errors.Join(err, refuse("NOT_YOUR_APPLICATION"))
	}
	return a, nil
}

// actsFor reports that a person heads the organisation whose key he signed in with, or confirms for
// its head. Where the registry does not say who that is, nobody does.
func (o *Office) actsFor(ctx context.Context, who Viewer) (bool, error) {
	head := o.c.Registry.Head(ctx, who.IIN, ident.BIN(who.BIN))
	if who.IIN == "" || head.Verdict != trust.Good {
		return false, nil
	}
	if head.IIN == who.IIN {
		return true, nil
	}
	d, err := o.delegated(ctx, pki.Holder{IIN: who.IIN, BIN: who.BIN}, PowerConfirm, head)
	return d.ID != "", err
}

// Mine lists a person's applications, and for the head those of the organisation (L2).
func (o *Office) Mine(ctx context.Context, who Viewer) ([]Application, error) {
	heads := who.BIN != "" && o.Heads(ctx, who.IIN, who.BIN)
	var all []Application
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		all, err = tx.OfPerson(ctx, who.IIN)
		all = slices.DeleteFunc(all, func(a Application) bool { return a.hidden("") })
		if err != nil || !heads {
			return err
		}
		company, err := tx.OfCompany(ctx, who.BIN)
		for _, a := range company {
			if a.Subject.IIN != who.IIN && a.State != Draft {
				all = append(all, a)
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list applications: %w", err)
	}
	return all, nil
}

// Heads reports whether the registry names the person head of the organisation now. A registry
// that cannot answer does not.
func (o *Office) Heads(ctx context.Context, iin, bin string) bool {
	head := o.c.Registry.Head(ctx, iin, ident.BIN(bin))
	return iin != "" && head.Verdict == trust.Good && head.IIN == iin
}

// Organisation checks a BIN for its first head: what the registry calls it, when the person is
// named its head, and the answer that said so.
func (o *Office) Organisation(ctx context.Context, ask Ask) (Subject, HeadAnswer, error) {
	if report := o.c.Judge.Certificate(ctx, ask.Signer, trust.Signing); report.Verdict() != trust.Good {
		return Subject{}, HeadAnswer{}, fromReport(report, ask.Signer)
	}
	h := ask.Signer.Holder()
	if h.IIN == "" {
		return Subject{}, HeadAnswer{}, refuse("NOT_A_PERSON")
	}
	return o.headed(ctx, Subject{CommonName: h.CommonName, Surname: h.Surname, Patronymic: h.Given, IIN: h.IIN}, h, ask.Form.BIN)
}

// Sweep expires what nobody confirmed in time, removes old drafts, ends delegations that
// ran out, and asks again for what the system itself owes. Run it nightly.
func (o *Office) Sweep(ctx context.Context) error {
	now := o.c.Now()
	for _, s := range []State{AwaitingDirector, AwaitingDesk} {
		if err := o.expire(ctx, s, now.Add(-o.c.Terms.Confirm)); err != nil {
			return err
		}
	}
	if err := o.sweepDelegations(ctx); err != nil {
		return err
	}
	if err := o.askAgain(ctx, now.Add(-24*time.Hour)); err != nil {
		return err
	}
	if err := o.endActs(ctx); err != nil {
		return fmt.Errorf("end acts of the desk: %w", err)
	}
	return o.c.Store.Update(ctx, func(tx Tx) error {
		if err := tx.ForgetFactors(ctx, now.Add(-2*24*time.Hour)); err != nil {
			return err
		}
		if err := o.forgetScans(ctx, tx); err != nil {
			return err
		}
		old, err := tx.Overdue(ctx, Draft, now.Add(-o.c.Terms.Draft))
		if err != nil {
			return err
		}
		for _, n := range old {
			if err := tx.Remove(ctx, n); err != nil {
				return err
			}
		}
		return nil
	})
}

// askAgain asks for the jobs of applications that wait for no person: a job that failed for weeks is dropped, and the
// application would stand for ever. One whose job is still tried has no second.
func (o *Office) askAgain(ctx context.Context, before time.Time) error {
	for _, s := range []State{Signed, Approved} {
		err := o.c.Store.Update(ctx, func(tx Tx) error {
			numbers, err := tx.Overdue(ctx, s, before)
			if err != nil {
				return err
			}
			for _, n := range numbers {
				a, err := tx.Application(ctx, n)
				if err != nil {
					return err
				}
				if err := o.owe(ctx, tx, &a); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("ask again for what is owed: %w", err)
		}
	}
	return nil
}

func (o *Office) expire(ctx context.Context, s State, before time.Time) error {
	var numbers []string
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		numbers, err = tx.Overdue(ctx, s, before)
		return err
	})
	if err != nil {
		return fmt.Errorf("find overdue applications: %w", err)
	}
	for _, n := range numbers {
		err := o.c.Store.Update(ctx, func(tx Tx) error {
			a, err := tx.Application(ctx, n)
			if err != nil {
				return err
			}
			if err := a.Expire(o.c.Terms.Confirm, o.c.Now()); err != nil {
				return nil //nolint:nilerr // decided meanwhile
			}
			if err := o.save(ctx, tx, &a, "application.expired"); err != nil {
				return err
			}
			return o.tellEnded(ctx, tx, &a, nil, "expired")
		})
		if err != nil {
			return fmt.Errorf("expire %s: %w", FormatNumber(n), err)
		}
	}
	return nil
}
