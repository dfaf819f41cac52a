package tsp

import (
	"crypto"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/cms"
	"senim/internal/ber"
	"senim/pki"
)

// Failure says why there is no token: a bit of PKIFailureInfo, RFC 3161 2.4.2.
type Failure int

// The failures.
const (
	BadAlgorithm        Failure = 0
	BadRequest          Failure = 2
	BadDataFormat       Failure = 5
	TimeNotAvailable    Failure = 14
	UnacceptedPolicy    Failure = 15
	UnacceptedExtension Failure = 16
	AddInfoNotAvailable Failure = 17
	SystemFailure       Failure = 25
)

// Response is an answer: a token, or why there is none.
type Response struct {
	Status  int     // PKIStatus: 0 and 1 come with a token
	Text    string  // the authority's words; from outside, so print with care
	Failure Failure // why there is no token (PKIFailureInfo)
	Failed  bool    // Failure is set
	Token   *Token  // nil unless granted
}

// ParseResponse reads a TimeStampResp of at most 256 KiB. A refusal is no error: see Token.
func ParseResponse(der []byte) (*Response, error) {
	r, err := parseResponse(der)
	if err != nil {
		return nil, fmt.Errorf("parse time-stamp answer: %w", err)
	}
	return r, nil
}

func parseResponse(der []byte) (*Response, error) {
	if len(der) > maxResponse {
		return nil, fmt.Errorf("%d bytes are too many", len(der))
	}
	in := cryptobyte.String(der)
	var body, info cryptobyte.String
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !in.Empty() || !body.ReadASN1Element(&info, cbasn1.SEQUENCE) {
		return nil, errDER
	}
	r := &Response{}
	if err := r.readStatus(info); err != nil {
		return nil, err
	}
	if granted := r.Status == 0 || r.Status == 1; granted == body.Empty() {
		return nil, errors.New("status and content disagree")
	}
	if body.Empty() {
		return r, nil
	}
	token, err := ParseToken(body)
	if err != nil {
		return nil, err
	}
	r.Token = token
	return r, nil
}

// readStatus reads PKIStatusInfo. It is DER, whatever the token behind it is.
func (r *Response) readStatus(element cryptobyte.String) error {
	if err := ber.Check(element); err != nil {
		return err
	}
	var info cryptobyte.String
	if !element.ReadASN1(&info, cbasn1.SEQUENCE) || !info.ReadASN1Integer(&r.Status) || r.Status < 0 || r.Status > 5 {
		return errDER
	}
	if info.PeekASN1Tag(cbasn1.SEQUENCE) {
		var texts, text cryptobyte.String
		if !info.ReadASN1(&texts, cbasn1.SEQUENCE) {
			return errDER
		}
		for n := 0; !texts.Empty(); n++ {
			if !texts.ReadASN1(&text, cbasn1.UTF8String) || n == maxTexts {
				return errDER
			}
			if r.Text != "" {
				r.Text += "; "
			}
			r.Text += string(text)
		}
	}
	if info.PeekASN1Tag(cbasn1.BIT_STRING) {
		var bits asn1.BitString
		if !info.ReadASN1BitString(&bits) {
			return errDER
		}
		for i := range min(bits.BitLength, 32) {
			if bits.At(i) == 1 && !r.Failed {
				r.Failure, r.Failed = Failure(i), true
			}
		}
	}
	if !info.Empty() {
		return errDER
	}
	return nil
}

// Answers reports with nil that the answer fits the request: a token, its imprint, nonce and, when
// one was asked for, policy.
func (r *Response) Answers(q Request) error {
	switch {
	case r.Token == nil:
		return fmt.Errorf("time-stamp refused: status %d, failure %d", r.Status, r.Failure)
	case !r.Token.Imprint.Equal(q.Imprint):
		return ErrImprint
	case q.Nonce != nil && (r.Token.Nonce == nil || r.Token.Nonce.Cmp(q.Nonce) != 0):
		return errors.New("time-stamp answer: another nonce")
	case q.Policy != nil && !r.Token.Policy.Equal(q.Policy):
		return errors.New("time-stamp answer: another policy")
	}
	return nil
}

// Stamp is what a token will say besides the request.
type Stamp struct {
	Policy asn1.ObjectIdentifier // under which it is made; required (RFC 3161 2.4.2)
	Serial *big.Int              // unique for the authority
	Time   time.Time             // written in whole seconds, UTC
}

// CreateToken makes a token for a request, in the shape of the national authority: SignedData
// version 3, signingCertificate v1, no accuracy, ordering or tsa field.
func CreateToken(rand io.Reader, key crypto.Signer, cert *pki.Certificate, q *Request, s Stamp) ([]byte, error) {
	token, err := createToken(rand, key, cert, q, s)
	if err != nil {
		return nil, fmt.Errorf("create time-stamp: %w", err)
	}
	return token, nil
}

// CreateResponse answers a request with a token: [CreateToken] and [Grant].
func CreateResponse(rand io.Reader, key crypto.Signer, cert *pki.Certificate, q *Request, s Stamp) ([]byte, error) {
	token, err := CreateToken(rand, key, cert, q, s)
	if err != nil {
		return nil, err
	}
	return Grant(token), nil
}

// Grant writes the answer that holds a token.
func Grant(token []byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1Int64(0) })
		b.AddBytes(token)
	})
	return b.BytesOrPanic()
}

func createToken(rand io.Reader, key crypto.Signer, cert *pki.Certificate, q *Request, s Stamp) ([]byte, error) {
	if s.Policy == nil || s.Serial == nil || s.Serial.Sign() <= 0 || s.Time.IsZero() {
		return nil, errors.New("policy, serial and time are needed")
	}
	if q.Policy != nil && !q.Policy.Equal(s.Policy) {
		return nil, errors.New("another policy was asked for")
	}
	if err := checkAuthority(cert, s.Time); err != nil {
		return nil, err
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		b.AddASN1ObjectIdentifier(s.Policy)
		q.Imprint.marshal(b)
		b.AddASN1BigInt(s.Serial)
		b.AddASN1(cbasn1.GeneralizedTime, func(b *cryptobyte.Builder) {
			b.AddBytes([]byte(s.Time.UTC().Format("20060102150405Z")))
		})
		if q.Nonce != nil {
			b.AddASN1BigInt(q.Nonce)
		}
	})
	info, err := b.Bytes()
	if err != nil {
		return nil, err
	}
	return cms.Sign(rand, cms.Options{Key: key, Certificate: cert, Content: info, ContentType: oidTSTInfo,
		SigningTime: s.Time, SigningCertificateV1: true, OmitCertificate: !q.Certificate})
}

// Refuse writes an answer without a token.
func Refuse(f Failure) []byte {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1Int64(2)
			b.AddASN1(cbasn1.BIT_STRING, func(b *cryptobyte.Builder) {
				octets := make([]byte, 1+int(f)/8+1)
				octets[0] = byte(7 - int(f)%8)
				octets[len(octets)-1] = 0x80 >> (int(f) % 8)
				b.AddBytes(octets)
			})
		})
	})
	return b.BytesOrPanic()
}
