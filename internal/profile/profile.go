// Package profile says what the certificates of each kind look like: the parts of the name and their
// order, keys, usages, policies, life, key store, serial.
//
// [NCA] is the national set (crypto.md §8, §9). [Read] changes it as an installation's file says:
// it adds profiles, overrides fields of built-in ones and retires some. A profile is data: package
// ca fills certificates in from it and package lint holds what was filled in against it.
//
// It refuses, each with the name of the profile and of the field: unknown fields, values out of
// their bounds, and whatever no certificate of the kind may say (a holder who may sign
// certificates, a sign-in key that also signs, an anyPolicy).
package profile

import (
	"crypto/sha256"
	"encoding/asn1"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"

	"senim/algid"
	"senim/pki"
)

// Kind is what a certificate is for.
type Kind string

// The kinds. A ceremony makes authorities, the authority itself its OCSP and time-stamp keys; orders
// are taken for holders only.
const (
	Holder       Kind = "holder"        // a person or a system
	Responder    Kind = "ocsp"          // an OCSP responder
	TSA          Kind = "tsa"           // a time-stamping authority
	Authority    Kind = "authority"     // an issuing authority under a root
	SubAuthority Kind = "sub-authority" // an authority under one that is no root
)

// Profile is what the certificates of one kind have in common. Order matters in every list.
type Profile struct {
	Name, Title string
	Kind        Kind
	Subject     []Part
	Keys        []Key
	// Usage is the extended key usage: the purpose, then the roles.
	Usage []asn1.ObjectIdentifier
	// Registered puts the role of a registered system, 1.2.398.3.3.4.1.2.6.N, last; N is the order's.
	Registered bool
	KeyUsage   pki.KeyUsage
	Policies   []Policy
	// FileDays and CarrierDays are the life of a key in a file and on a carrier.
	FileDays, CarrierDays int
	// Storage writes the kind of key store, 1.2.398.3.3.5.
	Storage bool
	Serial  Serial
	Email   Presence
	// Identity lets an order put in front how the person was identified, 4.3.1 or 4.3.2.
	Identity bool
}

// Part is one RDN of the subject.
type Part struct {
	Field    Field
	Optional bool
}

// Key is a kind of key; bits matter to RSA only.
type Key struct {
	Kind             algid.Key
	MinBits, MaxBits int
}

// Policy is a certificate policy. A nil OID and an empty CPS are those of the issuing authority.
type Policy struct {
	OID asn1.ObjectIdentifier
	CPS string
	// Notice repeats the address of the statement as a userNotice, as classic certificates do.
	Notice bool
}

// Serial is the rule a serial is made by (crypto.md §7).
type Serial string

// The rules: from the key, or random.
const (
	SerialNCA    Serial = "nca"
	SerialRandom Serial = "random"
)

// Presence says whether something stands in a certificate.
type Presence string

// The presences.
const (
	Never    Presence = "never"
	Optional Presence = "optional"
	Required Presence = "required"
)

// MaxDays is the longest life the profile gives.
func (p Profile) MaxDays() int { return max(p.FileDays, p.CarrierDays) }

// Days is the life of a key kept in a store of this kind; nil is a file.
func (p Profile) Days(storage asn1.ObjectIdentifier) int {
	if len(storage) == 0 || storage.Equal(pki.StoragePKCS12) || storage.Equal(pki.StorageJKS) {
		return p.FileDays
	}
	return p.CarrierDays
}

// Key returns the rule for keys of a kind.
func (p Profile) Key(k algid.Key) (Key, bool) {
	at := slices.IndexFunc(p.Keys, func(r Key) bool { return r.Kind == k })
	if at < 0 {
		return Key{}, false
	}
	return p.Keys[at], true
}

// Has reports that a part can stand in the subject.
func (p Profile) Has(f Field) bool {
	return slices.ContainsFunc(p.Subject, func(q Part) bool { return q.Field == f })
}

// HasUsage reports that an extended key usage is written.
func (p Profile) HasUsage(id asn1.ObjectIdentifier) bool {
	return slices.ContainsFunc(p.Usage, id.Equal)
}

// Digest is the SHA-256, in hex, of everything the profile says: another digest is another profile.
func (p Profile) Digest() string { return digest(p) }

// Set is profiles by name.
type Set map[string]Profile

// Names lists them in order.
func (s Set) Names() []string { return slices.Sorted(maps.Keys(s)) }

// Digest is the SHA-256, in hex, of the whole set.
func (s Set) Digest() string { return digest(s) } // keys of maps come out sorted

func digest(v any) string {
	text, err := json.Marshal(v)
	if err != nil { // numbers, strings and lists of them: it cannot fail
		panic(err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
