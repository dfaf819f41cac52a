package participant

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"senim/internal/ident"
	"senim/internal/ident/e164"
)

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
	_, err := o.SignIn(ctx, From{Serial: r.Person.Serial}, r.IIN, f.Current)
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
	if p, err := e164.Parse(e.Phone); err == nil {
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
		p, err := e164.Parse(e.Phone)
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
