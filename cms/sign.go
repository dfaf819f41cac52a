package cms

import (
	"crypto"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/algid"
)

func sign(rand io.Reader, o Options) ([]byte, error) {
	contentType := o.ContentType
	if contentType == nil {
		contentType = oidData
	}
	sig, err := o.check()
	if err != nil {
		return nil, fmt.Errorf("signing CMS: %w", err)
	}
	digest := o.Digest
	if digest == nil {
		digest = sig.Hash().Sum(o.Content)
	}
	info, err := o.signerInfo(rand, sig, contentType, digest)
	if err != nil {
		return nil, fmt.Errorf("signing CMS: %w", err)
	}
	p := parts{version: 1, hashes: [][]byte{sig.Hash().Identifier()}, signers: [][]byte{info}}
	if !contentType.Equal(oidData) || o.SubjectKeyID {
		p.version = 3 // RFC 5652 §5.1
	}
	if !o.OmitCertificate {
		p.certificates = [][]byte{o.Certificate.Raw}
	}
	if p.encap, err = encapsulated(contentType, o.Content, o.Detached || o.Digest != nil); err != nil {
		return nil, fmt.Errorf("signing CMS: %w", err)
	}
	return p.assemble()
}

// check looks at the options before the key is used, and gives the algorithm.
func (o *Options) check() (algid.Signature, error) {
	if o.Key == nil || o.Certificate == nil {
		return 0, errors.New("key and certificate are both needed")
	}
	pub, ok := o.Key.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !pub.Equal(o.Certificate.PublicKey) {
		return 0, errors.New("certificate is not of the key")
	}
	if o.SubjectKeyID && len(o.Certificate.SubjectKeyID) == 0 {
		return 0, errors.New("certificate has no subject key identifier")
	}
	if o.SigningTime.IsZero() {
		return 0, errors.New("signing time is not set")
	}
	sig, err := algid.SignatureFor(o.Key.Public())
	if err != nil {
		return 0, err
	}
	if o.Digest != nil && len(o.Digest) != sig.Hash().Size() {
		return 0, fmt.Errorf("digest has %d bytes, the key needs %v", len(o.Digest), sig.Hash())
	}
	return sig, nil
}

// signerInfo signs: RFC 5652 §5.3, attributes of RFC 5126 for CAdES-BES.
func (o *Options) signerInfo(rand io.Reader, sig algid.Signature, contentType asn1.ObjectIdentifier, digest []byte) ([]byte, error) {
	set, err := o.signedAttributes(contentType, digest)
	if err != nil {
		return nil, err
	}
	value, err := sig.Sign(rand, o.Key, set)
	if err != nil {
		return nil, err
	}
	implicit := append([]byte{byte(tag0)}, set[1:]...) // the same bytes under [0] in place of SET
	return sequence(func(b *cryptobyte.Builder) {
		o.addID(b)
		b.AddBytes(sig.Hash().Identifier())
		b.AddBytes(implicit)
		b.AddBytes(sig.Identifier())
		b.AddASN1OctetString(value)
	})
}

// addID writes version and SignerIdentifier, RFC 5652 §5.3.
func (o *Options) addID(b *cryptobyte.Builder) {
	if o.SubjectKeyID {
		b.AddASN1Int64(3)
		b.AddASN1(tag0Primitive, func(b *cryptobyte.Builder) { b.AddBytes(o.Certificate.SubjectKeyID) })
		return
	}
	b.AddASN1Int64(1)
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(o.Certificate.RawIssuer)
		b.AddASN1BigInt(o.Certificate.Serial)
	})
}

// signedAttributes writes the SET that is signed.
func (o *Options) signedAttributes(contentType asn1.ObjectIdentifier, digest []byte) ([]byte, error) {
	certOID, certHash := oidSigningCertificateV2, algid.SHA256
	if o.SigningCertificateV1 {
		certOID, certHash = oidSigningCertificate, algid.SHA1
	}
	var list [][]byte
	for _, a := range []struct {
		oid   asn1.ObjectIdentifier
		value func(*cryptobyte.Builder)
	}{
		{oidContentType, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(contentType) }},
		{oidSigningTime, func(b *cryptobyte.Builder) { addTime(b, o.SigningTime) }},
		{certOID, essOf(certHash.Sum(o.Certificate.Raw))},
		{oidMessageDigest, func(b *cryptobyte.Builder) { b.AddASN1OctetString(digest) }},
	} {
		der, err := attribute(a.oid, a.value)
		if err != nil {
			return nil, err
		}
		list = append(list, der)
	}
	return setOf(list)
}

// essOf writes SEQ{SEQ{SEQ{OCTET STRING}}}: hash algorithm (the default) and issuerSerial left out,
// as NCALayer does (crypto.md §14).
func essOf(digest []byte) func(*cryptobyte.Builder) {
	return func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1OctetString(digest) })
			})
		})
	}
}

// addTime writes UTCTime to 2049 and GeneralizedTime after, RFC 5652 §11.3.
func addTime(b *cryptobyte.Builder, t time.Time) {
	t = t.UTC().Truncate(time.Second)
	if y := t.Year(); y >= 1950 && y < 2050 {
		b.AddASN1UTCTime(t)
		return
	}
	b.AddASN1GeneralizedTime(t)
}
