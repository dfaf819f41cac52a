package participant

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

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

// Data takes step 2. What is wrong comes back as [FieldErrors], all at once; what was typed is kept
// in the registration either way, passwords excepted. A locked account gives ACCOUNT_LOCKED.
//
// Coming back to it after the agreement was signed corrects the address: the signature is kept
// (R9), earlier letters become useless, and a new one goes out.
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
	was, wrong := r.State, FieldErrors{}
	f.Entered = trimmed(f.Entered)
	checkEntered(f.Entered, known, o.now(), wrong)
	r.Entered, r.Lang = f.Entered, f.Lang
	if known.Account {
		if err := o.checkCurrent(ctx, &r, f, wrong); err != nil {
			return r, err
		}
	} else if err := o.checkNew(&r, f, wrong); err != nil {
		return r, err
	}
	if len(wrong) == 0 {
		r.Entered = normal(r.Entered)
		r.State, r.DataAt = StateData, o.now()
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
			if a.Version == r.Agreement && r.Letters < MaxLetters {
				r.State = StateSigned
				if err := o.pending(ctx, tx, *r); err != nil {
					return err
				}
				return o.letter(ctx, tx, r)
			}
		}
		return tx.PutRegistration(ctx, *r)
	})
}

// checkNew takes a new account's password; an empty one keeps what was given before.
func (o *Office) checkNew(r *Registration, f Form, wrong FieldErrors) error {
	r.Known = false
	if f.Password == "" && f.PasswordAgain == "" && r.Password != "" {
		return nil
	}
	if f.Password == "" {
		wrong["password"] = "FIELD_EMPTY"
		return nil
	}
	if code := PasswordCode(f.Password, string(r.IIN), r.TIN, f.Phone, f.Email); code != "" {
		wrong["password"] = code
		return nil
	}
	if f.Password != f.PasswordAgain {
		wrong["password2"] = "PASSWORD_DIFFERS"
		return nil
	}
	hash, err := o.c.Passwords.Hash(f.Password)
	if err != nil {
		return fmt.Errorf("take data: %w", err)
	}
	r.Password = hash
	return nil
}

// checkCurrent asks for the password of an account that exists (R4); wrong ones count as at
// sign-in, since the certificate was proved.
func (o *Office) checkCurrent(ctx context.Context, r *Registration, f Form, wrong FieldErrors) error {
	r.Password = ""
	if f.Current == "" && r.Known {
		return nil
	}
	if f.Current == "" {
		wrong["current"] = "FIELD_EMPTY"
		return nil
	}
	_, err := o.SignIn(ctx, r.IIN, f.Current)
	var d *Denied
	switch {
	case errors.As(err, &d) && d.Code == "PASSWORD_WRONG":
		r.Known = false
		wrong["current"] = "PASSWORD_CURRENT_WRONG"
		return nil
	case err != nil:
		return err
	}
	r.Known = true
	return nil
}

func trimmed(e Entered) Entered {
	for _, s := range []*string{&e.Email, &e.EmailAgain, &e.Phone, &e.DocNumber, &e.DocDate, &e.DocIssuer} {
		*s = strings.TrimSpace(*s)
		if len(*s) > 1000 {
			*s = strings.ToValidUTF8((*s)[:1000], "")
		}
	}
	return e
}

// normal writes the address and the phone in their one form, once they are known to be right.
func normal(e Entered) Entered {
	if m, err := ident.ParseEmail(e.Email); err == nil {
		e.Email, e.EmailAgain = string(m), string(m)
	}
	if p, err := ident.ParsePhone(e.Phone); err == nil {
		e.Phone = string(p)
	}
	return e
}

func checkEntered(e Entered, known Known, now time.Time, wrong FieldErrors) {
	if !known.Account {
		mail, err := ident.ParseEmail(e.Email)
		again, errAgain := ident.ParseEmail(e.EmailAgain)
		switch {
		case e.Email == "":
			wrong["email"] = "FIELD_EMPTY"
		case err != nil:
			wrong["email"] = "EMAIL_INVALID"
		case errAgain != nil || mail != again:
			wrong["email2"] = "EMAIL_DIFFERS"
		}
	}
	if e.Phone != "" {
		p, err := ident.ParsePhone(e.Phone)
		if err != nil || !strings.HasPrefix(string(p), "+7") || len(p) != 12 {
			wrong["phone"] = "PHONE_INVALID"
		}
	}
	if e.DocDate != "" {
		d, err := parseDate(e.DocDate)
		if err != nil || d.After(now) || d.Year() < 1900 {
			wrong["docdate"] = "DATE_INVALID"
		}
	}
	if utf8.RuneCountInString(e.DocNumber) > 40 {
		wrong["docnumber"] = "TEXT_LONG"
	}
	if utf8.RuneCountInString(e.DocIssuer) > 200 {
		wrong["docissuer"] = "TEXT_LONG"
	}
}

// parseDate reads a date as the browser's field gives it or as people write it.
func parseDate(s string) (time.Time, error) {
	if d, err := time.Parse(time.DateOnly, s); err == nil {
		return d, nil
	}
	return time.Parse("02.01.2006", s)
}

// expireJob is the job that ends the registration when its present time is over.
func expireJob(r Registration) job.Job {
	return job.Job{Kind: ExpireKind, Payload: ExpireJob{ID: r.ID}, At: r.Expires}
}
