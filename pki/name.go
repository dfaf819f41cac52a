package pki

import (
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/internal/ber"
)

// Name is a distinguished name: its attributes in the order written.
type Name []Attribute

// Attribute is one part of a name.
type Attribute struct {
	OID    asn1.ObjectIdentifier // of the type, as 2.5.4.3
	Value  string                // text; for a type that is no string "#" and the hex of its DER
	Tag    cbasn1.Tag            // string type as read; zero = the usual one for the OID
	Joined bool                  // in the same RDN as the attribute before it
}

const (
	tagNumeric = cbasn1.Tag(18)
	tagVisible = cbasn1.Tag(26)
	tagBMP     = cbasn1.Tag(30)
)

// NewAttribute chooses the string type the national PKI uses: PrintableString for C and
// SERIALNUMBER, IA5String for DC and e-mail, UTF8String else.
func NewAttribute(oid asn1.ObjectIdentifier, value string) Attribute {
	tag := cbasn1.UTF8String
	switch {
	case oid.Equal(OIDCountry), oid.Equal(OIDSerialNumber):
		tag = cbasn1.PrintableString
	case oid.Equal(OIDDomain), oid.Equal(OIDEmail):
		tag = cbasn1.IA5String
	}
	return Attribute{OID: oid, Value: value, Tag: tag}
}

// Get returns the first value of oid, or "".
func (n Name) Get(oid asn1.ObjectIdentifier) string {
	for _, a := range n {
		if a.OID.Equal(oid) {
			return a.Value
		}
	}
	return ""
}

// ParseName reads a DER Name. Text is checked against its type.
func ParseName(der []byte) (Name, error) {
	if len(der) > maxCertificate {
		return nil, fmt.Errorf("parse name: %d bytes are too many", len(der))
	}
	body, err := readWhole(der, cbasn1.SEQUENCE)
	if err != nil {
		return nil, fmt.Errorf("parse name: %w", err)
	}
	var n Name
	for !body.Empty() {
		var rdn cryptobyte.String
		if !body.ReadASN1(&rdn, cbasn1.SET) || rdn.Empty() {
			return nil, fmt.Errorf("parse name: %w", errDER)
		}
		for joined := false; !rdn.Empty(); joined = true {
			a, err := readAttribute(&rdn)
			if err != nil {
				return nil, fmt.Errorf("parse name: %w", err)
			}
			a.Joined = joined
			if n = append(n, a); len(n) > maxAttributes {
				return nil, errors.New("parse name: too many parts")
			}
		}
	}
	return n, nil
}

func readAttribute(in *cryptobyte.String) (Attribute, error) {
	var body, element, content cryptobyte.String
	var a Attribute
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !body.ReadASN1ObjectIdentifier(&a.OID) ||
		!body.ReadAnyASN1Element(&element, &a.Tag) || !body.Empty() {
		return a, errDER
	}
	whole := element
	if !element.ReadAnyASN1(&content, &a.Tag) {
		return a, errDER
	}
	text, known, err := decodeText(a.Tag, content)
	if err != nil {
		return a, fmt.Errorf("%v: %w", a.OID, err)
	}
	a.Value = text
	if !known {
		a.Value = "#" + hex.EncodeToString(whole)
	}
	return a, nil
}

var errText = errors.New("text not valid for its type")

// decodeText turns the content of a string type into UTF-8; known is false for other types.
func decodeText(tag cbasn1.Tag, content []byte) (text string, known bool, err error) {
	if !ber.ValidText(byte(tag), content) {
		return "", true, errText
	}
	switch tag {
	case cbasn1.UTF8String, cbasn1.PrintableString, cbasn1.IA5String, tagVisible, tagNumeric:
	case cbasn1.T61String: // in practice Latin-1
		runes := make([]rune, len(content))
		for i, c := range content {
			runes[i] = rune(c)
		}
		return string(runes), true, nil
	case tagBMP:
		units := make([]uint16, len(content)/2)
		for i := range units {
			units[i] = uint16(content[2*i])<<8 | uint16(content[2*i+1])
			if utf16.IsSurrogate(rune(units[i])) {
				return "", true, errText
			}
		}
		return string(utf16.Decode(units)), true, nil
	default:
		return "", false, nil
	}
	return string(content), true, nil
}

// Marshal writes the DER Name. Parts keep their order, also inside an RDN.
func (n Name) Marshal() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for i := 0; i < len(n); {
			end := i + 1
			for end < len(n) && n[end].Joined {
				end++
			}
			rdn := n[i:end]
			b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) {
				for _, a := range rdn {
					a.marshal(b)
				}
			})
			i = end
		}
	})
	der, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("marshal name: %w", err)
	}
	return der, nil
}

func (a Attribute) marshal(b *cryptobyte.Builder) {
	tag := a.Tag
	if tag == 0 {
		tag = NewAttribute(a.OID, "").Tag
	}
	content, known, err := encodeText(tag, a.Value)
	if err != nil {
		b.SetError(fmt.Errorf("%v: %w", a.OID, err))
		return
	}
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(a.OID)
		if known {
			b.AddASN1(tag, func(b *cryptobyte.Builder) { b.AddBytes(content) })
			return
		}
		whole, err := hex.DecodeString(strings.TrimPrefix(a.Value, "#"))
		if err != nil {
			b.SetError(fmt.Errorf("%v: not hex", a.OID))
			return
		}
		b.AddBytes(whole)
	})
}

func encodeText(tag cbasn1.Tag, text string) (content []byte, known bool, err error) {
	switch tag {
	case cbasn1.T61String:
		for _, r := range text {
			if r > 0xff {
				return nil, true, errText
			}
			content = append(content, byte(r))
		}
		return content, true, nil
	case tagBMP:
		for _, u := range utf16.Encode([]rune(text)) {
			content = append(content, byte(u>>8), byte(u))
		}
	default:
		content = []byte(text)
	}
	_, known, err = decodeText(tag, content)
	return content, known, err
}
