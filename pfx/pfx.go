// Package pfx reads and writes PKCS #12 key files (RFC 7292) as the national PKI uses them, and
// encrypted private keys (PKCS #8 with PBES2).
//
// The calls most want are [Decode] and [Encode]; [CheckPassword] is the rule for new passwords.
// Reading takes what national and common programs write: BER inside, RC2-40, 3DES or PBES2,
// SHA-1 or SHA-256, several certificates, of which the one of the key is chosen. The MAC is
// checked before anything inside is looked at; a file without a MAC, with two keys, with a key
// that is not of its certificate, or with numbers beyond the bounds of security.md §3 is refused.
//
// [Encode] writes the strong form ([Modern], the default for new files: the national library reads
// it) or that of the national CA's own files ([NCA], whose strength is that of the password alone).
// [ChangePassword] writes a file again under another password. What is written is DER.
//
// Passwords and keys are wiped from buffers of this package after use as far as Go lets one;
// they are in no error. All functions are safe for concurrent use.
package pfx

import (
	"crypto"
	"errors"
	"io"

	"senim/pki"
)

// MaxSize is the largest key file Decode looks at, in bytes.
const MaxSize = 1 << 20

// MaxIterations bounds every iteration count of a file that is read.
const MaxIterations = 2_000_000

// Errors that callers tell apart; compare with errors.Is.
var (
	// ErrPassword: the password is wrong (or the file was changed: a MAC cannot tell).
	ErrPassword = errors.New("wrong password")
	// ErrKeyMismatch: no certificate in the file is of the key.
	ErrKeyMismatch = errors.New("no certificate in the file belongs to its key")
)

// File is what a key file holds: one key, its certificate, and other certificates if any.
type File struct {
	Key         crypto.Signer      // *gost.PrivateKey or *rsa.PrivateKey
	Certificate *pki.Certificate   // its public key is that of Key
	Others      []*pki.Certificate // further certificates of the file; usually none
	Alias       string             // friendlyName; Encode writes the SKI in lower hex when it is empty
}

// Form is a way to write a key file.
type Form int

// The forms of Encode.
const (
	// Modern is PBES2 AES-256-CBC, PBKDF2-HMAC-SHA256 with 600 000 iterations, MAC HMAC-SHA256.
	Modern Form = iota
	// NCA is the form of the national CA's own files: key 3DES, certificate RC2-40, MAC
	// HMAC-SHA1, 1024 iterations. For programs that know nothing else.
	NCA
)

// Decode opens a key file. A wrong password is ErrPassword.
func Decode(der []byte, password string) (*File, error) { return decode(der, password) }

// Encode writes a key file in DER. The key must be that of the certificate.
func Encode(rand io.Reader, f File, password string, form Form) ([]byte, error) {
	return encode(rand, f, password, form)
}

// ChangePassword writes the same key, certificates and alias under another password, which must pass
// [CheckPassword]. The old file is not touched: keep it until the new one has been opened. A wrong old
// password is ErrPassword; a new one equal to it is ErrPasswordSame.
func ChangePassword(rand io.Reader, der []byte, from, to string, form Form) ([]byte, error) {
	return changePassword(rand, der, from, to, form)
}

// EncryptPrivateKey writes an EncryptedPrivateKeyInfo (RFC 5958): PBES2, AES-256-CBC,
// PBKDF2-HMAC-SHA256 with 600 000 iterations. The password may be any bytes, as 256 random bits.
func EncryptPrivateKey(rand io.Reader, key crypto.Signer, password []byte) ([]byte, error) {
	return encryptPrivateKey(rand, key, password)
}

// DecryptPrivateKey reads what EncryptPrivateKey writes, and PBES2 of the other kinds Decode
// reads. A wrong password is ErrPassword.
func DecryptPrivateKey(der []byte, password []byte) (crypto.Signer, error) {
	return decryptPrivateKey(der, password)
}
