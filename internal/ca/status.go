package ca

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"senim/ocsp"
	"senim/pki"
)

// status is all an answer says of a serial. It is comparable.
type status struct {
	issued    bool
	revoked   bool
	revokedAt int64 // Unix seconds
	invalidAt int64 // Unix seconds; 0: not told
	notAfter  int64 // Unix seconds
	reason    Reason
}

// known is the status of a serial as it was read at an epoch, with the answers signed about it, by the
// number of the hash in the question.
type known struct {
	status
	epoch   int64
	bucket  uint32
	answers [maxHashes]atomic.Pointer[signed]
}

// maxHashes is more than package algid numbers.
const maxHashes = 16

// serialOf is what a status is kept by.
type serialOf struct{ ca, serial string }

// known tells the status of every serial asked for: as kept, when the lease covers the question,
// else as read now.
func (s *Service) known(ctx context.Context, a *authority, ids []ocsp.CertID, arrived time.Time) ([]*known, error) {
	all := make([]*known, len(ids))
	leased := a.lease().hold(ctx, s, a, arrived) == nil
	for i, id := range ids {
		k, ok := s.statuses.GetIfPresent(serialOf{a.name, pki.SerialHex(id.Serial)})
		if !leased || !ok || !a.lease().unchanged(k.epoch, k.bucket) {
			return all, s.look(ctx, a, ids, all)
		}
		all[i] = k
	}
	return all, nil
}

// look reads the status of every serial, in one snapshot with the epoch. What was not issued is not
// kept: it may be issued any moment, and anyone can ask for it without end.
func (s *Service) look(ctx context.Context, a *authority, ids []ocsp.CertID, all []*known) error {
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	err := s.store.View(ctx, func(tx Tx) error {
		epoch, _, err := tx.Changed(ctx, a.name, 0, 0)
		if err != nil {
			return err
		}
		for i, id := range ids {
			serial := pki.SerialHex(id.Serial)
			r, err := tx.Status(ctx, serial)
			if err != nil && !errors.Is(err, ErrNotFound) {
				return err
			}
			all[i] = &known{status: statusOf(r, a.name), epoch: epoch, bucket: bucketOf(s.seed, serial)}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, id := range ids {
		if !all[i].onRecord() {
			continue
		}
		key := serialOf{a.name, pki.SerialHex(id.Serial)}
		if old, ok := s.statuses.GetIfPresent(key); ok && old.status == all[i].status {
			for n := range old.answers {
				all[i].answers[n].Store(old.answers[n].Load())
			}
		}
		s.statuses.Set(key, all[i])
	}
	return nil
}

// onRecord reports that the status changes by a revocation only, never without a new epoch.
func (st status) onRecord() bool { return st.issued || st.revoked }

func statusOf(r Record, ca string) status {
	if r.CA != ca {
		return status{} // another authority's serial was not issued by this one
	}
	st := status{issued: r.State == Done, notAfter: r.NotAfter.Unix()}
	if r.Revoked != nil {
		st.revoked, st.revokedAt, st.reason = true, r.Revoked.At.Unix(), r.Revoked.Reason
		if !r.Revoked.Invalidity.IsZero() {
			st.invalidAt = r.Revoked.Invalidity.Unix()
		}
	}
	return st
}

// single says a status. Of a certificate that expired it is told since when such ones are kept, which
// is for ever; without that a reader may not rely on "good" (RFC 6960 4.4.4).
func (st status) single(id ocsp.CertID, at, next, archive time.Time) ocsp.Single {
	one := ocsp.Single{ID: id, ThisUpdate: at, NextUpdate: next}
	if st.issued && at.Unix() > st.notAfter {
		one.ArchiveCutoff = archive
	}
	switch {
	case st.revoked:
		one.Status, one.RevokedAt, one.Reason, one.HasReason = ocsp.Revoked, time.Unix(st.revokedAt, 0).UTC(), st.reason, true
		if st.invalidAt != 0 {
			one.InvalidAt = time.Unix(st.invalidAt, 0).UTC()
		}
	case st.issued:
		one.Status = ocsp.Good
	default:
		one.Status, one.RevokedAt, one.Reason, one.HasReason = ocsp.Revoked, time.Unix(0, 0).UTC(), CertificateHold, true
	}
	return one
}
