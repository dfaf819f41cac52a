package keystore

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
)

// Discard gives up a key that waits for its certificate: its file is deleted, and no certificate can be put beside it
// any more. A file that is not there, as on a stick, is no hindrance. Of a key whose finished file stands already
// only what is left of the making goes. Reasons: no_pending_key, write_failed.
func (k *Keeper) Discard(keyID string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	at := slices.IndexFunc(k.notes, func(n Note) bool { return n.KeyID == keyID && (n.State == Pending || n.State == Finishing) })
	if at < 0 {
		return failure("no_pending_key", "no such key waits")
	}
	n := k.notes[at]
	// The file first: after a kill here the key is still told of, and can be given up again.
	if err := remove(filepath.Join(n.Folder, n.File)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return failure("write_failed", "%w", err)
	}
	_ = syncDir(n.Folder) // of a folder that is away there is nothing to sync
	k.fault("discarded")
	kept := k.notes
	k.notes = slices.Delete(slices.Clone(k.notes), at, at+1)
	if err := k.save(); err != nil {
		k.notes = kept
		return failure("write_failed", "%w", err)
	}
	return nil
}
