package weakkey

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Bounds of a list.
const (
	maxList = 128 << 20
	maxLine = 1000
)

// List is keys known to be compromised, by the SHA-256 of their SubjectPublicKeyInfo. Nil is empty.
type List map[[sha256.Size]byte]struct{}

// ParseList reads a list: a line for each key, 64 hex digits, then white space and a remark, if any.
// Lines that are empty or begin with # are skipped. Anything else refuses the whole list: a key
// that was meant to be refused must not be taken because of a slip.
func ParseList(file []byte) (List, error) {
	if len(file) > maxList {
		return nil, fmt.Errorf("list of compromised keys: %d bytes, at most %d", len(file), maxList)
	}
	l := List{}
	n := 0
	for line := range bytes.Lines(file) {
		n++
		if len(line) > maxLine {
			return nil, fmt.Errorf("list of compromised keys: line %d is too long", n)
		}
		words := bytes.Fields(line)
		if len(words) == 0 || words[0][0] == '#' {
			continue
		}
		var sum [sha256.Size]byte
		if len(words[0]) != hex.EncodedLen(len(sum)) {
			return nil, fmt.Errorf("list of compromised keys: line %d does not begin with 64 hex digits", n)
		}
		if _, err := hex.Decode(sum[:], words[0]); err != nil {
			return nil, fmt.Errorf("list of compromised keys: line %d does not begin with 64 hex digits", n)
		}
		l[sum] = struct{}{}
	}
	return l, nil
}

// Has reports that a key is on the list. spki is its SubjectPublicKeyInfo as this module writes it
// (algid.MarshalPublicKey), however the asker encoded it.
func (l List) Has(spki []byte) bool {
	_, ok := l[sha256.Sum256(spki)]
	return ok
}
