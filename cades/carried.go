package cades

import (
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"

	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/cms"
	"senim/ocsp"
	"senim/pki"
	"senim/tsp"
)

// Bounds besides those of package cms.
const (
	maxCertificates = 2 * cms.MaxCertificates // different ones, those in tokens and attributes too
	maxEvidence     = 256                     // lists and answers, likewise
	maxList         = 32 << 20
)

// Attributes: EN 319 122-1 and TS 101 733.
var (
	oidSignatureStamp    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 14}
	oidArchiveStamp      = asn1.ObjectIdentifier{0, 4, 0, 1733, 2, 4}
	oidHashIndex         = asn1.ObjectIdentifier{0, 4, 0, 19122, 1, 5}
	oidCertificateValues = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 23}
	oidRevocationValues  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 24}

	oidOCSPResponse = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 16, 2}    // RFC 5940
	oidOCSPBasic    = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1} // in its place, by some

	tag0 = cbasn1.Tag(0).ContextSpecific().Constructed()
	tag1 = cbasn1.Tag(1).ContextSpecific().Constructed()
	tag2 = cbasn1.Tag(2).ContextSpecific().Constructed()

	errEvidence = errors.New("revocation data is not well-formed")
)

// older are time-stamps of TS 101 733 that are not judged.
var older = []asn1.ObjectIdentifier{
	{1, 2, 840, 113549, 1, 9, 16, 2, 25}, {1, 2, 840, 113549, 1, 9, 16, 2, 26},
	{1, 2, 840, 113549, 1, 9, 16, 2, 27}, {1, 2, 840, 113549, 1, 9, 16, 2, 48},
}

// key names a piece of a message whose existence a time-stamp may prove.
type key [32]byte

func certificateKey(raw []byte) key { return keyOf('c', raw) }
func revocationKey(raw []byte) key  { return keyOf('r', raw) }
func attributeKey(raw []byte) key   { return keyOf('a', raw) }

func keyOf(kind byte, raw []byte) (k key) {
	h := sha256.New()
	h.Write([]byte{kind})
	h.Write(raw)
	h.Sum(k[:0])
	return k
}

// evidence is a list or an answer, and the pieces of the message it stands in; none: the caller gave it.
type evidence struct {
	list   *pki.RevocationList
	answer *ocsp.Response
	places []key
	given  key // of what the caller gave: a time-stamp over a list of digests may prove it
}

// piece is what a hash index has a digest of.
type piece struct {
	key key
	raw []byte // hashed as it is
}

// carried is what a message carries beside one signature.
type carried struct {
	certificates []piece // of the message
	revocation   []piece
	attributes   []piece // unsigned, of the signer; type before value

	evidence []evidence
	found    []*pki.Certificate
	stamps   []Timestamp
	warnings []string
}

// carriedByAll reads what stands beside all signatures. What cannot be read is a warning: it proves
// nothing.
func carriedByAll(sd *cms.SignedData) carried {
	var c carried
	for _, raw := range sd.RawCertificates() {
		c.certificates = append(c.certificates, piece{certificateKey(raw), raw})
	}
	c.found = sd.Certificates()
	for _, raw := range sd.RawRevocation() {
		p := piece{revocationKey(raw), raw}
		c.revocation = append(c.revocation, p)
		c.readChoice(raw, p.key)
	}
	return c
}

// with adds what stands beside signature s alone.
func (c carried) with(s *cms.Signer) (*carried, error) {
	c.found, c.evidence, c.warnings = slices.Clip(c.found), slices.Clip(c.evidence), slices.Clip(c.warnings)
	for _, a := range s.Unsigned {
		for _, value := range a.Values {
			whole, err := typed(a.OID, value)
			if err != nil {
				return nil, err
			}
			p := piece{attributeKey(whole), whole}
			c.attributes = append(c.attributes, p)
			c.readAttribute(a.OID, value, p.key)
		}
	}
	return &c, c.bounded()
}

// bounded refuses more evidence than anybody needs.
func (c *carried) bounded() error {
	if len(c.evidence) > maxEvidence {
		return fmt.Errorf("more than %d revocation lists and answers", maxEvidence)
	}
	return nil
}

func (c *carried) warn(format string, args ...any) {
	c.warnings = append(c.warnings, fmt.Sprintf(format, args...))
}

func (c *carried) readAttribute(oid asn1.ObjectIdentifier, value []byte, place key) {
	switch {
	case oid.Equal(oidSignatureStamp), oid.Equal(oidArchiveStamp):
		c.readToken(oid.Equal(oidArchiveStamp), value, place)
	case oid.Equal(oidCertificateValues):
		c.readCertificateValues(value)
	case oid.Equal(oidRevocationValues):
		c.readRevocationValues(value, place)
	default:
		for _, o := range older {
			if oid.Equal(o) {
				c.warn("a time-stamp of an older form (%v) was not looked at", oid)
			}
		}
	}
}

func (c *carried) readToken(archive bool, value []byte, place key) {
	t := Timestamp{Archive: archive, key: place}
	if t.Token, t.Err = tsp.ParseToken(value); t.Err != nil {
		t.Outcome = outcomeOf(t.Err)
		c.stamps = append(c.stamps, t)
		return
	}
	c.stamps = append(c.stamps, t)
	message := t.Token.Message()
	c.found = append(c.found, message.Certificates()...)
	for _, raw := range message.RawRevocation() {
		c.readChoice(raw, place)
	}
	for _, s := range message.Signers() {
		for _, a := range s.Unsigned {
			for _, v := range a.Values {
				switch {
				case a.OID.Equal(oidCertificateValues):
					c.readCertificateValues(v)
				case a.OID.Equal(oidRevocationValues):
					c.readRevocationValues(v, place)
				}
			}
		}
	}
}
