package pfx

import (
	"encoding/asn1"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/internal/ber"
)

// readSafe reads AuthenticatedSafe, which NCA's programs write in BER.
func (b *bags) readSafe(authSafe []byte) error {
	der, err := normal(authSafe)
	if err != nil {
		return err
	}
	in := cryptobyte.String(der)
	var list, contentInfo cryptobyte.String
	if !in.ReadASN1(&list, cbasn1.SEQUENCE) || !in.Empty() {
		return errShape
	}
	for n := 0; !list.Empty(); n++ {
		if n == maxBags || !list.ReadASN1(&contentInfo, cbasn1.SEQUENCE) {
			return errShape
		}
		if err := b.readContent(contentInfo); err != nil {
			return err
		}
	}
	return nil
}

// readContent reads one ContentInfo: data, or encryptedData opened with the password.
func (b *bags) readContent(contentInfo cryptobyte.String) error {
	var oid asn1.ObjectIdentifier
	peek := contentInfo
	if !peek.ReadASN1ObjectIdentifier(&oid) {
		return errShape
	}
	if !oid.Equal(oidEncryptedData) {
		data, err := readData(contentInfo)
		if err != nil {
			return err
		}
		return b.readBags(data)
	}
	algorithm, data, err := readEncrypted(peek)
	if err != nil {
		return err
	}
	plain, err := b.secret.decrypt(algorithm, data)
	if err != nil {
		return err
	}
	defer clear(plain)
	return b.readBags(plain)
}

// readEncrypted reads EncryptedData, RFC 5652 §8. NCA writes the ciphertext as a constructed
// implicit string with one piece inside.
func readEncrypted(in cryptobyte.String) (algorithm, data []byte, err error) {
	var explicit, encrypted, info, alg, body cryptobyte.String
	var version int
	var oid asn1.ObjectIdentifier
	var tag cbasn1.Tag
	if !in.ReadASN1(&explicit, tag0) || !in.Empty() ||
		!explicit.ReadASN1(&encrypted, cbasn1.SEQUENCE) || !explicit.Empty() ||
		!encrypted.ReadASN1Integer(&version) || version != 0 ||
		!encrypted.ReadASN1(&info, cbasn1.SEQUENCE) || !encrypted.Empty() ||
		!info.ReadASN1ObjectIdentifier(&oid) || !oid.Equal(oidData) ||
		!info.ReadASN1Element(&alg, cbasn1.SEQUENCE) ||
		!info.ReadAnyASN1(&body, &tag) || !info.Empty() || tag|0x20 != tag0 {
		return nil, nil, errShape
	}
	data, err = ber.Joined(tag == tag0, body)
	return alg, data, err
}
