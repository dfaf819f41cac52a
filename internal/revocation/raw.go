package revocation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"senim/internal/trust"
	"senim/pki"
)

// Raw is what was signed about a certificate, to be kept: one OCSP answer, or the newest list and the delta over it.
type Raw struct {
	OCSP bool // else a list
	DER  []byte
	Ends time.Time // of the certificate of who signed it
}

// Raw gives what [Source.Status] would decide by, asked for now. An error when nobody tells.
func (s *Source) Raw(ctx context.Context, cert, issuer *pki.Certificate, at time.Time) ([]Raw, error) {
	if err := cert.CheckSignatureFrom(issuer); err != nil {
		return nil, fmt.Errorf("ask about a certificate: %w", err)
	}
	st, answer, ocspErr := s.askResponder(ctx, cert, issuer, at)
	if ocspErr == nil && st.State == trust.StateUnknown {
		ocspErr = errors.New(st.Err)
	}
	if ocspErr == nil {
		return []Raw{{OCSP: true, DER: answer.Raw, Ends: answer.Signer.NotAfter}}, nil
	}
	_, lists, err := s.askLists(ctx, cert, issuer, at)
	if err != nil {
		return nil, fmt.Errorf("ask about a certificate: ocsp: %w; lists: %w", ocspErr, err)
	}
	var all []Raw
	for _, l := range lists {
		all = append(all, Raw{DER: l.Raw, Ends: issuer.NotAfter})
	}
	return all, nil
}
