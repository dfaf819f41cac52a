package cades

import (
	"encoding/asn1"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/cms"
	"senim/ocsp"
	"senim/pki"
)

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
