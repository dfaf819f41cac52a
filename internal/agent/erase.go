package agent

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"senim/internal/keystore"
)

// Erase deletes what an agent keeps in its data folder, and the folder when nothing else is left in it: it
// may be one that a person has other things in. For uninstalling: [keystore.ErrInUse] while an agent, or the window
// of an act, works with it.
func Erase(data string) error {
	unlock, err := keystore.Lock(data)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // nothing was ever kept there
	}
	if err != nil {
		return err
	}
	var failed []error
	drop := func(path string) {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = append(failed, err)
		}
	}
	pending := pendingIn(data)
	for _, name := range []string{"pending.json", "pending.copy.json", "pending.key"} { // as package keystore writes them
		drop(filepath.Join(pending, name))
	}
	for _, profiles := range profilesIn(data) {
		failed = append(failed, os.RemoveAll(profiles))
	}
	place := index{dir: data}
	for _, path := range []string{filepath.Join(data, AuthorityFile), filepath.Join(data, AuthorityKeyFile), settingsIn(data), rememberedIn(data), place.sealedPath(), place.plainPath()} {
		drop(path)
	}
	unlock() // a file that is open cannot be removed everywhere
	drop(filepath.Join(data, keystore.LockFile))
	for _, dir := range []string{pending, TrustFolder(data), data} {
		for _, left := range []string{".new-*", ".large-*", "*.json" + keystore.Aside + "*", "authority.*" + keystore.Aside + "*", "????????????????????????????????????????????????????????????????.cer"} { // of a kill; broken files; authorities that were added
			found, err := filepath.Glob(filepath.Join(dir, left))
			failed = append(failed, err)
			for _, path := range found {
				drop(path)
			}
		}
		_ = os.Remove(dir) // not when something else is in it
	}
	return errors.Join(failed...)
}
