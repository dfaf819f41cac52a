package tlog

import (
	"errors"
	"fmt"
	"math"
	"strings"

	formats "github.com/transparency-dev/formats/log"
	"golang.org/x/mod/sumdb/note"
	sumdb "golang.org/x/mod/sumdb/tlog"
)

// maxNote bounds a checkpoint with its signatures.
const maxNote = 16 << 10

// ErrFork says that two checkpoints, both signed by the log, do not belong to one log that only grew:
// its keeper shows different people different things. Keep both: they are the evidence.
var ErrFork = errors.New("two signed checkpoints contradict each other")

// Key is the log's public key, as a line "origin+hash+base64" (a verifier key of signed notes).
type Key struct{ v note.Verifier }

// ParseKey reads a key; spaces around it do not count.
func ParseKey(s string) (Key, error) {
	v, err := note.NewVerifier(strings.TrimSpace(s))
	if err != nil {
		return Key{}, errors.New("not the public key of a log: it is one line, origin+hash+base64")
	}
	return Key{v}, nil
}

// Origin is the log's name.
func (k Key) Origin() string { return k.v.Name() }

// Checkpoint is a signed state of the log.
type Checkpoint struct {
	Size int64
	Root [32]byte
	Raw  []byte // the signed note
}

// Checkpoint reads a checkpoint that the log signed; others are refused.
func (k Key) Checkpoint(raw []byte) (Checkpoint, error) {
	if len(raw) > maxNote {
		return Checkpoint{}, fmt.Errorf("checkpoint: more than %d bytes", maxNote)
	}
	c, _, _, err := formats.ParseCheckpoint(raw, k.Origin(), k.v)
	if err != nil {
		return Checkpoint{}, errors.New("checkpoint: not a state of this log signed with its key")
	}
	if c.Size > math.MaxInt64 || len(c.Hash) != sumdb.HashSize {
		return Checkpoint{}, errors.New("checkpoint: size or root out of bounds")
	}
	return Checkpoint{int64(c.Size), [32]byte(c.Hash), append([]byte(nil), raw...)}, nil
}

// tree is a checkpoint as x/mod has it.
func (c Checkpoint) tree() sumdb.Tree { return sumdb.Tree{N: c.Size, Hash: c.Root} }

// Follows proves that newer is what older became by growing, with the hashes of the log. The error
// matches [ErrFork] when it is not, and does not when that could not be checked.
func (l *Log) Follows(older, newer Checkpoint) error {
	switch {
	case older.Size > newer.Size:
		return fmt.Errorf("the log had %d entries and shows %d: %w", older.Size, newer.Size, ErrFork)
	case older.Size == newer.Size:
		if older.Root != newer.Root {
			return fmt.Errorf("two logs of %d entries: %w", older.Size, ErrFork)
		}
		return nil
	case older.Size == 0:
		return nil
	}
	reader := l.hashes(newer)
	proof, err := sumdb.ProveTree(newer.Size, older.Size, reader)
	if err != nil {
		return fmt.Errorf("prove that the log only grew from %d to %d entries: %w", older.Size, newer.Size, err)
	}
	if err := sumdb.CheckTree(proof, newer.Size, newer.Root, older.Size, older.Root); err != nil {
		return fmt.Errorf("the log of %d entries does not begin with those %d: %w", newer.Size, older.Size, ErrFork)
	}
	return nil
}
