package keystore

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"

	java "github.com/pavlo-v-chernykh/keystore-go/v4"

	"senim/algid"
	"senim/pfx"
	"senim/pki"
)

// jksMagic begins a Java key store.
var jksMagic = []byte{0xfe, 0xed, 0xfe, 0xed}

func isJKS(content []byte) bool { return bytes.HasPrefix(content, jksMagic) }

// decodeJKS opens a Java key store: the store and its key have one password, as national key files do. Of
// several keys the one that ends last is taken.
func decodeJKS(content []byte, password string) (file *pfx.File, err error) {
	if !boundedJKS(content) {
		return nil, errors.New("read a Java key store: its lengths are not those of the file")
	}
	defer func() { // the library does so for an encrypted key that is too short
		if r := recover(); r != nil {
			file, err = nil, errors.New("read a Java key store: it is broken")
		}
	}()
	store := java.New(java.WithOrderedAliases(), java.WithCaseExactAliases(), java.WithMinPasswordLen(0))
	word := []byte(password)
	defer clear(word)
	if err := store.Load(bytes.NewReader(content), word); err != nil {
		// The library tells a wrong password by the digest at the end alone, and has no name for it. What
		// does not parse is told apart by its own error.
		if err.Error() == "got invalid digest" {
			return nil, pfx.ErrPassword
		}
		return nil, fmt.Errorf("read a Java key store: %w", err)
	}
	var best *pfx.File
	for _, alias := range store.Aliases() {
		if !store.IsPrivateKeyEntry(alias) {
			continue
		}
		entry, err := store.GetPrivateKeyEntry(alias, word)
		if err != nil {
			return nil, pfx.ErrPassword // the store opened: its key has another password
		}
		key, err := algid.ParsePrivateKey(entry.PrivateKey)
		clear(entry.PrivateKey)
		if err != nil || len(entry.CertificateChain) == 0 {
			return nil, errors.Join(errors.New("read a Java key store: a key without its certificate, or of an unknown kind"), err)
		}
		cert, err := pki.ParseCertificate(entry.CertificateChain[0].Content)
		if err != nil {
			return nil, fmt.Errorf("read a Java key store: %w", err)
		}
		if public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool }); !ok || !public.Equal(cert.PublicKey) {
			return nil, errors.New("read a Java key store: a key with the certificate of another")
		}
		if best == nil || cert.NotAfter.After(best.Certificate.NotAfter) {
			best = &pfx.File{Key: key, Certificate: cert, Alias: alias}
		}
	}
	if best == nil {
		return nil, errors.New("read a Java key store: there is no key in it")
	}
	return best, nil
}

// decode opens a key file of either form.
func decode(content []byte, password string) (*pfx.File, error) {
	if isJKS(content) {
		return decodeJKS(content, password)
	}
	return pfx.Decode(content, password)
}
