package ra

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"senim/internal/ident"
	"senim/internal/trust"
)

// FactorWay is one way a person may take, with where the code would go, masked.
type FactorWay struct {
	Kind   FactorKind
	Masked string
	to     string
}

// FactorOffer is what a person can choose from, and what he has chosen.
type FactorOffer struct {
	// Ways in the order of the configuration.
	Ways []FactorWay
	// Unknown: the mobile base could not be asked for a phone, so a way may be missing.
	Unknown bool
	// Exempt: the registry names a non-resident; nothing is asked of him.
	Exempt bool
	// Young is when the address becomes old enough to serve; zero when it does, or there is none.
	Young time.Time
	// Last is the latest code about this, open or not; its Handle is empty when there is none.
	Last Factor
	// Again is when another code may be asked for.
	Again time.Time
}

// Way finds a way by its kind.
func (f FactorOffer) Way(k FactorKind) (FactorWay, bool) {
	i := slices.IndexFunc(f.Ways, func(w FactorWay) bool { return w.Kind == k })
	if i < 0 {
		return FactorWay{}, false
	}
	return f.Ways[i], true
}

// none says why nothing can be offered: could not check, or nothing there (then the desk).
func (f FactorOffer) none() error {
	switch {
	case len(f.Ways) > 0:
		return nil
	case f.Unknown:
		return refuse(trust.CodeUnavailable, "what", "factor.what")
	case !f.Young.IsZero():
		return refuse("FACTOR_YOUNG", "until", f.Young.UTC().Format(time.RFC3339))
	}
	return refuse("FACTOR_DESK")
}

// FactorOpen reports whether a person may do what about names: the second factor was passed, or
// none is asked for. What takes the signature ([Office.Submit], [Office.Revoke], [Office.Delegate],
// [Office.EndDelegation], [Office.Dismiss]) checks the same by itself.
func (o *Office) FactorOpen(ctx context.Context, iin, about string) (bool, error) {
	var open bool
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		open, err = o.factorPassed(ctx, tx, iin, about)
		return err
	})
	return open, err
}

func (o *Office) factorPassed(ctx context.Context, tx Tx, iin, about string) (bool, error) {
	if !o.c.Factor.needs(about) {
		return true, nil
	}
	now := o.c.Now()
	all, err := tx.Factors(ctx, iin, now.Add(-24*time.Hour))
	return slices.ContainsFunc(all, func(f Factor) bool { return f.About == about && f.passed(now) }), err
}

// needFactor refuses what about names unless the person passed the second factor for it.
func (o *Office) needFactor(ctx context.Context, tx Tx, iin, about string) error {
	open, err := o.factorPassed(ctx, tx, iin, about)
	if err != nil {
		return err
	}
	if !open {
		return refuse("FACTOR_NEEDED")
	}
	return nil
}

// FactorOffer asks the registries and the account what a person can choose from. A person with
// nothing is refused: FACTOR_DESK, FACTOR_YOUNG, or CHECK_UNAVAILABLE when the base did not answer.
func (o *Office) FactorOffer(ctx context.Context, iin, about string) (FactorOffer, error) {
	person := o.c.People.Person(ctx, iin, ident.IIN(iin))
	f := FactorOffer{Exempt: person.Verdict == trust.Good && person.Nonresident}
	var account Account
	var had []Factor
	now := o.c.Now()
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		if account, err = tx.Account(ctx, iin); err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		had, err = tx.Factors(ctx, iin, now.Add(-24*time.Hour))
		return err
	})
	if err != nil {
		return f, fmt.Errorf("offer a second factor: %w", err)
	}
	for _, k := range o.c.Factor.Kinds {
		o.way(ctx, &f, k, ident.IIN(iin), account)
	}
	if i := slices.IndexFunc(had, func(one Factor) bool { return one.About == about && !one.Exempt }); i >= 0 {
		f.Last = had[i]
	}
	if i := slices.IndexFunc(had, func(one Factor) bool { return !one.Exempt }); i >= 0 {
		f.Again = had[i].Sent.Add(FactorResend)
	}
	if f.Exempt {
		return f, nil
	}
	return f, f.none()
}

// way adds a kind to the offer when the person has it.
func (o *Office) way(ctx context.Context, f *FactorOffer, k FactorKind, iin ident.IIN, a Account) {
	switch k {
	case FactorSMS:
		switch p := o.c.People.Phone(ctx, string(iin), iin); p.Verdict {
		case trust.Good:
			f.Ways = append(f.Ways, FactorWay{k, ident.MaskPhone(p.Phone), string(p.Phone)})
		case trust.Bad:
		default:
			f.Unknown = true
		}
	case FactorEmail:
		if a.Confirmed() == "" || a.Bad {
			return
		}
		if old := a.ConfirmedAt.Add(FactorAge); o.c.Now().Before(old) {
			f.Young = old
			return
		}
		f.Ways = append(f.Ways, FactorWay{k, strings.Replace(ident.MaskEmail(ident.Email(a.Email)), "***", "•••", 1), a.Email})
	case FactorDocument:
		f.Ways = append(f.Ways, FactorWay{Kind: k})
	case FactorNone:
	}
}
