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
	s.at("examined")
	defer s.orders.Take(o.ID)()
	defer s.store.Attend()()
	// Without the key nothing is begun; what is done already is still given out.
	if _, err := d.issuer.open(ctx); err != nil {
		return s.done(ctx, d, err)
	}
	// Step 2: the serial is stored, unique.
	r, fresh, err := s.reserve(ctx, d)
	if err != nil {
		return nil, err
	}
	var earned *token
	if r.State == Reserved {
		// Steps 3 to 5: exact bytes, lints, the intent and its audit record.
		if r, earned, err = s.intend(ctx, o, d, r, fresh); err != nil {
			return nil, err
		}
	}
	// Steps 6 to 8.
	return s.finish(ctx, r, earned, o.By)
}

// done returns what an order gave before, else the error for which it gives nothing now.
func (s *Service) done(ctx context.Context, d *draft, why error) (i *Issued, err error) {
	err = s.store.View(ctx, func(tx Tx) error {
		r, err := tx.ByOrder(ctx, d.record.Order)
		if err != nil || r.State != Done {
			return why
		}
		if r.Key != d.record.Key || r.Profile != d.record.Profile {
			return ErrOtherOrder
		}
		i = issuedOf(r)
		return nil
	})
	return i, err
}

// reserve stores the record of the order, or finds the one stored before.
func (s *Service) reserve(ctx context.Context, d *draft) (r Record, fresh bool, err error) {
	err = s.store.Update(ctx, func(tx Tx) error {
		r, fresh = d.record, true
		if d.sole { // asked in the transaction that reserves: two nodes cannot both find nobody
			if other, err := tx.Followed(ctx, r.Replaces, r.Order); err != nil {
				return err
			} else if other {
				return &Refusal{CodeRenewed, "another order has renewed this certificate"}
			}
		}
		err := tx.Reserve(ctx, r)
		if !errors.Is(err, ErrExists) {
			return err
		}
		fresh = false
		switch r, err = tx.ByOrder(ctx, d.record.Order); {
		case errors.Is(err, ErrNotFound):
			return taken(ctx, tx, d.record)
		case err != nil:
			return err
		case r.State == Lost, r.State == Closed: // the end says so, whatever the record still knows
		case r.Key != d.record.Key || r.Profile != d.record.Profile:
			return ErrOtherOrder
		}
		return nil
	})
	if err == nil {
		s.at("reserved")
	}
	return r, fresh, err
}

// intend lints the certificate and stores the bytes to be signed, with the audit record that they
// will be. It returns the token for exactly these bytes. When another node was faster, its bytes
// stand, ours are forgotten and there is no token.
func (s *Service) intend(ctx context.Context, o Order, d *draft, r Record, fresh bool) (Record, *token, error) {
	if err := d.adopt(r); err != nil {
		return r, nil, err
	}
	tbs, err := d.template.TBS()
	if err != nil {
		return r, nil, &Refusal{CodeSubjectInvalid, err.Error()}
	}
	meant, err := d.issuer.meant(d.profile, d.record, d.shard)
	if err != nil {
		return r, nil, err
	}
	earned, err := s.practice.prove(s.rand, lint.Subject{Kind: lint.Holder, Issuer: d.issuer.cert, MaxDays: d.days, Meant: meant}, tbs, d.template.Signature)
	if err != nil {
		if found, ok := errors.AsType[lint.Error](err); ok {
			return r, nil, &Refusal{CodeLintFailed, found.Error()}
		}
		return r, nil, err
	}
	s.at("linted")
	sum := sha256.Sum256(tbs)
	next := d.record
	next.State, next.TBS = Intended, tbs
	stands := false // our bytes, not another's
	err = s.store.Update(ctx, func(tx Tx) error {
		stands = false
		err := s.storeIntent(ctx, tx, next, fresh)
		if errors.Is(err, ErrNotFound) { // another node's stand
			r, err = tx.BySerial(ctx, next.Serial)
			return err
		}
		if err != nil {
			return err
		}
		r, stands = next, true
		return tx.Audit(ctx, audit.Event{
			Action: "ca.will_sign", Actor: o.By, Object: r.Serial, Result: "ok",
			Detail: map[string]string{"ca": r.CA, "order": r.Order, "profile": r.Profile, "tbs_sha256": hex.EncodeToString(sum[:])},
		})
	})
	if !stands {
		earned = nil
	}
	if err == nil {
		s.at("intended")
	}
	return r, earned, err
}

// storeIntent moves a record to Intended; ErrNotFound when it is further already. One that was reserved
// before, perhaps days ago and perhaps under the generation of before, takes the authority, the dates and
// the holder of now.
func (s *Service) storeIntent(ctx context.Context, tx Tx, next Record, fresh bool) error {
	if err := tx.Intend(ctx, next.Serial, next.TBS); err != nil || fresh {
		return err
	}
	return tx.Advance(ctx, next)
}

// draft is an order found to be in order.
type draft struct {
	shard    string // the divided list it will stand on; "" is none
	issuer   *authority
	profile  Profile
	template *pki.Template
	record   Record
	sole     bool
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
