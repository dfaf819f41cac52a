package pki

import (
	"bytes"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Covers reports whether the list speaks of c for every reason: it is a list of c's issuer, and when
// it is one of several (issuingDistributionPoint), the one that c's distribution point names. A list
// for some reasons, an indirect one, or one for others' certificates does not: that c is not on it
// says nothing.
func (l *RevocationList) Covers(c *Certificate) bool {
	if !bytes.Equal(l.RawIssuer, c.RawIssuer) {
		return false
	}
	if l.scope == nil {
		return true
	}
	if l.scope.indirect || l.scope.reasons != allReasons {
		return false
	}
	for _, p := range append(c.points[:len(c.points):len(c.points)], distributionPoint{reasons: allReasons, at: ownPlace(c)}) {
		if len(p.issuers) == 0 && p.reasons == allReasons && l.scope.covers(c, p, l.RawIssuer) {
			return true
		}
	}
	return false
}

// CheckPartSignatureFrom is [RevocationList.CheckSignatureFrom] for readers who ask
// [RevocationList.Covers] too: it lets an issuingDistributionPoint pass.
func (l *RevocationList) CheckPartSignatureFrom(issuer *Certificate) error {
	for _, id := range l.Unhandled {
		if !id.Equal(extScope) {
			return fmt.Errorf("revocation list: critical extension %v not known", id)
		}
	}
	if err := l.checkIssuer(issuer); err != nil {
		return fmt.Errorf("revocation list: %w", err)
	}
	return nil
}

// SameScope reports whether two lists cover the same: a delta is put on a full list of its own scope
// only (RFC 5280 5.2.4).
func (l *RevocationList) SameScope(other *RevocationList) bool {
	return bytes.Equal(l.rawScope, other.rawScope)
}

// Part returns the addresses of a list that is one of several and covers, for every reason, the
// certificates of end entities that name one of them; false for any other list.
func (l *RevocationList) Part() (addresses []string, ok bool) {
	s := l.scope
	if s == nil || s.at == nil || !s.onlyUsers || s.onlyCAs || s.onlyAttribute || s.indirect || s.reasons != allReasons {
		return nil, false
	}
	for _, whole := range s.at.full {
		in := cryptobyte.String(whole)
		var address cryptobyte.String
		var tag cbasn1.Tag
		if !in.ReadAnyASN1(&address, &tag) || tag != context(nameURI) {
			return nil, false
		}
		addresses = append(addresses, string(address))
	}
	return addresses, addresses != nil
}
