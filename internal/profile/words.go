package profile

import (
	"encoding/asn1"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"senim/algid"
	"senim/pki"
)

// words of the file, and how they are told again.

var purposes = map[string]asn1.ObjectIdentifier{
	"emailProtection": pki.EmailProtection, "clientAuth": pki.ClientAuth, "OCSPSigning": pki.OCSPSigning, "timeStamping": pki.TimeStamping,
}

var keyUsageWords = []struct {
	word string
	bit  pki.KeyUsage
}{
	{"digitalSignature", pki.DigitalSignature}, {"nonRepudiation", pki.NonRepudiation}, {"keyEncipherment", pki.KeyEncipherment},
	{"dataEncipherment", pki.DataEncipherment}, {"keyAgreement", pki.KeyAgreement}, {"keyCertSign", pki.CertSign}, {"cRLSign", pki.CRLSign},
}

// usageOf reads a purpose, a role or a dotted OID.
func usageOf(word string) (asn1.ObjectIdentifier, error) {
	if id, ok := purposes[word]; ok {
		return id, nil
	}
	for r := pki.RoleIndividual; r <= pki.RoleTreasury; r++ {
		if r.String() == word {
			return r.OID(), nil
		}
	}
	id, err := pki.ParseOID(word)
	if err != nil {
		return nil, fmt.Errorf("no word and %w", err)
	}
	return id, nil
}

// UsageWord is how an extended key usage is written in a file: by its word, else dotted.
func UsageWord(id asn1.ObjectIdentifier) string {
	for word, p := range purposes {
		if p.Equal(id) {
			return word
		}
	}
	if r, ok := pki.RoleByOID(id); ok && r.OID().Equal(id) {
		return r.String()
	}
	return id.String()
}

func keyUsageOf(words []string) (u pki.KeyUsage, err error) {
next:
	for _, word := range words {
		for _, k := range keyUsageWords {
			if k.word == word {
				u |= k.bit
				continue next
			}
		}
		err = errors.Join(err, fmt.Errorf("no key usage %q", word))
	}
	return u, err
}

// KeyUsageWords are the words of a key usage.
func KeyUsageWords(u pki.KeyUsage) (words []string) {
	for _, k := range keyUsageWords {
		if u&k.bit != 0 {
			words = append(words, k.word)
		}
	}
	return words
}

// keyOf reads "gost512", "rsa" or "rsa 2048-4096".
func keyOf(word string) (Key, error) {
	name, bits, sized := strings.Cut(word, " ")
	switch {
	case name == "gost512" && !sized:
		return Key{Kind: algid.GOST512}, nil
	case name == "rsa" && !sized:
		return Key{algid.RSA, minRSA, maxRSA}, nil
	case name != "rsa":
		return Key{}, fmt.Errorf("no kind of key %q", word)
	}
	low, high, _ := strings.Cut(bits, "-")
	least, err1 := strconv.Atoi(low)
	most, err2 := strconv.Atoi(high)
	if err1 != nil || err2 != nil {
		return Key{}, fmt.Errorf("%q: bits are written as rsa 2048-4096", word)
	}
	return Key{algid.RSA, least, most}, nil
}

func (k Key) String() string {
	if k.Kind == algid.RSA {
		return fmt.Sprintf("rsa %d-%d", k.MinBits, k.MaxBits)
	}
	return strings.ToLower(k.Kind.String())
}

// partOf reads a field; a question mark makes it optional.
func partOf(word string) Part {
	name, optional := strings.CutSuffix(word, "?")
	return Part{Field(name), optional}
}

func (p Part) String() string {
	if p.Optional {
		return `"` + string(p.Field) + `?"` // in quotes, for YAML
	}
	return string(p.Field)
}
