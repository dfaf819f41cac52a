package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"time"

	"senim/internal/ca"
	"senim/internal/trust"
	"senim/pki"
)

// status answers about certificates of our own authorities from their records, so that a revocation
// counts from the moment it is recorded and no cached answer outlives it; about everybody else's it
// asks as a stranger must, by OCSP and lists.
type status struct {
	ca authority
	// issuing are the key identifiers (hex) of our issuing authorities.
	issuing map[string]bool
	others  trust.Revocation
}

func (s status) Status(ctx context.Context, cert, issuer *pki.Certificate, at time.Time) trust.Status {
	if !s.issuing[hex.EncodeToString(issuer.SubjectKeyID)] {
		return s.others.Status(ctx, cert, issuer, at)
	}
	answer := trust.Status{State: trust.StateUnknown, Source: "authority", Reason: -1,
		Evidence: map[string]string{"checkedAt": at.UTC().Format(time.RFC3339)}}
	info, err := s.ca.Certificate(ctx, cert.SerialHex())
	switch {
	case errors.Is(err, ca.ErrNotFound):
		// Our signature on a serial we have no record of: never good (security.md §5).
		answer.State, answer.RevokedAt, answer.Reason = trust.StateRevoked, time.Unix(0, 0).UTC(), int(ca.CertificateHold)
		answer.Evidence["cause"] = "never issued"
	case err != nil:
		answer.Err = err.Error()
	case !bytes.Equal(info.Raw, cert.Raw):
		// Not what we issued under this serial.
		answer.State, answer.RevokedAt, answer.Reason = trust.StateRevoked, time.Unix(0, 0).UTC(), int(ca.CertificateHold)
		answer.Evidence["cause"] = "another certificate has this serial"
	case info.Revoked != nil:
		answer.State, answer.RevokedAt, answer.Reason = trust.StateRevoked, info.Revoked.At, int(info.Revoked.Reason)
	default:
		answer.State = trust.StateGood
	}
	return answer
}
