package courier

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"senim/internal/notice"
)

// LetterSink is a way out that delivers nothing: it writes each letter into a file of a folder, for
// development. The files hold addresses and links, and are for the owner only.
type LetterSink struct {
	dir string
	*SMTP
}

// NewLetterSink checks the configuration, whose URL and Connections do not matter, and makes the folder
// when it is not there.
func NewLetterSink(c Config, dir string) (*LetterSink, error) {
	c.URL, c.Connections = "smtp://localhost?tls=none", 0
	s, err := New(c)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("new sink: %w", err)
	}
	return &LetterSink{dir, s}, nil
}

// Send writes ID.eml; a letter sent twice is one file.
func (s *LetterSink) Send(_ context.Context, l notice.Letter) error {
	m, err := s.message(l)
	if err != nil {
		return &notice.RefusedError{Code: 553}
	}
	var b bytes.Buffer
	if _, err := m.WriteTo(&b); err != nil {
		return errors.New("write letter: it cannot be written")
	}
	if err := os.WriteFile(filepath.Join(s.dir, l.ID+".eml"), b.Bytes(), 0o600); err != nil {
		return errors.New("write letter: the folder takes no file")
	}
	return nil
}
