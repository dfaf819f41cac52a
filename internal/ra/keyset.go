package ra

import (
	"encoding/asn1"

	"senim/pki"
)

// KeySpec is one key pair of a set: what the agent makes and which profile certifies it.
type KeySpec struct{ Algorithm, Usage, Profile string }

// KeySet is the set of keys for a role (cabinet.md §4): modern is one combined GOST512 key,
// classic a pair for sign-in and signing.
func KeySet(role string, classic bool) []KeySpec {
	if !classic {
		return []KeySpec{{"GOST512", "SIGNATURE", role}}
	}
	sign := KeySpec{"GOST512", "SIGNATURE", role + "-sign"}
	if role == RoleIndividual {
		sign.Algorithm = "RSA2048"
	}
	return []KeySpec{{"RSA2048", "AUTHENTICATION", role + "-auth"}, sign}
}

// RoleOf names the role of a certificate as the authority's profiles do; empty when it has none
// of a person.
func RoleOf(h pki.Holder) string {
	switch {
	case h.Has(pki.RoleFirstHead):
		return RoleHead
	case h.Has(pki.RoleSignRight):
		return RoleSignRight
	case h.Has(pki.RoleFinance):
		return RoleFinance
	case h.Has(pki.RoleHR):
		return RoleHR
	case h.Has(pki.RoleEmployee):
		return RoleEmployee
	case h.Has(pki.RoleIndividual):
		return RoleIndividual
	}
	return ""
}

// oid is the storage kind as certificates write it.
func (s Storage) oid() asn1.ObjectIdentifier {
	if oid := pki.StorageOf(string(s)); oid != nil {
		return oid
	}
	return pki.StoragePKCS12
}
