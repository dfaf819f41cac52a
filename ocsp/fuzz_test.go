package ocsp

import (
	"bytes"
	"math/big"
	"reflect"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/algid"
)

// written writes a parsed answer again, without its certificates.
func (r *Response) written(t testing.TB) []byte {
	t.Helper()
	if r.Status != Successful {
		return envelope(r.Status, nil)
	}
	var tbs, basic cryptobyte.Builder
	tbs.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		if r.ResponderName != nil {
			b.AddASN1(constructed(1), func(b *cryptobyte.Builder) { b.AddBytes(r.ResponderName) })
		} else {
			b.AddASN1(constructed(2), func(b *cryptobyte.Builder) { b.AddASN1OctetString(r.ResponderKeyHash) })
		}
		addTime(b, r.ProducedAt)
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for _, s := range r.Singles {
				s.marshal(b)
			}
		})
		extensions{nonce: r.Nonce, bareNonce: r.BareNonce, extendedRevoke: r.ExtendedRevoke}.add(b, 1)
	})
	body, err := tbs.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	basic.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(body)
		b.AddBytes(r.Signature.Identifier())
		b.AddASN1BitString(r.SignatureValue)
	})
	return envelope(Successful, basic.BytesOrPanic())
}

// said is what an answer says, without the bytes it said it in.
func (r *Response) said() Response {
	out := *r
	out.Raw, out.RawTBS, out.Certificates = nil, nil, nil
	return out
}

// FuzzParseResponse: what was read, written again, says the same; and is then written the same.
func FuzzParseResponse(f *testing.F) {
	at := time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)
	for _, s := range []Single{
		{Status: Good, ThisUpdate: at}, {Status: Unknown, ThisUpdate: at, NextUpdate: at}, {Status: Revoked, RevokedAt: at, ThisUpdate: at},
		{Status: Revoked, RevokedAt: at, Reason: 6, HasReason: true, ThisUpdate: at, NextUpdate: at},
	} {
		s.ID = CertID{Hash: algid.SHA256, NameHash: make([]byte, 32), KeyHash: make([]byte, 32), Serial: big.NewInt(7)}
		r := Response{ResponderKeyHash: make([]byte, 20), ProducedAt: at, Singles: []Single{s, s}, Nonce: []byte("12345678"), ExtendedRevoke: true, Signature: algid.GOST512Sig, SignatureValue: make([]byte, 128)}
		f.Add(r.written(f))
	}
	f.Add(ErrorResponse(TryLater))
	f.Fuzz(func(t *testing.T, der []byte) { ReadResponse(t, der) })
}

// ReadResponse is for tests of this package that need an authority: what parses is written again.
func ReadResponse(t *testing.T, der []byte) {
	r, err := ParseResponse(der)
	if err != nil {
		return
	}
	once := r.written(t)
	again, err := ParseResponse(once)
	if err != nil {
		t.Fatalf("%x written %x: %v", der, once, err)
	}
	if !reflect.DeepEqual(r.said(), again.said()) {
		t.Errorf("%x says %+v, written it says %+v", der, r.said(), again.said())
	}
	if twice := again.written(t); !bytes.Equal(twice, once) {
		t.Errorf("written %x, then %x", once, twice)
	}
}

// FuzzParseRequest is the same for questions.
func FuzzParseRequest(f *testing.F) {
	id := CertID{Hash: algid.SHA1, NameHash: make([]byte, 20), KeyHash: make([]byte, 20), Serial: big.NewInt(7)}
	for _, nonce := range [][]byte{nil, []byte("12345678")} {
		der, err := CreateRequest(Request{IDs: []CertID{id, id}, Nonce: nonce})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(der)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		q, err := ParseRequest(der)
		if err != nil {
			return
		}
		once, err := CreateRequest(*q)
		if err != nil {
			t.Fatalf("%x read, not written: %v", der, err)
		}
		again, err := ParseRequest(once)
		if err != nil || !reflect.DeepEqual(q, again) {
			t.Fatalf("%x says %+v, written it says %+v, %v", der, q, again, err)
		}
		if twice, err := CreateRequest(*again); err != nil || !bytes.Equal(twice, once) {
			t.Errorf("written %x, then %x, %v", once, twice, err)
		}
	})
}
