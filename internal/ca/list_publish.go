package ca

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"senim/internal/audit"
	"senim/pki"
)

// publish makes lists, full and delta, under one number (RFC 5280 5.2.4): all of them by schedule, or
// those that do not know the newest revocations. The divided lists go first, the one of all last.
func (s *Service) publish(ctx context.Context, a *authority, scheduled bool) error {
	if err := s.running(); err != nil {
		return fmt.Errorf("publish %s: %w", a.name, err)
	}
	defer s.orders.Take("list:" + a.name)()
	begin := s.now()
	defer func() { a.pace.took(s.now().Sub(begin), s.now()) }()
	number, shards, err := s.planLists(ctx, a, scheduled)
	if err != nil {
		return fmt.Errorf("publish %s: %w", a.name, err)
	}
	var failed []error
	for _, shard := range shards {
		if err := s.publishOne(ctx, a, number, shard, scheduled); err != nil {
			failed = append(failed, fmt.Errorf("publish %s: list %d %s: %w", a.name, number, shard, err))
		}
	}
	if err := s.lay(ctx, a); err != nil {
		s.log.Error("a revocation list was not laid where it is read from", "ca", a.name, "error", err)
	}
	return errors.Join(failed...)
}

// planLists tells which lists are to be made, and takes their number when there are any. A number is
// taken for good before anything is signed under it: after a crash it is missing, never used twice.
func (s *Service) planLists(ctx context.Context, a *authority, scheduled bool) (number int64, shards []string, err error) {
	all := append(a.shards(), "")
	err = s.store.Update(ctx, func(tx Tx) error {
		shards = slices.Clone(all)
		if !scheduled {
			if shards, err = behind(ctx, tx, a.name, all); err != nil || len(shards) == 0 {
				return err
			}
		}
		number, _, err = tx.NextListNumber(ctx, a.name)
		return err
	})
	return number, shards, err
}

// behind names the lists that are missing or do not know the newest revocation they should have.
func behind(ctx context.Context, tx Tx, ca string, all []string) ([]string, error) {
	heads, err := tx.Heads(ctx, ca)
	if err != nil {
		return nil, err
	}
	knows := map[string]int64{}
	oldest := int64(-1)
	for _, h := range heads {
		if known, ok := knows[h.Shard]; !ok || h.Epoch < known {
			knows[h.Shard] = h.Epoch
		}
		if oldest < 0 || h.Epoch < oldest {
			oldest = h.Epoch
		}
	}
	newest, err := tx.RevokedShards(ctx, ca, max(oldest, 0))
	if err != nil {
		return nil, err
	}
	if newest[""], err = tx.Epoch(ctx, ca); err != nil {
		return nil, err
	}
	var out []string
	for _, shard := range all {
		if known, ok := knows[shard]; !ok || known < newest[shard] {
			out = append(out, shard)
		}
	}
	return out, nil
}

// publishOne makes the full and the delta list of one kind: write, lint, record, sign, hold the
// result against the issuer, store. When another node has stored newer ones meanwhile, theirs stand.
func (s *Service) publishOne(ctx context.Context, a *authority, number int64, shard string, scheduled bool) error {
	full, delta, err := s.gather(ctx, a, number, shard)
	if err != nil {
		return err
	}
	drafts := []*draftList{full, delta}
	detail := map[string]string{"number": strconv.FormatInt(number, 10)}
	if shard != "" {
		detail["shard"] = shard
	}
	for i, d := range drafts {
		if err := d.lint(); err != nil {
			return err
		}
		detail[[]string{"tbs_sha256", "delta_tbs_sha256"}[i]] = d.sum
	}
	key, err := a.open(ctx)
	if err != nil {
		return err
	}
	err = s.store.Update(ctx, func(tx Tx) error {
		return tx.Audit(ctx, audit.Event{Action: "ca.will_publish", Actor: "system", Object: a.name, Result: "ok", Detail: detail})
	})
	if err != nil {
		return err
	}
	delete(detail, "tbs_sha256")
	delete(detail, "delta_tbs_sha256")
	records := make([]ListRecord, len(drafts))
	for i, d := range drafts {
		raw, sum, err := d.sign(s.rand, key)
		if err != nil {
			return err
		}
		records[i] = d.l.record(a.name, shard, scheduled, raw)
		detail[[]string{"sha256", "delta_sha256"}[i]] = sum
	}
	err = s.store.Update(ctx, func(tx Tx) error {
		for _, r := range records {
			if err := tx.AddList(ctx, r); err != nil {
				return err
			}
		}
		return tx.Audit(ctx, audit.Event{Action: "ca.list_published", Actor: "system", Object: a.name, Result: "ok", Detail: detail})
	})
	if errors.Is(err, ErrExists) {
		s.log.Info("newer revocation lists were published meanwhile", "ca", a.name, "number", number)
		return nil
	}
	return err
}

// gather reads, over one snapshot, what both lists will say. The delta refers to the last scheduled
// full list before this one, which readers may still hold; without one, to its own number.
func (s *Service) gather(ctx context.Context, a *authority, number int64, shard string) (full, delta *draftList, err error) {
	err = s.store.View(ctx, func(tx Tx) error {
		epoch, err := tx.Epoch(ctx, a.name)
		if err != nil {
			return err
		}
		last, err := tx.Head(ctx, a.name, shard, false)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		base, err := tx.Base(ctx, a.name, shard, number)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		based := err == nil
		at := s.whole()
		if at.Before(last.ThisUpdate) { // a clock set back must not make an older list
			at = last.ThisUpdate
		}
		l := listOf{number: number, base: -1, epoch: epoch, at: at, days: listDays, end: a.cert.NotAfter}
		point, deltas := a.points(shard)
		if shard != "" {
			l.points = point
		}
		l.freshest = deltas
		if full, err = newDraft(a.cert, l); err != nil {
			return err
		}
		l.base, l.freshest = number, nil
		since := epoch // without a base there is nothing to add
		if based {
			l.base, since = base.Number, base.Epoch
		}
		if delta, err = newDraft(a.cert, l); err != nil {
			return err
		}
		return tx.EachRevoked(ctx, a.name, shard, 0, keptSince(base, based, at), func(r RevokedRecord) error {
			if r.Epoch > since {
				if err := delta.add(r); err != nil {
					return err
				}
			}
			if r.Reason == pki.RemoveFromCRL {
				return nil
			}
			return full.add(r)
		})
	})
	return full, delta, err
}

// keptSince is from when on certificates must have ended to be off the list: each entry is on one
// scheduled list made after its certificate's end (RFC 5280 3.3), and some days longer.
func keptSince(base ListRecord, based bool, at time.Time) time.Time {
	since := at.Add(-listLinger)
	switch {
	case !based:
		return time.Time{}
	case base.ThisUpdate.Before(since):
		return base.ThisUpdate
	}
	return since
}

func sumHex(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
