package ceremony

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const transcriptName = "TRANSCRIPT-"

// Transcript is a text file to which lines are only added, TRANSCRIPT-DATE.txt.
type Transcript struct {
	f   *os.File
	now func() time.Time
}

// OpenTranscript opens the transcript of the day in a folder, and makes it when there is none.
func OpenTranscript(dir string, now func() time.Time) (*Transcript, error) {
	path := filepath.Join(dir, transcriptName+now().UTC().Format(time.DateOnly)+".txt")
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the transcript: %w", err)
	}
	return &Transcript{f, now}, nil
}

// Note adds a line with the time before it, and returns when it is on the disk.
func (t *Transcript) Note(line string) error {
	text := t.now().UTC().Format(time.RFC3339) + "  " + strings.NewReplacer("\n", " ", "\r", " ").Replace(line) + "\n"
	if _, err := t.f.WriteString(text); err != nil {
		return err
	}
	return t.f.Sync()
}

// Close closes the file.
func (t *Transcript) Close() error { return t.f.Close() }

// notes are several transcripts written together.
type notes []*Transcript

func (all notes) note(line string) error {
	var err error
	for _, t := range all {
		err = errors.Join(err, t.Note(line))
	}
	return err
}

func (all notes) close() error {
	var err error
	for _, t := range all {
		err = errors.Join(err, t.Close())
	}
	return err
}
