package pfx

import (
	"bytes"
	"crypto"
	"crypto/sha1" // the national form of key files
	"crypto/sha256"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/algid"
	"senim/pki"
)

// protection is what differs between the forms.
type protection struct {
	key, cert  asn1.ObjectIdentifier
	mac        func() hash.Hash
	macOID     asn1.ObjectIdentifier
	iterations int
}

func (f Form) protection() (protection, error) {
	switch f {
	case NCA:
		return protection{oidSHA1And3DES, oidSHA1AndRC240, sha1.New, oidSHA1, ncaRounds}, nil
	case Modern:
		return protection{oidPBES2, oidPBES2, sha256.New, oidSHA256, modernRounds}, nil
	}
	return protection{}, fmt.Errorf("form %d is not known", int(f))
}

func encode(rand io.Reader, f File, password string, form Form) ([]byte, error) {
	s := newSecret(password)
	defer s.wipe()
	out, err := s.write(rand, f, form)
	if err != nil {
		return nil, fmt.Errorf("writing key file: %w", err)
	}
	return out, nil
}

func changePassword(rand io.Reader, der []byte, from, to string, form Form) ([]byte, error) {
	f, err := decode(der, from)
	if err != nil {
		return nil, err
	}
	if from == to {
		return nil, ErrPasswordSame
	}
	if err := CheckPassword(to); err != nil {
		return nil, err
	}
	return encode(rand, *f, to, form)
}

func (s *secret) write(rand io.Reader, f File, form Form) ([]byte, error) {
	p, err := form.protection()
	if err != nil {
		return nil, err
	}
	if f.Key == nil || f.Certificate == nil {
		return nil, errors.New("key and certificate are both needed")
	}
	if !samePublicKey(f.Key, f.Certificate) {
		return nil, ErrKeyMismatch
	}
	attributes, err := bagAttributes(f)
	if err != nil {
		return nil, err
	}
	shrouded, err := s.shroud(rand, p.key, f.Key)
	if err != nil {
		return nil, err
	}
	keySafe := bag(oidShroudedKeyBag, shrouded, attributes)
	certSafe, err := s.certificates(rand, p.cert, f, attributes)
	if err != nil {
		return nil, err
	}
	authSafe, err := sequence(dataContent(sequenceOf(keySafe)), certSafe)
	if err != nil {
		return nil, err
	}
	return s.seal(rand, p, authSafe)
}

// seal puts the MAC over the contents: the whole PFX.
func (s *secret) seal(rand io.Reader, p protection, authSafe []byte) ([]byte, error) {
	salt := make([]byte, 20)
	if _, err := io.ReadFull(rand, salt); err != nil {
		return nil, err
	}
	mac := s.mac(p.mac, salt, p.iterations, authSafe)
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(3)
		dataContent(rawBytes(authSafe))(b)
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(p.macOID)
					b.AddASN1NULL()
				})
				b.AddASN1OctetString(mac)
			})
			b.AddASN1OctetString(salt)
			b.AddASN1Int64(int64(p.iterations))
		})
	})
	return b.Bytes()
}

// shroud writes an EncryptedPrivateKeyInfo.
func (s *secret) shroud(rand io.Reader, oid asn1.ObjectIdentifier, key crypto.Signer) ([]byte, error) {
	plain, err := algid.MarshalPrivateKey(key)
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	algorithm, data, err := s.encrypt(rand, oid, plain)
	if err != nil {
		return nil, err
	}
	return sequence(rawBytes(algorithm), octets(data))
}

// certificates writes the encryptedData with the certificate of the key, then the others.
func (s *secret) certificates(rand io.Reader, oid asn1.ObjectIdentifier, f File, attributes []byte) (builder, error) {
	var list []builder
	for i, c := range append([]*pki.Certificate{f.Certificate}, f.Others...) {
		var a []byte
		if i == 0 {
			a = attributes
		}
		value, err := sequence(func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oidX509Certificate) },
			inTag0(octets(c.Raw)))
		if err != nil {
			return nil, err
		}
		list = append(list, bag(oidCertBag, value, a))
	}
	plain, err := sequence(list...)
	if err != nil {
		return nil, err
	}
	algorithm, data, err := s.encrypt(rand, oid, plain)
	if err != nil {
		return nil, err
	}
	return encryptedContent(algorithm, data), nil
}

// bagAttributes writes localKeyId = SKI and friendlyName, sorted as DER wants.
func bagAttributes(f File) ([]byte, error) {
	ski := f.Certificate.SubjectKeyID
	if len(ski) == 0 {
		ski = algid.KeyID(f.Certificate.PublicKey)
	}
	alias := f.Alias
	if alias == "" {
		alias = hex.EncodeToString(ski)
	}
	name := bmpPassword(alias)
	id, err := attribute(oidLocalKeyID, octets(ski))
	if err != nil {
		return nil, err
	}
	friendly, err := attribute(oidFriendlyName, func(b *cryptobyte.Builder) {
		b.AddASN1(bmpString, rawBytes(name[:len(name)-2]))
	})
	if err != nil {
		return nil, err
	}
	if bytes.Compare(id, friendly) > 0 {
		id, friendly = friendly, id
	}
	return append(id, friendly...), nil
}
