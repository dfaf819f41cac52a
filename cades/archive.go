package cades

import (
	"encoding/asn1"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"

	"senim/algid"
	"senim/cms"
	"senim/tsp"
)

var (
	errNoDigest = errors.New("the document is needed: its digest is of another hash")
	errOldIndex = errors.New("its hash index is of an older form")

	oldIndexes = []asn1.ObjectIdentifier{{0, 4, 0, 1733, 2, 5}, {0, 4, 0, 19122, 1, 4}}
)

// indexOf finds the one hash index among the unsigned attributes of a token's only signer.
func indexOf(t *tsp.Token) (*hashIndex, error) {
	var found *hashIndex
	signers := t.Message().Signers()
	if len(signers) != 1 {
		return nil, tsp.ErrSigner
	}
	for _, a := range signers[0].Unsigned {
		for _, o := range oldIndexes {
			if a.OID.Equal(o) {
				return nil, errOldIndex
			}
		}
		if !a.OID.Equal(oidHashIndex) {
			continue
		}
		if found != nil || len(a.Values) != 1 {
			return nil, errors.New("archive time-stamp with several hash indexes")
		}
		var err error
		if found, err = parseIndex(a.Values[0]); err != nil {
			return nil, err
		}
	}
	if found == nil {
		return nil, errors.New("archive time-stamp without a hash index")
	}
	return found, nil
}

// coversArchive checks an archive-time-stamp-v3 (EN 319 122-1 §5.5.3): every digest of the index is of
// something in the message, and the imprint is over document, signature and index. It notes what is
// covered; what the index does not name is not.
func (s *signature) coversArchive(t *Timestamp) error {
	x, err := indexOf(t.Token)
	if err != nil {
		return err
	}
	h := t.Token.Imprint.Hash
	switch {
	case h == 0:
		return fmt.Errorf("imprint of algorithm %v: %w", t.Token.Imprint.HashOID, algid.ErrUnknown)
	case h != x.hash:
		return errors.New("hash index and imprint are of different hashes")
	case h == algid.SHA1:
		return errors.New("SHA-1 archives nothing")
	}
	content, ok := s.content(h)
	if !ok {
		return errNoDigest
	}
	want, err := archiveImprint(s.sd.ContentType(), content, &s.out.Signature.Signer, x)
	if err != nil {
		return err
	}
	if !t.Token.Imprint.Equal(want) {
		return tsp.ErrImprint
	}
	return s.match(t, x)
}

// match finds the piece of every digest in the index.
func (s *signature) match(t *Timestamp, x *hashIndex) error {
	t.covered = nil
	all := 0
	for _, part := range []struct {
		digests [][]byte
		pieces  []piece
	}{{x.certificates, s.certificates}, {x.revocation, s.revocation}, {x.attributes, s.attributes}} {
		known := map[string]key{}
		for _, p := range part.pieces {
			known[string(s.digest(x.hash, p))] = p.key
		}
		all += len(known)
		seen := map[key]bool{}
		for _, digest := range part.digests {
			k, ok := known[string(digest)]
			if !ok {
				return ErrIndex
			}
			if !seen[k] {
				seen[k] = true
				t.covered = append(t.covered, k)
			}
		}
	}
	t.Covers, t.LeavesOut = len(t.covered), all-len(t.covered)-1 // the token itself
	return nil
}

// archiveImprint is over content type, digest of the content, fields of SignerInfo, hash index.
func archiveImprint(contentType asn1.ObjectIdentifier, content []byte, s *cms.Signer, x *hashIndex) (tsp.Imprint, error) {
	var b cryptobyte.Builder
	b.AddASN1ObjectIdentifier(contentType)
	b.AddBytes(content)
	b.AddBytes(s.SignedFields())
	b.AddBytes(x.raw)
	data, err := b.Bytes()
	if err != nil {
		return tsp.Imprint{}, fmt.Errorf("imprint: %w", err)
	}
	return tsp.NewImprint(x.hash, data), nil
}
