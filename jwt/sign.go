package jwt

import (
	"crypto"
	"errors"
	"fmt"
	"io"

	"senim/algid"
)

// Sign makes a token out of claims, a JSON object, which keep their order and lose only white space.
func Sign(rand io.Reader, key crypto.Signer, claims []byte) (string, error) {
	token, err := sign(rand, key, claims)
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	return token, nil
}

func sign(rand io.Reader, key crypto.Signer, claims []byte) (string, error) {
	method, err := algid.SignatureFor(key.Public())
	if err != nil {
		return "", err
	}
	name := ""
	for i := len(names) - 1; i >= 0; i-- {
		if names[i].method == method {
			name = names[i].name
		}
	}
	if name == "" {
		return "", fmt.Errorf("tokens have no name for %v", method)
	}
	if len(claims) > MaxSize {
		return "", errors.New("claims are too long")
	}
	payload, err := compact(claims)
	if err != nil {
		return "", err
	}
	if _, err := readClaims(payload); err != nil {
		return "", err
	}
	signed := encoding.EncodeToString([]byte(`{"alg":"`+name+`","typ":"JWT"}`)) + "." + encoding.EncodeToString(payload)
	value, err := method.Sign(rand, key, []byte(signed))
	if err != nil {
		return "", err
	}
	token := signed + "." + encoding.EncodeToString(value)
	if len(token) > MaxSize {
		return "", errors.New("claims are too long")
	}
	return token, nil
}
