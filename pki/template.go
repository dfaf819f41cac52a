package pki

import (
	"crypto"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"math/bits"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/algid"
)

// Template is what a certificate will say. Extensions come out in one fixed order:
// basicConstraints, policies, AIA, CRLDP, freshestCRL, SAN, EKU, keyUsage, SKI, AKI, key store,
// nocheck, Extra; empty fields are left out. Critical are basicConstraints, keyUsage and, when
// asked, EKU. [CreateCertificate] only reads it and keeps nothing of it.
type Template struct {
	Signature           algid.Signature // of the issuer's key; zero = the one for the key given to CreateCertificate
	Serial              *big.Int        // positive, at most 20 octets
	RawIssuer           []byte          // the issuer's RawSubject; nil = self-signed, equal to the subject
	Subject             Name
	NotBefore, NotAfter time.Time        // written in whole seconds, UTC
	PublicKey           crypto.PublicKey // of the holder, of a type [Certificate].PublicKey may have
	KeyUsage            KeyUsage         // 0 = no such extension
	ExtKeyUsage         []asn1.ObjectIdentifier
	ExtKeyUsageCritical bool // the TSA's only
	Policies            []Policy
	IsCA                bool
	MaxPathLen          int                   // with IsCA: −1 = no limit; zero allows leaves only
	SubjectKeyID        []byte                // nil = algid.KeyID(PublicKey)
	AuthorityKeyID      []byte                // nil = none
	AuthorityIssuer     []byte                // DER Name added to AKI together with AuthoritySerial (CA profile)
	AuthoritySerial     *big.Int              // the serial of the issuer's own certificate
	CRL, DeltaCRL       []string              // one distribution point for each
	OCSP, Issuers       []string              // addresses in authorityInfoAccess, in this order
	Emails, DNSNames    []string              // subjectAltName: e-mails first
	Storage             asn1.ObjectIdentifier // extension 1.2.398.3.3.5
	NoCheck             bool                  // id-pkix-ocsp-nocheck, for OCSP responders
	Extra               []Extension           // anything else, last
}

// Policy is a certificate policy with the address of its statement.
type Policy struct {
	OID    asn1.ObjectIdentifier
	CPS    string // "" = no qualifier
	Notice string // explicitText of a userNotice, which follows the CPS; "" = none
}

// TBS writes the exact bytes to be signed. The same template gives the same bytes.
func (t *Template) TBS() ([]byte, error) {
	der, err := t.tbs()
	if err != nil {
		return nil, fmt.Errorf("write certificate: %w", err)
	}
	return der, nil
}

func (t *Template) tbs() ([]byte, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	subject, err := t.Subject.Marshal()
	if err != nil {
		return nil, err
	}
	issuer := t.RawIssuer
	if issuer == nil {
		issuer = subject
	}
	spki, err := algid.MarshalPublicKey(t.PublicKey)
	if err != nil {
		return nil, err
	}
	extensions, err := t.extensions()
	if err != nil {
		return nil, err
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(constructed(0), func(b *cryptobyte.Builder) { b.AddASN1Int64(2) })
		b.AddASN1BigInt(t.Serial)
		b.AddBytes(t.Signature.Identifier())
		b.AddBytes(issuer)
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			addTime(b, t.NotBefore)
			addTime(b, t.NotAfter)
		})
		b.AddBytes(subject)
		b.AddBytes(spki)
		b.AddASN1(constructed(3), func(b *cryptobyte.Builder) { addExtensions(b, extensions) })
	})
	return b.Bytes()
}

func (t *Template) check() error {
	switch {
	case t.Signature == 0:
		return errors.New("no signature algorithm")
	case t.Serial == nil || t.Serial.Sign() <= 0 || t.Serial.BitLen() > maxSerial*8-1:
		return errors.New("serial not positive or longer than 20 octets")
	case t.NotBefore.IsZero() || !t.NotBefore.Before(t.NotAfter):
		return errors.New("validity ends before it begins")
	case (t.AuthorityIssuer == nil) != (t.AuthoritySerial == nil):
		return errors.New("authority issuer and serial come together")
	}
	return nil
}

// CreateCertificate is TBS, signature and Assemble in one, for tests and ceremonies. An issuing
// authority keeps the three steps apart.
func CreateCertificate(rand io.Reader, key crypto.Signer, t *Template) ([]byte, error) {
	sig, err := algid.SignatureFor(key.Public())
	if err != nil {
		return nil, fmt.Errorf("create certificate: %w", err)
	}
	filled := *t
	if filled.Signature == 0 {
		filled.Signature = sig
	}
	tbs, err := filled.TBS()
	if err != nil {
		return nil, err
	}
	return signed(rand, key, filled.Signature, tbs)
}

func signed(rand io.Reader, key crypto.Signer, sig algid.Signature, tbs []byte) ([]byte, error) {
	value, err := sig.Sign(rand, key, tbs)
	if err != nil {
		return nil, err
	}
	return Assemble(tbs, sig, value), nil
}

// Assemble puts a signature on TBS bytes: of a certificate, a request, a revocation list or an OCSP
// answer without certificates.
func Assemble(tbs []byte, sig algid.Signature, value []byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(tbs)
		b.AddBytes(sig.Identifier())
		b.AddASN1BitString(value)
	})
	return b.BytesOrPanic()
}

func addExtensions(b *cryptobyte.Builder, list []Extension) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, e := range list {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(e.OID)
				if e.Critical {
					b.AddASN1Boolean(true)
				}
				b.AddASN1OctetString(e.Value)
			})
		}
	})
}

// keyUsageBits writes the named bit list: no trailing zero bits (X.690 11.2.2).
func keyUsageBits(u KeyUsage) []byte {
	turned := bits.Reverse16(uint16(u)) // bit 0 is the highest of the first octet
	content := []byte{byte(turned >> 8), byte(turned)}
	if content[1] == 0 {
		content = content[:1]
	}
	unused := bits.TrailingZeros8(content[len(content)-1])
	return append([]byte{3, byte(len(content) + 1), byte(unused)}, content...)
}
