package ra

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"senim/internal/audit"
)

// contactAbout names what a code for an address told at the desk is for.
func contactAbout(a Application) string { return "contact:" + FormatNumber(a.Number) }

// contactSum is what the hash of such a code is made of: another address makes another hash.
func contactSum(f Factor, email, code string) string {
	return "contact/" + f.Handle + "/" + email + "/" + code
}

// sendContactCode sends a code to the address that waits. Where codes are asked for too often there is
// none: the link serves.
func (o *Office) sendContactCode(ctx context.Context, a Application, to Account) error {
	email := to.Awaits()
	if email == "" {
		return nil
	}
	code, err := newCode()
	if err != nil {
		return err
	}
	f := Factor{Handle: newID(), IIN: to.IIN, About: contactAbout(a), Kind: FactorEmail, Sent: o.c.Now()}
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		had, err := tx.Factors(ctx, f.IIN, f.Sent.Add(-24*time.Hour))
		if err != nil {
			return err
		}
		if mayStart(had, f.About, f.Sent) != nil {
			return nil
		}
		f.Sum = tx.Hash(contactSum(f, email, code))
		if err := o.sendCode(ctx, tx, f, FactorWay{Kind: FactorEmail, to: email}, code); err != nil {
			return err
		}
		if err := tx.PutFactor(ctx, f); err != nil {
			return err
		}
		return auditFactor(ctx, tx, "factor.started", f, "ok")
	})
	if err != nil {
		return fmt.Errorf("send a code for an address: %w", err)
	}
	return nil
}

// ConfirmContact takes the code that the person read to the operator: his address is confirmed, and
// given back. Else the refusal is that of [Office.CheckFactor], or NOTHING_TO_CONFIRM.
func (o *Office) ConfirmContact(ctx context.Context, by Operator, number, code string) (string, error) {
	a, err := o.Case(ctx, number)
	if err != nil {
		return "", err
	}
	if err := a.serve(by); err != nil {
		return "", o.deskRefused(ctx, by, "application "+FormatNumber(number), err)
	}
	email := ""
	var no error
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		now := o.c.Now()
		account, err := tx.Account(ctx, a.Subject.IIN)
		if errors.Is(err, ErrNotFound) || err == nil && account.Awaits() == "" {
			return refuse("NOTHING_TO_CONFIRM")
		}
		if err != nil {
			return err
		}
		all, err := tx.Factors(ctx, a.Subject.IIN, now.Add(-24*time.Hour))
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(f Factor) bool { return f.About == contactAbout(a) })
		if i < 0 {
			return refuse("CODE_EXPIRED")
		}
		f := all[i]
		email = account.Awaits()
		no = f.try(f.same(tx.Hash(contactSum(f, email, code))), now)
		if err := tx.PutFactor(ctx, f); err != nil {
			return err
		}
		if why, refused := errors.AsType[*Refusal](no); refused { // said after the transaction: the try stays counted
			return auditFactor(ctx, tx, "factor.failed", f, why.Code)
		}
		account.confirm(email, now)
		if err := tx.PutAccount(ctx, account); err != nil {
			return err
		}
		if err := o.tellOutbox(ctx, tx, account, true); err != nil {
			return err
		}
		if err := auditFactor(ctx, tx, "factor.passed", f, "ok"); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.Event{Action: "email.confirmed", Actor: tx.Hash(by.IIN), Object: "application " + FormatNumber(number), Result: "ok",
			Detail: map[string]string{"person": tx.Hash(a.Subject.IIN)}})
	})
	if err == nil {
		err = no
	}
	if err != nil {
		return "", fmt.Errorf("confirm an address at the desk: %w", err)
	}
	return email, nil
}
