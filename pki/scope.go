package pki

import (
	"bytes"
	"encoding/asn1"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// reasonSet holds the bits of ReasonFlags (RFC 5280 4.2.1.13); bit 0 is not used.
type reasonSet uint16

// allReasons are keyCompromise … aACompromise.
const allReasons reasonSet = 0x1fe

// place is a DistributionPointName: full names, or one RDN below the name of the list's issuer.
type place struct {
	full     [][]byte // whole GeneralNames
	relative []byte   // content of the RDN's SET
}

// distributionPoint is where the certificate says its status stands.
type distributionPoint struct {
	at      *place
	reasons reasonSet // allReasons when not said
	issuers [][]byte  // DER Names of cRLIssuer
}

// listScope is the issuingDistributionPoint of a list (RFC 5280 5.2.5): what it covers.
type listScope struct {
	at                                *place
	onlyUsers, onlyCAs, onlyAttribute bool
	indirect                          bool
	reasons                           reasonSet
}

// readPoints returns CRL distribution points and the URIs in them, as written: real ones hold line
// breaks.
func readPoints(der []byte) (uris []string, points []distributionPoint, err error) {
	body, err := readWhole(der, cbasn1.SEQUENCE)
	if err != nil || body.Empty() {
		return nil, nil, errDER
	}
	for !body.Empty() {
		p, err := readPoint(&body)
		if err != nil {
			return nil, nil, err
		}
		if points = append(points, p); len(points) > maxNames {
			return nil, nil, errDER
		}
		if p.at == nil {
			continue
		}
		for _, whole := range p.at.full {
			in := cryptobyte.String(whole)
			var content cryptobyte.String
			var tag cbasn1.Tag
			if !in.ReadAnyASN1(&content, &tag) {
				return nil, nil, errDER
			}
			uris = appendURI(uris, tag, content)
		}
	}
	return uris, points, nil
}

// readPoint takes one DistributionPoint.
func readPoint(in *cryptobyte.String) (distributionPoint, error) {
	var point, name, issuers cryptobyte.String
	var named, hasIssuers bool
	p := distributionPoint{reasons: allReasons}
	if !in.ReadASN1(&point, cbasn1.SEQUENCE) || !point.ReadOptionalASN1(&name, &named, constructed(0)) ||
		!readReasons(&point, context(1), &p.reasons) ||
		!point.ReadOptionalASN1(&issuers, &hasIssuers, constructed(2)) || !point.Empty() {
		return p, errDER
	}
	var err error
	if named {
		if p.at, err = readPlace(name); err != nil {
			return p, err
		}
	}
	err = readGeneralNames(issuers, func(tag cbasn1.Tag, content []byte) error {
		if tag == constructed(nameDirectory) {
			p.issuers = append(p.issuers, content)
		}
		return nil
	})
	return p, err
}

func readPlace(in cryptobyte.String) (*place, error) {
	var p place
	var names, rdn cryptobyte.String
	var isFull, isRelative bool
	if !in.ReadOptionalASN1(&names, &isFull, constructed(0)) || !in.ReadOptionalASN1(&rdn, &isRelative, constructed(1)) ||
		!in.Empty() || isFull == isRelative {
		return nil, errDER
	}
	p.relative = rdn
	for !names.Empty() {
		var whole cryptobyte.String
		var tag cbasn1.Tag
		if !names.ReadAnyASN1Element(&whole, &tag) || len(p.full) == maxNames {
			return nil, errDER
		}
		p.full = append(p.full, whole)
	}
	return &p, nil
}

// readReasons takes an optional ReasonFlags; absent leaves all.
func readReasons(in *cryptobyte.String, tag cbasn1.Tag, out *reasonSet) bool {
	*out = allReasons
	var content cryptobyte.String
	var present bool
	if !in.ReadOptionalASN1(&content, &present, tag) {
		return false
	}
	if !present {
		return true
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.BIT_STRING, func(b *cryptobyte.Builder) { b.AddBytes(content) })
	whole := cryptobyte.String(b.BytesOrPanic())
	var bits asn1.BitString
	if !whole.ReadASN1BitString(&bits) {
		return false
	}
	*out = 0
	for i := 1; i < 9; i++ {
		if bits.At(i) != 0 {
			*out |= 1 << i
		}
	}
	return true
}

func readScope(der []byte) (*listScope, error) {
	body, err := readWhole(der, cbasn1.SEQUENCE)
	if err != nil {
		return nil, err
	}
	var s listScope
	var name cryptobyte.String
	var named bool
	if !body.ReadOptionalASN1(&name, &named, constructed(0)) ||
		!readTagged(&body, 1, &s.onlyUsers) || !readTagged(&body, 2, &s.onlyCAs) ||
		!readReasons(&body, context(3), &s.reasons) ||
		!readTagged(&body, 4, &s.indirect) || !readTagged(&body, 5, &s.onlyAttribute) || !body.Empty() {
		return nil, errDER
	}
	if named {
		s.at, err = readPlace(name)
	}
	return &s, err
}

// readTagged takes a BOOLEAN DEFAULT FALSE under an implicit tag.
func readTagged(in *cryptobyte.String, tag uint8, out *bool) bool {
	var content cryptobyte.String
	var present bool
	if !in.ReadOptionalASN1(&content, &present, context(tag)) {
		return false
	}
	if present {
		*out = len(content) == 1 && content[0] == 0xff
		return len(content) == 1 && (*out || content[0] == 0)
	}
	return true
}

// names returns the place as whole GeneralNames; a relative one is put below each of the issuers.
func (p *place) names(issuers ...[]byte) [][]byte {
	if p == nil {
		return nil
	}
	if p.relative == nil {
		return p.full
	}
	var list [][]byte
	for _, issuer := range issuers {
		body, err := inside(issuer, cbasn1.SEQUENCE)
		if err != nil {
			continue
		}
		var b cryptobyte.Builder
		b.AddBytes(body)
		b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) { b.AddBytes(p.relative) })
		list = append(list, directoryName(b.BytesOrPanic()))
	}
	return list
}

// directoryName wraps the content of a Name.
func directoryName(content []byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(constructed(nameDirectory), func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(content) })
	})
	return b.BytesOrPanic()
}

// covers reports whether a list of issuer with this scope speaks of c at point (6.3.3 b 2). A nil
// scope covers everything of its issuer.
func (s *listScope) covers(c *Certificate, p distributionPoint, issuer []byte) bool {
	if s == nil {
		return true
	}
	if s.onlyUsers && c.IsCA || s.onlyCAs && !c.IsCA || s.onlyAttribute {
		return false
	}
	if s.at == nil {
		return true
	}
	want := p.at.names(append(p.issuers[:len(p.issuers):len(p.issuers)], c.RawIssuer)...)
	if p.at == nil {
		for _, name := range p.issuers {
			var b cryptobyte.Builder
			b.AddASN1(constructed(nameDirectory), func(b *cryptobyte.Builder) { b.AddBytes(name) })
			want = append(want, b.BytesOrPanic())
		}
	}
	for _, have := range s.at.names(issuer) {
		if slices.ContainsFunc(want, func(w []byte) bool { return bytes.Equal(w, have) }) {
			return true
		}
	}
	return false
}
