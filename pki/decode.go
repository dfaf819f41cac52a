package pki

import (
	"bytes"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Block is one object found by [Decode].
type Block struct {
	Type string // PEM type, as CERTIFICATE; "" for DER and bare base64
	DER  []byte // not parsed yet
}

// maxBlocks bounds the number of PEM blocks in a file.
const maxBlocks = 10_000

// Decode finds the objects in a file a person gives us: binary (DER, or BER of indefinite length),
// one or several PEM blocks, or bare base64 with any white space. A byte order mark is skipped.
// What the objects are is for the caller to parse; no block is an error.
func Decode(data []byte) ([]Block, error) {
	if len(data) > maxFile {
		return nil, fmt.Errorf("decode file: %d bytes are more than %d", len(data), maxFile)
	}
	if looksBinary(data) {
		return []Block{{DER: data}}, nil
	}
	text := bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if bytes.Contains(text, []byte("-----BEGIN ")) {
		return decodePEM(text)
	}
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(text)), ""))
	if err != nil || !looksBinary(der) {
		return nil, errors.New("decode file: neither DER, PEM nor base64")
	}
	return []Block{{DER: der}}, nil
}

// looksBinary reports whether data is one SEQUENCE, or begins one of indefinite length.
func looksBinary(data []byte) bool {
	if len(data) > 2 && data[0] == 0x30 && data[1] == 0x80 {
		return true
	}
	in := cryptobyte.String(data)
	var body cryptobyte.String
	return in.ReadASN1(&body, cbasn1.SEQUENCE) && in.Empty()
}

func decodePEM(text []byte) ([]Block, error) {
	var blocks []Block
	for len(blocks) < maxBlocks {
		block, rest := pem.Decode(text)
		if block == nil {
			break
		}
		blocks = append(blocks, Block{Type: block.Type, DER: block.Bytes})
		text = rest
	}
	if len(blocks) == 0 {
		return nil, errors.New("decode file: no whole PEM block")
	}
	return blocks, nil
}
