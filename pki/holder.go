package pki

import (
	"encoding/asn1"
	"slices"
	"strings"
)

// Holder is who a certificate was issued to, as written: control digits are not checked, test
// numbers fail them. Empty means not there.
type Holder struct {
	CommonName   string
	Surname      string
	Given        string // the patronymic: that is what GIVENNAME holds here
	IIN          string // 12 digits, without the prefix
	BIN          string // 12 digits, without the prefix
	Organization string
	Country      string
	UID          string // information systems: their registered OID
	Email        string // first of SAN, else of the name (2015)
	Roles        []Role // in the order of the certificate
}

// Role is what the holder is, by an OID in the extended key usage.
type Role int

// The roles of crypto.md §9.1. The last three say how a person was identified, not who it is.
const (
	_                       Role = iota
	RoleIndividual               // 1.2.398.3.3.4.1.1
	RoleIndividualSystem         // 1.2.398.3.3.4.1.1.1
	RoleLegal                    // 1.2.398.3.3.4.1.2
	RoleFirstHead                // 1.2.398.3.3.4.1.2.1
	RoleSignRight                // 1.2.398.3.3.4.1.2.2
	RoleFinance                  // 1.2.398.3.3.4.1.2.3
	RoleHR                       // 1.2.398.3.3.4.1.2.4
	RoleEmployee                 // 1.2.398.3.3.4.1.2.5
	RoleInfoSystem               // 1.2.398.3.3.4.1.2.6 and below
	RoleAdministrator            // 1.2.398.3.3.4.2.1
	RoleManager                  // 1.2.398.3.3.4.2.2
	RoleOperator                 // 1.2.398.3.3.4.2.3
	RoleTreasury                 // 1.2.398.5.19.1.2.2.1
	RoleIdentifiedAtDesk         // 1.2.398.3.3.4.3.1
	RoleIdentifiedRemotely       // 1.2.398.3.3.4.3.2
	RoleIdentifiedOtherwise      // below 1.2.398.3.3.4.3.2
)

var roleRows = [...]struct {
	name string
	oid  asn1.ObjectIdentifier
}{
	RoleIndividual:          {"individual", asn1.ObjectIdentifier{1, 2, 398, 3, 3, 4, 1, 1}},
	RoleIndividualSystem:    {"individual-system", asn1.ObjectIdentifier{1, 2, 398, 3, 3, 4, 1, 1, 1}},
	RoleLegal:               {"legal", asn1.ObjectIdentifier{1, 2, 398, 3, 3, 4, 1, 2}},
	RoleFirstHead:           {"first-head", asn1.ObjectIdentifier{1, 2, 398, 3, 3, 4, 1, 2, 1}},
	RoleSignRight:           {"sign-right", asn1.ObjectIdentifier{1, 2, 398, 3, 3, 4, 1, 2, 2}},
	RoleFinance:             {"finance", asn1.ObjectIdentifier{1, 2, 398, 3, 3, 4, 1, 2, 3}},
	RoleHR:                  {"hr", asn1.ObjectIdentifier{1, 2, 398, 3, 3, 4, 1, 2, 4}},
	RoleEmployee:            {"employee", asn1.ObjectIdentifier{1, 2, 398, 3, 3, 4, 1, 2, 5}},
	RoleInfoSystem:          {"info-system", asn1.ObjectIdentifier{1, 2, 398, 3, 3, 4, 1, 2, 6}},
	RoleAdministrator:       {"administrator", asn1.ObjectIdentifier{1, 2, 398, 3, 3, 4, 2, 1}},
	RoleManager:             {"manager", asn1.ObjectIdentifier{1, 2, 398, 3, 3, 4, 2, 2}},
	RoleOperator:            {"operator", asn1.ObjectIdentifier{1, 2, 398, 3, 3, 4, 2, 3}},
	RoleTreasury:            {"treasury", asn1.ObjectIdentifier{1, 2, 398, 5, 19, 1, 2, 2, 1}},
	RoleIdentifiedAtDesk:    {"identified-at-desk", asn1.ObjectIdentifier{1, 2, 398, 3, 3, 4, 3, 1}},
	RoleIdentifiedRemotely:  {"identified-remotely", asn1.ObjectIdentifier{1, 2, 398, 3, 3, 4, 3, 2}},
	RoleIdentifiedOtherwise: {"identified-otherwise", nil},
}

// OID is the identifier the role is written with; nil when there is no single one.
func (r Role) OID() asn1.ObjectIdentifier {
	if r <= 0 || int(r) >= len(roleRows) {
		return nil
	}
	return roleRows[r].oid
}

// String returns a stable English name, as first-head.
func (r Role) String() string {
	if r <= 0 || int(r) >= len(roleRows) {
		return "unknown"
	}
	return roleRows[r].name
}

// RoleByOID finds the role an extended key usage stands for; false for any other usage.
func RoleByOID(oid asn1.ObjectIdentifier) (Role, bool) {
	for r := RoleIndividual; int(r) < len(roleRows); r++ {
		if roleRows[r].oid.Equal(oid) && r != RoleIdentifiedOtherwise {
			return r, true
		}
	}
	if hasPrefix(oid, roleRows[RoleInfoSystem].oid) {
		return RoleInfoSystem, true
	}
	if hasPrefix(oid, roleRows[RoleIdentifiedRemotely].oid) {
		return RoleIdentifiedOtherwise, true
	}
	return 0, false
}

func hasPrefix(oid, prefix asn1.ObjectIdentifier) bool {
	return len(oid) > len(prefix) && slices.Equal(oid[:len(prefix)], prefix)
}

// Has reports whether the holder has the role.
func (h Holder) Has(r Role) bool { return slices.Contains(h.Roles, r) }

// Holder reads the subject and the roles. It never fails: what is not there is empty.
func (c *Certificate) Holder() Holder {
	h := holderOf(c.Subject)
	if len(c.Emails) > 0 {
		h.Email = c.Emails[0]
	}
	for _, oid := range c.ExtKeyUsage {
		if r, ok := RoleByOID(oid); ok && !h.Has(r) {
			h.Roles = append(h.Roles, r)
		}
	}
	return h
}

// Holder reads who a request asks for; a request has no roles.
func (r *Request) Holder() Holder {
	h := holderOf(r.Subject)
	if len(r.Emails) > 0 {
		h.Email = r.Emails[0]
	}
	return h
}

func holderOf(n Name) Holder {
	return Holder{
		CommonName:   n.Get(OIDCommonName),
		Surname:      n.Get(OIDSurname),
		Given:        n.Get(OIDGivenName),
		IIN:          numberAfter(n, OIDSerialNumber, "IIN"),
		BIN:          numberAfter(n, OIDUnit, "BIN"),
		Organization: n.Get(OIDOrganization),
		Country:      n.Get(OIDCountry),
		UID:          n.Get(OIDUserID),
		Email:        n.Get(OIDEmail),
	}
}

// numberAfter finds the attribute whose value is prefix and twelve digits.
func numberAfter(n Name, oid asn1.ObjectIdentifier, prefix string) string {
	for _, a := range n {
		digits, ok := strings.CutPrefix(a.Value, prefix)
		if ok && a.OID.Equal(oid) && len(digits) == 12 && strings.Trim(digits, "0123456789") == "" {
			return digits
		}
	}
	return ""
}

// SubjectName writes a holder in the order and the string types of the national PKI
// (crypto.md §8): CN, SURNAME, SERIALNUMBER, C, O, OU, GIVENNAME; an information system has UID
// first and no person. Empty fields are left out; an empty Country is KZ. Roles and e-mail are not
// part of a name.
func SubjectName(h Holder) Name {
	var n Name
	add := func(oid asn1.ObjectIdentifier, value, prefix string) {
		if value != "" {
			n = append(n, NewAttribute(oid, prefix+value))
		}
	}
	add(OIDUserID, h.UID, "")
	add(OIDCommonName, h.CommonName, "")
	add(OIDSurname, h.Surname, "")
	add(OIDSerialNumber, h.IIN, "IIN")
	country := h.Country
	if country == "" {
		country = "KZ"
	}
	add(OIDCountry, country, "")
	add(OIDOrganization, h.Organization, "")
	add(OIDUnit, h.BIN, "BIN")
	add(OIDGivenName, h.Given, "")
	return n
}
