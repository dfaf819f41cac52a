package cades

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"senim/algid"
	"senim/cms"
	"senim/pki"
	"senim/tsp"
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

func newValidation(sd *cms.SignedData, d Document, t Trust) (*validation, []cms.Verified, error) {
	if t.Pool == nil || t.At.IsZero() {
		return nil, nil, errors.New("no trust or no moment of judging was given")
	}
	v := &validation{sd: sd, trust: t, checks: new(int), proofs: map[proofKey]proof{}, digests: map[digestKey][]byte{}}
	if err := v.gather(); err != nil {
		return nil, nil, err
	}
	verified, err := v.verify(d)
	return v, verified, err
}

// gather reads what the message carries and holds it against the bounds, before anything is verified.
func (v *validation) gather() error {
	all, stamps := carriedByAll(v.sd), 0
	var authorities, found []*pki.Certificate
	seen := map[[32]byte]bool{}
	for _, s := range v.sd.Signers() {
		c, err := all.with(&s)
		if err != nil {
			return err
		}
		if stamps += len(c.stamps); stamps > cms.MaxTimestamps {
			return fmt.Errorf("more than %d time-stamps", cms.MaxTimestamps)
		}
		for _, cert := range c.found {
			if sum := cert.Fingerprint(); !seen[sum] {
				seen[sum] = true
				found = append(found, cert)
			}
		}
		v.carried = append(v.carried, c)
	}
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

// verify asks package cms about every signature.
func (v *validation) verify(d Document) ([]cms.Verified, error) {
	if d.Digest != nil {
		if d.Content != nil {
			return nil, errors.New("both content and digest are given")
		}
		v.content = func(h algid.Hash) ([]byte, bool) { return d.Digest, h == d.Hash }
		return v.sd.VerifyDigest(d.Hash, d.Digest)
	}
	verified, err := v.sd.Verify(d.Content)
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
	s := &signature{validation: v, carried: c, evidence: slices.Clone(c.evidence), existed: map[key]time.Time{}, signed: v.trust.At, out: &out}
	for _, l := range v.trust.Lists {
		s.evidence = append(s.evidence, evidence{list: l})
	}
	for _, a := range v.trust.Answers {
		s.evidence = append(s.evidence, evidence{answer: a})
	}
	out.Warnings = c.warnings
	s.warnings()
	s.stamps()
	s.judge()
	s.level()
	return out
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
	if !s.out.Certificate.ForSigning() {
		s.out.warn("the certificate is not for signing documents")
	}
	if s.trust.NoRevocation {
		s.out.warn("revocation was not looked at")
	}
}

// knownAt is when a piece is known to have existed.
func (s *signature) knownAt(k key) time.Time {
	if t, ok := s.existed[k]; ok {
		return t
	}
	return s.trust.At
}

// stamps judges the time-stamps, the outermost first: what one proves is needed for those it covers.
func (s *signature) stamps() {
	order := make([]*Timestamp, 0, len(s.carried.stamps))
	s.out.Timestamps = slices.Clone(s.carried.stamps)
	for i := range s.out.Timestamps {
		order = append(order, &s.out.Timestamps[i])
	}
	slices.SortStableFunc(order, func(a, b *Timestamp) int {
		switch {
		case a.Archive != b.Archive:
			return compareBool(b.Archive, a.Archive)
		case a.Token == nil || b.Token == nil:
			return compareBool(a.Token == nil, b.Token == nil)
		}
		return cmp.Or(b.Token.Time.Compare(a.Token.Time), len(indexed(b.Token))-len(indexed(a.Token)))
	})
	for _, t := range order {
		if t.Token == nil {
			s.out.warn("a time-stamp proves nothing: %v", t.Err)
			continue
		}
		s.stamp(t)
		if t.Err != nil {
			s.out.warn("the time-stamp of %s proves nothing: %v", t.Token.Time.Format(time.RFC3339), t.Err)
		}
	}
	slices.SortStableFunc(s.out.Timestamps, func(a, b Timestamp) int { return compareBool(a.Archive, b.Archive) })
}

// stamp judges one token and notes what it proves.
func (s *signature) stamp(t *Timestamp) {
	t.Known = s.knownAt(t.key)
	t.Err = s.covers(t)
	if t.Err != nil {
		t.Outcome = outcomeOf(t.Err)
		if errors.Is(t.Err, errNoDigest) || errors.Is(t.Err, errOldIndex) {
			t.Outcome = CannotSay
		}
		return
	}
	authority, err := t.Token.Verify()
	if err != nil {
		t.Outcome, t.Err = outcomeOf(err), err
		return
	}
	if t.Token.Time.After(t.Known.Add(skew)) {
		t.Outcome, t.Err = Invalid, fmt.Errorf("%w: %s", ErrTimeOrder, t.Known.Format(time.RFC3339))
		return
	}
	t.Judgement = s.authority(authority, t.Token.Time, t.Known)
	t.Outcome, t.Err = t.Judgement.Outcome, t.Judgement.Err
	if t.Outcome != Valid {
		return
	}
	s.warnStatus(t.Judgement)
	if t.Token.Imprint.Hash == algid.SHA1 {
		s.out.warn("the time-stamp of %s is over a weak hash, SHA-1", t.Token.Time.Format(time.RFC3339))
	}
	for _, k := range t.covered {
		s.existed[k] = earlier(s.knownAt(k), t.Token.Time)
	}
	s.signed = earlier(s.signed, t.Token.Time)
	s.out.Proved = s.signed
}

// covers checks that the token is over what it stands beside.
func (s *signature) covers(t *Timestamp) error {
	if t.Archive {
		return s.coversArchive(t)
	}
	return t.Token.Covers(s.out.Signature.SignatureValue)
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

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func appendNew(list []*pki.Certificate, c *pki.Certificate) []*pki.Certificate {
	if slices.ContainsFunc(list, func(o *pki.Certificate) bool { return bytes.Equal(o.Raw, c.Raw) }) {
		return list
	}
	return append(list, c)
}

// indexed is the hash index of a token as it stands, for sorting; nil when there is none.
func indexed(t *tsp.Token) []byte {
	x, err := indexOf(t)
	if err != nil {
		return nil
	}
	return x.raw
}
