package ocsp

import (
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/internal/ber"
)

// Request asks about certificates.
type Request struct {
	IDs   []CertID // at least one, at most 64
	Nonce []byte   // nil = none; 8 bytes are usual here, 32 are better
	// BareNonce: the nonce stands in its extension without the OCTET STRING of RFC 9654, as old
	// clients write it; they compare what comes back byte for byte.
	BareNonce bool
}

// ParseRequest reads a DER request of at most 64 KiB. A signature on it is skipped: nobody here
// signs requests. Answer an error with [Malformed].
func ParseRequest(der []byte) (*Request, error) {
	r, err := parseRequest(der)
	if err != nil {
		return nil, fmt.Errorf("parse ocsp request: %w", err)
	}
	return r, nil
}

func parseRequest(der []byte) (*Request, error) {
	if len(der) > maxMessage {
		return nil, fmt.Errorf("%d bytes are too many", len(der))
	}
	if err := ber.Check(der); err != nil {
		return nil, err
	}
	in := cryptobyte.String(der)
	var body, tbs, list cryptobyte.String
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !in.Empty() || !body.ReadASN1(&tbs, cbasn1.SEQUENCE) ||
		!body.SkipOptionalASN1(constructed(0)) || !body.Empty() {
		return nil, errDER
	}
	if err := readVersion(&tbs); err != nil {
		return nil, err
	}
	if !tbs.SkipOptionalASN1(constructed(1)) || !tbs.ReadASN1(&list, cbasn1.SEQUENCE) || list.Empty() {
		return nil, errDER
	}
	r := &Request{}
	for !list.Empty() {
		if len(r.IDs) == maxSingles {
			return nil, errors.New("too many certificates asked for")
		}
		var item cryptobyte.String
		if !list.ReadASN1(&item, cbasn1.SEQUENCE) {
			return nil, errDER
		}
		id, err := readCertID(&item)
		if err != nil {
			return nil, err
		}
		if _, err := readExtensions(&item, 0); err != nil || !item.Empty() {
			return nil, errDER
		}
		r.IDs = append(r.IDs, id)
	}
	x, err := readExtensions(&tbs, 2)
	if err != nil {
		return nil, err
	}
	if !tbs.Empty() {
		return nil, errDER
	}
	r.Nonce, r.BareNonce = x.nonce, x.bareNonce
	return r, nil
}

// readVersion takes an explicit version 0, which some write although it is the default.
func readVersion(in *cryptobyte.String) error {
	var wrapped cryptobyte.String
	var present bool
	var version int
	if !in.ReadOptionalASN1(&wrapped, &present, constructed(0)) {
		return errDER
	}
	if present && (!wrapped.ReadASN1Integer(&version) || !wrapped.Empty() || version != 0) {
		return errors.New("version not known")
	}
	return nil
}

// CreateRequest writes a request.
func CreateRequest(r Request) ([]byte, error) {
	if len(r.IDs) == 0 || len(r.IDs) > maxSingles || r.Nonce != nil && len(r.Nonce) == 0 || len(r.Nonce) > maxNonce {
		return nil, fmt.Errorf("create ocsp request: %d certificates, nonce of %d bytes", len(r.IDs), len(r.Nonce))
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				for _, id := range r.IDs {
					b.AddASN1(cbasn1.SEQUENCE, id.marshal)
				}
			})
			extensions{nonce: r.Nonce, bareNonce: r.BareNonce}.add(b, 2)
		})
	})
	der, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("create ocsp request: %w", err)
	}
	return der, nil
}
