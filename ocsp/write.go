package ocsp

import (
	"crypto"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/algid"
	"senim/pki"
)

// ResponseTemplate is what an answer will say.
type ResponseTemplate struct {
	ProducedAt      time.Time
	Singles         []Single // CertIDs as the asker wrote them
	Nonce           []byte   // the asker's; nil = none
	BareNonce       bool     // as the asker wrote it
	ExtendedRevoke  bool     // we answer "revoked" for what was never issued (RFC 6960 4.4.8)
	OmitCertificate bool     // leave the responder's certificate out; else it goes along
}

// CreateResponse writes and signs an answer with the responder's key; cert is its certificate, or
// the issuer's own. The responder is named by name, as the national one does. It refuses a
// NextUpdate after the certificate's end: nobody could verify such an answer to its last day.
func CreateResponse(rand io.Reader, key crypto.Signer, cert *pki.Certificate, t ResponseTemplate) ([]byte, error) {
	sig, err := algid.SignatureFor(key.Public())
	if err != nil {
		return nil, fmt.Errorf("create ocsp answer: %w", err)
	}
	tbs, err := t.tbs(cert)
	if err != nil {
		return nil, fmt.Errorf("create ocsp answer: %w", err)
	}
	value, err := sig.Sign(rand, key, tbs)
	if err != nil {
		return nil, fmt.Errorf("create ocsp answer: %w", err)
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(tbs)
		b.AddBytes(sig.Identifier())
		b.AddASN1BitString(value)
		if !t.OmitCertificate {
			b.AddASN1(constructed(0), func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(cert.Raw) })
			})
		}
	})
	basic, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("create ocsp answer: %w", err)
	}
	return envelope(Successful, basic), nil
}

// envelope writes an OCSPResponse; basic is nil unless successful.
func envelope(s ResponseStatus, basic []byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Enum(int64(s))
		if basic == nil {
			return
		}
		b.AddASN1(constructed(0), func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(oidBasic)
				b.AddASN1OctetString(basic)
			})
		})
	})
	return b.BytesOrPanic()
}

// ErrorResponse writes the unsigned answer that only says why there is none. Successful is not
// such a reason and becomes InternalError.
func ErrorResponse(s ResponseStatus) []byte {
	if s == Successful {
		s = InternalError
	}
	return envelope(s, nil)
}

func (t ResponseTemplate) tbs(cert *pki.Certificate) ([]byte, error) {
	if len(t.Singles) == 0 || len(t.Singles) > maxSingles {
		return nil, fmt.Errorf("answers about %d certificates", len(t.Singles))
	}
	if t.Nonce != nil && len(t.Nonce) == 0 || len(t.Nonce) > maxNonce {
		return nil, fmt.Errorf("nonce of %d bytes", len(t.Nonce))
	}
	for _, s := range t.Singles {
		if s.NextUpdate.After(cert.NotAfter) {
			return nil, errors.New("nextUpdate after the end of the responder's certificate")
		}
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(constructed(1), func(b *cryptobyte.Builder) { b.AddBytes(cert.RawSubject) })
		addTime(b, t.ProducedAt)
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for _, s := range t.Singles {
				s.marshal(b)
			}
		})
		extensions{nonce: t.Nonce, bareNonce: t.BareNonce, extendedRevoke: t.ExtendedRevoke}.add(b, 1)
	})
	return b.Bytes()
}

func (s Single) marshal(b *cryptobyte.Builder) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		s.ID.marshal(b)
		s.marshalStatus(b)
		addTime(b, s.ThisUpdate)
		if !s.NextUpdate.IsZero() {
			b.AddASN1(constructed(0), func(b *cryptobyte.Builder) { addTime(b, s.NextUpdate) })
		}
		s.addExtensions(b)
	})
}

func (s Single) marshalStatus(b *cryptobyte.Builder) {
	switch s.Status {
	case Good:
		b.AddASN1(cbasn1.Tag(0).ContextSpecific(), func(*cryptobyte.Builder) {})
	case Unknown:
		b.AddASN1(cbasn1.Tag(2).ContextSpecific(), func(*cryptobyte.Builder) {})
	case Revoked:
		if !s.Reason.Valid() {
			b.SetError(errors.New("reason not known"))
		}
		b.AddASN1(constructed(1), func(b *cryptobyte.Builder) {
			addTime(b, s.RevokedAt)
			if s.HasReason {
				b.AddASN1(constructed(0), func(b *cryptobyte.Builder) { b.AddASN1Enum(int64(s.Reason)) })
			}
		})
	default:
		b.SetError(errors.New("no status"))
	}
}
