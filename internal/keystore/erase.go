package keystore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// Waiting counts the keys that wait for their certificates in a keeper's folder. Notes that cannot be read are an error:
// nobody knows how many they are.
func Waiting(dir string) (int, error) {
	notes, err := readNotes(filepath.Join(dir, NotesFile))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("count keys that wait: %w", err)
	}
	return len(slices.DeleteFunc(notes, func(n Note) bool { return n.State == Finished })), nil
}

// Erase deletes what keepers wrote into a folder, and what a kill left of that; the folder too when nothing else is in it.
// Key files are where the person wanted them, and stay. Nobody may work with the folder meanwhile: [Lock].
func Erase(dir string) error {
	err := EraseFiles(dir, NotesFile, notesCopy, secretFile, "*.json"+Aside+"*", Unfinished+"*")
	_ = os.Remove(dir) // not when something else is in it
	return err
}

// EraseFiles deletes the files of a folder whose names match one of the patterns, and what is an empty folder in their place. A folder
// that is not there has none.
func EraseFiles(dir string, patterns ...string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var failed []error
	for _, e := range entries {
		ours := slices.ContainsFunc(patterns, func(p string) bool { is, err := filepath.Match(p, e.Name()); return is && err == nil })
		if !ours {
			continue
		}
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil && !e.IsDir() && !errors.Is(err, fs.ErrNotExist) {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}
