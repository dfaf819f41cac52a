package paper

import (
	"errors"
	"testing"
)

func TestRead(t *testing.T) {
	for _, c := range []struct {
		name, body string
		size       int
		kind, ext  string
		err        error
	}{
		{name: "a document", body: "%PDF-1.7", kind: "application/pdf", ext: ".pdf"},
		{name: "a photo", body: "\xff\xd8\xff\xe0", kind: "image/jpeg", ext: ".jpg"},
		{name: "a picture", body: "\x89PNG\r\n\x1a\n", kind: "image/png", ext: ".png"},
		{name: "the longest", body: "%PDF-", size: Max, kind: "application/pdf", ext: ".pdf"},
		{name: "a byte more", body: "%PDF-", size: Max + 1, err: ErrTooLarge},
		{name: "a page", body: "<html>", err: ErrKind},
		{name: "a document behind something", body: " %PDF-", err: ErrKind},
		{name: "nothing", err: ErrKind},
	} {
		b := append([]byte(c.body), make([]byte, max(0, c.size-len(c.body)))...)
		s, err := Read(b)
		if !errors.Is(err, c.err) || s.Type != c.kind || s.Ext() != c.ext || err == nil && (s.Size != len(b) || len(s.Hash) != 64) {
			t.Errorf("%s: %+v, %v", c.name, s, err)
		}
	}
}
