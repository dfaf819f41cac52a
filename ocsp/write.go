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
	ProducedAt      time.Time // written in whole seconds, UTC
	Singles         []Single  // CertIDs as the asker wrote them
	Nonce           []byte    // the asker's; nil = none
	BareNonce       bool      // as the asker wrote it
	ExtendedRevoke  bool      // we answer "revoked" for what was never issued (RFC 6960 4.4.8)
	OmitCertificate bool      // leave the responder's certificate out; else it goes along
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
	var certificate []byte
	if !t.OmitCertificate {
		certificate = cert.Raw
	}
	return assemble(tbs, sig.Identifier(), value, certificate), nil
}

// assemble writes a successful OCSPResponse into one piece of memory: lengths are added up first. Without
// a certificate there is no field for any.
func assemble(tbs, identifier, value, certificate []byte) []byte {
	n := len(tbs) + len(identifier) + sizeOf(1+len(value))
	if certificate != nil {
		n += sizeOf(sizeOf(len(certificate)))
	}
	b := appendHead(room(sizeOf(n)), cbasn1.SEQUENCE, n)
	b = append(append(b, tbs...), identifier...)
	b = append(appendHead(b, cbasn1.BIT_STRING, 1+len(value)), 0)
	b = append(b, value...)
	if certificate != nil {
		b = appendHead(b, constructed(0), sizeOf(len(certificate)))
		b = append(appendHead(b, cbasn1.SEQUENCE, len(certificate)), certificate...)
	}
	return b
}

// room begins a successful OCSPResponse around a BasicOCSPResponse of n bytes, which is to be appended.
func room(n int) []byte {
	kind := len(basicID) + sizeOf(n)
	whole := len(successful) + sizeOf(sizeOf(kind))
	b := appendHead(make([]byte, 0, sizeOf(whole)), cbasn1.SEQUENCE, whole)
	b = appendHead(append(b, successful...), constructed(0), sizeOf(kind))
	b = append(appendHead(b, cbasn1.SEQUENCE, kind), basicID...)
	return appendHead(b, cbasn1.OCTET_STRING, n)
}

// What every successful answer begins with: the status 0, and the kind of the rest, id-pkix-ocsp-basic.
var (
	successful = []byte{byte(cbasn1.ENUM), 1, 0}
	basicID    = []byte{byte(cbasn1.OBJECT_IDENTIFIER), 9, 0x2b, 6, 1, 5, 5, 7, 48, 1, 1}
)

// sizeOf is how many bytes a field with n bytes inside takes.
func sizeOf(n int) int {
	switch {
	case n < 1<<7:
		return n + 2
	case n < 1<<8:
		return n + 3
	case n < 1<<16:
		return n + 4
	}
	return n + 5 // certificates and answers of more than 16 MiB are refused long before
}

// appendHead writes a tag and a length.
func appendHead(b []byte, tag cbasn1.Tag, n int) []byte {
	b = append(b, byte(tag))
	switch sizeOf(n) - n {
	case 2:
		return append(b, byte(n))
	case 3:
		return append(b, 0x81, byte(n))
	case 4:
		return append(b, 0x82, byte(n>>8), byte(n))
	}
	return append(b, 0x83, byte(n>>16), byte(n>>8), byte(n))
}

// envelope writes an OCSPResponse; basic is nil unless successful.
func envelope(s ResponseStatus, basic []byte) []byte {
	if basic == nil {
		return []byte{byte(cbasn1.SEQUENCE), 3, byte(cbasn1.ENUM), 1, byte(s)}
	}
	return append(room(len(basic)), basic...)
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
	b := cryptobyte.NewBuilder(make([]byte, 0, len(cert.RawSubject)+256+256*len(t.Singles)))
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
