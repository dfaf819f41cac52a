package web

import (
	"encoding/base64"

	"senim/internal/auth"
	"senim/pki"
)

// certificateValue is the value of a session that holds the certificate it was opened with.
const certificateValue = "cert"

// SignInWith opens a session by a proved certificate and keeps it for [Request.Certificate].
func (r *Request) SignInWith(p *auth.Proof) error {
	s := auth.SessionOf(p)
	s.Values = KeepCertificate(map[string]string{}, p.Certificate)
	return r.SignIn(s)
}

// KeepCertificate adds a proved certificate to the values of a session, which keeps it under every new
// id and is checked again by it.
func KeepCertificate(values map[string]string, cert *pki.Certificate) map[string]string {
	values[certificateValue] = base64.StdEncoding.EncodeToString(cert.Raw)
	return values
}

// Certificate is the one the session was opened with; an error in any other session.
func (r *Request) Certificate() (*pki.Certificate, error) {
	der, err := base64.StdEncoding.DecodeString(r.Value(certificateValue))
	if err != nil {
		return nil, err
	}
	return pki.ParseCertificate(der)
}
