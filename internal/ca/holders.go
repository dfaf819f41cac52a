package ca

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Certificate returns what is known of a serial (40 lower hex digits); [ErrNotFound] unless it was
// issued.
func (s *Service) Certificate(ctx context.Context, serial string) (*Info, error) {
	if err := s.running(); err != nil { // what an older copy says of it may be wrong
		return nil, fmt.Errorf("certificate %s: %w", serial, err)
	}
	var r Record
	err := s.store.View(ctx, func(tx Tx) (err error) {
		r, err = tx.BySerial(ctx, serial)
		return err
	})
	if err == nil && r.State != Done {
		err = ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("certificate %s: %w", serial, err)
	}
	i := infoOf(r)
	return &i, nil
}

// ByHolder lists the certificates of a holder, newest first: of a person in one organisation, of a
// person everywhere (bin empty), or of everybody in an organisation (iin empty). Both empty is an
// error.
func (s *Service) ByHolder(ctx context.Context, iin, bin string) ([]Info, error) {
	if iin == "" && bin == "" {
		return nil, errors.New("certificates of a holder: neither IIN nor BIN")
	}
	return s.infos(ctx, func(tx Tx) ([]Record, error) { return tx.Holders(ctx, iin, bin) })
}

// Living lists the certificates of many persons that end at a moment or later, revoked ones too, in no
// order.
func (s *Service) Living(ctx context.Context, iins []string, from time.Time) ([]Info, error) {
	return s.infos(ctx, func(tx Tx) ([]Record, error) { return tx.Living(ctx, iins, from) })
}

// Companies lists the BINs of unrevoked certificates that end in [from, to), in order, after one, at
// most limit.
func (s *Service) Companies(ctx context.Context, from, to time.Time, after string, limit int) (bins []string, err error) {
	err = s.store.View(ctx, func(tx Tx) (err error) {
		bins, err = tx.Companies(ctx, from, to, after, limit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list companies: %w", err)
	}
	return bins, nil
}

// Expiring calls f for certificates of holders that end in [from, to) and are not revoked, by their
// end, and stops at its first error. They may be very many: they are read in pages, each over a
// snapshot of its own. Those with ReplacedBy have a successor already.
func (s *Service) Expiring(ctx context.Context, from, to time.Time, f func(Info) error) error {
	const page = 500
	for after := ""; ; {
		var records []Record
		err := s.store.View(ctx, func(tx Tx) (err error) {
			records, err = tx.Ending(ctx, from, to, after, page)
			return err
		})
		if err != nil {
			return fmt.Errorf("list certificates: %w", err)
		}
		for _, r := range records {
			if strings.HasPrefix(r.Order, ceremonies) {
				continue // an authority's own; holders of profiles retired since are told too
			}
			if err := f(infoOf(r)); err != nil {
				return err
			}
		}
		if len(records) < page {
			return nil
		}
		last := records[len(records)-1]
		from, after = last.NotAfter, last.Serial
	}
}

func (s *Service) infos(ctx context.Context, read func(Tx) ([]Record, error)) ([]Info, error) {
	var all []Info
	err := s.store.View(ctx, func(tx Tx) error {
		records, err := read(tx)
		all = make([]Info, len(records))
		for i, r := range records {
			all[i] = infoOf(r)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list certificates: %w", err)
	}
	return all, nil
}

func infoOf(r Record) Info {
	return Info{
		Serial: r.Serial, CA: r.CA, Order: r.Order, Profile: r.Profile, IIN: r.IIN, BIN: r.BIN, Name: r.Name,
		NotBefore: r.NotBefore, NotAfter: r.NotAfter, IssuedAt: r.Created,
		Replaces: r.Replaces, ReplacedBy: r.ReplacedBy, Revoked: r.Revoked, Raw: r.Raw,
	}
}
