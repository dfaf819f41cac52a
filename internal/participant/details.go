package participant

import (
	"context"
	"errors"
	"fmt"

	"senim/internal/ident"
)

// AskPassword takes the form of a signed-in person who wants another password: the present one,
// and the new one twice. Wrong present ones count as at sign-in. [FieldErrors], or an act to sign.
func (o *Office) AskPassword(ctx context.Context, sid string, from From, iin ident.IIN, current, password, again string) error {
	var own []string
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		own, err = o.ownNumbers(ctx, tx, iin)
		return err
	})
	if err != nil {
		return fmt.Errorf("change password: %w", err)
	}
	wrong := checkPassword(password, again, own...)
	if len(wrong) == 0 && password == current {
		wrong["password"] = "PASSWORD_SAME"
	}
	if current == "" {
		wrong["current"] = "FIELD_EMPTY"
	} else if _, err := o.SignIn(ctx, from, iin, current); err != nil {
		var d *Denied
		if !errors.As(err, &d) || d.Code != "PASSWORD_WRONG" {
			return err
		}
		wrong["current"] = "PASSWORD_CURRENT_WRONG"
	}
	if len(wrong) > 0 {
		return wrong
	}
	hash, err := o.c.Passwords.Hash(password)
	if err != nil {
		return fmt.Errorf("change password: %w", err)
	}
	return o.keepAct(ctx, sid, Act{Kind: ActPassword, IIN: iin, Password: hash})
}

// ChangePassword takes the signature; every session of the person ends, this one too.
func (o *Office) ChangePassword(ctx context.Context, sid string, s Signed) error {
	s, err := o.proveAct(ctx, s)
	if err != nil {
		return err
	}
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		act, signature, err := o.takeAct(ctx, tx, sid, ActPassword, s)
		if err != nil {
			return err
		}
		a, err := o.owner(ctx, tx, act.IIN)
		if err != nil {
			return err
		}
		if a.PasswordChanged.After(act.Made) { // another was set since this one was asked for
			return deny("ACT_STALE")
		}
		return o.setPassword(ctx, tx, a, act.Password, "details.saved", signature)
	})
	if err != nil {
		return o.refusedAct(ctx, "details.saved", s, err)
	}
	return nil
}
