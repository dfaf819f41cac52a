package pfx

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des" // the national form of key files
	"crypto/pbkdf2"
	"crypto/sha1" // the default of RFC 8018
	"crypto/sha256"
	"encoding/asn1"
	"fmt"
	"io"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// pbes2 reads PBES2-params, RFC 8018 appendix A.4.
func (s *secret) pbes2(in cryptobyte.String) (cipher.Block, []byte, error) {
	var params, kdf, enc cryptobyte.String
	var kdfOID, encOID asn1.ObjectIdentifier
	var iv []byte
	if !in.ReadASN1(&params, cbasn1.SEQUENCE) || !in.Empty() ||
		!params.ReadASN1(&kdf, cbasn1.SEQUENCE) || !params.ReadASN1(&enc, cbasn1.SEQUENCE) || !params.Empty() ||
		!kdf.ReadASN1ObjectIdentifier(&kdfOID) || !enc.ReadASN1ObjectIdentifier(&encOID) ||
		!enc.ReadASN1Bytes(&iv, cbasn1.OCTET_STRING) || !enc.Empty() {
		return nil, nil, errParameters
	}
	if !kdfOID.Equal(oidPBKDF2) {
		return nil, nil, fmt.Errorf("%w: key derivation %s", errUnknownCipher, kdfOID)
	}
	var size int
	newBlock := aes.NewCipher
	switch {
	case encOID.Equal(oidAES128CBC):
		size = 16
	case encOID.Equal(oidAES256CBC):
		size = 32
	case encOID.Equal(oidDESEDE3CBC):
		size, newBlock = 24, des.NewTripleDESCipher
	default:
		return nil, nil, fmt.Errorf("%w: %s", errUnknownCipher, encOID)
	}
	key, err := s.pbkdf2(kdf, size)
	if err != nil {
		return nil, nil, err
	}
	defer clear(key)
	block, err := newBlock(key)
	return block, iv, err
}

// pbkdf2 reads PBKDF2-params, RFC 8018 appendix A.2, and makes a key of size bytes.
func (s *secret) pbkdf2(in cryptobyte.String, size int) ([]byte, error) {
	var params, prf cryptobyte.String
	var salt []byte
	var iterations, length int
	if !in.ReadASN1(&params, cbasn1.SEQUENCE) || !in.Empty() ||
		!params.ReadASN1Bytes(&salt, cbasn1.OCTET_STRING) || len(salt) > maxSalt ||
		!params.ReadASN1Integer(&iterations) {
		return nil, errParameters
	}
	if params.PeekASN1Tag(cbasn1.INTEGER) && (!params.ReadASN1Integer(&length) || length != size) {
		return nil, errParameters
	}
	newHash := sha1.New // the default of the RFC
	if !params.Empty() {
		var oid asn1.ObjectIdentifier
		if !params.ReadASN1(&prf, cbasn1.SEQUENCE) || !params.Empty() || !readPlain(&prf, &oid) {
			return nil, errParameters
		}
		switch {
		case oid.Equal(oidHMACSHA1):
		case oid.Equal(oidHMACSHA256):
			newHash = sha256.New
		default:
			return nil, fmt.Errorf("%w: %s", errUnknownCipher, oid)
		}
	}
	if err := s.spend(iterations); err != nil {
		return nil, err
	}
	return pbkdf2.Key(newHash, string(s.utf8), salt, iterations, size)
}

func newPBES2(rand io.Reader) ([]byte, error) {
	salt, iv := make([]byte, 20), make([]byte, aes.BlockSize)
	if _, err := io.ReadFull(rand, salt); err != nil {
		return nil, err
	}
	if _, err := io.ReadFull(rand, iv); err != nil {
		return nil, err
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oidPBES2)
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(oidPBKDF2)
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1OctetString(salt)
					b.AddASN1Int64(modernRounds)
					b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddASN1ObjectIdentifier(oidHMACSHA256)
						b.AddASN1NULL()
					})
				})
			})
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(oidAES256CBC)
				b.AddASN1OctetString(iv)
			})
		})
	})
	return b.Bytes()
}
