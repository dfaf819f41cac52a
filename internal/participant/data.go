package participant

import (
	"context"
	"errors"
	"fmt"

	"senim/internal/ident"
	"senim/internal/job"
	"senim/internal/lang"
)

// Form is what a person posts at step 2.
type Form struct {
	Entered
	Password, PasswordAgain string // only when no account exists
	Current                 string // only when the account exists
	Lang                    lang.Tag
}

// Known is what step 2 needs to know of the person's account: whether there is one, and its
// masked address.
type Known struct {
	Account bool
	Email   string // masked
}

// Known tells of the account of a registration's person. A pending account is not one yet: its
// password is set anew.
func (o *Office) Known(ctx context.Context, r Registration) (Known, error) {
	a, err := o.account(ctx, r.IIN)
	if errors.Is(err, ErrNotFound) || err == nil && a.State == AccountPending {
		return Known{}, nil
	}
	if err != nil {
		return Known{}, err
	}
	return Known{Account: true, Email: ident.MaskEmail(ident.Email(a.Email))}, nil
}

func (o *Office) account(ctx context.Context, iin ident.IIN) (Account, error) {
	var a Account
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		a, err = tx.Account(ctx, iin)
		return err
	})
	if err != nil {
		return a, fmt.Errorf("read account: %w", err)
	}
	return a, nil
}

// Data takes step 2. What is wrong comes back as [FieldErrors], all at once. What was typed is kept
// either way while the step was never passed, passwords excepted; a form that was good once is replaced
// by a good one only, since letters go to what it holds. A locked account gives ACCOUNT_LOCKED.
//
// Coming back to it after the agreement was signed corrects the address: the signature is kept
// (R9), earlier letters become useless, and a new one goes out. When none may go out now (LETTER_TOO_SOON,
// TOO_MANY_LETTERS, LETTERS_TODAY), nothing changes and earlier letters stay good.
func (o *Office) Data(ctx context.Context, id, cookie string, f Form) (Registration, error) {
	r, err := o.Registration(ctx, id, cookie)
	if err != nil {
		return r, err
	}
	if r.State.Step() < 2 {
		return r, deny("STEP_EARLIER")
	}
	known, err := o.Known(ctx, r)
	if err != nil {
		return r, err
	}
	kept, was, wrong := r, r.State, FieldErrors{}
	f.Entered = trimmed(f.Entered)
	if known.Account {
		f.Entered = Entered{} // all of it is the account's: changed in «Мои реквизиты», under a signature (section 13)
	}
	checkEntered(f.Entered, known, o.now(), wrong)
	r.Entered, r.Lang = f.Entered, f.Lang
	if known.Account {
		if err := o.checkCurrent(ctx, &r, f, wrong); err != nil {
			return r, err
		}
	} else if err := o.checkNew(&r, f, wrong); err != nil {
		return r, err
	}
	if len(wrong) > 0 && was != StateCert {
		return r, wrong
	}
	if was == StateSigned && known.Account {
		return kept, nil // the letters go to the account's address: there is nothing to correct here
	}
	if len(wrong) == 0 {
		r.Entered = normal(r.Entered)
		if r, err = r.step(RegistrationEntered); err != nil {
			return r, err
		}
		r.DataAt = o.now()
	}
	if err := o.keepData(ctx, &r, was, len(wrong) == 0); err != nil {
		return r, fmt.Errorf("keep data: %w", raced(err))
	}
	if len(wrong) > 0 {
		return r, wrong
	}
	return r, nil
}

// keepData writes step 2. With a kept signature of the agreement in force the registration goes
// straight on to the letter.
func (o *Office) keepData(ctx context.Context, r *Registration, was State, complete bool) error {
	next := *r
	return o.c.Store.Update(ctx, func(tx Tx) error {
		*r = next // the function may be run again
		now, err := tx.Registration(ctx, r.ID)
		if err != nil {
			return err
		}
		if now.State != was || now.Signature != r.Signature || string(now.Certificate) != string(r.Certificate) {
			return ErrRace
		}
		r.Letters, r.LastLetter = now.Letters, now.LastLetter
		if !complete {
			return tx.PutRegistration(ctx, *r)
		}
		if was == StateSigned {
			if err := o.mayWrite(ctx, tx, *r); err != nil {
				return err
			}
		}
		if err := tx.DropLinks(ctx, r.ID); err != nil {
			return err
		}
		if err := tx.Audit(ctx, event(tx, "reg.data", *r, "ok", nil)); err != nil {
			return err
		}
		if r.Signature != "" {
			a, err := tx.Agreement(ctx, "", o.now())
			if err != nil {
				return err
			}
			if a.Version == r.Agreement {
				if *r, err = r.step(RegistrationSigned); err != nil {
					return err
				}
				if err := o.pending(ctx, tx, *r); err != nil {
					return err
				}
				return o.letter(ctx, tx, r)
			}
		}
		return tx.PutRegistration(ctx, *r)
	})
}

// expireJob is the job that ends the registration when its present time is over.
func expireJob(r Registration) job.Job {
	return job.Job{Kind: ExpireKind, Payload: ExpireJob{ID: r.ID}, At: r.Expires}
}
