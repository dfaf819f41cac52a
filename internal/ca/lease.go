package ca

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"sync/atomic"
	"time"
)

// What makes kept answers right on every node (doc/decision/0014-ocsp-cache.md): a node gives out what
// it keeps only within leaseTime of the moment it began to read the epoch of the authority's
// revocations, and a revocation is confirmed only when settleTime has passed since its commit. A
// node that read the epoch before the commit has lost its lease by then.
const (
	leaseTime  = 50 * time.Millisecond
	settleTime = leaseTime + 10*time.Millisecond // clocks of two machines do not run alike to the last tick
	readTime   = 5 * time.Second                 // an epoch or a status that takes longer cannot be read; both in turn are BR 4.10.2's ten
	maxChanges = 1000                            // more than that at once, and everything kept is checked again
	buckets    = 1 << 14
)

// lease knows what was revoked up to an epoch. It is made when the first question comes.
type lease struct {
	last  atomic.Pointer[epochRead] // nil: the epoch must be read
	floor atomic.Int64              // what is kept of an epoch below is not to be used
	// changed is the newest epoch of a change among the serials that fall into a bucket. Two
	// serials in one bucket cost a look into the store, nothing else.
	changed [buckets]atomic.Int64
	reading chan struct{} // holds one token while the epoch is read
	back    atomic.Bool   // the epoch went back: the database is another one
}

func newLease() *lease { return &lease{reading: make(chan struct{}, 1)} }

var errEpochBack = errors.New("the epoch of revocations went back: the database was exchanged under a running program")

// epochRead is one reading of the epoch.
type epochRead struct {
	begun time.Time
	epoch int64
}

// covers reports whether the reading is good enough for a question that arrived at a moment. Both the
// monotonic clock and the clock on the wall must say so: the first stands still while a machine
// is suspended.
func (r *epochRead) covers(arrived time.Time) bool {
	if r == nil {
		return false
	}
	d := arrived.Sub(r.begun)
	return d <= 0 || d < leaseTime && arrived.Round(0).Sub(r.begun.Round(0)).Abs() < leaseTime
}

func bucketOf(seed maphash.Seed, serial string) uint32 {
	return uint32(maphash.String(seed, serial) % buckets)
}

// unchanged reports whether what was read of a bucket's serial at an epoch is still so, as far as is
// known here; ask hold first.
func (l *lease) unchanged(epoch int64, bucket uint32) bool {
	return epoch >= l.floor.Load() && epoch >= l.changed[bucket].Load()
}

// hold returns when the lease covers a question that arrived at a moment. An error means that it
// cannot be had: then nothing kept may be used.
func (l *lease) hold(ctx context.Context, s *Service, a *authority, arrived time.Time) error {
	if l.last.Load().covers(arrived) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	select {
	case l.reading <- struct{}{}:
		defer func() { <-l.reading }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if l.back.Load() {
		return errEpochBack
	}
	if l.last.Load().covers(arrived) { // somebody read it meanwhile
		return nil
	}
	s.tellCounts()
	return l.read(ctx, s, a)
}

// read reads the epoch and marks what changed, before it says that it did. One at a time.
func (l *lease) read(ctx context.Context, s *Service, a *authority) error {
	begun := s.tick()
	since, known := int64(0), l.last.Load()
	if known != nil {
		since = known.epoch
	}
	var epoch int64
	var serials []string
	err := s.store.View(ctx, func(tx Tx) (err error) {
		limit := maxChanges + 1
		if known == nil {
			limit = 0
		}
		epoch, serials, err = tx.Changed(ctx, a.name, since, limit)
		return err
	})
	if err != nil {
		return fmt.Errorf("epoch of %s: %w", a.name, err)
	}
	switch {
	case epoch < since: // nothing kept is of any worth, nor will be
		l.back.Store(true)
		l.last.Store(nil)
		s.log.Error("nothing is answered from memory until the program is started again", "ca", a.name, "error", errEpochBack)
		return errEpochBack
	case known == nil || len(serials) > maxChanges:
		l.floor.Store(epoch)
	default:
		for _, serial := range serials {
			l.changed[bucketOf(s.seed, serial)].Store(epoch)
		}
	}
	l.last.Store(&epochRead{begun, epoch})
	return nil
}

// end makes the next question read the epoch: on the node that revokes, nothing is waited for.
func (l *lease) end() {
	l.reading <- struct{}{} // a reading that began before must not be the last word
	l.last.Store(l.last.Load().over())
	<-l.reading
}

// over is the same reading, of too long ago.
func (r *epochRead) over() *epochRead {
	if r == nil {
		return nil
	}
	return &epochRead{time.Time{}, r.epoch}
}

// settle returns when no node can give out an answer from before a change that was committed. Its
// error does not undo the change; asking for it again waits again.
func (s *Service) settle(ctx context.Context, authorities ...string) error {
	for _, name := range authorities {
		if a, ok := s.authorities[name]; ok {
			a.lease().end()
		}
	}
	t := time.NewTimer(s.settles)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("recorded, but another node may still answer from before: %w", context.Cause(ctx))
	}
}
