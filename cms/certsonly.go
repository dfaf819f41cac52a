package cms

import (
	"fmt"

	"senim/pki"
)

// CertificatesOnly writes certificates as a message without content and signers (RFC 5652 section 5,
// the "certs-only" form): the file .p7b that programs import.
func CertificatesOnly(certs []*pki.Certificate) ([]byte, error) {
	p := parts{version: 1}
	for _, c := range certs {
		p.certificates = append(p.certificates, c.Raw)
	}
	var err error
	if p.encap, err = encapsulated(oidData, nil, true); err != nil {
		return nil, fmt.Errorf("writing certificates: %w", err)
	}
	return p.assemble()
}
