package jwt

import (
	"errors"
	"fmt"
	"strings"

	"senim/algid"
)

// Parse takes a token in compact form apart. White space around it is the caller's to cut.
func Parse(token string) (*Token, error) {
	t, err := parse(token)
	if err != nil {
		return nil, fmt.Errorf("parse token: %w", err)
	}
	return t, nil
}

func parse(token string) (*Token, error) {
	if len(token) > MaxSize {
		return nil, fmt.Errorf("%d bytes are too many", len(token))
	}
	parts := strings.SplitN(token, ".", 4)
	if len(parts) != 3 {
		return nil, errors.New("not three parts with dots between them")
	}
	var decoded [3][]byte
	for i, p := range parts {
		b, err := encoding.DecodeString(p)
		if err != nil || len(b) == 0 || encoding.EncodeToString(b) != p {
			return nil, fmt.Errorf("part %d is not base64url", i+1)
		}
		decoded[i] = b
	}
	t := &Token{Header: decoded[0], Payload: decoded[1], signature: decoded[2], signed: parts[0] + "." + parts[1]}
	if err := t.readHeader(); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	var err error
	if t.Claims, err = readClaims(t.Payload); err != nil {
		return nil, fmt.Errorf("claims: %w", err)
	}
	return t, nil
}

// readHeader reads the header, RFC 7515 §4. Members that are only hints (kid, x5t) are not looked at.
func (t *Token) readHeader() error {
	members, err := object(t.Header)
	if err != nil {
		return err
	}
	for _, name := range []string{"crit", "b64", "enc", "zip"} {
		if _, ok := members[name]; ok {
			return fmt.Errorf("member %s is not understood", name)
		}
	}
	if raw, ok := members["typ"]; ok {
		if typ, err := text(raw); err != nil || !strings.EqualFold(typ, "JWT") {
			return errors.New("type is not JWT")
		}
	}
	raw, ok := members["alg"]
	if !ok {
		return errors.New("no algorithm")
	}
	if t.Algorithm, err = text(raw); err != nil {
		return err
	}
	for _, n := range names {
		if n.name == t.Algorithm {
			t.method = n.method
			return nil
		}
	}
	return fmt.Errorf("algorithm %.20q: %w", t.Algorithm, algid.ErrUnknown)
}
