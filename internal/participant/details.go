package participant

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"senim/internal/audit"
	"senim/internal/ident"
	"senim/internal/lang"
)

// AskPassword takes the form of a signed-in person who wants another password: the present one,
// and the new one twice. Wrong present ones count as at sign-in. [FieldErrors], or an act to sign.
func (o *Office) AskPassword(ctx context.Context, sid string, iin ident.IIN, current, password, again string) error {
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
	} else if _, err := o.SignIn(ctx, iin, current); err != nil {
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
	err := o.c.Store.Update(ctx, func(tx Tx) error {
		act, signature, err := o.takeAct(ctx, tx, sid, ActPassword, s)
		if err != nil {
			return err
		}
		a, err := o.owner(ctx, tx, act.IIN)
		if err != nil {
			return err
		}
		return o.setPassword(ctx, tx, a, act.Password, "details.saved", signature)
	})
	if err != nil {
		return o.refusedAct(ctx, "details.saved", s, err)
	}
	return nil
}

// AskDetails takes language and phone of «Мои реквизиты»: [FieldErrors], or an act to sign that lists
// old and new.
func (o *Office) AskDetails(ctx context.Context, sid string, iin ident.IIN, language, phone string) error {
	var a Account
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		a, err = o.owner(ctx, tx, iin)
		return err
	})
	if err != nil {
		return fmt.Errorf("change details: %w", err)
	}
	wrong := FieldErrors{}
	l, ok := lang.Parse(language)
	if !ok {
		wrong["lang"] = "LANG_INVALID"
	}
	e := Entered{Phone: strings.TrimSpace(phone)}
	checkEntered(e, Known{Account: true}, o.now(), wrong)
	e = normal(e)
	if len(wrong) == 0 && e.Phone == a.Phone && l == a.Lang {
		wrong["phone"] = "NOTHING_CHANGED"
	}
	if len(wrong) > 0 {
		return wrong
	}
	return o.keepAct(ctx, sid, Act{Kind: ActDetails, IIN: iin, Phone: e.Phone, Lang: l, OldPhone: a.Phone, OldLang: a.Lang})
}

// ChangeDetails takes the signature. RACE_RETRY when what was shown as old is not true any more.
func (o *Office) ChangeDetails(ctx context.Context, sid string, s Signed) error {
	err := o.c.Store.Update(ctx, func(tx Tx) error {
		act, signature, err := o.takeAct(ctx, tx, sid, ActDetails, s)
		if err != nil {
			return err
		}
		a, err := o.owner(ctx, tx, act.IIN)
		if err != nil {
			return err
		}
		if a.Phone != act.OldPhone || a.Lang != act.OldLang {
			return ErrRace
		}
		a.Phone, a.Lang = act.Phone, act.Lang
		if err := tx.PutAccount(ctx, a); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.Event{Action: "details.saved", Actor: tx.Hash(string(a.IIN)), Object: signature, Result: "ok"})
	})
	if err != nil {
		return o.refusedAct(ctx, "details.saved", s, raced(err))
	}
	return nil
}
