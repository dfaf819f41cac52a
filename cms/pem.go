package cms

import (
	"bytes"
	"encoding/base64"
	"encoding/pem"
	"errors"
)

// EncodePEM writes a message as text: label CMS, LF, 64 columns (RFC 7468 §9).
func EncodePEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CMS", Bytes: der})
}

// Decode finds the bytes of a message in data: DER or BER as they are, PEM with label CMS, PKCS7
// or "PKCS #7 SIGNED DATA", or bare base64 with any white space. It looks at the shape only;
// [Parse] reads the result.
func Decode(data []byte) ([]byte, error) {
	if len(data) > 0 && data[0] == 0x30 {
		return data, nil
	}
	text := bytes.TrimSpace(data)
	if bytes.HasPrefix(text, []byte("-----BEGIN ")) {
		b, rest := pem.Decode(text)
		if b == nil {
			return nil, errors.New("decoding message: broken PEM")
		}
		switch b.Type {
		case "CMS", "PKCS7", "PKCS #7 SIGNED DATA":
		default:
			return nil, errors.New("decoding message: PEM holds something other than CMS")
		}
		if len(bytes.TrimSpace(rest)) != 0 {
			return nil, errors.New("decoding message: text after the PEM block")
		}
		return b.Bytes, nil
	}
	out, err := base64.StdEncoding.DecodeString(string(dropSpace(text)))
	if err != nil || len(out) == 0 {
		return nil, errors.New("decoding message: neither DER, PEM nor base64")
	}
	return out, nil
}

// dropSpace gives the text without white space.
func dropSpace(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for _, c := range b {
		switch c {
		case ' ', '\t', '\r', '\n':
		default:
			out = append(out, c)
		}
	}
	return out
}
