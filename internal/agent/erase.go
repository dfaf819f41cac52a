package agent

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"senim/internal/keystore"
)

// authorityAdded is what names look like of the files in which authorities lie that a person added: the [Fingerprint].
var authorityAdded = strings.Repeat("[0-9a-f]", 64) + ".cer"

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
	failed := []error{keystore.Erase(pendingIn(data))}
	for _, profiles := range profilesIn(data) {
		failed = append(failed, os.RemoveAll(profiles))
	}
	left := []string{keystore.Unfinished + "*", ".large-*", "*.json" + keystore.Aside + "*", "authority.*" + keystore.Aside + "*"} // of a kill; broken files
	failed = append(failed, keystore.EraseFiles(TrustFolder(data), append(left, authorityAdded)...))
	_ = os.Remove(TrustFolder(data)) // not when something else is in it
	place := index{dir: data}
	for _, path := range []string{filepath.Join(data, AuthorityFile), filepath.Join(data, AuthorityKeyFile), settingsIn(data), rememberedIn(data), place.sealedPath(), place.plainPath()} {
		left = append(left, filepath.Base(path))
	}
	failed = append(failed, keystore.EraseFiles(data, left...))
	unlock() // a file that is open cannot be removed everywhere
	failed = append(failed, keystore.EraseFiles(data, keystore.LockFile))
	_ = os.Remove(data)
	return errors.Join(failed...)
}
