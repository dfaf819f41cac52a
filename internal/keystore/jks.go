package keystore

import (
	"bytes"
	"crypto"
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode"

	java "github.com/pavlo-v-chernykh/keystore-go/v4"

	"senim/algid"
	"senim/pfx"
	"senim/pki"
)

// jksMagic begins a Java key store.
var jksMagic = []byte{0xfe, 0xed, 0xfe, 0xed}

func isJKS(content []byte) bool { return bytes.HasPrefix(content, jksMagic) }

// Entry is the certificate of one of several keys in a Java key store.
type Entry struct {
	Alias       string
	Certificate *pki.Certificate
}

// inStore gives the keys of a store a file each; the name of a key is in its identifier, and shown after the name of the file.
func inStore(f *File) []File {
	if len(f.keys) < 2 {
		return []File{*f}
	}
	list := make([]File, 0, len(f.keys))
	for _, alias := range f.keys {
		one := *f
		one.keys = nil
		one.ID, one.Entry = entryID(f.ID, alias), alias
		one.Name += " · " + shown(alias)
		list = append(list, one)
	}
	return list
}

// entryID is the identifier of one key of a file; a file with one key has its own.
func entryID(file, alias string) string {
	if alias == "" {
		return file
	}
	return contentID([]byte(file + "\x00" + alias))
}

// shown is the name of a key as a line of a list can have it.
func shown(alias string) string {
	runes := []rune(strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) {
			return r
		}
		return unicode.ReplacementChar
	}, alias))
	if len(runes) > 64 {
		runes = append(runes[:63], '…')
	}
	return string(runes)
}

// aliasesOf names the keys of a store when there are several.
func aliasesOf(content []byte) []string {
	keys, ok := keysOfJKS(content)
	keys = slices.Compact(keys)
	if !ok || len(keys) < 2 {
		return nil
	}
	return keys[:min(len(keys), maxEntries)]
}

// besideJKS gives the certificates of a store with several keys. The password has proved that they belong to it; one
// that cannot be read is left out.
func besideJKS(content []byte, password string) (list []Entry) {
	word := []byte(password)
	defer clear(word)
	store, err := loadJKS(content, word)
	if err != nil {
		return nil
	}
	for _, alias := range aliasesOf(content) {
		chain, err := store.GetPrivateKeyEntryCertificateChain(alias)
		if err != nil || len(chain) == 0 {
			continue
		}
		if cert, err := pki.ParseCertificate(chain[0].Content); err == nil {
			list = append(list, Entry{alias, cert})
		}
	}
	return list
}

// decodeJKS opens a Java key store: the store and its key have one password, as national key files do. Which
// key is told by its alias; without one it is that which ends last.
func decodeJKS(content []byte, password, named string) (file *pfx.File, err error) {
	defer broken(&err)
	word := []byte(password)
	defer clear(word)
	store, err := loadJKS(content, word)
	if err != nil {
		return nil, err
	}
	var best *pfx.File
	for _, alias := range store.Aliases() {
		if !store.IsPrivateKeyEntry(alias) || named != "" && alias != named {
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

// loadJKS reads a store. A wrong password is [pfx.ErrPassword].
func loadJKS(content, word []byte) (java.KeyStore, error) {
	store := java.New(java.WithOrderedAliases(), java.WithCaseExactAliases(), java.WithMinPasswordLen(0))
	if !boundedJKS(content) {
		return store, errors.New("read a Java key store: its lengths are not those of the file")
	}
	if err := store.Load(bytes.NewReader(content), word); err != nil {
		// The library tells a wrong password by the digest at the end alone, and has no name for it. What
		// does not parse is told apart by its own error.
		if err.Error() == "got invalid digest" {
			return store, pfx.ErrPassword
		}
		return store, fmt.Errorf("read a Java key store: %w", err)
	}
	return store, nil
}

// broken makes an error of what the library panics with for an encrypted key that is too short.
func broken(err *error) {
	if r := recover(); r != nil {
		*err = errors.New("read a Java key store: it is broken")
	}
}

// rewriteJKS gives a store with the same entries under another password, as [rewrite] does.
func rewriteJKS(content []byte, old, password string) (changed []byte, same func([]byte) error, err error) {
	defer broken(&err)
	before, after := []byte(old), []byte(password)
	defer clear(before)
	defer clear(after)
	store, err := loadJKS(content, before)
	if err != nil {
		return nil, nil, err
	}
	aliases := store.Aliases()
	if binary.BigEndian.Uint32(content[8:]) != uint32(len(aliases)) {
		return nil, nil, errors.New("read a Java key store: two entries have one name")
	}
	for _, alias := range aliases {
		if !store.IsPrivateKeyEntry(alias) {
			continue
		}
		entry, err := store.GetPrivateKeyEntry(alias, before)
		if err != nil {
			return nil, nil, ErrSeveralPasswords
		}
		err = store.SetPrivateKeyEntry(alias, entry, after)
		clear(entry.PrivateKey)
		if err != nil {
			return nil, nil, err
		}
	}
	var b bytes.Buffer
	if err := store.Store(&b, after); err != nil {
		return nil, nil, err
	}
	return b.Bytes(), func(got []byte) error { return sameEntries(content, old, got, password) }, nil
}

// sameEntries checks that two stores hold the same, each under its password.
func sameEntries(a []byte, wordA string, b []byte, wordB string) (err error) {
	defer broken(&err)
	all, err := entries(a, wordA)
	if err != nil {
		return err
	}
	got, err := entries(b, wordB)
	if err == nil && !reflect.DeepEqual(all, got) {
		err = errors.New("the new file holds other keys")
	}
	return err
}

// entries are those of a store, by their names, with the keys opened.
func entries(content []byte, password string) (map[string]any, error) {
	word := []byte(password)
	defer clear(word)
	store, err := loadJKS(content, word)
	if err != nil {
		return nil, err
	}
	all := map[string]any{}
	for _, alias := range store.Aliases() {
		if store.IsPrivateKeyEntry(alias) {
			all[alias], err = store.GetPrivateKeyEntry(alias, word)
		} else {
			all[alias], err = store.GetTrustedCertificateEntry(alias)
		}
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// decode opens a key file of either form.
func decode(content []byte, password string) (*pfx.File, error) {
	if isJKS(content) {
		return decodeJKS(content, password, "")
	}
	return pfx.Decode(content, password)
}
