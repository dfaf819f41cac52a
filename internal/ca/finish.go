package ca

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"senim/internal/audit"
	"senim/internal/job"
	"senim/internal/lint"
)

// finish signs what was intended and stores the certificate. It does nothing twice.
func (s *Service) finish(ctx context.Context, r Record, by string) (*Issued, error) {
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
	raw, err := s.signIntent(ctx, a, r)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(raw)
	err = s.store.Update(ctx, func(tx Tx) error {
		now, err := tx.BySerial(ctx, r.Serial)
		if err != nil {
			return err
		}
		if now.State == Done {
			r = now
			return nil
		}
		if now.State != Intended || now.Revoked != nil {
			return ErrClosed
		}
		now.State, now.Raw = Done, raw
		if err := tx.Advance(ctx, now); err != nil {
			return err
		}
		r = now
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
	return issuedOf(r), nil
}

// signIntent lints the stored bytes once more, which is what earns the token, and signs them.
func (s *Service) signIntent(ctx context.Context, a *authority, r Record) ([]byte, error) {
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
	subject := lint.Subject{Kind: lint.Holder, Issuer: a.cert, MaxDays: p.MaxDays(), Meant: meant}
	t, err := s.practice.prove(s.rand, subject, r.TBS, sig)
	if err != nil {
		return nil, err
	}
	return a.sign(ctx, s.rand, t, r.TBS)
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
