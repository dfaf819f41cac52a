package pki

import (
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Thin returns the list with every n-th of its entries, at most so many, and everything else byte by
// byte as it is, for a reader who cannot hold a million. Its signature is no longer good. A list that
// is not longer is returned itself.
func (l *RevocationList) Thin(most int) ([]byte, error) {
	if l.Len() <= most {
		return l.Raw, nil
	}
	each := (l.Len() + most - 1) / most
	raw, tbs := cryptobyte.String(l.Raw), cryptobyte.String(l.RawTBS)
	var signature, body cryptobyte.String
	if !raw.ReadASN1(&signature, cbasn1.SEQUENCE) || !signature.SkipASN1(cbasn1.SEQUENCE) || !tbs.ReadASN1(&body, cbasn1.SEQUENCE) {
		return nil, errDER
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for !body.Empty() {
				var element cryptobyte.String
				var tag cbasn1.Tag
				if !body.ReadAnyASN1Element(&element, &tag) {
					b.SetError(errDER)
					return
				}
				if &element[len(element)-1] == &l.body[len(l.body)-1] { // they end where the entries end
					b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { l.addEach(b, each) })
					continue
				}
				b.AddBytes(element)
			}
		})
		b.AddBytes(signature)
	})
	return b.Bytes()
}

// addEach writes every n-th entry.
func (l *RevocationList) addEach(b *cryptobyte.Builder, n int) {
	rest := cryptobyte.String(l.body)
	for i := 0; !rest.Empty(); i++ {
		var entry cryptobyte.String
		if !rest.ReadASN1Element(&entry, cbasn1.SEQUENCE) {
			b.SetError(errDER)
			return
		}
		if i%n == 0 {
			b.AddBytes(entry)
		}
	}
}
