package trust

import (
	"bytes"
	"context"
	"time"

	"senim/pki"
)

// CertificateAt is [Judge.Certificate] for a moment that has passed: the path, the dates and the
// purpose as they stood then. Revocation is asked about now, and a revocation that came later leaves
// the answer good, with laterRevokedAt in the evidence. A hold that was lifted since leaves no trace.
//
// A list says nothing about certificates that have expired (RFC 5280 3.3), so that a list alone
// makes the revocation of such a one unknown.
func (j *Judge) CertificateAt(ctx context.Context, cert *pki.Certificate, p Purpose, at time.Time) Report {
	now := j.now()
	chain, trusted := j.chain(cert, at)
	c := Check{Name: CheckRevocation, Evidence: map[string]string{"serial": cert.SerialHex(), "at": stamp(at)}}
	if len(chain) < 2 {
		c.fail(Unknown, CodeUnavailable, "the issuer is not known, so nobody can be asked")
		return Report{trusted, validity(cert, at), c, purpose(cert, p)}
	}
	s := j.revocation.Status(ctx, cert, chain[1], now)
	c.take(then(s, at))
	switch {
	case s.State == StateRevoked && s.RevokedAt.After(at):
		c.Evidence["laterRevokedAt"] = stamp(s.RevokedAt)
	case c.Verdict == Good && s.Source == "crl" && now.After(cert.NotAfter):
		c.fail(Unknown, CodeUnavailable, "lists leave out certificates that have expired")
		c.Evidence["crlWhy"] = "expired"
	}
	for i := 1; i+1 < len(chain) && c.Verdict != Bad; i++ {
		if s := then(j.revocation.Status(ctx, chain[i], chain[i+1], now), at); s.State == StateRevoked {
			c.take(s)
			c.Evidence["revokedAuthority"] = chain[i].Subject.String()
		}
	}
	return Report{trusted, validity(cert, at), c, purpose(cert, p)}
}

// then is what a present answer says about an earlier moment.
func then(s Status, at time.Time) Status {
	if s.State == StateRevoked && s.RevokedAt.After(at) {
		s.State = StateGood
	}
	return s
}

// Path is the way from cert to a trusted root as it stood at a moment; nil when there is none.
func (j *Judge) Path(cert *pki.Certificate, at time.Time) []*pki.Certificate {
	path, _ := j.chain(cert, at)
	return path
}

// Forged reports that cert names one of the trusted authorities as its issuer, by name and key, and that
// it has not signed it. An authority of the same name with another key is simply unknown.
func (j *Judge) Forged(cert *pki.Certificate) bool {
	for _, a := range j.pool.Certificates() {
		if bytes.Equal(a.RawSubject, cert.RawIssuer) && bytes.Equal(a.SubjectKeyID, cert.AuthorityKeyID) {
			return cert.CheckSignatureFrom(a) != nil
		}
	}
	return false
}
