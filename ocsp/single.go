package ocsp

import (
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/pki"
)

// Single is the answer about one certificate.
type Single struct {
	ID         CertID     // as it stands: compare it with the one asked about
	Status     Status     // Good says only: not revoked
	RevokedAt  time.Time  // when Revoked
	Reason     pki.Reason // when Revoked and HasReason
	HasReason  bool       // false: the answer does not say why
	ThisUpdate time.Time  // since when this is known to be so, UTC
	NextUpdate time.Time  // when newer knowledge is due, UTC; zero: not said
	// InvalidAt is since when the key was not to be trusted, for Revoked; zero: not said (RFC 6960 4.4.5).
	InvalidAt time.Time
	// ArchiveCutoff: certificates are answered although they expired, if after this; zero: not said
	// (RFC 6960 4.4.4).
	ArchiveCutoff time.Time
}

func readSingle(in *cryptobyte.String) (Single, error) {
	var s Single
	var body cryptobyte.String
	var err error
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) {
		return s, errDER
	}
	if s.ID, err = readCertID(&body); err != nil {
		return s, err
	}
	if err := s.readStatus(&body); err != nil {
		return s, err
	}
	if s.ThisUpdate, err = readTime(&body); err != nil {
		return s, err
	}
	var next cryptobyte.String
	var present bool
	if !body.ReadOptionalASN1(&next, &present, constructed(0)) {
		return s, errDER
	}
	if present {
		if s.NextUpdate, err = readTime(&next); err != nil || !next.Empty() {
			return s, errDER
		}
	}
	x, err := readExtensions(&body, 1)
	if err != nil {
		return s, err
	}
	if !body.Empty() {
		return s, errDER
	}
	s.InvalidAt, s.ArchiveCutoff = x.invalidAt, x.archiveCutoff
	return s, nil
}

// readStatus takes good [0] NULL, revoked [1] RevokedInfo or unknown [2] NULL, implicit.
func (s *Single) readStatus(in *cryptobyte.String) error {
	var content cryptobyte.String
	var tag cbasn1.Tag
	if !in.ReadAnyASN1(&content, &tag) {
		return errDER
	}
	switch {
	case tag == cbasn1.Tag(0).ContextSpecific() && content.Empty():
		s.Status = Good
	case tag == cbasn1.Tag(2).ContextSpecific() && content.Empty():
		s.Status = Unknown
	case tag == constructed(1):
		s.Status = Revoked
		return s.readRevoked(content)
	default:
		return errDER
	}
	return nil
}

func (s *Single) readRevoked(content cryptobyte.String) error {
	var err error
	if s.RevokedAt, err = readTime(&content); err != nil {
		return err
	}
	var wrapped cryptobyte.String
	var reason int
	if !content.ReadOptionalASN1(&wrapped, &s.HasReason, constructed(0)) || !content.Empty() {
		return errDER
	}
	if s.HasReason && (!wrapped.ReadASN1Enum(&reason) || !wrapped.Empty() || !pki.Reason(reason).Valid()) {
		return errDER
	}
	s.Reason = pki.Reason(reason)
	return nil
}

// Find returns the answer about the certificate with a serial under an issuer; false when there is
// none, which is not good. Of several, the worst counts.
func (r *Response) Find(issuer *pki.Certificate, serial *big.Int) (Single, bool) {
	var found Single
	for _, s := range r.Singles {
		if s.ID.Serial.Cmp(serial) != 0 || !s.ID.IssuedBy(issuer) {
			continue
		}
		if found.Status == 0 || s.Status == Revoked || s.Status == Unknown && found.Status == Good {
			found = s
		}
	}
	return found, found.Status != 0
}
