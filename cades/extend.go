package cades

import (
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"

	"senim/algid"
	"senim/cms"
	"senim/ocsp"
	"senim/pki"
	"senim/tsp"
)

// Stamper gets a time-stamp token over an imprint, from an authority of the caller's choice. The token
// must hold the authority's certificate.
type Stamper func(tsp.Imprint) (token []byte, err error)

// Evidence is what makes LT of T: the certificates of all paths and revocation data about them (EN 319 122-1
// §5.5, level LT). Each part may be empty, the order means nothing, and nothing is trusted more than its signature.
type Evidence struct {
	Certificates []*pki.Certificate    // roots may be among them
	Lists        []*pki.RevocationList // full ones or deltas
	Answers      []*ocsp.Response      // written whole, with the responder's certificate
}

// AddTimestamp raises signer i (counted from 0) to T: a time-stamp over the value of the signature. Only
// a token that is over it, made by a certificate for time-stamping, is put in; whether that is trusted
// is [Validate]'s question.
func AddTimestamp(message []byte, i int, h algid.Hash, stamp Stamper) ([]byte, error) {
	out, err := addTimestamp(message, i, h, stamp)
	if err != nil {
		return nil, fmt.Errorf("adding time-stamp: %w", err)
	}
	return out, nil
}

func addTimestamp(message []byte, i int, h algid.Hash, stamp Stamper) ([]byte, error) {
	sd, err := roomForStamp(message, i)
	if err != nil {
		return nil, err
	}
	token, err := get(tsp.NewImprint(h, sd.Signers()[i].SignatureValue), stamp)
	if err != nil {
		return nil, err
	}
	return cms.AddTimestamp(message, i, token.Raw())
}

// AddEvidence puts certificates and revocation data into the message, those that it does not hold yet
// (EN 319 122-1 §5.5, level LT). They serve all signers. OCSP answers stand as RFC 5940 says. Nothing
// is judged: wrong evidence proves nothing later. What an archive time-stamp covers stays as it is.
func AddEvidence(message []byte, e Evidence) ([]byte, error) {
	var certificates, revocation [][]byte
	for _, c := range e.Certificates {
		certificates = append(certificates, c.Raw)
	}
	for _, l := range e.Lists {
		revocation = append(revocation, l.Raw)
	}
	for _, a := range e.Answers {
		if a.Status != ocsp.Successful {
			return nil, fmt.Errorf("adding evidence: an OCSP answer that says %v", a.Status)
		}
		var b cryptobyte.Builder
		b.AddASN1(tag1, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oidOCSPResponse)
			b.AddBytes(a.Raw)
		})
		der, err := b.Bytes()
		if err != nil {
			return nil, fmt.Errorf("adding evidence: %w", err)
		}
		revocation = append(revocation, der)
	}
	return cms.AddEvidence(message, certificates, revocation)
}

// AddArchiveTimestamp raises signer i to LTA, or renews it: a time-stamp over the document, the signature
// and everything that stands beside it now. Evidence about the authorities of the time-stamps before
// goes in first, with [AddEvidence]. The document must be the one that was signed; of one that is known
// by a digest alone, h must be the hash.
func AddArchiveTimestamp(message []byte, i int, d Document, h algid.Hash, stamp Stamper) ([]byte, error) {
	out, err := addArchiveTimestamp(message, i, d, h, stamp)
	if err != nil {
		return nil, fmt.Errorf("adding archive time-stamp: %w", err)
	}
	return out, nil
}

func addArchiveTimestamp(message []byte, i int, d Document, h algid.Hash, stamp Stamper) ([]byte, error) {
	if h == algid.SHA1 {
		return nil, errors.New("SHA-1 archives nothing")
	}
	sd, err := roomForStamp(message, i)
	if err != nil {
		return nil, err
	}
	v := &validation{sd: sd}
	verified, err := v.verify(d, h)
	if err != nil {
		return nil, err
	}
	if verified[i].Err != nil {
		return nil, verified[i].Err
	}
	content, ok := v.content(h)
	if !ok {
		return nil, errNoDigest
	}
	x, err := newIndex(sd, i, h)
	if err != nil {
		return nil, err
	}
	imprint, err := archiveImprint(sd.ContentType(), content, &verified[i].Signer, x)
	if err != nil {
		return nil, err
	}
	token, err := get(imprint, stamp)
	if err != nil {
		return nil, err
	}
	if _, err := indexOf(token); err == nil {
		return nil, errors.New("the token has a hash index already")
	}
	withIndex, err := cms.AddUnsigned(token.Raw(), 0, oidHashIndex, x.raw)
	if err != nil {
		return nil, err
	}
	return cms.AddUnsigned(message, i, oidArchiveStamp, withIndex)
}

// newIndex takes digests of everything beside signature i as it is now.
func newIndex(sd *cms.SignedData, i int, h algid.Hash) (*hashIndex, error) {
	c := carriedByAll(sd)
	own, err := c.with(&sd.Signers()[i])
	if err != nil {
		return nil, err
	}
	x := &hashIndex{hash: h}
	for _, part := range []struct {
		pieces []piece
		out    *[][]byte
	}{{own.certificates, &x.certificates}, {own.revocation, &x.revocation}, {own.attributes, &x.attributes}} {
		for _, p := range part.pieces {
			*part.out = append(*part.out, h.Sum(p.raw))
		}
	}
	if x.raw, err = x.marshal(); err != nil {
		return nil, err
	}
	return x, nil
}

// roomForStamp reads the message and looks whether one more time-stamp for signer i may be added.
func roomForStamp(message []byte, i int) (*cms.SignedData, error) {
	sd, err := cms.Parse(message)
	if err != nil {
		return nil, err
	}
	if i < 0 || i >= len(sd.Signers()) {
		return nil, fmt.Errorf("no signer %d", i)
	}
	n := 0
	for _, s := range sd.Signers() {
		for _, a := range s.Unsigned {
			if a.OID.Equal(oidSignatureStamp) || a.OID.Equal(oidArchiveStamp) {
				n += len(a.Values)
			}
		}
	}
	if n >= cms.MaxTimestamps {
		return nil, fmt.Errorf("message has %d time-stamps already", n)
	}
	return sd, nil
}

// get asks for a token and checks that it is what was asked for.
func get(imprint tsp.Imprint, stamp Stamper) (*tsp.Token, error) {
	der, err := stamp(imprint)
	if err != nil {
		return nil, err
	}
	token, err := tsp.ParseToken(der)
	if err != nil {
		return nil, err
	}
	if !token.Imprint.Equal(imprint) {
		return nil, tsp.ErrImprint
	}
	if _, err := token.Verify(); err != nil {
		return nil, err
	}
	return token, nil
}
