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

// Expiring lists certificates of holders that end in [from, to) and are not revoked, by their end.
// Those with ReplacedBy have a successor already.
func (s *Service) Expiring(ctx context.Context, from, to time.Time) ([]Info, error) {
	all, err := s.infos(ctx, func(tx Tx) ([]Record, error) { return tx.Ending(ctx, from, to) })
	holders := all[:0]
	for _, i := range all {
		if !strings.HasPrefix(i.Order, ceremonies) { // also of profiles retired since
			holders = append(holders, i)
		}
	}
	return holders, err
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
