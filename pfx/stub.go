package pfx

import (
	"crypto"
	"io"
)

func decode(der []byte, password string) (*File, error) { panic("not yet") }
func encode(rand io.Reader, f File, password string, form Form) ([]byte, error) {
	panic("not yet")
}
func encryptPrivateKey(rand io.Reader, key crypto.Signer, password []byte) ([]byte, error) {
	panic("not yet")
}
func decryptPrivateKey(der []byte, password []byte) (crypto.Signer, error) { panic("not yet") }
