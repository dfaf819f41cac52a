package dsig

import (
	"encoding/base64"
	"fmt"
	"io"
	"time"
)

// newProps is what is written into the properties of a new signature.
type newProps struct {
	target, id string // of the signature, and of its signed properties
	time       time.Time
	digestURI  string
	digest     []byte // of the certificate
	serial     []byte // DER IssuerSerial
}

func newProperties(rand io.Reader, o Options, m algorithms) (*newProps, error) {
	id, err := uuid(rand)
	if err != nil {
		return nil, err
	}
	q := &newProps{
		target: "signature-" + id, id: "properties-" + id, time: o.SigningTime,
		digestURI: m.digestURI, digest: m.signature.Hash().Sum(o.Certificate.Raw),
	}
	q.serial, err = issuerSerial{o.Certificate.RawIssuer, o.Certificate.Serial}.marshal()
	return q, err
}

// object writes Object with the properties. Base64 inside stays on one line in both layouts.
func (l layout) object(q *newProps) string {
	text := base64.StdEncoding.EncodeToString
	return l.tags(
		"<ds:Object>",
		`<xades:QualifyingProperties xmlns:xades="`+spaceXAdES+`" Target="#`+q.target+`">`,
		`<xades:SignedProperties Id="`+q.id+`">`,
		"<xades:SignedSignatureProperties>",
		"<xades:SigningTime>"+q.time.UTC().Format("2006-01-02T15:04:05Z")+"</xades:SigningTime>",
		"<xades:SigningCertificateV2>", "<xades:Cert>", "<xades:CertDigest>",
		`<ds:DigestMethod Algorithm="`+q.digestURI+`"/>`,
		"<ds:DigestValue>"+text(q.digest)+"</ds:DigestValue>",
		"</xades:CertDigest>",
		"<xades:IssuerSerialV2>"+text(q.serial)+"</xades:IssuerSerialV2>",
		"</xades:Cert>", "</xades:SigningCertificateV2>", "</xades:SignedSignatureProperties>",
		"</xades:SignedProperties>", "</xades:QualifyingProperties>", "</ds:Object>")
}

// uuid makes a random UUID, RFC 9562 §5.4.
func uuid(rand io.Reader) (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(rand, b[:]); err != nil {
		return "", fmt.Errorf("random id: %w", err)
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]), nil
}

// prefixOf finds a prefix that stands for a namespace at an element; "" is the default one.
func prefixOf(n *node, space string) (string, bool) {
	for _, b := range inScope(n) {
		if b.uri == space {
			return b.prefix, true
		}
	}
	return "", false
}
