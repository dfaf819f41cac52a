package keystore

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"

	"senim/internal/token"
)

// waits finds a key that waits for its certificate, by its identifier, or a pair that a killed act left on a token, by its name;
// called under mu.
func (k *Keeper) waits(id string) int {
	return slices.IndexFunc(k.notes, func(n Note) bool {
		switch n.State {
		case Pending, Finishing:
			return n.KeyID == id
		case Left:
			return n.Name == id
		case Making, Finished:
		}
		return false
	})
}

// Waits gives the note of a key that can be given up: by its identifier, or, of a pair that a killed act left on a token, by its name.
func (k *Keeper) Waits(id string) (Note, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	at := k.waits(id)
	if at < 0 {
		return Note{}, false
	}
	return k.notes[at], true
}

// Discard gives up a key that waits for its certificate: its file is deleted, and no certificate can be put beside it
// any more. A file that is not there, as on a stick, is no hindrance. Of a key whose finished file stands already
// only what is left of the making goes. What is on a token stays there: [Keeper.DiscardOnToken] deletes it. Reasons: no_pending_key,
// write_failed.
func (k *Keeper) Discard(id string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	at := k.waits(id)
	if at < 0 {
		return failure("no_pending_key", "no such key waits")
	}
	n := k.notes[at]
	if !n.OnToken() {
		// The file first: after a kill here the key is still told of, and can be given up again.
		if err := remove(filepath.Join(n.Folder, n.File)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return failure("write_failed", "%w", err)
		}
		_ = syncDir(n.Folder) // of a folder that is away there is nothing to sync
		k.fault("discarded")
	}
	return k.drop(at)
}

// DiscardOnToken gives up a key that waits, or a pair that a killed act left, and deletes it from the open token it is on: by the
// identifier that was noted before it was made, and only while it has no certificate. One that is not there is no hindrance. Reasons:
// no_pending_key, write_failed.
func (k *Keeper) DiscardOnToken(id string, on *Place) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	at := k.waits(id)
	if at < 0 || !k.notes[at].at(on) {
		return failure("no_pending_key", "no such key waits on this token")
	}
	if err := on.t.Discard(k.notes[at].Name); err != nil && !errors.Is(err, token.ErrNotFound) {
		return failure("write_failed", "%w", err)
	}
	k.fault("discarded")
	return k.drop(at)
}

// drop forgets a note; called under mu.
func (k *Keeper) drop(at int) error {
	kept := k.notes
	k.notes = slices.Delete(slices.Clone(k.notes), at, at+1)
	if err := k.save(); err != nil {
		k.notes = kept
		return failure("write_failed", "%w", err)
	}
	return nil
}
