package ca

import (
	"sync/atomic"
	"time"
)

// countsEvery is how often the counts are logged while questions come.
const countsEvery = time.Hour

// counts of OCSP answers since the start.
type counts struct {
	kept, signed, good, revoked, never, malformed, unauthorized, refused, failed atomic.Int64
	told                                                                         atomic.Int64 // Unix seconds of the last log line
}

// Counts of OCSP answers since the start of this node.
type Counts struct {
	Kept   int64 // given out again, by the bytes of the question
	Signed int64 // signatures made
	// Good, Revoked and Never (issued) count certificates in answers that were not given out by bytes.
	Good, Revoked, Never int64
	Malformed            int64
	Unauthorized         int64 // about an authority that is not ours
	Refused              int64 // by the limit of the one who asks
	Failed               int64 // could not be answered: the store or the key was not there
}

// Counts returns the counts now.
func (s *Service) Counts() Counts {
	c := &s.counts
	return Counts{Kept: c.kept.Load(), Signed: c.signed.Load(), Good: c.good.Load(), Revoked: c.revoked.Load(), Never: c.never.Load(),
		Malformed: c.malformed.Load(), Unauthorized: c.unauthorized.Load(), Refused: c.refused.Load(), Failed: c.failed.Load()}
}

// said counts what answers say.
func (c *counts) said(all []*known) {
	for _, k := range all {
		switch {
		case k.revoked:
			c.revoked.Add(1)
		case k.issued:
			c.good.Add(1)
		default:
			c.never.Add(1)
		}
	}
}

// tellCounts logs the counts once in countsEvery; call it often.
func (s *Service) tellCounts() {
	now := s.tick().Unix()
	last := s.counts.told.Load()
	if now-last < int64(countsEvery/time.Second) || !s.counts.told.CompareAndSwap(last, now) || last == 0 {
		return
	}
	c := s.Counts()
	s.log.Info("ocsp answers since the start", "kept", c.Kept, "signed", c.Signed, "good", c.Good, "revoked", c.Revoked, "never", c.Never,
		"malformed", c.Malformed, "unauthorized", c.Unauthorized, "refused", c.Refused, "failed", c.Failed)
}
