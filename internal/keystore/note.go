package keystore

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// State of a note: a key being made, waiting for its certificate, or finished.
type State string

// The states of a [Note].
const (
	Making    State = "making" // files may be half written; nothing was told to anybody
	Pending   State = "pending"
	Finishing State = "finishing" // the finished file may stand already
	Finished  State = "finished"
	// Left: a pair on a token that a killed act may have made; it has no certificate, and the note has its Name and no KeyID.
	Left State = "left"
)

// Note is what the keeper knows of one key pair it made.
type Note struct {
	KeyID     string    `json:"keyId"` // subject key identifier, lower hex
	PublicKey []byte    `json:"publicKey"`
	Origin    string    `json:"origin"` // of the page that asked, "" for a program
	RequestID string    `json:"requestId"`
	Arguments string    `json:"arguments"` // digest of what was asked, to know a repetition
	Algorithm string    `json:"algorithm"`
	Usage     string    `json:"usage"`
	Request   []byte    `json:"request"` // PKCS #10
	Folder    string    `json:"folder"`
	File      string    `json:"file"` // name of the pending file
	Made      time.Time `json:"made"`

	// Of a key on a token: where it is. Folder and File are empty then.
	Storage string `json:"storage,omitempty"`
	Token   string `json:"token,omitempty"` // its label
	Serial  string `json:"serial,omitempty"`
	Name    string `json:"name,omitempty"` // of the key there

	State  State `json:"state"`
	Many   bool  `json:"many,omitempty"`   // beyond the bounds of its origin and of all, as the person agreed
	Sealed bool  `json:"sealed,omitempty"` // under a password of the person's, not the keeper's secret

	// Of a finishing or finished key: what the file must be.
	FinalName   string `json:"finalName,omitempty"`
	FinalDigest string `json:"finalDigest,omitempty"` // SHA-256 of the file
	Certificate []byte `json:"certificate,omitempty"` // SHA-256 of the certificate
}

// OnToken tells whether the key is on a token.
func (n Note) OnToken() bool { return n.Storage != "" }

// maxNotes bounds the notes kept; the oldest finished ones go first.
const maxNotes = 512

// NotesFile is the name of the notes in a keeper's folder. Beside it lies a copy, for the day it is broken.
const (
	NotesFile = "pending.json"
	notesCopy = "pending.copy.json"
)

// load reads the notes. Broken ones are kept beside, and the copy is read, which may be one step older: mended says that
// what was being made must not be taken back. What is in neither is found by its file, when its certificate comes.
func (k *Keeper) load() (mended bool, err error) {
	path := filepath.Join(k.dir, NotesFile)
	k.notes, err = readNotes(path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if !errors.Is(err, errNotes) {
		return false, err
	}
	if k.notes, err = readNotes(filepath.Join(k.dir, notesCopy)); err != nil && !errors.Is(err, errNotes) && !errors.Is(err, os.ErrNotExist) {
		return false, err
	}
	if err := SetAside(path); err != nil {
		return false, fmt.Errorf("read pending keys: %w", err)
	}
	return true, k.save()
}

// errNotes says that what is there are no notes.
var errNotes = errors.New("broken")

// readNotes gives no notes with an error. One that is not [errNotes] says nothing about what they are.
func readNotes(path string) (notes []Note, err error) {
	b, err := ReadFile(path)
	if err == nil {
		if err = json.Unmarshal(b, &notes); err == nil {
			return notes, nil
		}
		err = fmt.Errorf("%w: %w", errNotes, err)
	} else if errors.Is(err, ErrNotFile) {
		err = fmt.Errorf("%w: %w", errNotes, err)
	}
	return nil, fmt.Errorf("read pending keys: %w", err)
}

// trim makes room for more notes: the oldest finished ones go. It moves the others, so nothing that knows a note by its
// place may be under way.
func (k *Keeper) trim(more int) {
	over := len(k.notes) + more - maxNotes
	k.notes = slices.DeleteFunc(k.notes, func(n Note) bool {
		if over <= 0 || n.State != Finished {
			return false
		}
		over--
		return true
	})
}

// save writes the notes beside the old ones and puts them in their place in one step.
func (k *Keeper) save() error {
	b, err := json.MarshalIndent(k.notes, "", " ")
	if err != nil {
		return fmt.Errorf("write pending keys: %w", err)
	}
	path := filepath.Join(k.dir, NotesFile)
	if err := Replace(path, b); err != nil {
		return fmt.Errorf("write pending keys: %w", err)
	}
	_ = Replace(filepath.Join(k.dir, notesCopy), b) // the notes themselves stand
	return nil
}
