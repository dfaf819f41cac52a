package ca

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"senim/internal/audit"
)

// intentLife is how long an intent may be finished after it was stored. A certificate that appears
// days after its date would surprise its holder; it is closed instead, and revoked, since it may
// have been signed.
const intentLife = 24 * time.Hour

// Recover finishes or closes what an interruption left between intent and certificate, however much it
// is. Call it at every start, before orders are taken. It tries every intent and reports the errors of
// the first ones. What was only reserved needs nothing: its key is certified for its own order or never.
func (s *Service) Recover(ctx context.Context) error {
	if err := s.running(); err != nil {
		return fmt.Errorf("recover: %w", err)
	}
	const page, told = 500, 10
	var failed []error
	for after := ""; ; {
		var open []Record
		err := s.store.View(ctx, func(tx Tx) (err error) {
			open, err = tx.Intended(ctx, after, page)
			return err
		})
		if err != nil {
			return errors.Join(append(failed, fmt.Errorf("recover: %w", err))...)
		}
		for _, r := range open {
			after = r.Serial
			if strings.HasPrefix(r.Order, ceremonies) {
				s.log.Warn("a ceremony was interrupted; its certificate is not used", "serial", r.Serial)
				continue
			}
			err := s.recover(ctx, r)
			if errors.Is(err, ErrKeyAway) { // the order finishes it when it is asked for again
				s.log.Warn("an interrupted order waits for its token", "serial", r.Serial, "error", err)
				continue
			}
			if err != nil && len(failed) < told {
				failed = append(failed, fmt.Errorf("recover %s: %w", r.Serial, err))
			}
		}
		if len(open) < page || ctx.Err() != nil {
			return errors.Join(append(failed, ctx.Err())...)
		}
	}
}

func (s *Service) recover(ctx context.Context, r Record) error {
	defer s.orders.Take(r.Order)()
	_, known := s.profile(r.Profile)
	if known && r.Revoked == nil && s.now().Sub(r.Created) < intentLife {
		_, err := s.finish(ctx, r, nil, "system")
		if err == nil {
			s.log.Info("an interrupted order was finished", "serial", r.Serial)
		}
		return err
	}
	if err := s.close(ctx, r); err != nil {
		return err
	}
	s.log.Warn("an interrupted order was closed and its serial revoked", "serial", r.Serial)
	return nil
}

// close gives an intent up: nobody will sign it any more, and if somebody did, it is revoked.
func (s *Service) close(ctx context.Context, r Record) error {
	return s.store.Update(ctx, func(tx Tx) error {
		now, err := tx.BySerial(ctx, r.Serial)
		if err != nil {
			return err
		}
		if now.State != Intended {
			return nil
		}
		if now.Revoked == nil {
			v, err := s.revocation(now, RevokeOrder{Reason: CessationOfOperation, By: "system"})
			if err != nil {
				return err
			}
			if err := tx.AddRevocation(ctx, now.CA, now.Serial, v); err != nil {
				return err
			}
			if err := s.recordRevocation(ctx, tx, now, "ca.revoked", v); err != nil {
				return err
			}
		}
		now.State = Closed
		if err := tx.Advance(ctx, now); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.Event{Action: "ca.closed", Actor: "system", Object: now.Serial, Result: "ok",
			Detail: map[string]string{"ca": now.CA, "order": now.Order}})
	})
}
