package cades

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"senim/algid"
	"senim/cms"
	"senim/pki"
)

// skew is how far clocks may be apart, and fresh how long an answer counts that does not say when the
// next will be (security.md §1).
const (
	skew  = 2 * time.Minute
	fresh = 15 * time.Minute
)

// validation is one call of Validate.
type validation struct {
	sd      *cms.SignedData
	trust   Trust
	pool    *pki.Pool // of trust, with the authorities found in the message
	carried []*carried
	content func(algid.Hash) ([]byte, bool) // digest of the document

	checks  *int // signatures verified for paths and evidence
	proofs  map[proofKey]proof
	digests map[digestKey][]byte
}

type digestKey struct {
	hash algid.Hash
	of   key
}

func newValidation(sd *cms.SignedData, t Trust) (*validation, error) {
	if t.Pool == nil || t.At.IsZero() {
		return nil, errors.New("no trust or no moment of judging was given")
	}
	return &validation{sd: sd, trust: t, checks: new(int), proofs: map[proofKey]proof{}, digests: map[digestKey][]byte{}}, nil
}

// all reads what the message carries and holds it against the bounds, before every signature is verified.
func (v *validation) all(d Document) ([]cms.Verified, error) {
	message := carriedByAll(v.sd)
	var beside []*carried
	for _, s := range v.sd.Signers() {
		c, err := message.with(&s)
		if err != nil {
			return nil, err
		}
		beside = append(beside, c)
	}
	if err := v.gather(beside); err != nil {
		return nil, err
	}
	return v.verify(d, v.archiveHashes()...)
}

// archiveHashes are those that archive time-stamps need of the document.
func (v *validation) archiveHashes() (hashes []algid.Hash) {
	for _, c := range v.carried {
		for i := range c.stamps {
			if t := &c.stamps[i]; t.Archive && t.Token != nil && t.Token.Imprint.Hash != 0 {
				hashes = append(hashes, t.Token.Imprint.Hash)
			}
		}
	}
	return hashes
}

// gather takes what stands beside the signatures and holds it against the bounds.
func (v *validation) gather(beside []*carried) error {
	stamps := 0
	var authorities, found []*pki.Certificate
	seen := map[[32]byte]bool{}
	for _, c := range beside {
		if stamps += len(c.stamps); stamps > cms.MaxTimestamps {
			return fmt.Errorf("more than %d time-stamps", cms.MaxTimestamps)
		}
		for _, cert := range c.found {
			if sum := cert.Fingerprint(); !seen[sum] {
				seen[sum] = true
				found = append(found, cert)
			}
		}
	}
	v.carried = beside
	if len(found) > maxCertificates {
		return fmt.Errorf("more than %d certificates", maxCertificates)
	}
	for _, cert := range found {
		if cert.IsCA {
			authorities = append(authorities, cert)
		}
	}
	v.pool = v.trust.Pool.With(authorities...)
	return nil
}

// verify asks package cms about every signature. More hashes than the signers' may be needed of a document that is
// read once.
func (v *validation) verify(d Document, more ...algid.Hash) ([]cms.Verified, error) {
	switch {
	case d.Digest != nil && d.Content != nil, d.Reader != nil && (d.Digest != nil || d.Content != nil):
		return nil, errors.New("the document is given twice")
	case d.Digest != nil:
		v.content = func(h algid.Hash) ([]byte, bool) { return d.Digest, h == d.Hash }
		return v.sd.VerifyDigest(d.Hash, d.Digest)
	case d.Reader != nil && v.sd.Detached():
		verified, digests, err := v.sd.VerifyAndDigest(d.Reader, more...)
		v.content = func(h algid.Hash) ([]byte, bool) { return digests[h], digests[h] != nil }
		return verified, err
	}
	var verified []cms.Verified
	var err error
	if d.Reader != nil {
		verified, err = v.sd.VerifyReader(d.Reader)
	} else {
		verified, err = v.sd.Verify(d.Content)
	}
	content := d.Content
	if !v.sd.Detached() {
		content = v.sd.Content()
	}
	known := map[algid.Hash][]byte{}
	v.content = func(h algid.Hash) ([]byte, bool) {
		if known[h] == nil {
			known[h] = h.Sum(content)
		}
		return known[h], true
	}
	return verified, err
}

// digest hashes a piece of the message once for each hash.
func (v *validation) digest(h algid.Hash, p piece) []byte {
	k := digestKey{h, p.key}
	if v.digests[k] == nil {
		v.digests[k] = h.Sum(p.raw)
	}
	return v.digests[k]
}

// outcomeOf tells a thing that is wrong from one that we cannot judge.
func outcomeOf(err error) Outcome {
	switch {
	case err == nil:
		return Valid
	case errors.Is(err, cms.ErrNoCertificate), errors.Is(err, algid.ErrUnknown):
		return CannotSay
	}
	return Invalid
}

// signature judges one signer.
type signature struct {
	*validation
	*carried
	evidence []evidence        // of the message, then the caller's
	existed  map[key]time.Time // when pieces are proved to have existed; absent: when judged
	signed   time.Time         // likewise the signature
	out      *Signer
}

func (v *validation) signer(verified cms.Verified, c *carried) Signer {
	out := Signer{Signature: verified, Certificate: verified.Certificate, Claimed: verified.SigningTime, JudgedAt: v.trust.At}
	if verified.Err != nil {
		out.Outcome, out.Err = outcomeOf(verified.Err), verified.Err
		if n := len(c.stamps); n > 0 {
			out.warn("%d time-stamps were not looked at", n)
		}
		return out
	}
	out.Warnings = c.warnings
	s := v.signature(c, &out)
	s.warnings()
	s.stamps()
	s.judge()
	s.level()
	return out
}

func (v *validation) signature(c *carried, out *Signer) *signature {
	s := &signature{validation: v, carried: c, evidence: slices.Clone(c.evidence), existed: map[key]time.Time{}, signed: v.trust.At, out: out}
	for _, l := range v.trust.Lists {
		s.evidence = append(s.evidence, evidence{list: l, given: revocationKey(l.Raw)})
	}
	for _, a := range v.trust.Answers {
		s.evidence = append(s.evidence, evidence{answer: a, given: revocationKey(a.Raw)})
	}
	return s
}

// warnings are those about the signature itself.
func (s *signature) warnings() {
	v := s.out.Signature
	if !v.HasSignedAttributes {
		s.out.warn("signed without attributes")
	} else if !v.SigningCertificate {
		s.out.warn("no signed attribute names the certificate")
	}
	if v.Hash == algid.SHA1 {
		s.out.warn("weak hash SHA-1")
	}
	s.aboutCertificate()
}

// aboutCertificate are the warnings that every form of signature may get.
func (s *signature) aboutCertificate() {
	if !s.out.Certificate.ForSigning() {
		s.out.warn("the certificate is not for signing documents")
	}
	if s.trust.NoRevocation {
		s.out.warn("revocation was not looked at")
	}
}

// judge decides about the signer's certificate at the proved time, or else at the moment of judging.
func (s *signature) judge() {
	out := s.out
	if !out.Proved.IsZero() {
		out.JudgedAt = out.Proved
		if out.Claimed.After(out.Proved.Add(skew)) {
			out.warn("the signer claims %s, after the time that is proved", out.Claimed.Format(time.RFC3339))
		}
	} else if out.Claimed.After(out.JudgedAt.Add(skew)) {
		out.warn("the signer claims %s, after the moment of judging", out.Claimed.Format(time.RFC3339))
	}
	out.Judgement = s.certificate(out.Certificate, out.JudgedAt, out.JudgedAt)
	out.Outcome, out.Err = out.Judgement.Outcome, out.Judgement.Err
	if out.Outcome == Invalid && out.Proved.IsZero() && s.mightBeOlder() {
		out.Outcome = CannotSay
		out.Err = fmt.Errorf("%w; a time-stamp that could not be judged may prove an earlier time", out.Err)
	}
	s.warnStatus(out.Judgement)
}

// mightBeOlder reports whether the certificate was good at the time of a token we cannot judge.
func (s *signature) mightBeOlder() bool {
	for _, t := range s.out.Timestamps {
		if t.Outcome == CannotSay && t.Token != nil && t.Token.Time.Before(s.trust.At) &&
			s.certificate(s.out.Certificate, t.Token.Time, t.Token.Time).Outcome != Invalid {
			return true
		}
	}
	return false
}

// warnStatus says what was let pass.
func (s *signature) warnStatus(j Judgement) {
	for _, st := range j.Status {
		switch {
		case st.Configured:
			s.out.warn("nobody tells whether the authority %s is revoked", st.Certificate.Subject)
		case st.Outcome == Valid && st.Revoked != nil:
			s.out.warn("certificate %s was revoked later, on %s", st.Certificate.SerialHex(), st.Revoked.RevokedAt.Format(time.RFC3339))
		case st.Outcome == Valid && st.Made.Before(j.At):
			s.out.warn("the status of certificate %s is of %s, before the moment it is judged at", st.Certificate.SerialHex(), st.Made.Format(time.RFC3339))
		}
	}
}
