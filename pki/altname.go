package pki

import (
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// readGeneralNames calls f with the tag and content of every GeneralName.
func readGeneralNames(in cryptobyte.String, f func(cbasn1.Tag, []byte) error) error {
	for n := 0; !in.Empty(); n++ {
		var content cryptobyte.String
		var tag cbasn1.Tag
		if !in.ReadAnyASN1(&content, &tag) || n == maxNames {
			return errDER
		}
		if err := f(tag, content); err != nil {
			return err
		}
	}
	return nil
}

// readAltNames returns the names of a subjectAltName.
func readAltNames(der []byte) (names []generalName, err error) {
	body, err := readWhole(der, cbasn1.SEQUENCE)
	if err != nil || body.Empty() {
		return nil, errDER
	}
	err = readGeneralNames(body, func(tag cbasn1.Tag, content []byte) error {
		n := newGeneralName(tag, content)
		if (n.kind == nameEmail || n.kind == nameHost) && (tag != context(uint8(n.kind)) || !isASCII(content)) {
			return errDER
		}
		names = append(names, n)
		return nil
	})
	return names, err
}

// texts are the values of the names of one kind.
func texts(names []generalName, kind int) (list []string) {
	for _, n := range names {
		if n.kind == kind {
			list = append(list, string(n.value))
		}
	}
	return list
}
