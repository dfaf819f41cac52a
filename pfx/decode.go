package pfx

import (
	"crypto/hmac"
	"crypto/sha1" // the national form of key files
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"fmt"
	"hash"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/internal/ber"
)

// maxBags bounds the contents of a file, security.md §3.
const maxBags = 64

var (
	oidData          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidEncryptedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 6}
	oidSHA1          = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
	oidSHA256        = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}

	errShape = errors.New("file is not a PKCS #12 file or is damaged")

	tag0 = cbasn1.Tag(0).ContextSpecific().Constructed()
)

func decode(file []byte, password string) (*File, error) {
	if len(file) > MaxSize {
		return nil, fmt.Errorf("opening key file: larger than %d bytes", MaxSize)
	}
	s := newSecret(password)
	defer s.wipe()
	f, err := s.open(file)
	if err != nil {
		return nil, fmt.Errorf("opening key file: %w", err)
	}
	return f, nil
}

// open reads a PFX, RFC 7292 §4: the MAC first, the contents after it.
func (s *secret) open(file []byte) (*File, error) {
	der, err := normal(file)
	if err != nil {
		return nil, err
	}
	in := cryptobyte.String(der)
	var pfx, contentInfo, mac cryptobyte.String
	var version int
	if !in.ReadASN1(&pfx, cbasn1.SEQUENCE) || !in.Empty() ||
		!pfx.ReadASN1Integer(&version) || version != 3 ||
		!pfx.ReadASN1(&contentInfo, cbasn1.SEQUENCE) {
		return nil, errShape
	}
	authSafe, err := readData(contentInfo)
	if err != nil {
		return nil, err
	}
	if !pfx.ReadASN1(&mac, cbasn1.SEQUENCE) || !pfx.Empty() {
		return nil, fmt.Errorf("%w: it has no password check (MAC)", errShape)
	}
	if err := s.checkMAC(mac, authSafe); err != nil {
		return nil, err
	}
	b := bags{secret: s}
	if err := b.readSafe(authSafe); err != nil {
		return nil, err
	}
	return b.file()
}

// normal turns BER into DER and checks it to the leaves.
func normal(in []byte) ([]byte, error) {
	der, err := ber.Normalize(in)
	if err != nil {
		return nil, err
	}
	return der, ber.Check(der)
}

// readData reads the inside of a ContentInfo of type data.
func readData(contentInfo cryptobyte.String) ([]byte, error) {
	var oid asn1.ObjectIdentifier
	var explicit, octets cryptobyte.String
	if !contentInfo.ReadASN1ObjectIdentifier(&oid) || !oid.Equal(oidData) ||
		!contentInfo.ReadASN1(&explicit, tag0) || !contentInfo.Empty() ||
		!explicit.ReadASN1(&octets, cbasn1.OCTET_STRING) || !explicit.Empty() {
		return nil, errShape
	}
	return octets, nil
}

// checkMAC reads MacData and compares; what differs is the password, or everything.
func (s *secret) checkMAC(mac cryptobyte.String, authSafe []byte) error {
	var info, algorithm cryptobyte.String
	var oid asn1.ObjectIdentifier
	var want, salt []byte
	iterations := 1 // the default of RFC 7292
	if !mac.ReadASN1(&info, cbasn1.SEQUENCE) || !mac.ReadASN1Bytes(&salt, cbasn1.OCTET_STRING) ||
		(!mac.Empty() && !mac.ReadASN1Integer(&iterations)) || !mac.Empty() ||
		!info.ReadASN1(&algorithm, cbasn1.SEQUENCE) || !readPlain(&algorithm, &oid) ||
		!info.ReadASN1Bytes(&want, cbasn1.OCTET_STRING) || !info.Empty() || len(salt) > maxSalt {
		return errShape
	}
	var newHash func() hash.Hash
	switch {
	case oid.Equal(oidSHA1):
		newHash = sha1.New
	case oid.Equal(oidSHA256):
		newHash = sha256.New
	default:
		return fmt.Errorf("MAC algorithm %s is not supported", oid)
	}
	if err := s.spend(iterations); err != nil {
		return err
	}
	if !hmac.Equal(s.mac(newHash, salt, iterations, authSafe), want) {
		return ErrPassword
	}
	return nil
}

// readPlain reads the inside of an AlgorithmIdentifier without parameters: NULL or nothing.
func readPlain(in *cryptobyte.String, oid *asn1.ObjectIdentifier) bool {
	var none cryptobyte.String
	return in.ReadASN1ObjectIdentifier(oid) && (in.Empty() || in.ReadASN1(&none, cbasn1.NULL)) && in.Empty()
}

// mac is the integrity check of RFC 7292 appendix A.
func (s *secret) mac(newHash func() hash.Hash, salt []byte, iterations int, data []byte) []byte {
	key := derive(newHash, s.bmp, salt, iterations, idMAC, newHash().Size())
	defer clear(key)
	m := hmac.New(newHash, key)
	m.Write(data)
	return m.Sum(nil)
}
