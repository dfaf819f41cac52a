package ocsp

import (
	"encoding/asn1"
	"fmt"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// extensions are those we know of a request, an answer, or an answer about one certificate.
type extensions struct {
	nonce          []byte // the value inside the OCTET STRING; nil = none
	bareNonce      bool   // there was no OCTET STRING around it
	extendedRevoke bool
	invalidAt      time.Time
	archiveCutoff  time.Time
}

// readExtensions takes optional extensions inside the explicit tag n. Critical ones we do not know
// are refused (RFC 6960 4.4).
func readExtensions(in *cryptobyte.String, n uint8) (extensions, error) {
	var x extensions
	var wrapped, body cryptobyte.String
	var present bool
	if !in.ReadOptionalASN1(&wrapped, &present, constructed(n)) {
		return x, errDER
	}
	if !present {
		return x, nil
	}
	if !wrapped.ReadASN1(&body, cbasn1.SEQUENCE) || !wrapped.Empty() {
		return x, errDER
	}
	for !body.Empty() {
		var item, value cryptobyte.String
		var oid asn1.ObjectIdentifier
		var critical bool
		if !body.ReadASN1(&item, cbasn1.SEQUENCE) || !item.ReadASN1ObjectIdentifier(&oid) ||
			item.PeekASN1Tag(cbasn1.BOOLEAN) && !item.ReadASN1Boolean(&critical) ||
			!item.ReadASN1(&value, cbasn1.OCTET_STRING) || !item.Empty() {
			return x, errDER
		}
		if err := x.read(oid, critical, value); err != nil {
			return x, err
		}
	}
	return x, nil
}

func (x *extensions) read(oid asn1.ObjectIdentifier, critical bool, value cryptobyte.String) error {
	switch {
	case oid.Equal(oidNonce):
		if x.nonce != nil {
			return fmt.Errorf("nonce twice")
		}
		return x.readNonce(value)
	case oid.Equal(oidExtendedRevoke):
		x.extendedRevoke = true
	case oid.Equal(oidInvalidityDate):
		return readOnly(value, &x.invalidAt)
	case oid.Equal(oidArchiveCutoff):
		return readOnly(value, &x.archiveCutoff)
	case critical:
		return fmt.Errorf("critical extension %v not known", oid)
	}
	return nil
}

// readNonce takes an OCTET STRING (RFC 9654); old clients put the bare bytes there.
func (x *extensions) readNonce(value cryptobyte.String) error {
	inner := value
	var nonce cryptobyte.String
	if !inner.ReadASN1(&nonce, cbasn1.OCTET_STRING) || !inner.Empty() {
		nonce, x.bareNonce = value, true
	}
	if len(nonce) == 0 || len(nonce) > maxNonce {
		return fmt.Errorf("nonce of %d bytes", len(nonce))
	}
	x.nonce = nonce
	return nil
}

// readOnly takes a time and nothing after it, once.
func readOnly(value cryptobyte.String, into *time.Time) error {
	t, err := readTime(&value)
	if err != nil || !value.Empty() || !into.IsZero() {
		return errDER
	}
	*into = t
	return nil
}

// addExtensions writes those of an answer about one certificate.
func (s Single) addExtensions(b *cryptobyte.Builder) {
	if s.InvalidAt.IsZero() && s.ArchiveCutoff.IsZero() {
		return
	}
	b.AddASN1(constructed(1), func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			if !s.InvalidAt.IsZero() {
				addExtension(b, oidInvalidityDate, func(b *cryptobyte.Builder) { addTime(b, s.InvalidAt) })
			}
			if !s.ArchiveCutoff.IsZero() {
				addExtension(b, oidArchiveCutoff, func(b *cryptobyte.Builder) { addTime(b, s.ArchiveCutoff) })
			}
		})
	})
}

// add writes the extensions inside the explicit tag n; nothing when there are none.
func (x extensions) add(b *cryptobyte.Builder, n uint8) {
	if x.nonce == nil && !x.extendedRevoke {
		return
	}
	b.AddASN1(constructed(n), func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			if x.nonce != nil {
				addExtension(b, oidNonce, func(b *cryptobyte.Builder) {
					if x.bareNonce {
						b.AddBytes(x.nonce)
					} else {
						b.AddASN1OctetString(x.nonce)
					}
				})
			}
			if x.extendedRevoke {
				addExtension(b, oidExtendedRevoke, func(b *cryptobyte.Builder) { b.AddASN1NULL() })
			}
		})
	})
}

func addExtension(b *cryptobyte.Builder, oid asn1.ObjectIdentifier, value func(*cryptobyte.Builder)) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oid)
		b.AddASN1(cbasn1.OCTET_STRING, value)
	})
}
