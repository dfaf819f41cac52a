package ca

import (
	"encoding/asn1"
	"fmt"
	"slices"

	"senim/internal/lint"
	"senim/internal/profile"
	"senim/pki"
)

// Profile is what the certificates of one kind have in common; see package profile.
type Profile = profile.Profile

// Profiles is the set this authority issues by. It is not to be changed.
func (s *Service) Profiles() profile.Set { return s.profiles }

// profile finds one that orders may name: services and authorities are nobody's to order.
func (s *Service) profile(name string) (Profile, bool) {
	p, ok := s.profiles[name]
	return p, ok && p.Kind == profile.Holder
}

// usages is the extended key usage: how the person was identified, then what the profile says, then
// the role of a registered system.
func usages(p Profile, o Order) []asn1.ObjectIdentifier {
	var ids []asn1.ObjectIdentifier
	switch o.Identity {
	case IdentityDesk:
		ids = append(ids, pki.RoleIdentifiedAtDesk.OID())
	case IdentityRemote:
		ids = append(ids, pki.RoleIdentifiedRemotely.OID())
	}
	ids = append(ids, p.Usage...)
	if p.Registered {
		ids = append(ids, append(pki.RoleInfoSystem.OID()[:len(pki.RoleInfoSystem.OID()):len(pki.RoleInfoSystem.OID())], o.Subject.System))
	}
	return ids
}

// policies are the profile's, with what it leaves to the authority filled in.
func (a *authority) policies(p Profile) ([]pki.Policy, error) {
	own, err := a.policy()
	if err != nil {
		return nil, err
	}
	all := make([]pki.Policy, len(p.Policies))
	for i, q := range p.Policies {
		all[i] = pki.Policy{OID: q.OID, CPS: q.CPS}
		if q.OID == nil {
			all[i].OID = own
		}
		if q.CPS == "" {
			all[i].CPS = a.settings.CPS
		}
		if q.Notice {
			all[i].Notice = all[i].CPS
		}
	}
	return all, nil
}

// meant is what lint holds a holder's certificate against. It is made from the profile, the
// authority and the record, so that it can be made again when the order is long gone. shard is the
// divided list the certificate stands on, which must be one of the authority's.
func (a *authority) meant(p Profile, r Record, shard string) (*lint.Meant, error) {
	if shard != "" && !slices.Contains(a.shards(), shard) {
		return nil, fmt.Errorf("authority %s has no divided list %s", a.name, shard)
	}
	lists, deltas := a.points(shard)
	own, err := a.policy()
	if err != nil {
		return nil, err
	}
	return &lint.Meant{
		Profile: p, Policy: own, CPS: a.settings.CPS,
		OCSP: a.settings.OCSP, Issuers: a.settings.Issuers, CRL: lists, DeltaCRL: deltas,
		Serial: r.Serial, CommonName: r.Name, IIN: r.IIN, BIN: r.BIN, NotBefore: r.NotBefore, NotAfter: r.NotAfter,
	}, nil
}
