package pfx

import (
	"crypto"
	"encoding/asn1"
	"errors"
	"fmt"
	"unicode/utf16"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/algid"
	"senim/pki"
)

// Bags and attributes of RFC 7292 §4.2 and RFC 2985.
var (
	oidShroudedKeyBag  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 2}
	oidCertBag         = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 3}
	oidX509Certificate = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 22, 1}
	oidFriendlyName    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 20}
	oidLocalKeyID      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 21}
)

// bags gathers what a file holds.
type bags struct {
	secret *secret
	seen   int
	key    crypto.Signer
	alias  string // of the key
	certs  []*pki.Certificate
	names  []string // friendlyName of each certificate
}

// readBags reads SafeContents.
func (b *bags) readBags(safe []byte) error {
	der, err := normal(safe)
	if err != nil {
		return err
	}
	in := cryptobyte.String(der)
	var list cryptobyte.String
	if !in.ReadASN1(&list, cbasn1.SEQUENCE) || !in.Empty() {
		return errShape
	}
	for !list.Empty() {
		var bag, value, attributes cryptobyte.String
		var oid asn1.ObjectIdentifier
		if b.seen++; b.seen > maxBags {
			return fmt.Errorf("more than %d entries", maxBags)
		}
		if !list.ReadASN1(&bag, cbasn1.SEQUENCE) || !bag.ReadASN1ObjectIdentifier(&oid) || !bag.ReadASN1(&value, tag0) ||
			(!bag.Empty() && !bag.ReadASN1(&attributes, cbasn1.SET)) || !bag.Empty() {
			return errShape
		}
		name, err := friendlyName(attributes)
		if err != nil {
			return err
		}
		switch {
		case oid.Equal(oidShroudedKeyBag):
			err = b.addKey(value, name)
		case oid.Equal(oidCertBag):
			err = b.addCertificate(value, name)
		default:
			// CRLs and secrets are nobody's here; a bare key would be one without protection.
			err = fmt.Errorf("entry of type %s is not supported", oid)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// addKey opens a shrouded key; a second key is refused, because nobody could say which is meant.
func (b *bags) addKey(value cryptobyte.String, name string) error {
	if b.key != nil {
		return errors.New("more than one key in the file")
	}
	key, err := b.secret.unshroud(value)
	if err != nil {
		return err
	}
	b.key, b.alias = key, name
	return nil
}

// unshroud reads an EncryptedPrivateKeyInfo, RFC 5958 §3.
func (s *secret) unshroud(in cryptobyte.String) (crypto.Signer, error) {
	var info, algorithm cryptobyte.String
	var data []byte
	if !in.ReadASN1(&info, cbasn1.SEQUENCE) || !in.Empty() ||
		!info.ReadASN1Element(&algorithm, cbasn1.SEQUENCE) ||
		!info.ReadASN1Bytes(&data, cbasn1.OCTET_STRING) || !info.Empty() {
		return nil, errShape
	}
	plain, err := s.decrypt(algorithm, data)
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	return algid.ParsePrivateKey(plain)
}

// addCertificate reads a CertBag. Certificates of other kinds than X.509 are refused.
func (b *bags) addCertificate(value cryptobyte.String, name string) error {
	var bag, explicit cryptobyte.String
	var oid asn1.ObjectIdentifier
	var der []byte
	if !value.ReadASN1(&bag, cbasn1.SEQUENCE) || !value.Empty() ||
		!bag.ReadASN1ObjectIdentifier(&oid) || !oid.Equal(oidX509Certificate) ||
		!bag.ReadASN1(&explicit, tag0) || !bag.Empty() ||
		!explicit.ReadASN1Bytes(&der, cbasn1.OCTET_STRING) || !explicit.Empty() {
		return errShape
	}
	cert, err := pki.ParseCertificate(append([]byte(nil), der...))
	if err != nil {
		return err
	}
	b.certs, b.names = append(b.certs, cert), append(b.names, name)
	return nil
}

// file joins the key with the certificate that is its own.
func (b *bags) file() (*File, error) {
	if b.key == nil {
		return nil, errors.New("no key in the file")
	}
	f := &File{Key: b.key, Alias: b.alias}
	for i, c := range b.certs {
		if f.Certificate == nil && samePublicKey(b.key, c) {
			f.Certificate = c
			if f.Alias == "" {
				f.Alias = b.names[i]
			}
			continue
		}
		f.Others = append(f.Others, c)
	}
	if f.Certificate == nil {
		return nil, ErrKeyMismatch
	}
	return f, nil
}

// samePublicKey tells whether the certificate is of the key.
func samePublicKey(key crypto.Signer, cert *pki.Certificate) bool {
	pub, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && cert.PublicKey != nil && pub.Equal(cert.PublicKey)
}

// friendlyName finds that attribute; "" when it is not there.
func friendlyName(attributes cryptobyte.String) (string, error) {
	for !attributes.Empty() {
		var attribute, values, value cryptobyte.String
		var oid asn1.ObjectIdentifier
		if !attributes.ReadASN1(&attribute, cbasn1.SEQUENCE) || !attribute.ReadASN1ObjectIdentifier(&oid) ||
			!attribute.ReadASN1(&values, cbasn1.SET) || !attribute.Empty() {
			return "", errShape
		}
		if !oid.Equal(oidFriendlyName) {
			continue
		}
		if !values.ReadASN1(&value, bmpString) || len(value)%2 != 0 {
			return "", errShape
		}
		units := make([]uint16, len(value)/2)
		for i := range units {
			units[i] = uint16(value[2*i])<<8 | uint16(value[2*i+1])
		}
		return string(utf16.Decode(units)), nil
	}
	return "", nil
}

const bmpString = cbasn1.Tag(30)
