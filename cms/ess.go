package cms

import (
	"bytes"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/algid"
	"senim/pki"
)

// essCert is the first certificate named by a signing-certificate attribute: that of the signer.
type essCert struct {
	hash   algid.Hash
	digest []byte
	issuer []byte   // DER name; nil when the attribute names none
	serial *big.Int // nil likewise
}

// readESS reads SigningCertificate (RFC 2634 §5.4) or SigningCertificateV2 (RFC 5035 §3) and keeps
// the first entry; the rest name authorities.
func (s *Signer) readESS(in *cryptobyte.String, v2 bool) bool {
	var attribute, list, entry cryptobyte.String
	if !in.ReadASN1(&attribute, cbasn1.SEQUENCE) || !attribute.ReadASN1(&list, cbasn1.SEQUENCE) ||
		!list.ReadASN1(&entry, cbasn1.SEQUENCE) {
		return false
	}
	e := essCert{hash: algid.SHA1}
	if v2 {
		e.hash = algid.SHA256 // the default of the RFC
		if entry.PeekASN1Tag(cbasn1.SEQUENCE) {
			var err error
			if e.hash, err = algid.ReadHash(&entry); err != nil {
				return false
			}
		}
	}
	if !entry.ReadASN1Bytes(&e.digest, cbasn1.OCTET_STRING) || len(e.digest) != e.hash.Size() {
		return false
	}
	if !entry.Empty() && (!e.readIssuerSerial(&entry) || !entry.Empty()) {
		return false
	}
	s.ess = append(s.ess, e)
	return true
}

// readIssuerSerial reads IssuerSerial: one directory name and the serial.
func (e *essCert) readIssuerSerial(in *cryptobyte.String) bool {
	var body, names, name, issuer cryptobyte.String
	tag4 := cbasn1.Tag(4).ContextSpecific().Constructed()
	e.serial = new(big.Int)
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !body.ReadASN1(&names, cbasn1.SEQUENCE) ||
		!body.ReadASN1Integer(e.serial) || !body.Empty() ||
		!names.ReadASN1(&name, tag4) || !names.Empty() ||
		!name.ReadASN1Element(&issuer, cbasn1.SEQUENCE) || !name.Empty() {
		return false
	}
	e.issuer = issuer
	return true
}

// names tells whether the attribute is of this certificate.
func (e *essCert) names(c *pki.Certificate) bool {
	if !bytes.Equal(e.hash.Sum(c.Raw), e.digest) {
		return false
	}
	return e.serial == nil || e.serial.Cmp(c.Serial) == 0 && bytes.Equal(e.issuer, c.RawIssuer)
}
