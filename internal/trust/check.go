package trust

import (
	"context"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"

	"senim/pki"
)

// chain builds the path of cert. An expired or not yet valid leaf is a finding of its own check, so
// its path is built at the nearest moment of its life: the person learns both facts.
func (j *Judge) chain(cert *pki.Certificate, at time.Time) ([]*pki.Certificate, Check) {
	c := Check{Name: CheckChain, Evidence: map[string]string{
		"issuer": cert.Issuer.String(),
		"serial": cert.SerialHex(),
	}}
	if cert.IsCA {
		c.fail(Bad, CodeUntrusted, "the certificate of an authority is not a person's key")
		return nil, c
	}
	path, err := j.pool.Chain(cert, Within(cert, at))
	if err != nil {
		c.fail(Bad, CodeUntrusted, err.Error())
		var v *pki.ValidityError
		if errors.As(err, &v) && v.Cert != nil {
			c.Evidence["failedAt"] = v.Cert.Subject.String()
		}
		return nil, c
	}
	c.Verdict = Good
	anchor := path[len(path)-1]
	sum := anchor.Fingerprint()
	c.Evidence["anchor"] = anchor.Subject.String()
	c.Evidence["anchorSHA256"] = hex.EncodeToString(sum[:])
	c.Evidence["length"] = strconv.Itoa(len(path))
	return path, c
}

// Within moves at into the life of cert: a path is then judged apart from the dates, which are a
// finding of their own.
func Within(cert *pki.Certificate, at time.Time) time.Time {
	if at.After(cert.NotAfter) {
		return cert.NotAfter
	}
	if at.Before(cert.NotBefore) {
		return cert.NotBefore
	}
	return at
}

func validity(cert *pki.Certificate, at time.Time) Check {
	c := Check{Name: CheckValidity, Verdict: Good, Evidence: map[string]string{
		"notBefore": stamp(cert.NotBefore),
		"notAfter":  stamp(cert.NotAfter),
		"at":        stamp(at),
	}}
	switch {
	case at.Before(cert.NotBefore):
		c.Verdict, c.Code = Bad, CodeNotYetValid
	case at.After(cert.NotAfter):
		c.Verdict, c.Code = Bad, CodeExpired
	}
	return c
}

// status asks about the certificate, and about the authorities between it and the anchor. An
// authority known to be revoked fails the certificate; one whose status nobody can tell does not,
// because authorities are trusted by configuration, and withdrawn by it.
func (j *Judge) status(ctx context.Context, cert *pki.Certificate, chain []*pki.Certificate, at time.Time) Check {
	c := Check{Name: CheckRevocation, Evidence: map[string]string{"serial": cert.SerialHex()}}
	if len(chain) < 2 {
		c.fail(Unknown, CodeUnavailable, "the issuer is not known, so nobody can be asked")
		return c
	}
	s := j.revocation.Status(ctx, cert, chain[1], at)
	c.take(s)
	if c.Verdict == Bad {
		return c
	}
	for i := 1; i+1 < len(chain); i++ {
		s := j.revocation.Status(ctx, chain[i], chain[i+1], at)
		if s.State == StateRevoked {
			c.take(s)
			c.Evidence["revokedAuthority"] = chain[i].Subject.String()
			return c
		}
	}
	return c
}

// take turns an answer into the verdict of the check.
func (c *Check) take(s Status) {
	for k, v := range s.Evidence {
		c.Evidence[k] = v
	}
	if s.Source != "" {
		c.Evidence["source"] = s.Source
	}
	switch s.State {
	case StateGood:
		c.Verdict, c.Code = Good, ""
	case StateRevoked:
		c.Verdict, c.Code = Bad, CodeRevoked
		c.Evidence["revokedAt"] = stamp(s.RevokedAt)
		c.Evidence["reason"] = ReasonName(s.Reason)
	default:
		c.fail(Unknown, CodeUnavailable, s.Err)
	}
}

func purpose(cert *pki.Certificate, p Purpose) Check {
	c := Check{Name: CheckPurpose, Verdict: Good, Evidence: map[string]string{
		"keyUsage":    keyUsages(cert.KeyUsage),
		"extKeyUsage": usages(cert),
	}}
	switch p {
	case Any:
	case SignIn:
		if !cert.ForSignIn() {
			c.Verdict, c.Code = Bad, CodeNotForSignIn
		}
	case Signing:
		if !cert.ForSigning() {
			c.Verdict, c.Code = Bad, CodeNotForSigning
		}
	default:
		c.fail(Unknown, CodeUnavailable, "unknown purpose "+strconv.Itoa(int(p)))
	}
	return c
}

func usages(cert *pki.Certificate) string {
	ids := make([]string, len(cert.ExtKeyUsage))
	for i, id := range cert.ExtKeyUsage {
		ids[i] = id.String()
	}
	return strings.Join(ids, " ")
}

// bits are the names of RFC 5280 section 4.2.1.3, in the order of the bits.
var bits = [...]string{"digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement",
	"keyCertSign", "cRLSign", "encipherOnly", "decipherOnly"}

func keyUsages(u pki.KeyUsage) string {
	var names []string
	for i, name := range bits {
		if u&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}

func (c *Check) fail(v Verdict, code, why string) {
	c.Verdict, c.Code = v, code
	if why != "" {
		c.Evidence["error"] = why
	}
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// reasons are the names of RFC 5280 section 5.3.1, by number.
var reasons = [...]string{"unspecified", "keyCompromise", "cACompromise", "affiliationChanged", "superseded",
	"cessationOfOperation", "certificateHold", "", "removeFromCRL", "privilegeWithdrawn", "aACompromise"}

// ReasonName returns the name of a revocation reason, RFC 5280 section 5.3.1; "unspecified" when it
// has none.
func ReasonName(reason int) string {
	if reason < 0 || reason >= len(reasons) || reasons[reason] == "" {
		return reasons[0]
	}
	return reasons[reason]
}
