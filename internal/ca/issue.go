package ca

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"time"

	"senim/internal/audit"
	"senim/internal/lint"
	"senim/pki"
)

// Issue carries an order out and returns its certificate; asked again for the same order it returns
// the same certificate. A [*Refusal] will not change by asking again; [ErrClosed] and
// [ErrOtherOrder] neither. After any other error the order may be asked for again.
//
// The steps are those of security.md §4; what a crash between two of them leaves is written there.
func (s *Service) Issue(ctx context.Context, o Order) (*Issued, error) {
	issued, err := s.issue(ctx, o)
	if refused, ok := errors.AsType[*Refusal](err); ok {
		err = errors.Join(err, s.store.Update(ctx, func(tx Tx) error {
			return tx.Audit(ctx, audit.Event{Action: "ca.refused", Actor: o.By, Object: o.ID, Result: refused.Code})
		}))
	}
	if err != nil {
		return nil, fmt.Errorf("issue %s: %w", o.ID, err)
	}
	return issued, nil
}

func (s *Service) issue(ctx context.Context, o Order) (*Issued, error) {
	if err := s.running(); err != nil {
		return nil, err
	}
	// Step 1: the request is proved and the order complete. Who may have this was decided before.
	d, err := s.examine(o)
	if err != nil {
		return nil, err
	}
	defer s.orders.take(o.ID)()
	// Step 2: the serial is stored, unique.
	r, err := s.reserve(ctx, d)
	if err != nil {
		return nil, err
	}
	if r.State == Reserved {
		// Steps 3 to 5: exact bytes, lints, the intent and its audit record.
		if r, err = s.intend(ctx, o, d, r); err != nil {
			return nil, err
		}
	}
	// Steps 6 to 8.
	return s.finish(ctx, r, o.By)
}

// reserve stores the record of the order, or finds the one stored before.
func (s *Service) reserve(ctx context.Context, d *draft) (r Record, err error) {
	err = s.store.Update(ctx, func(tx Tx) error {
		r, err = tx.ByOrder(ctx, d.record.Order)
		switch {
		case err == nil:
			if r.State == Lost || r.State == Closed {
				return nil // the end says so, whatever the record still knows
			}
			if r.Key != d.record.Key || r.Profile != d.record.Profile {
				return ErrOtherOrder
			}
			return nil
		case !errors.Is(err, ErrNotFound):
			return err
		}
		r = d.record
		if err = tx.Reserve(ctx, r); errors.Is(err, ErrExists) {
			return taken(ctx, tx, r)
		}
		return err
	})
	return r, err
}

// intend lints the certificate and stores the bytes to be signed, with the audit record that they
// will be. When another node was faster, its bytes stand and ours are forgotten.
func (s *Service) intend(ctx context.Context, o Order, d *draft, r Record) (Record, error) {
	if err := d.adopt(r); err != nil {
		return r, err
	}
	tbs, err := d.template.TBS()
	if err != nil {
		return r, &Refusal{CodeSubjectInvalid, err.Error()}
	}
	meant, err := d.issuer.meant(d.profile, d.record, d.shard)
	if err != nil {
		return r, err
	}
	subject := lint.Subject{Kind: lint.Holder, Issuer: d.issuer.cert, MaxDays: d.days, Meant: meant}
	if _, err := s.practice.prove(s.rand, subject, tbs, d.template.Signature); err != nil {
		var found lint.Error
		if errors.As(err, &found) {
			return r, &Refusal{CodeLintFailed, found.Error()}
		}
		return r, err
	}
	sum := sha256.Sum256(tbs)
	err = s.store.Update(ctx, func(tx Tx) error {
		now, err := tx.BySerial(ctx, r.Serial)
		if err != nil {
			return err
		}
		if now.State != Reserved {
			r = now
			return nil
		}
		next := d.record
		next.State, next.TBS = Intended, tbs
		if err := tx.Advance(ctx, next); err != nil {
			return err
		}
		r = next
		return tx.Audit(ctx, audit.Event{
			Action: "ca.will_sign", Actor: o.By, Object: r.Serial, Result: "ok",
			Detail: map[string]string{"ca": r.CA, "order": r.Order, "profile": r.Profile, "tbs_sha256": hex.EncodeToString(sum[:])},
		})
	})
	return r, err
}

// draft is an order found to be in order.
type draft struct {
	shard    string // the divided list it will stand on; "" is none
	issuer   *authority
	profile  Profile
	template *pki.Template
	record   Record
	days     int
}

// serialHex is how a serial is kept.
func serialHex(serial []byte) string { return pki.SerialHex(new(big.Int).SetBytes(serial)) }

func keyHash(spki []byte) string {
	sum := sha256.Sum256(spki)
	return hex.EncodeToString(sum[:])
}

// whole is the clock as certificates keep it: whole seconds, UTC.
func (s *Service) whole() time.Time { return s.now().UTC().Truncate(time.Second) }
