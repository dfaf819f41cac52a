package courier

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"senim/internal/gsm"
)

// Sink is a [Texter] that sends nothing: it writes each message into a file of a folder, for
// development. The files hold phones and codes, and are for the owner only.
type Sink struct{ dir string }

// NewSink makes the folder when it is not there.
func NewSink(dir string) (*Sink, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("new sink: %w", err)
	}
	return &Sink{dir}, nil
}

// Send writes REF.txt. A message of the same Ref is refused, as [Texter] promises.
func (s *Sink) Send(_ context.Context, m SMS) ([]string, Outcome) {
	shaped, err := gsm.Shape(m.Text, gsm.MaxParts)
	if err != nil || !checked(m) {
		return nil, Outcome{State: Failed}
	}
	f, err := os.OpenFile(filepath.Join(s.dir, m.Ref+".txt"), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, Outcome{State: Failed}
	}
	_, err = fmt.Fprintf(f, "To: %s\nParts: %d\nData-Coding: %d\n\n%s\n", m.To, len(shaped.Parts), shaped.Coding, m.Text)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, Outcome{State: Uncertain}
	}
	return []string{m.Ref}, Outcome{State: Accepted}
}
