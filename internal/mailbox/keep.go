package mailbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"
)

// Open is [New] with the letters kept in a file between starts, for the owner only: a demo that is
// started again shows the letters it showed before. The file is written anew with every letter,
// which suits a demo's few hundred.
func Open(path string, now func() time.Time) (*Mailbox, error) {
	b := New(now)
	b.path = path
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return b, b.openTexts()
	}
	if err != nil {
		return nil, fmt.Errorf("open the mail box: %w", err)
	}
	if err := json.Unmarshal(data, &b.letters); err != nil {
		return nil, fmt.Errorf("open the mail box: %w", err)
	}
	for _, l := range b.letters {
		b.last = max(b.last, l.ID)
	}
	return b, b.openTexts()
}

// keep writes the letters down: a new file in place of the old, never half of one. b.mu is held.
func (b *Mailbox) keep() error {
	if b.path == "" {
		return nil
	}
	return keepFile(b.path, b.letters)
}

// keepFile writes a new file in place of the old.
func keepFile(path string, all any) error {
	data, err := json.Marshal(all)
	if err != nil {
		return fmt.Errorf("keep letters: %w", err)
	}
	next := path + ".new"
	if err := os.WriteFile(next, data, 0o600); err != nil {
		return fmt.Errorf("keep letters: %w", err)
	}
	if err := os.Rename(next, path); err != nil {
		return fmt.Errorf("keep letters: %w", err)
	}
	return nil
}
