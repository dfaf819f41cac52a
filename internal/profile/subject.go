package profile

import (
	"encoding/asn1"
	"fmt"
	"strings"

	"senim/pki"
)

// Field is a part of a name, by what it holds here.
type Field string

// The fields of crypto.md §8.
const (
	UID          Field = "uid"          // registered OID of a system
	TreasuryRole Field = "dc"           // Treasury: ROLE and two digits
	CommonName   Field = "cn"           // ФАМИЛИЯ ИМЯ, or a name
	Surname      Field = "surname"      //
	IIN          Field = "iin"          // SERIALNUMBER, with the prefix IIN
	Country      Field = "country"      //
	Organization Field = "organization" //
	BIN          Field = "bin"          // OU, with the prefix BIN
	TreasuryCode Field = "category"     // 2.5.4.15, Treasury: KS and 4 or 5 digits
	Patronymic   Field = "given"        // GIVENNAME
)

// form is how a field is written and what it may hold.
type form struct {
	oid    asn1.ObjectIdentifier
	prefix string
	good   func(string) bool // nil: any text
	what   string
}

var forms = map[Field]form{
	UID:          {pki.OIDUserID, "", dotted, "an object identifier"},
	TreasuryRole: {pki.OIDDomain, "", numbered("ROLE", 2, 2), "ROLE and 2 digits"},
	CommonName:   {pki.OIDCommonName, "", nil, ""},
	Surname:      {pki.OIDSurname, "", nil, ""},
	IIN:          {pki.OIDSerialNumber, "IIN", numbered("", 12, 12), "12 digits"},
	Country:      {pki.OIDCountry, "", func(v string) bool { return v == "KZ" }, "KZ"},
	Organization: {pki.OIDOrganization, "", nil, ""},
	BIN:          {pki.OIDUnit, "BIN", numbered("", 12, 12), "12 digits"},
	TreasuryCode: {pki.OIDCategory, "", numbered("KS", 4, 5), "KS and 4 or 5 digits"},
	Patronymic:   {pki.OIDGivenName, "", nil, ""},
}

// OID is the attribute the field is written as; nil for no field.
func (f Field) OID() asn1.ObjectIdentifier { return forms[f].oid }

// Values are what a holder's name is made of. Country is KZ without being told.
type Values map[Field]string

// SubjectName writes the subject: every part the profile wants, in its order, and nothing else. Errors
// name fields, never values.
func (p Profile) SubjectName(v Values) (pki.Name, error) {
	for f, text := range v {
		if text != "" && !p.Has(f) {
			return nil, fmt.Errorf("profile %s has no %s", p.Name, f)
		}
	}
	var n pki.Name
	for _, part := range p.Subject {
		text, how := v[part.Field], forms[part.Field]
		if part.Field == Country && text == "" {
			text = "KZ"
		}
		if text == "" {
			if part.Optional {
				continue
			}
			return nil, fmt.Errorf("profile %s wants %s", p.Name, part.Field)
		}
		if how.good != nil && !how.good(text) {
			return nil, fmt.Errorf("%s is %s", part.Field, how.what)
		}
		n = append(n, pki.NewAttribute(how.oid, how.prefix+text))
	}
	return n, nil
}

func numbered(prefix string, least, most int) func(string) bool {
	return func(v string) bool {
		digits, ok := strings.CutPrefix(v, prefix)
		return ok && len(digits) >= least && len(digits) <= most && strings.Trim(digits, "0123456789") == ""
	}
}

func dotted(v string) bool {
	_, err := pki.ParseOID(v)
	return err == nil
}
