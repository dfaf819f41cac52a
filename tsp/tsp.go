// Package tsp reads, checks and writes time-stamps: proofs that some bytes existed at a time
// (RFC 3161).
//
// Whoever has a signed document calls [ParseToken], [Token.Verify] and [Token.Covers]; a client of
// an authority calls [CreateRequest] and [ParseResponse]; an authority [ParseRequest] and
// [CreateResponse], or [Refuse]. Verify proves that the key of one certificate made the token and
// that this certificate is for time-stamping and nothing else. Whether that certificate chains, was
// valid and not revoked belongs to the caller: a time-stamping authority may have another issuer
// than the signer. Package cades answers it for tokens in signatures; elsewhere the time a token proves is what
// [senim/pki.Rules] takes as At, with Now beside, to judge the signer's certificate as it was then.
//
// Refused: requests above 64 KiB, answers and tokens above 256 KiB, trailing bytes, more or fewer
// signers than one, certificates whose extended key usage is not timeStamping alone and critical,
// tokens that do not name their certificate, critical extensions. Any imprint algorithm can be
// read; one outside the table covers nothing. Values are read only and may be shared by goroutines.
package tsp

import (
	"bytes"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/algid"
)

// Bounds (spec/security.md §3).
const (
	maxRequest  = 64 << 10
	maxResponse = 256 << 10
	maxInteger  = 32 // octets of a serial or a nonce
	maxTexts    = 16
)

// Policies of the national authority; the policy chooses the key of the token.
var (
	PolicyGOST2004 = asn1.ObjectIdentifier{1, 2, 398, 3, 3, 2, 6, 1}
	PolicyRSA      = asn1.ObjectIdentifier{1, 2, 398, 3, 3, 2, 6, 2}
	PolicyGOST512  = asn1.ObjectIdentifier{1, 2, 398, 3, 3, 2, 6, 4}
)

// OIDs of the content and of the two attributes that name the certificate.
var (
	oidTSTInfo   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	oidSigningV1 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 12}
	oidSigningV2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}

	errDER = errors.New("not well-formed DER")
)

// Errors callers tell apart.
var (
	// ErrImprint: the token is over other bytes.
	ErrImprint = errors.New("time-stamp is over other bytes")
	// ErrSigner: whoever made the token is no time-stamping authority.
	ErrSigner = errors.New("not made by a time-stamping authority")
)

// Imprint is the digest a time-stamp is over.
type Imprint struct {
	Hash    algid.Hash            // zero: the algorithm is not in the table
	HashOID asn1.ObjectIdentifier // as written
	Digest  []byte                // as long as Hash wants, when it is in the table
}

// NewImprint hashes data: for a signature, the value of SignerInfo.signature.
func NewImprint(h algid.Hash, data []byte) Imprint {
	return Imprint{Hash: h, HashOID: h.OID(), Digest: h.Sum(data)}
}

// Equal reports whether both are the same digest of the same algorithm.
func (i Imprint) Equal(other Imprint) bool {
	return i.HashOID.Equal(other.HashOID) && bytes.Equal(i.Digest, other.Digest)
}

func readImprint(in *cryptobyte.String) (Imprint, error) {
	var i Imprint
	var body, digest cryptobyte.String
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) {
		return i, errDER
	}
	oid, params, err := algid.ReadIdentifier(&body)
	if err != nil {
		return i, err
	}
	if !body.ReadASN1(&digest, cbasn1.OCTET_STRING) || !body.Empty() || len(digest) == 0 || len(digest) > 128 {
		return i, errDER
	}
	i.HashOID, i.Digest = oid, digest
	if h, ok := algid.HashByOID(oid); ok {
		if len(params) != 0 && !bytes.Equal(params, []byte{5, 0}) || len(digest) != h.Size() {
			return i, errors.New("imprint not of its algorithm")
		}
		i.Hash = h
	}
	return i, nil
}

func (i Imprint) marshal(b *cryptobyte.Builder) {
	if i.Hash.Size() == 0 || len(i.Digest) != i.Hash.Size() {
		b.SetError(errors.New("imprint not of its algorithm"))
		return
	}
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(i.Hash.Identifier())
		b.AddASN1OctetString(i.Digest)
	})
}

// readInteger takes an INTEGER of at most 32 octets.
func readInteger(in *cryptobyte.String) (*big.Int, error) {
	n := new(big.Int)
	if !in.ReadASN1Integer(n) || n.BitLen() > maxInteger*8 {
		return nil, errDER
	}
	return n, nil
}

// readTime takes a genTime: GeneralizedTime with Z; a fraction of up to nine digits does not end
// in zero (RFC 3161 2.4.2).
func readTime(in *cryptobyte.String) (time.Time, error) {
	const layout = "20060102150405Z"
	var text cryptobyte.String
	if !in.ReadASN1(&text, cbasn1.GeneralizedTime) {
		return time.Time{}, errDER
	}
	whole, fraction, dotted := strings.Cut(strings.TrimSuffix(string(text), "Z"), ".")
	t, err := time.Parse(layout, whole+"Z")
	if err != nil || t.Format(layout) != whole+"Z" || text[len(text)-1] != 'Z' {
		return time.Time{}, fmt.Errorf("genTime: %w", errDER)
	}
	if !dotted {
		return t, nil
	}
	if fraction == "" || len(fraction) > 9 || strings.HasSuffix(fraction, "0") || strings.Trim(fraction, "0123456789") != "" {
		return time.Time{}, fmt.Errorf("genTime: %w", errDER)
	}
	part, err := time.ParseDuration("0." + fraction + "s")
	if err != nil {
		return time.Time{}, fmt.Errorf("genTime: %w", errDER)
	}
	return t.Add(part), nil
}

func context(n uint8) cbasn1.Tag     { return cbasn1.Tag(n).ContextSpecific() }
func constructed(n uint8) cbasn1.Tag { return context(n).Constructed() }

// refuseCritical reads optional extensions [n] IMPLICIT and refuses critical ones: we know none.
func refuseCritical(in *cryptobyte.String, n uint8) error {
	var list cryptobyte.String
	var present bool
	if !in.ReadOptionalASN1(&list, &present, constructed(n)) {
		return errDER
	}
	for !list.Empty() {
		var item cryptobyte.String
		var oid asn1.ObjectIdentifier
		var critical bool
		if !list.ReadASN1(&item, cbasn1.SEQUENCE) || !item.ReadASN1ObjectIdentifier(&oid) ||
			item.PeekASN1Tag(cbasn1.BOOLEAN) && !item.ReadASN1Boolean(&critical) ||
			!item.SkipASN1(cbasn1.OCTET_STRING) || !item.Empty() {
			return errDER
		}
		if critical {
			return fmt.Errorf("critical extension %v not known", oid)
		}
	}
	return nil
}
