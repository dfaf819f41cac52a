package shares

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strings"
)

// A share as text: SENIM-SHARE-1, then groups of four letters and digits. The bytes are set, number,
// count, threshold, value and a checksum.
const (
	heading   = "SENIM-SHARE-1"
	checkSize = 5
	maxText   = 2048
	group     = 4
)

var letters = base32.StdEncoding.WithPadding(base32.NoPadding)

// String is the share in one line of capital letters, digits and hyphens.
func (s Share) String() string {
	body := append(append([]byte(nil), s.set[:]...), s.number, s.count, s.threshold)
	body = append(body, s.value...)
	text := letters.EncodeToString(append(body, checksum(body)...))
	var b strings.Builder
	b.WriteString(heading)
	for i := 0; i < len(text); i += group {
		b.WriteByte('-')
		b.WriteString(text[i:min(i+group, len(text))])
	}
	return b.String()
}

func checksum(body []byte) []byte {
	sum := sha256.Sum256(append([]byte("senim-share-text/1"), body...))
	return sum[:checkSize]
}

// Parse reads a share. White space, hyphens between groups and small letters are forgiven; anything
// wrong else is [ErrDamaged]. Errors never hold a part of the share.
func Parse(text string) (s Share, err error) {
	if len(text) > maxText {
		return s, fmt.Errorf("read share: more than %d bytes: %w", maxText, ErrDamaged)
	}
	clean := strings.ToUpper(strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' || r == '\t' || r == '\r' || r == '\n' {
			return -1
		}
		return r
	}, text))
	rest, ok := strings.CutPrefix(clean, strings.ReplaceAll(heading, "-", ""))
	if !ok {
		return s, fmt.Errorf("read share: it does not begin with %s: %w", heading, ErrDamaged)
	}
	raw, err := letters.DecodeString(rest)
	if err != nil || letters.EncodeToString(raw) != rest {
		return s, fmt.Errorf("read share: letters A to Z and digits 2 to 7 are wanted: %w", ErrDamaged)
	}
	if len(raw) < setSize+3+block+digestSize+checkSize {
		return s, fmt.Errorf("read share: it is cut off: %w", ErrDamaged)
	}
	body, check := raw[:len(raw)-checkSize], raw[len(raw)-checkSize:]
	copy(s.set[:], body)
	s.number, s.count, s.threshold, s.value = body[setSize], body[setSize+1], body[setSize+2], body[setSize+3:]
	if !bytes.Equal(checksum(body), check) {
		return Share{}, fmt.Errorf("read share: the checksum is another: %w", ErrDamaged)
	}
	if s.threshold < MinThreshold || s.threshold > s.count || s.count > MaxShares || s.number == 0 || s.number > s.count ||
		(len(s.value)-digestSize)%block != 0 || len(s.value) > MaxSecret+2+block+digestSize {
		return Share{}, fmt.Errorf("read share: its numbers are impossible: %w", ErrDamaged)
	}
	return s, nil
}

// ParseAll reads the shares of a file, one in a line; lines that are empty or begin with # are passed over.
func ParseAll(text []byte) ([]Share, error) {
	var all []Share
	for line := range bytes.Lines(text) {
		if line = bytes.TrimSpace(line); len(line) == 0 || line[0] == '#' {
			continue
		}
		if len(all) == MaxShares {
			return nil, fmt.Errorf("read shares: more than %d lines: %w", MaxShares, ErrDamaged)
		}
		s, err := Parse(string(line))
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}
