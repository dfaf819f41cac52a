package caapi

import (
	"bytes"
	"context"
	"crypto"
	"net/http"

	"senim/cms"
	"senim/internal/ca"
	"senim/internal/caapi/client"
	"senim/internal/profile"
	"senim/pki"
)

func renewal(code, why string) *problem { return refuse(http.StatusUnprocessableEntity, code, why) }

// renew: the mode is named by the route and never guessed; the old key speaks for the new one.
func (s *Server) renew(ctx context.Context, in *renewInput) (*out[client.Issued], error) {
	if _, err := s.begin(ctx, in.Body.Reference); err != nil {
		return nil, s.failed(ctx, err)
	}
	// Two renewals of one certificate go one after the other, so that only the first finds it not renewed; on two nodes the
	// authority takes one order alone.
	defer s.renewing.Take(in.Serial)()
	old, err := s.mine(ctx, in.Serial)
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	cert, err := s.renewable(ctx, old)
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	csr, err := der(in.Body.CSR, "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST")
	if err != nil {
		return nil, s.failed(ctx, &ca.Refusal{Code: ca.CodeCSRInvalid, Why: err.Error()})
	}
	proof, err := der(in.Body.Proof, "CMS", "PKCS7", "SIGNED MESSAGE")
	if err != nil {
		return nil, s.failed(ctx, renewal("PROOF_INVALID", "the proof: "+err.Error()))
	}
	if err := proves(proof, csr, cert); err != nil {
		return nil, s.failed(ctx, err)
	}
	if err := sameHolder(csr, cert); err != nil {
		return nil, s.failed(ctx, err)
	}
	h := cert.Holder()
	return s.order(ctx, ca.Order{Profile: old.Profile, CSR: csr, Storage: cert.Storage, Replaces: old.Serial, Sole: true, Subject: ca.Subject{
		CommonName: h.CommonName, Surname: h.Surname, Patronymic: h.Given, IIN: h.IIN,
		Organization: h.Organization, BIN: h.BIN, UID: h.UID, System: system(cert), Email: h.Email}}, in.Body.Reference)
}

// system is the number of a registered system in the last arc of its role, 4.1.2.6.N; 0 for all others.
func system(c *pki.Certificate) int {
	role := pki.RoleInfoSystem.OID()
	for _, id := range c.ExtKeyUsage {
		if len(id) == len(role)+1 && id[:len(role)].Equal(role) {
			return id[len(role)]
		}
	}
	return 0
}

// renewable refuses what is not in force now, and what was renewed by another order.
func (s *Server) renewable(ctx context.Context, old *ca.Info) (*pki.Certificate, error) {
	if s.c.Authority.Profiles()[old.Profile].Kind != profile.Holder {
		return nil, ca.ErrNotFound // the authority's own certificates are nobody's to renew
	}
	cert, err := pki.ParseCertificate(old.Raw)
	if err != nil {
		return nil, err
	}
	now := s.c.Now()
	switch {
	case old.Revoked != nil:
		return nil, renewal("OLD_KEY_REVOKED", "a certificate that is revoked or on hold speaks for no other")
	case now.After(old.NotAfter):
		return nil, renewal("OLD_KEY_EXPIRED", "an expired key cannot renew: identify the holder and issue anew")
	case now.Before(old.NotBefore):
		return nil, renewal("OLD_KEY_NOT_YET_VALID", "the old certificate's time has not come")
	case old.ReplacedBy == "":
		return cert, nil
	}
	next, err := s.c.Authority.Certificate(ctx, old.ReplacedBy)
	if err != nil {
		return nil, err
	}
	if next.Order != callOf(ctx).order() { // this very order was interrupted and goes on
		return nil, refuse(http.StatusConflict, "ALREADY_RENEWED", "another order has renewed this certificate")
	}
	return cert, nil
}

// proves checks that the old key, and nobody else, signed the request: exactly one signer, detached,
// with the very certificate that is renewed.
func proves(proof, csr []byte, cert *pki.Certificate) error {
	sd, err := cms.Parse(proof)
	if err != nil {
		return renewal("PROOF_INVALID", "the proof is no CMS signature")
	}
	if !sd.Detached() || len(sd.Signers()) != 1 {
		return renewal("PROOF_INVALID", "the proof is a detached signature of one signer")
	}
	all, err := sd.Verify(csr)
	if err != nil || len(all) != 1 || all[0].Err != nil || all[0].Certificate == nil {
		return renewal("PROOF_INVALID", "the proof does not verify over the request")
	}
	if !bytes.Equal(all[0].Certificate.Raw, cert.Raw) {
		return renewal("PROOF_INVALID", "the proof was made with another certificate")
	}
	return nil
}

// sameHolder refuses a request that names somebody else. What it does not name is taken from the
// certificate, as everything is.
func sameHolder(csr []byte, cert *pki.Certificate) error {
	req, err := pki.ParseRequest(csr)
	if err != nil {
		return &ca.Refusal{Code: ca.CodeCSRInvalid, Why: err.Error()}
	}
	was, is := cert.Holder(), req.Holder()
	for _, pair := range [][2]string{{is.CommonName, was.CommonName}, {is.Surname, was.Surname}, {is.Given, was.Given}, {is.IIN, was.IIN},
		{is.BIN, was.BIN}, {is.Organization, was.Organization}, {is.UID, was.UID}} {
		if pair[0] != "" && pair[0] != pair[1] {
			return renewal("SUBJECT_DIFFERS", "the request names another holder than the certificate")
		}
	}
	if key, ok := req.PublicKey.(interface{ Equal(crypto.PublicKey) bool }); !ok || key.Equal(cert.PublicKey) {
		return renewal("KEY_NOT_NEW", "a renewal is for a new key")
	}
	return nil
}
