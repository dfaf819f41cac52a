package cades

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"senim/cms"
	"senim/pki"
	"senim/tsp"
)

// Renewed is a time-stamp over a list of SHA-256 digests that is kept beside a signature which is no CMS message: it
// proves when the files of the list existed, and does so again before the keys and certificates of earlier proof grow
// old. The caller made sure that the token is over the list, and that the list names the signed document.
type Renewed struct {
	Token   *tsp.Token                 // verified when the message is judged, not before
	Digests map[[sha256.Size]byte]bool // of the files on the list; only true is looked at
}

// Judge answers for a signature that is no CMS message of its own, an XML one say: by certificate c, verified by the
// package of its form, which also made sure that the tokens are over it. It says since when the signature is proved to
// exist and whether the certificate was good then, as [Validate] does; the level is not looked at. Claimed is what the
// signer says, zero when nothing. What renewed covers of the tokens, of each other and of t's lists and answers is
// proved to be as old as that.
func Judge(c *pki.Certificate, claimed time.Time, tokens []*tsp.Token, t Trust, renewed ...Renewed) (*Signer, error) {
	v, err := newValidation(nil, t)
	if err != nil {
		return nil, fmt.Errorf("judging: %w", err)
	}
	if len(tokens)+len(renewed) > cms.MaxTimestamps {
		return nil, fmt.Errorf("judging: more than %d time-stamps", cms.MaxTimestamps)
	}
	beside := &carried{}
	for _, token := range tokens {
		beside.readToken(false, token.Raw(), attributeKey(token.Raw()))
	}
	for _, r := range renewed {
		beside.readToken(true, r.Token.Raw(), attributeKey(r.Token.Raw()))
	}
	if err := errors.Join(beside.bounded(), v.gather([]*carried{beside})); err != nil {
		return nil, fmt.Errorf("judging: %w", err)
	}
	for i, r := range renewed {
		at := &beside.stamps[len(tokens)+i]
		at.covered = v.named(r.Digests, beside.stamps)
		at.Covers = len(at.covered)
	}
	out := &Signer{Signature: cms.Verified{Certificate: c}, Certificate: c, Claimed: claimed, JudgedAt: t.At, Warnings: beside.warnings}
	s := v.signature(beside, out)
	s.aboutCertificate()
	s.stamps()
	s.judge()
	return out, nil
}

// named are the tokens and the evidence given whose digests a list has.
func (v *validation) named(digests map[[sha256.Size]byte]bool, stamps []Timestamp) (keys []key) {
	for i := range stamps {
		if t := stamps[i].Token; t != nil && digests[sha256.Sum256(t.Raw())] {
			keys = append(keys, stamps[i].key)
		}
	}
	for _, l := range v.trust.Lists {
		if digests[sha256.Sum256(l.Raw)] {
			keys = append(keys, revocationKey(l.Raw))
		}
	}
	for _, a := range v.trust.Answers {
		if digests[sha256.Sum256(a.Raw)] {
			keys = append(keys, revocationKey(a.Raw))
		}
	}
	return keys
}
