package participant

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"senim/internal/ident"
	"senim/internal/registry"
)

// Facts are what the registries say of a profile's tin now, for «Мои реквизиты»: shown with their date,
// never edited here. Known is false when no usable answer came.
type Facts struct {
	Subject
	Known bool
	// Ended says that the registry names the enterprise as one that is no more; EndedOn since when, when it tells.
	Ended    bool
	EndedOn  registry.Date
	LoadedAt time.Time
	NextLoad time.Time
}

// Facts asks the last loads about the profile's tin: no state service is asked for a page.
func (o *Office) Facts(ctx context.Context, p Profile) Facts {
	switch {
	case p.Type.Enterprise():
		a := o.c.Facts.Entity(ctx, ident.BIN(p.TIN))
		v := a.Value
		f := factsOf(a, Subject{Name: v.NameRU, NameKK: v.NameKK, Address: v.AddressRU, AddressKK: v.AddressKK, HeadOffice: string(v.HeadBIN)})
		if a.Code == registry.EntityLiquidated {
			f.Known, f.Ended, f.EndedOn = true, true, v.Liquidated
		}
		f.VAT = o.vat(o.c.Facts.Taxpayer(ctx, p.TIN))
		return f
	case p.Type == TypeIndividual:
		a := o.c.Facts.Person(ctx, p.IIN)
		return factsOf(a, Subject{Name: a.Value.FullName()})
	}
	a := o.c.Facts.Taxpayer(ctx, p.TIN)
	v := a.Value
	return factsOf(a, Subject{Name: v.NameRU, NameKK: v.NameKK, Address: v.AddressRU, AddressKK: v.AddressKK, VAT: o.vat(a)})
}

func factsOf[T any](a registry.Answer[T], s Subject) Facts {
	s.Source, s.LoadID, s.RecordID, s.AsOf = a.Source, a.LoadID, a.RecordID, a.AsOf
	return Facts{Subject: s, Known: a.Verdict == registry.Good, LoadedAt: a.LoadedAt, NextLoad: a.NextLoad}
}

// ProfileEvidence reads the run of the gate by which the person became what the profile says; the zero one when no
// gate did: for a user who was invited, and for participants who were there from the first day.
func (o *Office) ProfileEvidence(ctx context.Context, p Profile) (Evidence, error) {
	var e Evidence
	err := o.c.Store.View(ctx, func(tx Tx) error {
		changes, err := tx.Changes(ctx, p.ID)
		if err != nil {
			return err
		}
		for _, c := range slices.Backward(changes) {
			if c.Reason != ReasonRegistered && c.Reason != ReasonRevived {
				continue // another act, or another person's
			}
			e, err = tx.Evidence(ctx, c.Evidence)
			if errors.Is(err, ErrNotFound) {
				e, err = Evidence{}, nil
			}
			return err
		}
		return nil
	})
	if err != nil {
		return Evidence{}, fmt.Errorf("read a profile's evidence: %w", err)
	}
	return e, nil
}
