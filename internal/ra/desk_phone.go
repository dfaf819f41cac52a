package ra

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"senim/internal/audit"
	"senim/internal/ident"
	"senim/internal/trust"
)

// phoneAbout names what a code for a phone is for.
func phoneAbout(a Application) string { return "phone:" + FormatNumber(a.Number) }

// visited reads a case of which an operator checks the phone, and the phone as the mobile citizens base has it.
func (o *Office) visited(ctx context.Context, by Operator, number string) (Application, ident.Phone, error) {
	a, err := o.Case(ctx, number)
	if err != nil {
		return a, "", err
	}
	if err := a.serve(by); err != nil {
		return a, "", o.deskRefused(ctx, by, "application "+FormatNumber(number), err)
	}
	switch p := o.Phone(ctx, by.IIN, a.Subject.IIN); p.Verdict {
	case trust.Good:
		return a, p.Phone, nil
	case trust.Bad:
		return a, "", refuse("PHONE_UNKNOWN")
	default:
		return a, "", &Refusal{Code: "CHECK_UNAVAILABLE"}
	}
}

// DeskPhone is the phone of an application's person, masked.
func (o *Office) DeskPhone(ctx context.Context, by Operator, number string) (masked string, err error) {
	_, phone, err := o.visited(ctx, by, number)
	return ident.MaskPhone(phone), err
}

// SendPhoneCode sends a code to the phone that the mobile citizens base has of the person at the desk: whether it is
// the one in his hand. Codes are as far apart as those of [Office.StartFactor].
func (o *Office) SendPhoneCode(ctx context.Context, by Operator, number string) error {
	a, phone, err := o.visited(ctx, by, number)
	if err != nil {
		return err
	}
	code, err := newCode()
	if err != nil {
		return err
	}
	f := Factor{Handle: newID(), IIN: a.Subject.IIN, About: phoneAbout(a), Kind: FactorSMS, Sent: o.c.Now()}
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		had, err := tx.Factors(ctx, f.IIN, f.Sent.Add(-24*time.Hour))
		if err != nil {
			return err
		}
		if err := mayStart(had, f.About, f.Sent); err != nil {
			return err
		}
		f.Sum = tx.Hash(contactSum(f, string(phone), code))
		if err := o.sendCode(ctx, tx, f, FactorWay{Kind: FactorSMS, to: string(phone)}, code); err != nil {
			return err
		}
		if err := tx.PutFactor(ctx, f); err != nil {
			return err
		}
		return auditFactor(ctx, tx, "factor.started", f, "ok")
	})
	if err != nil {
		return fmt.Errorf("send a code to a phone: %w", err)
	}
	return nil
}

// ConfirmPhone takes the code that the person read out: the application keeps when his phone was checked. Else the
// refusal is that of [Office.CheckFactor]. A phone that changed in the base meanwhile needs another code.
func (o *Office) ConfirmPhone(ctx context.Context, by Operator, number, code string) error {
	a, phone, err := o.visited(ctx, by, number)
	if err != nil {
		return err
	}
	var no error
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		now := o.c.Now()
		all, err := tx.Factors(ctx, a.Subject.IIN, now.Add(-24*time.Hour))
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(f Factor) bool { return f.About == phoneAbout(a) })
		if i < 0 {
			return refuse("CODE_EXPIRED")
		}
		f := all[i]
		no = f.try(f.same(tx.Hash(contactSum(f, string(phone), code))), now)
		if err := tx.PutFactor(ctx, f); err != nil {
			return err
		}
		if why, refused := errors.AsType[*Refusal](no); refused { // said after the transaction: the try stays counted
			return auditFactor(ctx, tx, "factor.failed", f, why.Code)
		}
		kept, err := tx.Application(ctx, number)
		if err != nil {
			return err
		}
		kept.PhoneAt = now
		if err := tx.Put(ctx, kept); err != nil {
			return err
		}
		if err := auditFactor(ctx, tx, "factor.passed", f, "ok"); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.Event{Action: "phone.checked", Actor: tx.Hash(by.IIN), Object: "application " + FormatNumber(number), Result: "ok",
			Detail: map[string]string{"person": tx.Hash(a.Subject.IIN)}})
	})
	if err == nil {
		err = no
	}
	if err != nil {
		return fmt.Errorf("check a phone at the desk: %w", err)
	}
	return nil
}
