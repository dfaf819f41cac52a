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
// gets its reason when HasReason is set or the reason is not 0. A list of a million is written entry
// by entry with [NewListWriter].
type ListTemplate struct {
	Number     *big.Int  // of this list
	BaseNumber *big.Int  // makes it a delta to that list
	ThisUpdate time.Time // written in whole seconds, UTC
	NextUpdate time.Time // likewise
	// Points makes the list one of several that divide the issuer's certificates among them: those
	// of end entities whose CRL distribution point has one of these addresses (critical
	// issuingDistributionPoint). A delta has the points of its full list.
	Points []string
	// Freshest is where the deltas of a full list stand.
	Freshest []string
	Entries  []Entry
}

// TBS writes the exact bytes of the list to be signed with the issuer's key; put the signature on
// with [Assemble].
func (t *ListTemplate) TBS(issuer *Certificate) ([]byte, error) {
	w, err := NewListWriter(t, issuer)
	if err != nil {
		return nil, err
	}
	return w.TBS()
}

// head writes what stands before the entries.
func (t *ListTemplate) head(issuer *Certificate, sig algid.Signature) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1Int64(1)
	b.AddBytes(sig.Identifier())
	b.AddBytes(issuer.RawSubject)
	addTime(&b, t.ThisUpdate)
	addTime(&b, t.NextUpdate)
	return b.Bytes()
}

// tail writes what stands after them.
func (t *ListTemplate) tail(issuer *Certificate) ([]byte, error) {
	extensions, err := t.extensions(issuer)
	if err != nil {
		return nil, err
	}
	var b cryptobyte.Builder
	b.AddASN1(constructed(0), func(b *cryptobyte.Builder) { addExtensions(b, extensions) })
	return b.Bytes()
}

func (t *ListTemplate) check() error {
	switch {
	case t.Number == nil || t.Number.Sign() < 0 || t.ThisUpdate.IsZero() || !t.ThisUpdate.Before(t.NextUpdate):
		return errors.New("a number and an interval of time are needed")
	case t.BaseNumber != nil && t.Freshest != nil:
		return errors.New("a delta does not tell of deltas") // RFC 5280 5.2.6
	}
	return nil
}

func (t *ListTemplate) extensions(issuer *Certificate) ([]Extension, error) {
	id := issuer.SubjectKeyID
	if id == nil {
		id = algid.KeyID(issuer.PublicKey)
	}
	var list []Extension
	var failed error
	add := func(oid []int, critical bool, write func(*cryptobyte.Builder)) {
		var b cryptobyte.Builder
		write(&b)
		der, err := b.Bytes()
		if err != nil && failed == nil {
			failed = fmt.Errorf("extension %v: %w", oid, err)
		}
		list = append(list, Extension{OID: oid, Critical: critical, Value: der})
	}
	add(extAuthorityKeyID, false, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(context(0), func(b *cryptobyte.Builder) { b.AddBytes(id) })
		})
	})
	add(extCRLNumber, false, func(b *cryptobyte.Builder) { b.AddASN1BigInt(t.Number) })
	if t.BaseNumber != nil {
		add(extDeltaCRL, true, func(b *cryptobyte.Builder) { b.AddASN1BigInt(t.BaseNumber) })
	}
	if len(t.Points) > 0 {
		add(extScope, true, func(b *cryptobyte.Builder) { addScope(b, t.Points) })
	}
	if len(t.Freshest) > 0 {
		add(extFreshestCRL, false, func(b *cryptobyte.Builder) { addPoints(b, t.Freshest) })
	}
	return list, failed
}

// addScope writes an issuingDistributionPoint: these addresses, certificates of end entities only.
func addScope(b *cryptobyte.Builder, addresses []string) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(constructed(0), func(b *cryptobyte.Builder) {
			b.AddASN1(constructed(0), func(b *cryptobyte.Builder) {
				for _, a := range addresses {
					addASCII(b, context(nameURI), a)
				}
			})
		})
		b.AddASN1(context(1), func(b *cryptobyte.Builder) { b.AddUint8(0xff) })
	})
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
