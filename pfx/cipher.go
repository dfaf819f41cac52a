package pfx

import (
	"crypto/cipher"
	"crypto/des"  // the national form of key files
	"crypto/sha1" // the national form of key files
	"encoding/asn1"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

const (
	maxSalt      = 1 << 10
	maxTotal     = 3 * MaxIterations // of one whole file: a wrong file must not hold a processor
	modernRounds = 600_000
	ncaRounds    = 1024
)

// Algorithms of RFC 7292 appendix C and RFC 8018.
var (
	oidSHA1And3DES   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 1, 3}
	oidSHA1AndRC240  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 1, 6}
	oidPBES2         = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
	oidHMACSHA1      = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 7}
	oidHMACSHA256    = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 9}
	oidAES128CBC     = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 2}
	oidAES256CBC     = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}
	oidDESEDE3CBC    = asn1.ObjectIdentifier{1, 2, 840, 113549, 3, 7}
	errParameters    = errors.New("encryption parameters cannot be read")
	errPadding       = errors.New("decrypted data is damaged")
	errIterations    = errors.New("too many iterations asked for")
	errUnknownCipher = errors.New("encryption algorithm not supported")
)

// secret is one password in the two forms the schemes want, and how much work may still be done
// with it.
type secret struct {
	bmp  []byte // PKCS #12 schemes; nil refuses them
	utf8 []byte // PBES2
	left int    // iterations
}

func newSecret(password string) *secret {
	return &secret{bmp: bmpPassword(password), utf8: []byte(password), left: maxTotal}
}

func (s *secret) wipe() {
	clear(s.bmp)
	clear(s.utf8)
}

// spend books iterations before they are made.
func (s *secret) spend(iterations int) error {
	if iterations < 1 || iterations > MaxIterations || iterations > s.left {
		return errIterations
	}
	s.left -= iterations
	return nil
}

// decrypt undoes a password-based encryption; algorithm is the DER AlgorithmIdentifier.
func (s *secret) decrypt(algorithm, data []byte) ([]byte, error) {
	block, iv, err := s.blockOf(algorithm)
	if err != nil {
		return nil, err
	}
	n := block.BlockSize()
	if len(data) == 0 || len(data)%n != 0 || len(iv) != n {
		return nil, errPadding
	}
	out := make([]byte, len(data))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(out, data)
	pad := int(out[len(out)-1])
	if pad < 1 || pad > n {
		return nil, errPadding
	}
	for _, b := range out[len(out)-pad:] {
		if int(b) != pad {
			return nil, errPadding
		}
	}
	return out[:len(out)-pad], nil
}

// blockOf derives the key (and IV) an AlgorithmIdentifier asks for.
func (s *secret) blockOf(algorithm []byte) (cipher.Block, []byte, error) {
	in := cryptobyte.String(algorithm)
	var seq cryptobyte.String
	var oid asn1.ObjectIdentifier
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !in.Empty() || !seq.ReadASN1ObjectIdentifier(&oid) {
		return nil, nil, errParameters
	}
	switch {
	case oid.Equal(oidPBES2):
		return s.pbes2(seq)
	case s.bmp != nil && (oid.Equal(oidSHA1And3DES) || oid.Equal(oidSHA1AndRC240)):
		return s.pkcs12PBE(oid, seq)
	}
	return nil, nil, fmt.Errorf("%w: %s", errUnknownCipher, oid)
}

// pkcs12PBE reads pkcs-12PbeParams, RFC 7292 appendix C.
func (s *secret) pkcs12PBE(oid asn1.ObjectIdentifier, in cryptobyte.String) (cipher.Block, []byte, error) {
	var params cryptobyte.String
	var salt []byte
	var iterations int
	if !in.ReadASN1(&params, cbasn1.SEQUENCE) || !in.Empty() ||
		!params.ReadASN1Bytes(&salt, cbasn1.OCTET_STRING) || !params.ReadASN1Integer(&iterations) || !params.Empty() ||
		len(salt) > maxSalt {
		return nil, nil, errParameters
	}
	size := 24
	if oid.Equal(oidSHA1AndRC240) {
		size = 5
	}
	if err := s.spend(iterations); err != nil {
		return nil, nil, err
	}
	key := derive(sha1.New, s.bmp, salt, iterations, idKey, size)
	defer clear(key)
	iv := derive(sha1.New, s.bmp, salt, iterations, idIV, 8)
	if size == 5 {
		return newRC2(key), iv, nil
	}
	block, err := des.NewTripleDESCipher(key)
	return block, iv, err
}

// encrypt chooses salt and IV, encrypts, and gives the AlgorithmIdentifier to write beside.
func (s *secret) encrypt(rand io.Reader, oid asn1.ObjectIdentifier, data []byte) (algorithm, out []byte, err error) {
	if oid.Equal(oidPBES2) {
		algorithm, err = newPBES2(rand)
	} else {
		algorithm, err = newPKCS12PBE(rand, oid)
	}
	if err != nil {
		return nil, nil, err
	}
	block, iv, err := s.blockOf(algorithm)
	if err != nil {
		return nil, nil, err
	}
	n := block.BlockSize()
	pad := n - len(data)%n
	out = make([]byte, len(data)+pad)
	copy(out, data)
	for i := len(data); i < len(out); i++ {
		out[i] = byte(pad)
	}
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(out, out)
	return algorithm, out, nil
}

func newPKCS12PBE(rand io.Reader, oid asn1.ObjectIdentifier) ([]byte, error) {
	salt := make([]byte, 20)
	if _, err := io.ReadFull(rand, salt); err != nil {
		return nil, err
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oid)
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1OctetString(salt)
			b.AddASN1Int64(ncaRounds)
		})
	})
	return b.Bytes()
}
