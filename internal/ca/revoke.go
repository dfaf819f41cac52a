package ca

import (
	"context"
	"fmt"
	"time"

	"senim/internal/audit"
	"senim/internal/job"
	"senim/pki"
)

// Revoke ends a certificate before its time and returns the revocation in force. What was revoked
// before stays as it was, except that a hold may become final: its date stays, its reason changes.
// When it returns, every later OCSP answer of every node says so, and new lists are on their way.
//
// A certificate that may have been signed but was never seen can be revoked like any other.
// [ErrNotFound] when nothing was ever to be signed under the serial; [*Refusal] REASON_INVALID for a
// reason nobody may choose. Who may revoke what is decided before.
func (s *Service) Revoke(ctx context.Context, serial string, reason Reason, by string, invalidity time.Time) (*Revocation, error) {
	if !allowed(reason) {
		return nil, &Refusal{CodeReasonInvalid, fmt.Sprintf("reason %d may not be chosen", reason)}
	}
	if err := s.running(); err != nil {
		return nil, fmt.Errorf("revoke %s: %w", serial, err)
	}
	var out Revocation
	var of string
	err := s.store.Update(ctx, func(tx Tx) error {
		r, err := tx.BySerial(ctx, serial)
		if err != nil {
			return err
		}
		of = r.CA
		if r.State == Reserved || (r.State == Closed && r.TBS == nil) {
			return ErrNotFound
		}
		if r.Profile == profileRoot || r.Profile == profileAuthority {
			return &Refusal{CodeReasonInvalid, "an authority is ended by a ceremony of its root"}
		}
		if r.Revoked != nil {
			out = *r.Revoked
			if out.Reason != CertificateHold || reason == CertificateHold {
				return nil
			}
			out.Reason, out.By = reason, by
			if err := tx.SetReason(ctx, r.CA, serial, reason); err != nil {
				return err
			}
			return s.recordRevocation(ctx, tx, r, "ca.hold_made_final", out)
		}
		out = Revocation{At: s.whole(), Reason: reason, Invalidity: invalidity.UTC(), By: by}
		if invalidity.IsZero() {
			out.Invalidity = time.Time{}
		}
		if err := tx.AddRevocation(ctx, r.CA, serial, out); err != nil {
			return err
		}
		return s.recordRevocation(ctx, tx, r, "ca.revoked", out)
	})
	if err == nil {
		err = s.settle(ctx, of)
	}
	if err != nil {
		return nil, fmt.Errorf("revoke %s: %w", serial, err)
	}
	return &out, nil
}

// Release lifts a hold: the certificate is good again, and the next delta list says removeFromCRL. It
// takes two people, which is to say two different audit actors; whether they may is decided before.
// [*Refusal] REASON_INVALID when the certificate is not on hold, or one person stands for two.
func (s *Service) Release(ctx context.Context, serial, by, second string) error {
	if by == "" || second == "" || by == second {
		return &Refusal{CodeReasonInvalid, "a hold is lifted by two people"}
	}
	if err := s.running(); err != nil {
		return fmt.Errorf("release %s: %w", serial, err)
	}
	var of string
	err := s.store.Update(ctx, func(tx Tx) error {
		r, err := tx.BySerial(ctx, serial)
		if err != nil {
			return err
		}
		of = r.CA
		if r.Revoked == nil || r.Revoked.Reason != CertificateHold || r.State != Done {
			return &Refusal{CodeReasonInvalid, "the certificate is not on hold"}
		}
		if err := tx.SetReason(ctx, r.CA, serial, pki.RemoveFromCRL); err != nil {
			return err
		}
		return s.recordRevocation(ctx, tx, r, "ca.hold_lifted", Revocation{Reason: pki.RemoveFromCRL, By: by + " " + second})
	})
	if err == nil {
		err = s.settle(ctx, of)
	}
	if err != nil {
		return fmt.Errorf("release %s: %w", serial, err)
	}
	return nil
}

// recordRevocation writes the audit record and asks for what follows a revocation.
func (s *Service) recordRevocation(ctx context.Context, tx Tx, r Record, action string, v Revocation) error {
	err := tx.Audit(ctx, audit.Event{Action: action, Actor: v.By, Object: r.Serial, Result: "ok",
		Detail: map[string]string{"ca": r.CA, "reason": fmt.Sprint(int(v.Reason))}})
	if err != nil {
		return err
	}
	// Not unique: a job that runs already may have read the revocations before this one. A job
	// that finds the lists current does nothing.
	if err := tx.Enqueue(ctx, job.Job{Kind: JobPublish, Payload: publishing{CA: r.CA}}); err != nil {
		return err
	}
	return s.tell(ctx, tx, s.revokedJob, r)
}
