package main

import (
	"crypto/rand"
	"fmt"
	"time"

	"senim/dsig"
	"senim/jwt"
	"senim/pfx"
)

// signText signs in the formats that are text.
func signText(format string, key *pfx.File, data []byte, now time.Time) ([]byte, error) {
	o := dsig.Options{Key: key.Key, Certificate: key.Certificate}
	switch format {
	case "xml":
		return dsig.SignEnveloped(rand.Reader, data, o)
	case "xades":
		o.SigningTime = now
		return dsig.SignEnveloped(rand.Reader, data, o)
	case "wsse":
		return dsig.SignBody(rand.Reader, data, o)
	case "jwt":
		token, err := jwt.Sign(rand.Reader, key.Key, data)
		if err != nil {
			return nil, &hinted{err, "FILE holds the claims as one JSON object, as {\"sub\":\"IIN123456789012\",\"exp\":1788256800}"}
		}
		return []byte(token + "\n"), nil
	}
	return nil, fmt.Errorf("no signatures of format %s", format)
}
