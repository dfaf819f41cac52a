package cms

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/internal/ber"
)

func addEvidence(existing []byte, certificates, revocation [][]byte) ([]byte, error) {
	sd, err := parse(existing)
	if err != nil {
		return nil, fmt.Errorf("adding evidence: %w", err)
	}
	p := sd.parts
	if p.certificates, err = missing(p.certificates, certificates, MaxCertificates); err != nil {
		return nil, fmt.Errorf("adding evidence: certificates: %w", err)
	}
	if p.crls, err = missing(p.crls, revocation, maxRevocation); err != nil {
		return nil, fmt.Errorf("adding evidence: revocation: %w", err)
	}
	size := 0
	for _, e := range p.crls {
		if size += len(e); size > maxRevocationSize {
			return nil, fmt.Errorf("adding evidence: revocation: more than %d bytes", maxRevocationSize)
		}
		if e[0] == byte(tag1) {
			p.version = 5 // RFC 5652 §5.1: another kind than a list is among them
		}
	}
	return p.assemble()
}

// missing appends those elements that are not there yet.
func missing(have, add [][]byte, limit int) ([][]byte, error) {
	out := slices.Clone(have)
	for _, e := range add {
		if !ber.IsDER(e) {
			return nil, errors.New("not DER")
		}
		if !slices.ContainsFunc(out, func(o []byte) bool { return bytes.Equal(o, e) }) {
			out = append(out, e)
		}
	}
	if len(out) > limit {
		return nil, fmt.Errorf("more than %d", limit)
	}
	return out, nil
}

// signedFields puts the signed attributes in the order of DER, which is how they were signed. The
// identifier of a signer by key has the same number, but is primitive.
func (s *Signer) signedFields() []byte {
	kept, _, err := s.split()
	if err != nil || !s.HasSignedAttributes {
		return kept // what was parsed is split without an error
	}
	var out []byte
	for rest := cryptobyte.String(kept); !rest.Empty(); {
		var e cryptobyte.String
		var tag cbasn1.Tag
		if !rest.ReadAnyASN1Element(&e, &tag) {
			return kept
		}
		if tag == tag0 {
			e = append([]byte{byte(tag0)}, s.SignedAttributes[1:]...)
		}
		out = append(out, e...)
	}
	return out
}
