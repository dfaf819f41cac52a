package ca

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"senim/algid"
	"senim/internal/audit"
	"senim/pki"
)

// Jobs this package asks for. Their handlers are [Service.PublishJob] and [Service.TendJob].
const (
	// JobPublish makes new lists of one authority after a revocation.
	JobPublish = "ca.publish"
	// JobTend is to be enqueued on schedule, hourly or so.
	JobTend = "ca.tend"
)

// Times of revocation lists (security.md §5).
const (
	listDays   = 7              // next update, at most
	listEvery  = 12 * time.Hour // a new list is made by schedule
	listLinger = 7 * 24 * time.Hour
)

// List is a published revocation list.
type List struct {
	Raw                    []byte // DER
	Number                 int64
	ThisUpdate, NextUpdate time.Time
}

// CRL returns the newest full or delta list of an authority; [ErrNotFound] when there is none.
func (s *Service) CRL(ctx context.Context, ca string, delta bool) (*List, error) {
	var l ListRecord
	err := s.store.View(ctx, func(tx Tx) (err error) {
		l, err = tx.List(ctx, ca, delta)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("revocation list of %s: %w", ca, err)
	}
	return &List{Raw: l.Raw, Number: l.Number, ThisUpdate: l.ThisUpdate, NextUpdate: l.NextUpdate}, nil
}

// publishing is the payload of JobPublish.
type publishing struct {
	CA string `json:"ca"`
}

// PublishJob is the handler of [JobPublish].
func (s *Service) PublishJob(ctx context.Context, payload []byte) error {
	var p publishing
	if err := json.Unmarshal(payload, &p); err != nil {
		return fmt.Errorf("publish: payload: %w", err)
	}
	return s.publish(ctx, p.CA, false)
}

// Publish makes and stores a full and a delta list of an issuing authority now.
func (s *Service) Publish(ctx context.Context, ca string) error { return s.publish(ctx, ca, true) }

// errCurrent: the lists hold every revocation already.
var errCurrent = errors.New("lists are current")

// publish makes both lists under one number (RFC 5280 5.2.4). Revocations are read in the transaction
// that takes the number, so a higher number never knows less.
func (s *Service) publish(ctx context.Context, ca string, scheduled bool) error {
	a, ok := s.authorities[ca]
	if !ok || a.parent == "" {
		return fmt.Errorf("publish %s: %w", ca, ErrNotFound)
	}
	defer s.orders.take("list:" + ca)()
	var full, delta listOf
	at := s.whole()
	err := s.store.Update(ctx, func(tx Tx) (err error) {
		full, delta, err = s.gather(ctx, tx, a, at, scheduled)
		if err != nil {
			return err
		}
		return tx.Audit(ctx, audit.Event{Action: "ca.will_list", Actor: "system", Object: ca, Result: "ok",
			Detail: map[string]string{"number": strconv.FormatInt(full.number, 10)}})
	})
	if errors.Is(err, errCurrent) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("publish %s: %w", ca, err)
	}
	records := make([]ListRecord, 0, 2)
	for _, l := range []listOf{full, delta} {
		raw, err := s.signList(ctx, a, l)
		if err != nil {
			return fmt.Errorf("publish %s: list %d: %w", ca, l.number, err)
		}
		records = append(records, l.record(ca, scheduled, raw))
	}
	err = s.store.Update(ctx, func(tx Tx) error {
		for _, r := range records {
			if err := tx.AddList(ctx, r); err != nil {
				return err
			}
		}
		sum := algid.SHA256.Sum(records[0].Raw)
		return tx.Audit(ctx, audit.Event{Action: "ca.list_published", Actor: "system", Object: ca, Result: "ok",
			Detail: map[string]string{"number": strconv.FormatInt(full.number, 10), "sha256": hex.EncodeToString(sum)}})
	})
	if err != nil {
		return fmt.Errorf("publish %s: %w", ca, err)
	}
	return nil
}

// gather takes a number and reads what both lists will say. The delta refers to the last scheduled
// full list before this one, which readers may still hold; without one, to its own number.
func (s *Service) gather(ctx context.Context, tx Tx, a *authority, at time.Time, scheduled bool) (full, delta listOf, err error) {
	ca, end := a.name, a.cert.NotAfter
	number, epoch, err := tx.NextListNumber(ctx, ca)
	if err != nil {
		return full, delta, err
	}
	last, err := tx.List(ctx, ca, false)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return full, delta, err
	}
	if err == nil && !scheduled && last.Epoch >= epoch {
		return full, delta, errCurrent
	}
	if at.Before(last.ThisUpdate) { // a clock set back must not make an older list
		at = last.ThisUpdate
	}
	full = listOf{number: number, base: -1, epoch: epoch, at: at, days: listDays, end: end}
	full.entries, err = tx.RevokedSince(ctx, ca, 0, at.Add(-listLinger))
	if err != nil {
		return full, delta, err
	}
	full.entries = slices.DeleteFunc(full.entries, func(r RevokedRecord) bool { return r.Reason == pki.RemoveFromCRL })
	delta = listOf{number: number, base: number, epoch: epoch, at: at, days: listDays, end: end}
	base, err := tx.Base(ctx, ca, number)
	switch {
	case errors.Is(err, ErrNotFound):
		return full, delta, nil
	case err != nil:
		return full, delta, err
	}
	delta.base = base.Number
	delta.entries, err = tx.RevokedSince(ctx, ca, base.Epoch, at.Add(-listLinger))
	return full, delta, err
}
