package ca

import (
	"encoding/asn1"
	"maps"
	"slices"

	"senim/algid"
	"senim/pki"
)

// Profile is what the certificates of one kind have in common (crypto.md §9.3, cabinet.md §4).
type Profile struct {
	Name string
	// Roles are written into the extended key usage after the purpose.
	Roles []pki.Role
	// Purpose is emailProtection, clientAuth or nil.
	Purpose  asn1.ObjectIdentifier
	KeyUsage pki.KeyUsage
	// Policy is nil for the authority's own.
	Policy asn1.ObjectIdentifier
	// FileDays and CarrierDays are the life of a key in a file and on a carrier.
	FileDays, CarrierDays int
	// Keys are the kinds of key it is given to.
	Keys []algid.Key
}

// Key usages of crypto.md §9.
const (
	combinedUsage = pki.DigitalSignature | pki.NonRepudiation | pki.KeyAgreement
	signUsage     = pki.DigitalSignature | pki.NonRepudiation
	signInUsage   = pki.DigitalSignature | pki.KeyEncipherment
)

// roles of persons, by the name of their profile.
func personRoles() map[string][]pki.Role {
	return map[string][]pki.Role{
		"individual": {pki.RoleIndividual},
		"head":       {pki.RoleLegal, pki.RoleFirstHead},
		"sign-right": {pki.RoleLegal, pki.RoleSignRight},
		"finance":    {pki.RoleLegal, pki.RoleFinance},
		"hr":         {pki.RoleLegal, pki.RoleHR},
		"employee":   {pki.RoleLegal, pki.RoleEmployee},
		"operator":   {pki.RoleOperator},
	}
}

// Profiles lists the names of all profiles. A person's role has three: its plain name is the
// combined GOST512 certificate; "-auth" (RSA) and "-sign" (RSA or GOST512) are the classic set.
func Profiles() []string {
	return slices.Sorted(maps.Keys(profiles()))
}

// FindProfile returns the profile of a name.
func FindProfile(name string) (Profile, bool) {
	p, ok := profiles()[name]
	return p, ok
}

func profiles() map[string]Profile {
	all := map[string]Profile{
		"info-system": {
			Name: "info-system", Roles: []pki.Role{pki.RoleLegal, pki.RoleInfoSystem}, KeyUsage: combinedUsage,
			FileDays: 1095, CarrierDays: 1095, Keys: []algid.Key{algid.GOST512},
		},
	}
	for name, roles := range personRoles() {
		all[name] = Profile{
			Name: name, Roles: roles, Purpose: pki.EmailProtection, KeyUsage: combinedUsage,
			FileDays: 365, CarrierDays: 1095, Keys: []algid.Key{algid.GOST512},
		}
		signIn, sign := pki.PolicyLegalSignIn, pki.PolicyLegalSign
		if name == "individual" {
			signIn, sign = pki.PolicyIndividualSignIn, pki.PolicyIndividualSign
		}
		all[name+"-auth"] = Profile{
			Name: name + "-auth", Roles: roles, Purpose: pki.ClientAuth, KeyUsage: signInUsage, Policy: signIn,
			FileDays: 365, CarrierDays: 1095, Keys: []algid.Key{algid.RSA},
		}
		all[name+"-sign"] = Profile{
			Name: name + "-sign", Roles: roles, Purpose: pki.EmailProtection, KeyUsage: signUsage, Policy: sign,
			FileDays: 365, CarrierDays: 1095, Keys: []algid.Key{algid.RSA, algid.GOST512},
		}
	}
	return all
}

// days is the life of a certificate by where its key is kept.
func (p Profile) days(storage asn1.ObjectIdentifier) int {
	if len(storage) == 0 || storage.Equal(pki.StoragePKCS12) || storage.Equal(pki.StorageJKS) {
		return p.FileDays
	}
	return p.CarrierDays
}

// usages is the extended key usage: how the person was identified, the purpose, the roles.
func (p Profile) usages(identity string) []asn1.ObjectIdentifier {
	var ids []asn1.ObjectIdentifier
	switch identity {
	case IdentityDesk:
		ids = append(ids, pki.RoleIdentifiedAtDesk.OID())
	case IdentityRemote:
		ids = append(ids, pki.RoleIdentifiedRemotely.OID())
	}
	if p.Purpose != nil {
		ids = append(ids, p.Purpose)
	}
	for _, r := range p.Roles {
		ids = append(ids, r.OID())
	}
	return ids
}
