package pki

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// checkRevocation asks the lists of every certificate below the root, from the top. That one is
// revoked is said before that another could not be settled.
func (s *search) checkRevocation(path []*Certificate) error {
	var unsettled error
	for i := len(path) - 2; i >= 0; i-- {
		err := s.status(path, i)
		var revoked *RevokedError
		if errors.As(err, &revoked) {
			return err
		}
		if unsettled == nil {
			unsettled = err
		}
	}
	return unsettled
}

// status is RFC 5280 6.3.3 for path[i]: nil when the lists say it is not revoked, for every reason.
func (s *search) status(path []*Certificate, i int) error {
	c := path[i]
	if slices.Contains(s.busy, c) {
		return fmt.Errorf("certificate %s vouches for itself: %w", c.SerialHex(), ErrUndetermined)
	}
	s.busy = append(s.busy, c)
	defer func() { s.busy = s.busy[:len(s.busy)-1] }()

	answered := false
	if s.rules.Evidence != nil {
		entry, known := s.rules.Evidence.Status(c, path[i+1], s.rules.At, s.rules.now())
		if known && entry != nil && s.rules.revokes(entry) {
			return &RevokedError{Cert: c, Entry: *entry}
		}
		answered = known
	}
	var done reasonSet
	for _, point := range append(c.points[:len(c.points):len(c.points)], distributionPoint{reasons: allReasons, at: ownPlace(c)}) {
		if err := s.askPoint(path, i, point, &done); err != nil {
			return err
		}
		if done == allReasons {
			return nil
		}
	}
	if answered {
		return nil
	}
	return fmt.Errorf("certificate %s: %w", c.SerialHex(), ErrUndetermined)
}

// ownPlace is the name of c's issuer as a distribution point: where lists stand that no point names.
func ownPlace(c *Certificate) *place {
	body, err := inside(c.RawIssuer, cbasn1.SEQUENCE)
	if err != nil {
		return nil
	}
	return &place{full: [][]byte{directoryName(body)}}
}

// askPoint looks c up in every usable list for the point, newest first; done gathers the reasons
// that are settled.
func (s *search) askPoint(path []*Certificate, i int, point distributionPoint, done *reasonSet) error {
	c := path[i]
	for _, list := range s.listsByAge() {
		if list.BaseNumber != nil || !list.speaksOf(c, point) || list.reasons()&point.reasons&^*done == 0 {
			continue
		}
		issuer := s.listIssuer(list, path, i)
		if issuer == nil || !list.usableAt(s.rules) {
			continue
		}
		entry, listed := list.find(c.RawIssuer, c.Serial)
		if delta := s.deltaFor(list, issuer); delta != nil {
			if e, ok := delta.find(c.RawIssuer, c.Serial); ok {
				entry, listed = e, e.Reason != RemoveFromCRL
			}
		}
		if listed && s.rules.revokes(entry) {
			return &RevokedError{Cert: c, Entry: *entry}
		}
		if listed || list.remembers(c) {
			*done |= list.reasons() & point.reasons
		}
	}
	return nil
}

// listsByAge returns the lists, the newest first.
func (s *search) listsByAge() []*RevocationList {
	if s.sorted == nil {
		s.sorted = slices.Clone(s.rules.Lists)
		slices.SortStableFunc(s.sorted, func(a, b *RevocationList) int { return b.ThisUpdate.Compare(a.ThisUpdate) })
	}
	return s.sorted
}

// speaksOf is 6.3.3 b: the issuer fits the point and the scope covers c.
func (l *RevocationList) speaksOf(c *Certificate, p distributionPoint) bool {
	if len(p.issuers) > 0 {
		named := slices.ContainsFunc(p.issuers, func(name []byte) bool { return bytes.Equal(name, l.RawIssuer) })
		if !named || !bytes.Equal(l.RawIssuer, c.RawIssuer) && (l.scope == nil || !l.scope.indirect) {
			return false
		}
	} else if !bytes.Equal(l.RawIssuer, c.RawIssuer) {
		return false
	}
	return l.scope.covers(c, p, l.RawIssuer)
}

func (l *RevocationList) reasons() reasonSet {
	if l.scope == nil {
		return allReasons
	}
	return l.scope.reasons
}

// remembers reports whether c would stand on the list if it were revoked: authorities may take off
// what expired (3.3).
func (l *RevocationList) remembers(c *Certificate) bool {
	return !l.ThisUpdate.After(c.NotAfter) || !l.expiredSince.IsZero() && !l.expiredSince.After(c.NotAfter)
}

// usableAt: inside its dates, numbered, nothing critical in it that we do not know. A list later than
// At, but not than Now, knows more than one of At.
func (l *RevocationList) usableAt(r Rules) bool {
	return !l.ThisUpdate.After(r.now()) && !l.NextUpdate.IsZero() && !r.At.After(l.NextUpdate) &&
		len(l.strange) == 0 && l.Number != nil
}

// listIssuer finds the certificate whose key signed the list and that may sign lists: a certificate
// of the path above i, or another that chains to the same root and is itself not revoked (6.3.3 f, g).
func (s *search) listIssuer(l *RevocationList, path []*Certificate, i int) *Certificate {
	signed := func(c *Certificate) bool {
		may := c.KeyUsage&CRLSign != 0 || c.KeyUsage == 0 && c.IsCA
		return may && bytes.Equal(c.RawSubject, l.RawIssuer) && s.signed(l, c)
	}
	for _, c := range path[i+1:] {
		if signed(c) {
			return c
		}
	}
	root := path[len(path)-1]
	for _, c := range s.pool.bySubject[string(l.RawIssuer)] {
		if containsCertificate(path[i+1:], c) || !signed(c) {
			continue
		}
		sub := search{pool: s.pool, rules: s.rules, checks: s.checks, proofs: s.proofs, busy: s.busy, sorted: s.sorted, only: root}
		sub.rules.Policies, sub.rules.ExplicitPolicy = nil, false
		if found, err := sub.run(c); err == nil && len(found.Chain) > 0 {
			return c
		}
	}
	return nil
}

// signed verifies, once in a walk, that the key of c signed the list.
func (s *search) signed(l *RevocationList, c *Certificate) bool {
	key := listProof{l, c}
	good, known := s.proofs[key]
	if known {
		return good
	}
	if *s.checks++; *s.checks > maxChecks {
		return false
	}
	good = l.Signature.Verify(s.pool.keys.Use(c.PublicKey), l.RawTBS, l.SignatureValue) == nil
	s.proofs[key] = good
	return good
}

// deltaFor chooses the newest delta over a complete list: same issuer, key and scope, base not after
// the list, not older than it (5.2.4). Its own number proves nothing: the national lists count deltas
// apart.
func (s *search) deltaFor(full *RevocationList, issuer *Certificate) *RevocationList {
	for _, d := range s.listsByAge() {
		if d.BaseNumber == nil || !bytes.Equal(d.RawIssuer, full.RawIssuer) || !bytes.Equal(d.rawScope, full.rawScope) ||
			!bytes.Equal(d.AuthorityKeyID, full.AuthorityKeyID) || !d.usableAt(s.rules) ||
			d.BaseNumber.Cmp(full.Number) > 0 || d.ThisUpdate.Before(full.ThisUpdate) {
			continue
		}
		if s.signed(d, issuer) {
			return d
		}
	}
	return nil
}

// decidedByLists tells what lists decided from other reasons.
func decidedByLists(err error) bool {
	var revoked *RevokedError
	return errors.As(err, &revoked) || errors.Is(err, ErrUndetermined)
}
