// Package paper tells what a scan of a paper is: by its first bytes, never by its name, and not longer than [Max].
//
// It refuses everything but PDF, JPEG and PNG. What a scan says inside is not looked at: it is given to people as a
// file, and shown by no page of ours.
package paper

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
)

// Max bounds a scan, in bytes.
const Max = 5 << 20

// Errors of [Read].
var (
	ErrTooLarge = errors.New("the scan is longer than 5 MiB")
	ErrKind     = errors.New("the scan is neither PDF nor JPEG nor PNG")
)

// Scan describes a scan; it is kept sealed beside what it is about. The zero Scan: there is none.
type Scan struct {
	Type string // application/pdf, image/jpeg or image/png
	Hash string // SHA-256, hexadecimal
	Size int
}

// Read describes a scan, or refuses it with [ErrTooLarge] or [ErrKind].
func Read(b []byte) (Scan, error) {
	if len(b) > Max {
		return Scan{}, ErrTooLarge
	}
	for kind, begin := range map[string]string{"application/pdf": "%PDF-", "image/jpeg": "\xff\xd8\xff", "image/png": "\x89PNG\r\n\x1a\n"} {
		if strings.HasPrefix(string(b[:min(len(b), 16)]), begin) {
			sum := sha256.Sum256(b)
			return Scan{Type: kind, Hash: hex.EncodeToString(sum[:]), Size: len(b)}, nil
		}
	}
	return Scan{}, ErrKind
}

// Ext is the end of a file's name for the scan, with its dot.
func (s Scan) Ext() string {
	switch s.Type {
	case "application/pdf":
		return ".pdf"
	case "image/jpeg":
		return ".jpg"
	case "image/png":
		return ".png"
	}
	return ""
}
