package agent

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"senim/internal/keystore"
)

// authorityAdded is what names look like of the files in which authorities lie that a person added: the [Fingerprint].
var authorityAdded = strings.Repeat("[0-9a-f]", 64) + ".cer"

// Erasing is how what an agent keeps is taken away.
type Erasing struct {
	Keychain keystore.Keychain // nil: none
	Files    []string          // names of files in the data folder that another has put there for the agent
	// Before is called while nobody can work with the folder; when it fails, everything stays. Nil: nothing is to be done.
	Before func() error
}

// Erase takes away what an agent keeps in the keychain and in its data folder, and the folder when nothing else is left in it: it
// may be one that a person has other things in. For uninstalling. While an agent, or the window of an act, works with
// the folder, it waits until ctx ends: [keystore.ErrInUse], and everything stays. So it does when the keychain does not open: the
// data say what it still has.
func Erase(ctx context.Context, data string, e Erasing) error {
	unlock, err := lockWhole(ctx, data)
	if err != nil {
		return err
	}
	defer func() { unlock() }()
	if e.Before != nil {
		if err := e.Before(); err != nil {
			return err
		}
	}
	if err := forgetSecrets(data, e.Keychain); err != nil {
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
	failed = append(failed, keystore.EraseFiles(data, append(left, e.Files...)...))
	unlock() // a file that is open cannot be removed everywhere
	unlock = func() {}
	failed = append(failed, keystore.EraseFiles(data, keystore.LockFile))
	_ = os.Remove(data)
	return errors.Join(failed...)
}

// lockWhole takes the folder as soon as nobody works with it; one that is not there needs nothing.
func lockWhole(ctx context.Context, data string) (unlock func(), err error) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		unlock, err := keystore.Lock(data)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return func() {}, nil
		case !errors.Is(err, keystore.ErrInUse):
			return unlock, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, err
		}
	}
}
