package ra

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"senim/internal/audit"
	"senim/internal/ident"
	"senim/internal/lang"
	"senim/internal/notice"
	"senim/internal/trust"
)

// StartFactor sends a code by a way the person has, for what about names. It is refused a minute
// after the last one (CODE_SOON) and after five in a day (CODE_LIMIT). A non-resident is passed
// without a code, and that is recorded.
func (o *Office) StartFactor(ctx context.Context, iin, about string, k FactorKind) (Factor, error) {
	if !factorAbout.MatchString(about) || !o.c.Factor.needs(about) {
		return Factor{}, refuse("FACTOR_KIND")
	}
	offer, err := o.FactorOffer(ctx, iin, about)
	if err != nil {
		return Factor{}, err
	}
	if offer.Exempt {
		return o.exempt(ctx, iin, about)
	}
	way, ok := offer.Way(k)
	if !ok {
		return Factor{}, refuse("FACTOR_KIND")
	}
	f := Factor{Handle: newID(), IIN: iin, About: about, Kind: k, Sent: o.c.Now()}
	code := ""
	if way.to != "" {
		if code, err = newCode(); err != nil {
			return Factor{}, err
		}
	}
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		had, err := tx.Factors(ctx, iin, f.Sent.Add(-24*time.Hour))
		if err != nil {
			return err
		}
		if err := mayStart(had, about, f.Sent); err != nil {
			return err
		}
		if code != "" {
			f.Sum = tx.Hash("factor/" + f.Handle + "/" + code)
			if err := o.sendCode(ctx, tx, f, way, code); err != nil {
				return err
			}
		}
		if err := tx.PutFactor(ctx, f); err != nil {
			return err
		}
		return auditFactor(ctx, tx, "factor.started", f, "ok")
	})
	if err != nil {
		return Factor{}, fmt.Errorf("start a second factor: %w", err)
	}
	return f, nil
}

// ExemptFactor passes a non-resident for what about names, and reports whether he is one. Call it
// in the post that leads to the step, so that he never sees it.
func (o *Office) ExemptFactor(ctx context.Context, iin, about string) (bool, error) {
	if !o.c.Factor.needs(about) {
		return false, nil
	}
	if p := o.c.People.Person(ctx, iin, ident.IIN(iin)); p.Verdict != trust.Good || !p.Nonresident {
		return false, nil
	}
	_, err := o.exempt(ctx, iin, about)
	return err == nil, err
}

func (o *Office) exempt(ctx context.Context, iin, about string) (Factor, error) {
	now := o.c.Now()
	f := Factor{Handle: newID(), IIN: iin, About: about, Kind: FactorNone, Sent: now, PassedAt: now, Exempt: true}
	err := o.c.Store.Update(ctx, func(tx Tx) error {
		if open, err := o.factorPassed(ctx, tx, iin, about); err != nil || open {
			return err
		}
		if err := tx.PutFactor(ctx, f); err != nil {
			return err
		}
		return auditFactor(ctx, tx, "factor.passed", f, "nonresident")
	})
	if err != nil {
		return Factor{}, fmt.Errorf("pass a non-resident: %w", err)
	}
	return f, nil
}

// CheckFactor takes a typed code. Nil says that it was right; else the refusal is CODE_WRONG with
// the tries left, CODE_EXPIRED, CODE_EXHAUSTED, CODE_USED, or CHECK_UNAVAILABLE when a document's
// code could not be checked, which costs no try. A handle of somebody else, or one followed by
// another code about the same, is CODE_EXPIRED.
func (o *Office) CheckFactor(ctx context.Context, iin, handle, code string) (Factor, error) {
	document, err := o.document(ctx, iin, handle, code)
	if err != nil {
		return Factor{}, err
	}
	var f Factor
	var no error
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		all, err := tx.Factors(ctx, iin, o.c.Now().Add(-24*time.Hour))
		if err != nil {
			return err
		}
		f, no = current(all, handle)
		if no != nil {
			return nil // said after the transaction, like a wrong code, which must stay counted
		}
		right := f.same(tx.Hash("factor/" + f.Handle + "/" + code))
		if f.Kind == FactorDocument {
			right = document == trust.Good
		}
		no = f.try(right, o.c.Now())
		if err := tx.PutFactor(ctx, f); err != nil {
			return err
		}
		if no == nil {
			return auditFactor(ctx, tx, "factor.passed", f, "ok")
		}
		var why *Refusal
		errors.As(no, &why)
		return auditFactor(ctx, tx, "factor.failed", f, why.Code)
	})
	if err == nil {
		err = no
	}
	if err != nil {
		return f, fmt.Errorf("check a code: %w", err)
	}
	return f, nil
}

// document asks the adapter, outside of any transaction, when the handle is of a document.
func (o *Office) document(ctx context.Context, iin, handle, code string) (trust.Verdict, error) {
	if o.c.Factor.Documents == nil {
		return trust.Bad, nil
	}
	var f Factor
	var no error
	err := o.c.Store.View(ctx, func(tx Tx) error {
		all, err := tx.Factors(ctx, iin, o.c.Now().Add(-24*time.Hour))
		f, no = current(all, handle)
		return err
	})
	if err != nil || no != nil || f.Kind != FactorDocument || !f.Open(o.c.Now()) {
		return trust.Bad, err
	}
	switch v := o.c.Factor.Documents.Code(ctx, ident.IIN(iin), code); v {
	case trust.Good, trust.Bad:
		return v, nil
	default:
		return v, refuse(trust.CodeUnavailable, "what", "factor.what.document")
	}
}

// current finds a handle that is the latest about its matter.
func current(all []Factor, handle string) (Factor, error) {
	seen := map[string]bool{}
	for _, f := range all {
		if f.Exempt {
			continue
		}
		if f.Handle == handle && !seen[f.About] {
			return f, nil
		}
		seen[f.About] = true
	}
	return Factor{}, refuse("CODE_EXPIRED")
}

// sendCode writes N-21.
func (o *Office) sendCode(ctx context.Context, tx Tx, f Factor, way FactorWay, code string) error {
	account, err := tx.Account(ctx, f.IIN)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	m := notice.Message{N: "N-21", To: way.to, Lang: account.Lang, Key: notice.Key("N-21", f.Handle, string(f.Kind), way.to), Expires: f.Expires(),
		Vars: map[string]string{"code": code, "action": "@" + actionText(f.About)}}
	if f.Kind == FactorSMS {
		m.Channel = notice.SMS
	}
	return tx.Notify(ctx, m)
}

// actionText is the key of the text that names an act in a letter and on the pages.
func actionText(about string) string {
	act, _, _ := strings.Cut(about, ":")
	if lang.Has("factor.action." + act) {
		return "factor.action." + act
	}
	return "factor.action.other"
}

func auditFactor(ctx context.Context, tx Tx, action string, f Factor, result string) error {
	return tx.Audit(ctx, audit.Event{Action: action, Actor: tx.Hash(f.IIN), Object: f.About, Result: result,
		Detail: map[string]string{"kind": string(f.Kind), "handle": f.Handle, "wrong": itoa(f.Wrong)}})
}

// newCode is six digits, each code as likely as the next.
func newCode() (string, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return "", fmt.Errorf("make a code: %w", err)
	}
	return fmt.Sprintf("%06d", n.Int64()), nil
}
