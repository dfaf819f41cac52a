package ocsp

import (
	"bytes"
	"time"

	"senim/pki"
)

// Answers are answers at hand, as evidence for [senim/pki.Pool.Validate]: what a signature carries
// along, or what was just fetched. They need no order and are trusted no more than their signatures.
//
// An answer counts when [Verify] passes, its signer is the issuer itself or has nocheck (nobody is
// asked about the responder), and it covers the moment: not later than now by more than Ahead, and
// still current then, by its nextUpdate or, without one, for MaxAge. An answer later than the moment
// covers it too. Of several the worst is taken. About a certificate that had expired before the
// answer, good proves nothing: responders forget.
type Answers struct {
	Responses []*Response   // none nil
	MaxAge    time.Duration // of an answer without nextUpdate; zero is 15 minutes
	Ahead     time.Duration // how far clocks may differ; zero is 2 minutes
}

// Status implements [senim/pki.Evidence].
func (a Answers) Status(c, issuer *pki.Certificate, at, now time.Time) (revoked *pki.Entry, known bool) {
	for _, r := range a.Responses {
		s, ok := r.Find(issuer, c.Serial)
		if !ok || !a.current(s, at, now) || !r.signed(issuer, at, now) {
			continue
		}
		switch s.Status {
		case Revoked:
			return &pki.Entry{Serial: c.Serial, RevokedAt: s.RevokedAt, Reason: s.Reason, HasReason: s.HasReason, InvalidAt: s.InvalidAt}, true
		case Good:
			known = known || !s.ThisUpdate.After(c.NotAfter)
		case Unknown:
		}
	}
	return nil, known
}

// current reports whether s speaks of the moment at, as far as one knows at now.
func (a Answers) current(s Single, at, now time.Time) bool {
	age, ahead := a.MaxAge, a.Ahead
	if age == 0 {
		age = 15 * time.Minute
	}
	if ahead == 0 {
		ahead = 2 * time.Minute
	}
	end := s.NextUpdate
	if end.IsZero() {
		end = s.ThisUpdate.Add(age)
	}
	return !s.ThisUpdate.After(now.Add(ahead)) && !at.After(end)
}

// signed asks Verify. In a question about the past the responder had to be within its dates when it
// answered; it may have expired since.
func (r *Response) signed(issuer *pki.Certificate, at, now time.Time) bool {
	if now.After(at) {
		now = r.ProducedAt
	}
	signer, err := Verify(r, issuer, now)
	return err == nil && (signer.NoCheck || bytes.Equal(signer.Raw, issuer.Raw))
}
