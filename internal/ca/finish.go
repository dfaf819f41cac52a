package ca

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"senim/internal/audit"
	"senim/internal/job"
	"senim/internal/lint"
)

// finish signs what was intended and stores the certificate. It does nothing twice. earned is the token
// for the record's bytes, nil when it has to be earned again.
func (s *Service) finish(ctx context.Context, r Record, earned *token, by string) (*Issued, error) {
	switch {
	case r.State == Done:
		return issuedOf(r), nil
	case r.State == Closed, r.Revoked != nil:
		return nil, ErrClosed
	case r.State != Intended:
		return nil, fmt.Errorf("record %s is %s", r.Serial, r.State)
	}
	a, ok := s.authorities[r.CA]
	if !ok {
		return nil, fmt.Errorf("authority %s: %w", r.CA, ErrNotFound)
	}
	if earned == nil {
		var err error
		if earned, err = s.earn(a, r); err != nil {
			return nil, err
		}
	}
	raw, err := a.sign(ctx, s.rand, earned, r.TBS)
	if err != nil {
		return nil, err
	}
	s.at("signed")
	sum, serial := sha256.Sum256(raw), r.Serial
	err = s.store.Update(ctx, func(tx Tx) error {
		err := tx.Finish(ctx, serial, raw)
		if errors.Is(err, ErrNotFound) { // another was faster, or it was revoked or closed meanwhile
			if r, err = tx.BySerial(ctx, serial); err == nil && r.State != Done {
				err = ErrClosed
			}
			return err
		}
		if err != nil {
			return err
		}
		r.State, r.Raw = Done, raw
		if err := tx.Audit(ctx, audit.Event{
			Action: "ca.issued", Actor: by, Object: r.Serial, Result: "ok",
			Detail: map[string]string{"ca": r.CA, "order": r.Order, "profile": r.Profile, "sha256": hex.EncodeToString(sum[:])},
		}); err != nil {
			return err
		}
		return s.tell(ctx, tx, s.issuedJob, r)
	})
	if err != nil {
		return nil, err
	}
	s.at("stored")
	return issuedOf(r), nil
}

// earn lints the stored bytes once more, which is what earns the token.
func (s *Service) earn(a *authority, r Record) (*token, error) {
	p, ok := s.profile(r.Profile)
	if !ok {
		return nil, fmt.Errorf("profile %s is gone", r.Profile)
	}
	sig, err := signatureOf(a.cert)
	if err != nil {
		return nil, err
	}
	shard, err := s.shardOf(r)
	if err != nil {
		return nil, err
	}
	meant, err := a.meant(p, r, shard)
	if err != nil {
		return nil, err
	}
	return s.practice.prove(s.rand, lint.Subject{Kind: lint.Holder, Issuer: a.cert, MaxDays: p.MaxDays(), Meant: meant}, r.TBS, sig)
}

// tell enqueues the configured job about a record.
func (s *Service) tell(ctx context.Context, tx Tx, kind string, r Record) error {
	if kind == "" {
		return nil
	}
	return tx.Enqueue(ctx, job.Job{Kind: kind, Payload: Event{Serial: r.Serial, Order: r.Order}})
}

func issuedOf(r Record) *Issued {
	return &Issued{Serial: r.Serial, CA: r.CA, Raw: r.Raw, NotBefore: r.NotBefore, NotAfter: r.NotAfter}
}
