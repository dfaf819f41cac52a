package tsp

import (
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/internal/ber"
)

// Request asks for a time-stamp.
type Request struct {
	Imprint     Imprint               // of what is stamped; the authority never sees more of it
	Policy      asn1.ObjectIdentifier // nil: the authority chooses
	Nonce       *big.Int              // nil: none; the answer must hold the same
	Certificate bool                  // put the authority's certificate into the token
}

// ParseRequest reads a DER TimeStampReq of at most 64 KiB.
func ParseRequest(der []byte) (*Request, error) {
	r, err := parseRequest(der)
	if err != nil {
		return nil, fmt.Errorf("parse time-stamp request: %w", err)
	}
	return r, nil
}

func parseRequest(der []byte) (*Request, error) {
	if len(der) > maxRequest {
		return nil, fmt.Errorf("%d bytes are too many", len(der))
	}
	if err := ber.Check(der); err != nil {
		return nil, err
	}
	in := cryptobyte.String(der)
	var body cryptobyte.String
	var version int
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !in.Empty() || !body.ReadASN1Integer(&version) {
		return nil, errDER
	}
	if version != 1 {
		return nil, errors.New("version not known")
	}
	r := &Request{}
	var err error
	if r.Imprint, err = readImprint(&body); err != nil {
		return nil, err
	}
	if body.PeekASN1Tag(cbasn1.OBJECT_IDENTIFIER) && !body.ReadASN1ObjectIdentifier(&r.Policy) {
		return nil, errDER
	}
	if body.PeekASN1Tag(cbasn1.INTEGER) {
		if r.Nonce, err = readInteger(&body); err != nil {
			return nil, err
		}
	}
	if body.PeekASN1Tag(cbasn1.BOOLEAN) && !body.ReadASN1Boolean(&r.Certificate) {
		return nil, errDER
	}
	if err := refuseCritical(&body, 0); err != nil {
		return nil, err
	}
	if !body.Empty() {
		return nil, errDER
	}
	return r, nil
}

// CreateRequest writes a request.
func CreateRequest(r Request) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		r.Imprint.marshal(b)
		if r.Policy != nil {
			b.AddASN1ObjectIdentifier(r.Policy)
		}
		if r.Nonce != nil {
			b.AddASN1BigInt(r.Nonce)
		}
		if r.Certificate {
			b.AddASN1Boolean(true)
		}
	})
	der, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("create time-stamp request: %w", err)
	}
	return der, nil
}
