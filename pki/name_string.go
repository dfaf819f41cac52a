package pki

import (
	"encoding/asn1"
	"strings"
)

// shortNames are BouncyCastle's, which the programs of the national PKI print and sites parse.
var shortNames = []struct {
	oid  asn1.ObjectIdentifier
	name string
}{
	{OIDCommonName, "CN"}, {OIDSurname, "SURNAME"}, {OIDSerialNumber, "SERIALNUMBER"}, {OIDCountry, "C"},
	{OIDLocality, "L"}, {OIDState, "ST"}, {asn1.ObjectIdentifier{2, 5, 4, 9}, "STREET"}, {OIDOrganization, "O"},
	{OIDUnit, "OU"}, {asn1.ObjectIdentifier{2, 5, 4, 12}, "T"}, {OIDCategory, "BusinessCategory"},
	{asn1.ObjectIdentifier{2, 5, 4, 17}, "PostalCode"}, {OIDGivenName, "GIVENNAME"},
	{asn1.ObjectIdentifier{2, 5, 4, 43}, "INITIALS"}, {OIDEmail, "E"}, {OIDDomain, "DC"}, {OIDUserID, "UID"},
}

// String is the name as BouncyCastle prints it: order of encoding, "," without a space, "+" inside
// an RDN, backslash escapes, unknown types by their dotted identifier.
func (n Name) String() string {
	var b strings.Builder
	for i, a := range n {
		switch {
		case i > 0 && a.Joined:
			b.WriteByte('+')
		case i > 0:
			b.WriteByte(',')
		}
		b.WriteString(shortName(a.OID))
		b.WriteByte('=')
		a.writeValue(&b)
	}
	return b.String()
}

func shortName(oid asn1.ObjectIdentifier) string {
	for _, s := range shortNames {
		if s.oid.Equal(oid) {
			return s.name
		}
	}
	return oid.String()
}

func (a Attribute) writeValue(b *strings.Builder) {
	if _, known, _ := decodeText(a.Tag, nil); !known && a.Tag != 0 {
		b.WriteString(a.Value) // already # and hex
		return
	}
	lead := len(a.Value) - len(strings.TrimLeft(a.Value, " "))
	tail := len(strings.TrimRight(a.Value, " "))
	for i, r := range a.Value {
		if strings.ContainsRune(`,"\+=<>;`, r) || i == 0 && r == '#' || r == ' ' && (i < lead || i >= tail) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
}
