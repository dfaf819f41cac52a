package ca

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"senim/internal/audit"
	"senim/internal/job"
	"senim/pki"
)

// RevokeOrder asks for one certificate to be revoked.
type RevokeOrder struct {
	Serial string
	Reason Reason
	// At is since when it counts: zero is now. An earlier moment may be given for KeyCompromise,
	// AffiliationChanged and CessationOfOperation, but none before the certificate begins. It never
	// moves once it is recorded.
	At time.Time
	// Invalidity is since when the key is thought not to have been the holder's alone; zero is not
	// told. It is not after At.
	Invalidity time.Time
	By         string // audit actor
}

// maxRevoked bounds how many are revoked at once: they are one transaction.
const maxRevoked = 1000

// Revoke revokes one certificate now; see [Service.RevokeAll].
func (s *Service) Revoke(ctx context.Context, serial string, reason Reason, by string, invalidity time.Time) (*Revocation, error) {
	all, err := s.RevokeAll(ctx, []RevokeOrder{{Serial: serial, Reason: reason, By: by, Invalidity: invalidity}})
	if err != nil {
		return nil, err
	}
	return &all[0], nil
}

// RevokeAll ends certificates before their time, all of them or none, and returns the revocations in
// force. What was revoked before stays as it was, its date always, except that a hold may become
// final and any other reason may become KeyCompromise (BR 7.2.2): what turns out worse is told. When
// it returns, every later OCSP answer of every node says so, and new lists are on their way.
//
// A certificate that may have been signed but was never seen can be revoked like any other, and one
// that has expired too: signatures of its time may depend on it.
// [ErrNotFound] when nothing was ever to be signed under a serial; [*Refusal] REASON_INVALID for a
// reason nobody may choose, DATES_INVALID for a date that cannot be. Who may revoke what is decided
// before.
func (s *Service) RevokeAll(ctx context.Context, orders []RevokeOrder) ([]Revocation, error) {
	if err := s.running(); err != nil {
		return nil, fmt.Errorf("revoke: %w", err)
	}
	if len(orders) == 0 || len(orders) > maxRevoked {
		return nil, fmt.Errorf("revoke: %d certificates at once, at most %d", len(orders), maxRevoked)
	}
	var out []Revocation
	var touched map[string]bool
	err := s.store.Update(ctx, func(tx Tx) error {
		out = make([]Revocation, len(orders))
		touched = map[string]bool{}
		for i, o := range orders {
			v, ca, err := s.revoke(ctx, tx, o)
			if err != nil {
				return fmt.Errorf("revoke %s: %w", o.Serial, err)
			}
			out[i] = v
			touched[ca] = true
		}
		delete(touched, "")
		for ca := range touched {
			if err := s.askForLists(ctx, tx, ca); err != nil {
				return fmt.Errorf("revoke: %w", err)
			}
		}
		return nil
	})
	if err == nil {
		err = s.settle(ctx, slices.Collect(maps.Keys(touched))...)
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// revoke carries one order out. ca is the authority whose lists have changed, "" for none.
func (s *Service) revoke(ctx context.Context, tx Tx, o RevokeOrder) (v Revocation, ca string, err error) {
	if !allowed(o.Reason) {
		return v, "", &Refusal{CodeReasonInvalid, fmt.Sprintf("reason %d may not be chosen", o.Reason)}
	}
	r, err := tx.BySerial(ctx, o.Serial)
	if err != nil {
		return v, "", err
	}
	if r.State == Reserved || (r.State == Closed && r.TBS == nil) {
		return v, "", ErrNotFound
	}
	if r.Profile == profileRoot || r.Profile == profileAuthority {
		return v, "", &Refusal{CodeReasonInvalid, "an authority is ended by a ceremony of its root"}
	}
	if r.Revoked != nil {
		return s.revokeAgain(ctx, tx, r, o)
	}
	if v, err = s.revocation(r, o); err != nil {
		return v, "", err
	}
	if err := tx.AddRevocation(ctx, r.CA, o.Serial, v); err != nil {
		return v, "", err
	}
	return v, r.CA, s.noteRevocation(ctx, tx, r, "ca.revoked", v)
}

// revokeAgain answers with the revocation there is; only what turns out worse changes it.
func (s *Service) revokeAgain(ctx context.Context, tx Tx, r Record, o RevokeOrder) (Revocation, string, error) {
	v := *r.Revoked
	action := "ca.reason_changed"
	switch {
	case v.Reason == o.Reason, v.Reason != CertificateHold && o.Reason != KeyCompromise:
		return v, "", nil
	case v.Reason == CertificateHold:
		action = "ca.hold_made_final"
	}
	if !o.Invalidity.IsZero() {
		if o.Invalidity.After(s.now()) {
			return v, "", &Refusal{CodeDatesInvalid, "an invalidity in the future"}
		}
		if v.Invalidity = o.Invalidity.UTC().Truncate(time.Second); v.Invalidity.After(v.At) {
			v.Invalidity = time.Time{} // since the revocation it counts for nothing anyway
		}
	}
	v.Reason, v.By = o.Reason, o.By
	if err := tx.ChangeRevocation(ctx, r.CA, r.Serial, s.now(), v); err != nil {
		return v, "", err
	}
	return v, r.CA, s.noteRevocation(ctx, tx, r, action, v)
}

// revocation is the first revocation of a record, its dates held against the certificate's.
func (s *Service) revocation(r Record, o RevokeOrder) (Revocation, error) {
	now := s.whole()
	shard, err := s.shardOf(r)
	if err != nil {
		return Revocation{}, err
	}
	v := Revocation{At: now, Recorded: s.now().UTC().Truncate(time.Millisecond), Reason: o.Reason, By: o.By, Shard: shard}
	if !o.At.IsZero() {
		v.At = o.At.UTC().Truncate(time.Second)
		backdated := v.At.Before(now)
		switch {
		case v.At.After(now):
			return v, &Refusal{CodeDatesInvalid, "a revocation date in the future"}
		case v.At.Before(r.NotBefore):
			return v, &Refusal{CodeDatesInvalid, "a revocation date before the certificate begins"}
		case backdated && o.Reason != KeyCompromise && o.Reason != AffiliationChanged && o.Reason != CessationOfOperation:
			return v, &Refusal{CodeDatesInvalid, fmt.Sprintf("reason %d counts from the moment it is told", o.Reason)}
		}
	}
	if o.Invalidity.IsZero() {
		return v, nil
	}
	if v.Invalidity = o.Invalidity.UTC().Truncate(time.Second); v.Invalidity.After(v.At) || v.Invalidity.Year() < 1950 {
		return v, &Refusal{CodeDatesInvalid, "an invalidity after the revocation, or of another age"}
	}
	return v, nil
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
		v := *r.Revoked
		v.Reason, v.Invalidity, v.By = pki.RemoveFromCRL, time.Time{}, by+" "+second
		if err := tx.ChangeRevocation(ctx, r.CA, serial, s.now(), v); err != nil {
			return err
		}
		if err := s.noteRevocation(ctx, tx, r, "ca.hold_lifted", v); err != nil {
			return err
		}
		return s.askForLists(ctx, tx, r.CA)
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
	if err := s.noteRevocation(ctx, tx, r, action, v); err != nil {
		return err
	}
	return s.askForLists(ctx, tx, r.CA)
}

// noteRevocation writes the audit record and tells who wants to know.
func (s *Service) noteRevocation(ctx context.Context, tx Tx, r Record, action string, v Revocation) error {
	if err := tx.Audit(ctx, audit.Event{Action: action, Actor: v.By, Object: r.Serial, Result: "ok", Detail: revocationDetail(r.CA, v)}); err != nil {
		return err
	}
	return s.tell(ctx, tx, s.revokedJob, r)
}

// revocationDetail is what the audit says of a revocation: enough to bring it back, see [Evidence].
func revocationDetail(ca string, v Revocation) map[string]string {
	detail := map[string]string{"ca": ca, "reason": fmt.Sprint(int(v.Reason))}
	if !v.At.IsZero() {
		detail["revoked_at"] = v.At.Format(time.RFC3339)
	}
	if !v.Invalidity.IsZero() {
		detail["invalidity"] = v.Invalidity.Format(time.RFC3339)
	}
	return detail
}

// askForLists asks for new lists, once for all revocations of the same second: the job waits for its
// end before it reads. It is called after the revocation was written, whose lock on the counter of
// epochs a job that is too early waits for.
func (s *Service) askForLists(ctx context.Context, tx Tx, ca string) error {
	end := s.now().Truncate(listGather).Add(listGather).UnixMilli()
	return tx.Enqueue(ctx, job.Job{Kind: JobPublish, Unique: fmt.Sprintf("%s %d", ca, end), Payload: publishing{CA: ca, After: end}})
}
