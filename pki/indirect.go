package pki

import (
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// entryIssuer says whose certificates the entries of an indirect list are, from an offset on: the
// certificateIssuer of an entry holds for those after it (RFC 5280 5.3.3).
type entryIssuer struct {
	from uint32
	name []byte // DER Name
}

// noteIssuer reads the certificateIssuer of the entry at an offset: one directory name. In a list
// that is not indirect the extension means nothing we could rely on, so a plain reader is warned.
func (l *RevocationList) noteIssuer(der []byte, at uint32) error {
	body, err := readWhole(der, cbasn1.SEQUENCE)
	if err != nil {
		return err
	}
	var name []byte
	err = readGeneralNames(body, func(tag cbasn1.Tag, content []byte) error {
		if tag != constructed(nameDirectory) || name != nil {
			return errDER
		}
		in := cryptobyte.String(content)
		whole, ok := readSequence(&in)
		if !ok || !in.Empty() {
			return errDER
		}
		name = whole
		return nil
	})
	if err != nil || name == nil {
		return errDER
	}
	l.issuers = append(l.issuers, entryIssuer{at, name})
	if !containsOID(l.Unhandled, extEntryIssuer) {
		l.Unhandled = append(l.Unhandled, extEntryIssuer)
	}
	return nil
}

// issuerAt is the issuer of the certificate the entry at the offset revokes.
func (l *RevocationList) issuerAt(at uint32) []byte {
	i, found := slices.BinarySearchFunc(l.issuers, at, func(e entryIssuer, at uint32) int { return int(int64(e.from) - int64(at)) })
	if found {
		return l.issuers[i].name
	}
	if i == 0 {
		return l.RawIssuer
	}
	return l.issuers[i-1].name
}
