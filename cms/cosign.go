package cms

import (
	"bytes"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/algid"
	"senim/internal/ber"
)

func addSigner(rand io.Reader, existing []byte, o Options) ([]byte, error) {
	sd, err := parse(existing)
	if err != nil {
		return nil, fmt.Errorf("adding signer: %w", err)
	}
	sig, err := o.check()
	if err != nil {
		return nil, fmt.Errorf("adding signer: %w", err)
	}
	digest, err := sd.digestFor(&o, sig.Hash())
	if err != nil {
		return nil, fmt.Errorf("adding signer: %w", err)
	}
	info, err := o.signerInfo(rand, sig, sd.contentType, digest)
	if err != nil {
		return nil, fmt.Errorf("adding signer: %w", err)
	}
	p := sd.parts
	if o.SubjectKeyID {
		p.version = max(p.version, 3) // RFC 5652 §5.1
	}
	p.hashes = append(slices.Clone(p.hashes), sig.Hash().Identifier())
	p.signers = append([][]byte{info}, p.signers...)
	if len(p.signers) > MaxSigners {
		return nil, fmt.Errorf("adding signer: more than %d signers", MaxSigners)
	}
	known := func(c []byte) bool { return bytes.Equal(c, o.Certificate.Raw) }
	if !o.OmitCertificate && !slices.ContainsFunc(p.certificates, known) {
		p.certificates = append([][]byte{o.Certificate.Raw}, p.certificates...)
	}
	return p.assemble()
}

// digestFor gives the digest the new signer signs, after a look that it is of what the others
// signed: nobody should co-sign another document by mistake.
func (sd *SignedData) digestFor(o *Options, h algid.Hash) ([]byte, error) {
	content := o.Content
	switch {
	case sd.attached && (o.Digest != nil || content != nil && !bytes.Equal(content, sd.content)):
		return nil, ErrContentTwice
	case sd.attached:
		content = sd.content
	case content == nil && o.Digest == nil:
		return nil, ErrDetached
	case content != nil && o.Digest != nil:
		return nil, errors.New("both content and digest are given")
	}
	digest := func(h algid.Hash) []byte { return h.Sum(content) }
	if o.Digest != nil {
		digest = func(other algid.Hash) []byte {
			if other != h {
				return nil // another algorithm: cannot be compared
			}
			return o.Digest
		}
	}
	for _, s := range sd.signers {
		if got := digest(s.Hash); s.MessageDigest != nil && got != nil && !bytes.Equal(got, s.MessageDigest) {
			return nil, ErrDigest
		}
	}
	return digest(h), nil
}

func addTimestamp(existing []byte, i int, token []byte) ([]byte, error) {
	t, err := parse(token)
	if err != nil {
		return nil, fmt.Errorf("adding time-stamp: token: %w", err)
	}
	return addUnsigned(existing, i, oidTimestamp, t.raw)
}

func addUnsigned(existing []byte, i int, oid asn1.ObjectIdentifier, value []byte) ([]byte, error) {
	sd, err := parse(existing)
	if err != nil {
		return nil, fmt.Errorf("adding attribute: %w", err)
	}
	if i < 0 || i >= len(sd.signers) {
		return nil, fmt.Errorf("adding attribute: no signer %d", i)
	}
	if !ber.IsDER(value) {
		return nil, errors.New("adding attribute: value is not DER")
	}
	info, err := sd.signers[i].withUnsigned(oid, value)
	if err != nil {
		return nil, fmt.Errorf("adding attribute: %w", err)
	}
	p := sd.parts
	p.signers = slices.Clone(p.signers)
	p.signers[i] = info
	return p.assemble()
}

// split separates the fields of a SignerInfo a signature speaks for from the unsigned attributes.
func (s *Signer) split() (kept []byte, unsigned cryptobyte.String, err error) {
	in := cryptobyte.String(s.raw)
	var info cryptobyte.String
	if !in.ReadASN1(&info, cbasn1.SEQUENCE) {
		return nil, nil, errShape
	}
	for !info.Empty() {
		var e cryptobyte.String
		var tag cbasn1.Tag
		if !info.ReadAnyASN1Element(&e, &tag) {
			return nil, nil, errShape
		}
		if tag == tag1 {
			e.ReadASN1(&unsigned, tag1)
			continue
		}
		kept = append(kept, e...)
	}
	return kept, unsigned, nil
}

// withUnsigned writes the SignerInfo again with one more unsigned attribute; all else keeps its bytes.
func (s *Signer) withUnsigned(oid asn1.ObjectIdentifier, value []byte) ([]byte, error) {
	added, err := attribute(oid, func(b *cryptobyte.Builder) { b.AddBytes(value) })
	if err != nil {
		return nil, err
	}
	kept, unsigned, err := s.split()
	if err != nil {
		return nil, err
	}
	list, err := elements(unsigned, maxAttributes-1)
	if err != nil {
		return nil, err
	}
	set, err := setOf(append(list, added))
	if err != nil {
		return nil, err
	}
	set[0] = byte(tag1)
	return sequence(func(b *cryptobyte.Builder) {
		b.AddBytes(kept)
		b.AddBytes(set)
	})
}
