package cades

import (
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/crypto/cryptobyte"
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
	if len(c.evidence) > maxEvidence {
		return nil, fmt.Errorf("more than %d revocation lists and answers", maxEvidence)
	}
	return &c, nil
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

// readChoice reads a RevocationInfoChoice: a list, or an OCSP answer in OtherRevocationInfoFormat.
func (c *carried) readChoice(raw []byte, place key) {
	if raw[0] != byte(tag1) {
		c.addList(raw, place)
		return
	}
	in := cryptobyte.String(raw)
	var body, answer cryptobyte.String
	var oid asn1.ObjectIdentifier
	if !in.ReadASN1(&body, tag1) || !body.ReadASN1ObjectIdentifier(&oid) ||
		!body.ReadASN1Element(&answer, cbasn1.SEQUENCE) || !body.Empty() {
		c.warn("revocation data inside the message: %v", errEvidence)
		return
	}
	switch {
	case oid.Equal(oidOCSPResponse):
		r, err := ocsp.ParseResponse(answer)
		c.addAnswer(r, err, place)
	case oid.Equal(oidOCSPBasic):
		r, err := ocsp.ParseBasicResponse(answer)
		c.addAnswer(r, err, place)
	default:
		c.warn("revocation data of a form %v was not looked at", oid)
	}
}

func (c *carried) addList(raw []byte, place key) {
	if len(raw) > maxList {
		c.warn("revocation list inside the message: larger than %d bytes", maxList)
		return
	}
	l, err := pki.ParseRevocationList(raw)
	if err != nil {
		c.warn("revocation list inside the message: %v", err)
		return
	}
	c.evidence = append(c.evidence, evidence{list: l, places: []key{place}})
}

func (c *carried) addAnswer(r *ocsp.Response, err error, place key) {
	if err != nil {
		c.warn("OCSP answer inside the message: %v", err)
		return
	}
	c.evidence = append(c.evidence, evidence{answer: r, places: []key{place}})
}

// readCertificateValues reads SEQUENCE OF Certificate, TS 101 733 §6.3.3.
func (c *carried) readCertificateValues(value []byte) {
	certificates, err := readCertificateValues(value)
	if err != nil {
		c.warn("certificate-values: %v", err)
		return
	}
	c.found = append(c.found, certificates...)
}

func readCertificateValues(value []byte) ([]*pki.Certificate, error) {
	in := cryptobyte.String(value)
	var list cryptobyte.String
	if !in.ReadASN1(&list, cbasn1.SEQUENCE) || !in.Empty() {
		return nil, errEvidence
	}
	var out []*pki.Certificate
	for !list.Empty() {
		var der cryptobyte.String
		if !list.ReadASN1Element(&der, cbasn1.SEQUENCE) || len(out) == cms.MaxCertificates {
			return nil, errEvidence
		}
		cert, err := pki.ParseCertificate(der)
		if err != nil {
			return nil, err
		}
		out = append(out, cert)
	}
	return out, nil
}

// readRevocationValues reads RevocationValues, TS 101 733 §6.3.4.
func (c *carried) readRevocationValues(value []byte, place key) {
	lists, answers, err := splitRevocationValues(value)
	if err != nil {
		c.warn("revocation-values: %v", err)
		return
	}
	for _, raw := range lists {
		c.addList(raw, place)
	}
	for _, raw := range answers {
		r, err := ocsp.ParseBasicResponse(raw)
		c.addAnswer(r, err, place)
	}
}

// splitRevocationValues gives the lists and the basic OCSP answers; other kinds are passed over.
func splitRevocationValues(value []byte) (lists, answers [][]byte, err error) {
	in := cryptobyte.String(value)
	var body cryptobyte.String
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !in.Empty() {
		return nil, nil, errEvidence
	}
	for _, part := range []struct {
		tag cbasn1.Tag
		out *[][]byte
	}{{tag0, &lists}, {tag1, &answers}} {
		var explicit, sequence cryptobyte.String
		var present bool
		if !body.ReadOptionalASN1(&explicit, &present, part.tag) {
			return nil, nil, errEvidence
		}
		if !present {
			continue
		}
		if !explicit.ReadASN1(&sequence, cbasn1.SEQUENCE) || !explicit.Empty() {
			return nil, nil, errEvidence
		}
		for !sequence.Empty() {
			var e cryptobyte.String
			if !sequence.ReadASN1Element(&e, cbasn1.SEQUENCE) || len(*part.out) == maxEvidence {
				return nil, nil, errEvidence
			}
			*part.out = append(*part.out, e)
		}
	}
	if !body.SkipOptionalASN1(tag2) || !body.Empty() {
		return nil, nil, errEvidence
	}
	return lists, answers, nil
}
