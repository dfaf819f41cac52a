package ra

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"

	"senim/algid"
	"senim/pki"
)

// maxRequest bounds a certificate request (security.md §3).
const maxRequest = 16 << 10

func hexSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// readRequest checks one request for one key of the set: well-formed, signed by its own key
// (C-20), of the right algorithm, for this person and address, and not the key of old (C-21).
func (a *Application) readRequest(der []byte, spec KeySpec, old []Key) (Request, error) {
	if len(der) > maxRequest {
		return Request{}, refuse("REQUEST_INVALID")
	}
	req, err := pki.ParseRequest(der)
	if err != nil {
		return Request{}, &Refusal{Code: "REQUEST_INVALID", Err: err}
	}
	if err := req.CheckSignature(); err != nil {
		return Request{}, &Refusal{Code: "NO_POSSESSION", Err: err}
	}
	if (spec.Algorithm == "GOST512") != (req.Key == algid.GOST512) || (spec.Algorithm == "RSA2048") != (req.Key == algid.RSA) {
		return Request{}, refuse("REQUEST_INVALID")
	}
	h := req.Holder()
	if h.IIN != a.Subject.IIN || h.BIN != a.Subject.BIN {
		return Request{}, refuse("REQUEST_OTHER_PERSON")
	}
	if len(req.Emails) > 1 || (len(req.Emails) == 1 && req.Emails[0] != a.Email) {
		return Request{}, refuse("REQUEST_OTHER_PERSON")
	}
	for _, k := range old {
		c, err := pki.ParseCertificate(k.Raw)
		if err == nil && bytes.Equal(c.RawSPKI, req.RawSPKI) {
			return Request{}, refuse("KEY_REUSED")
		}
	}
	return Request{CSR: der, KeyHash: hexSum(req.RawSPKI), KeyID: hex.EncodeToString(algid.KeyID(req.PublicKey))}, nil
}
