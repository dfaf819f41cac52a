package pki

import (
	"crypto"
	"errors"
	"fmt"
	"io"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/algid"
)

// ListTemplate is what a revocation list will say. Entries come out in the order given; an entry
// gets its reason when HasReason is set or the reason is not 0.
type ListTemplate struct {
	Number     *big.Int // of this list
	BaseNumber *big.Int // makes it a delta to that list
	ThisUpdate time.Time
	NextUpdate time.Time
	Entries    []Entry
}

// TBS writes the exact bytes of the list to be signed with the issuer's key; put the signature on
// with [Assemble].
func (t *ListTemplate) TBS(issuer *Certificate) ([]byte, error) {
	der, err := t.tbs(issuer)
	if err != nil {
		return nil, fmt.Errorf("write revocation list: %w", err)
	}
	return der, nil
}

func (t *ListTemplate) tbs(issuer *Certificate) ([]byte, error) {
	if t.Number == nil || t.Number.Sign() < 0 || t.ThisUpdate.IsZero() || !t.ThisUpdate.Before(t.NextUpdate) {
		return nil, errors.New("a number and an interval of time are needed")
	}
	sig, err := algid.SignatureFor(issuer.PublicKey)
	if err != nil {
		return nil, err
	}
	extensions, err := t.extensions(issuer)
	if err != nil {
		return nil, err
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		b.AddBytes(sig.Identifier())
		b.AddBytes(issuer.RawSubject)
		addTime(b, t.ThisUpdate)
		addTime(b, t.NextUpdate)
		if len(t.Entries) > 0 {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				for _, e := range t.Entries {
					e.marshal(b)
				}
			})
		}
		b.AddASN1(constructed(0), func(b *cryptobyte.Builder) { addExtensions(b, extensions) })
	})
	return b.Bytes()
}

func (e Entry) marshal(b *cryptobyte.Builder) {
	if e.Serial == nil || e.Serial.Sign() <= 0 || !e.Reason.Valid() || e.InvalidAt.UTC().Year() > 9999 {
		b.SetError(errors.New("entry without a positive serial, a known reason or a possible date"))
		return
	}
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(e.Serial)
		addTime(b, e.RevokedAt)
		var list []Extension
		if e.HasReason || e.Reason != Unspecified {
			list = append(list, Extension{OID: extReason, Value: []byte{byte(cbasn1.ENUM), 1, byte(e.Reason)}})
		}
		if !e.InvalidAt.IsZero() {
			list = append(list, Extension{OID: extInvalidityDate, Value: invalidity(e.InvalidAt)})
		}
		if list != nil {
			addExtensions(b, list)
		}
	})
}

// invalidity writes an invalidityDate.
func invalidity(t time.Time) []byte {
	return append([]byte{byte(cbasn1.GeneralizedTime), 15}, t.UTC().Format("20060102150405Z")...)
}

func (t *ListTemplate) extensions(issuer *Certificate) ([]Extension, error) {
	id := issuer.SubjectKeyID
	if id == nil {
		id = algid.KeyID(issuer.PublicKey)
	}
	var key cryptobyte.Builder
	key.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(context(0), func(b *cryptobyte.Builder) { b.AddBytes(id) })
	})
	keyDER, err := key.Bytes()
	if err != nil {
		return nil, err
	}
	var number cryptobyte.Builder
	number.AddASN1BigInt(t.Number)
	list := []Extension{{OID: extAuthorityKeyID, Value: keyDER}, {OID: extCRLNumber, Value: number.BytesOrPanic()}}
	if t.BaseNumber != nil {
		var base cryptobyte.Builder
		base.AddASN1BigInt(t.BaseNumber)
		list = append(list, Extension{OID: extDeltaCRL, Critical: true, Value: base.BytesOrPanic()})
	}
	return list, nil
}

// CreateRevocationList writes and signs a list with the issuer's key.
func CreateRevocationList(rand io.Reader, key crypto.Signer, issuer *Certificate, t ListTemplate) ([]byte, error) {
	tbs, err := t.TBS(issuer)
	if err != nil {
		return nil, err
	}
	sig, err := algid.SignatureFor(issuer.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("create revocation list: %w", err)
	}
	der, err := signed(rand, key, sig, tbs)
	if err != nil {
		return nil, fmt.Errorf("create revocation list: %w", err)
	}
	return der, nil
}
