package cades

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"senim/algid"
	"senim/cms"
	"senim/pki"
	"senim/tsp"
)

// knownAt is when a piece is known to have existed.
func (s *signature) knownAt(k key) time.Time {
	if t, ok := s.existed[k]; ok {
		return t
	}
	return s.trust.At
}

// stamps judges the time-stamps, the outermost first: what one proves is needed for those it covers.
func (s *signature) stamps() {
	order := make([]*Timestamp, 0, len(s.carried.stamps))
	s.out.Timestamps = slices.Clone(s.carried.stamps)
	for i := range s.out.Timestamps {
		order = append(order, &s.out.Timestamps[i])
	}
	slices.SortStableFunc(order, func(a, b *Timestamp) int {
		switch {
		case a.Archive != b.Archive:
			return compareBool(b.Archive, a.Archive)
		case a.Token == nil || b.Token == nil:
			return compareBool(a.Token == nil, b.Token == nil)
		}
		return cmp.Or(b.Token.Time.Compare(a.Token.Time), len(indexed(b.Token))-len(indexed(a.Token)))
	})
	for _, t := range order {
		if t.Token == nil {
			s.out.warn("a time-stamp proves nothing: %v", t.Err)
			continue
		}
		s.stamp(t)
		if t.Err != nil {
			s.out.warn("the time-stamp of %s proves nothing: %v", t.Token.Time.Format(time.RFC3339), t.Err)
		}
	}
	slices.SortStableFunc(s.out.Timestamps, func(a, b Timestamp) int { return compareBool(a.Archive, b.Archive) })
}

// stamp judges one token and notes what it proves.
func (s *signature) stamp(t *Timestamp) {
	t.Known = s.knownAt(t.key)
	t.Err = s.covers(t)
	if t.Err != nil {
		t.Outcome = outcomeOf(t.Err)
		if errors.Is(t.Err, errNoDigest) || errors.Is(t.Err, errOldIndex) {
			t.Outcome = CannotSay
		}
		return
	}
	authority, err := s.maker(t.Token)
	if err != nil {
		t.Outcome, t.Err = outcomeOf(err), err
		return
	}
	if t.Token.Time.After(t.Known.Add(skew)) {
		t.Outcome, t.Err = Invalid, fmt.Errorf("%w: %s", ErrTimeOrder, t.Known.Format(time.RFC3339))
		return
	}
	t.Authority = authority
	t.Judgement = s.authority(authority, t.Token.Time, t.Known)
	t.Outcome, t.Err = t.Judgement.Outcome, t.Judgement.Err
	if t.Outcome != Valid {
		return
	}
	if s.trust.Keys != nil {
		s.trust.Keys.Use(authority.PublicKey) // vouched for now
	}
	s.warnStatus(t.Judgement)
	if t.Token.Imprint.Hash == algid.SHA1 {
		s.out.warn("the time-stamp of %s is over a weak hash, SHA-1", t.Token.Time.Format(time.RFC3339))
	}
	for _, k := range t.covered {
		s.existed[k] = earlier(s.knownAt(k), t.Token.Time)
	}
	s.signed = earlier(s.signed, t.Token.Time)
	s.out.Proved = s.signed
}

// maker verifies a token and gives the certificate that made it, which may stand in the message instead
// of the token.
func (s *signature) maker(t *tsp.Token) (*pki.Certificate, error) {
	c, err := t.VerifyWith(s.trust.Keys.Ready)
	if !errors.Is(err, cms.ErrNoCertificate) {
		return c, err
	}
	var candidates [][]byte
	for _, c := range s.found {
		if c.HasUsage(pki.TimeStamping) {
			candidates = append(candidates, c.Raw)
		}
	}
	whole, e := cms.AddEvidence(t.Raw(), candidates, nil)
	if e != nil {
		return nil, err
	}
	again, e := tsp.ParseToken(whole)
	if e != nil {
		return nil, err
	}
	return again.Verify()
}

// covers checks that the token is over what it stands beside.
func (s *signature) covers(t *Timestamp) error {
	switch {
	case s.sd == nil: // see Judge: it was made sure of
		return nil
	case t.Archive:
		return s.coversArchive(t)
	}
	return t.Token.Covers(s.out.Signature.SignatureValue)
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// indexed is the hash index of a token as it stands, for sorting; nil when there is none.
func indexed(t *tsp.Token) []byte {
	x, err := indexOf(t)
	if err != nil {
		return nil
	}
	return x.raw
}
