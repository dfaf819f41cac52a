package ca

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
)

// Jobs this package asks for. Their handlers are [Service.PublishJob] and [Service.TendJob].
const (
	// JobPublish makes new lists of one authority after a revocation.
	JobPublish = "ca.publish"
	// JobTend is to be enqueued on schedule, every minute or so.
	JobTend = "ca.tend"
)

// Times of revocation lists (security.md §5).
const (
	listDays   = 7              // next update, at most
	listEvery  = 12 * time.Hour // a new list is made by schedule
	listLinger = 7 * 24 * time.Hour
	listGather = time.Second // revocations of this long are told by one list
	// After a list that took long there is a pause of as many times as long, up to so much.
	listPause     = 5
	listPauseMost = 30 * time.Second
)

// List is a published revocation list. It does not change; others read the same bytes.
type List struct {
	Raw                    []byte   // DER
	Sum                    [32]byte // SHA-256 of Raw
	Number                 int64
	ThisUpdate, NextUpdate time.Time
}

// CRL returns the newest full or delta list of an authority, "gost", or of one of its divided lists,
// "gost/8-3"; [ErrNotFound] when there is none. Long lists are read once and shared.
func (s *Service) CRL(ctx context.Context, name string, delta bool) (*List, error) {
	if err := s.running(); err != nil {
		return nil, fmt.Errorf("revocation list of %s: %w", name, err)
	}
	ca, shard, _ := strings.Cut(name, "/")
	l, err := s.published.get(ctx, s, ca, shard, delta)
	if err != nil {
		return nil, fmt.Errorf("revocation list of %s: %w", name, err)
	}
	return l, nil
}

// publishing is the payload of JobPublish.
type publishing struct {
	CA string `json:"ca"`
	// After is when the lists may be made, in Unix milliseconds: revocations up to then are one job.
	After int64 `json:"after,omitempty"`
}

// PublishJob is the handler of [JobPublish]. Of several that wait, one is enough.
func (s *Service) PublishJob(ctx context.Context, payload []byte) error {
	var p publishing
	if err := json.Unmarshal(payload, &p); err != nil {
		return fmt.Errorf("publish: payload: %w", err)
	}
	a, ok := s.authorities[p.CA]
	if !ok || !a.works() {
		return fmt.Errorf("publish %s: %w", p.CA, ErrNotFound)
	}
	after := time.UnixMilli(p.After)
	if most := s.now().Add(listGather); after.After(most) { // another node's clock
		after = most
	}
	first, err := a.pace.wait(ctx, s.now, after)
	if err != nil || !first {
		return err
	}
	return s.publish(ctx, a, false)
}

// Publish makes and stores full and delta lists of an issuing authority now, as by schedule.
func (s *Service) Publish(ctx context.Context, ca string) error {
	a, ok := s.authorities[ca]
	if !ok || !a.works() {
		return fmt.Errorf("publish %s: %w", ca, ErrNotFound)
	}
	return s.publish(ctx, a, true)
}

// tendLists makes the lists that are due by schedule, those that are missing, and those that a job
// should have made and did not. An authority that has ended has nothing more to say.
func (s *Service) tendLists(ctx context.Context, a *authority) error {
	if !s.now().Before(a.cert.NotAfter) {
		return nil
	}
	var due bool
	var late []string
	err := s.store.View(ctx, func(tx Tx) error {
		l, err := tx.Base(ctx, a.name, "", math.MaxInt64)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		due = err != nil || s.now().Sub(l.ThisUpdate) >= listEvery
		late, err = behind(ctx, tx, a.name, append(a.shards(), ""))
		return err
	})
	if err != nil || !due && len(late) == 0 {
		return err
	}
	return s.publish(ctx, a, due)
}
