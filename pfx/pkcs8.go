package pfx

import (
	"crypto"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/cryptobyte"

	"senim/internal/ber"
)

func encryptPrivateKey(rand io.Reader, key crypto.Signer, password []byte) ([]byte, error) {
	s := &secret{utf8: append([]byte(nil), password...), left: maxTotal}
	defer s.wipe()
	out, err := s.shroud(rand, oidPBES2, key)
	if err != nil {
		return nil, fmt.Errorf("encrypting private key: %w", err)
	}
	return out, nil
}

func decryptPrivateKey(der []byte, password []byte) (crypto.Signer, error) {
	if len(der) > MaxSize {
		return nil, fmt.Errorf("decrypting private key: larger than %d bytes", MaxSize)
	}
	if err := ber.Check(der); err != nil {
		return nil, fmt.Errorf("decrypting private key: %w", err)
	}
	s := &secret{utf8: append([]byte(nil), password...), left: maxTotal}
	defer s.wipe()
	key, err := s.unshroud(cryptobyte.String(der))
	switch {
	case err == nil:
		return key, nil
	case errors.Is(err, errShape), errors.Is(err, errParameters), errors.Is(err, errIterations), errors.Is(err, errUnknownCipher):
		return nil, fmt.Errorf("decrypting private key: %w", err)
	}
	// There is no MAC: what does not decrypt to a key was opened with another password.
	return nil, fmt.Errorf("decrypting private key: %w", ErrPassword)
}
