package dsig

import (
	"bytes"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/pki"
)

// issuerSerial is IssuerSerial of RFC 5035 §5 with one directory name, the content of IssuerSerialV2.
type issuerSerial struct {
	issuer []byte // DER name
	serial *big.Int
}

const maxIssuerSerial = 16 << 10

var tagDirectoryName = cbasn1.Tag(4).ContextSpecific().Constructed()

// readIssuerSerial reads DER; nothing may follow.
func readIssuerSerial(der []byte) (s issuerSerial, ok bool) {
	if len(der) > maxIssuerSerial {
		return s, false
	}
	in := cryptobyte.String(der)
	var body, names, name, issuer cryptobyte.String
	s.serial = new(big.Int)
	ok = in.ReadASN1(&body, cbasn1.SEQUENCE) && in.Empty() &&
		body.ReadASN1(&names, cbasn1.SEQUENCE) && body.ReadASN1Integer(s.serial) && body.Empty() &&
		names.ReadASN1(&name, tagDirectoryName) && names.Empty() &&
		name.ReadASN1Element(&issuer, cbasn1.SEQUENCE) && name.Empty()
	s.issuer = issuer
	return s, ok
}

func (s issuerSerial) marshal() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(tagDirectoryName, func(b *cryptobyte.Builder) { b.AddBytes(s.issuer) })
		})
		b.AddASN1BigInt(s.serial)
	})
	return b.Bytes()
}

// names tells whether it is of this certificate.
func (s issuerSerial) names(c *pki.Certificate) bool {
	return s.serial.Cmp(c.Serial) == 0 && bytes.Equal(s.issuer, c.RawIssuer)
}
