package registry

import (
	"context"
	"fmt"

	"senim/internal/ident"
	"senim/internal/job"
)

const (
	// KindCompare is the job that tells what an imported load changed. Its payload is [Compare].
	KindCompare = "registry.compare"
	// KindPhoneChanged has the payload [PhoneChanged].
	KindPhoneChanged = "registry.phone_changed"
)

// Compare names the import whose changes are to be told.
type Compare struct {
	Import int64 `json:"import"`
}

// PhoneChanged says that a person registered another phone. It names the records, not the person.
type PhoneChanged struct {
	Was  int64 `json:"was"`
	Is   int64 `json:"is"`
	Load int64 `json:"load"`
}

// toldAll is the mark of a batch whose changes were all told.
const toldAll = "."

// comparePiece is how many organisations one transaction compares.
const comparePiece = 500

// Compare tells of changed heads, ended organisations and changed phones (L7). How far it came is written in the
// transaction of what it told, so that nothing is told twice when it is done again.
func (m *Importer) Compare(ctx context.Context, c Compare) error {
	for {
		more := false
		err := m.store.Update(ctx, func(tx Tx) error {
			i, err := tx.Import(ctx, c.Import)
			if err != nil || i.Told == toldAll || i.State != Accepted {
				return err
			}
			more = true
			if i.Source == SourceMobile {
				err = m.tellPhones(ctx, tx, &i)
			} else {
				err = m.tellHeads(ctx, tx, &i)
			}
			if err != nil {
				return err
			}
			return tx.PutImport(ctx, i)
		})
		if err != nil {
			return fmt.Errorf("tell what a load changed: %w", err)
		}
		if !more {
			return nil
		}
	}
}

func (m *Importer) tellHeads(ctx context.Context, tx Tx, i *Import) error {
	bins, err := tx.Touched(ctx, i.Source, i.Load, i.Told, comparePiece)
	if err != nil {
		return err
	}
	before := map[ident.BIN]known{}
	for _, bin := range bins {
		entities, leaders, err := tx.Before(ctx, i.Source, i.Load, bin)
		if err != nil {
			return err
		}
		before[ident.BIN(bin)] = knownOf(entities, leaders)
	}
	if err := m.c.Book.tell(ctx, tx, Load{Number: i.Load}, before); err != nil {
		return err
	}
	i.Told = toldAll
	if len(bins) == comparePiece {
		i.Told = bins[len(bins)-1]
	}
	return nil
}

func (m *Importer) tellPhones(ctx context.Context, tx Tx, i *Import) error {
	all, err := tx.Phones(ctx, i.Source, i.Load, i.Told, comparePiece)
	if err != nil {
		return err
	}
	i.Told = toldAll
	for n, p := range all {
		if n == comparePiece-1 {
			i.Told = string(p.Is.Value.IIN)
		}
		if p.Was.Value.Phone == p.Is.Value.Phone {
			continue
		}
		if err := tx.Enqueue(ctx, job.Job{Kind: KindPhoneChanged, Payload: PhoneChanged{p.Was.Record, p.Is.Record, i.Load}}); err != nil {
			return err
		}
	}
	return nil
}
