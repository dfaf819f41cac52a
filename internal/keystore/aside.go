package keystore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Aside is what is put behind the name of a broken file that is kept beside.
const Aside = ".broken"

// ErrNotFile says that something else than a file stands in the place of one.
var ErrNotFile = errors.New("not a file")

// ReadFile is [os.ReadFile], and says [ErrNotFile]. What could not be read for another reason may be read later, and is not broken.
func ReadFile(path string) ([]byte, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		if info, stat := os.Stat(path); stat == nil && !info.Mode().IsRegular() {
			return nil, fmt.Errorf("%w: %w", ErrNotFile, err)
		}
	}
	return b, err
}

// SetAside gives a broken file another name beside, so that a new one can take its place and nothing is lost: somebody who
// knows may still find in it what nobody else has. No file is ever replaced.
func SetAside(path string) error {
	for n := 1; n < 100; n++ {
		to := path + Aside
		if n > 1 {
			to += fmt.Sprintf("-%d", n)
		}
		if _, err := os.Lstat(to); os.IsNotExist(err) {
			return os.Rename(path, to)
		}
	}
	return fmt.Errorf("%s was broken too often", filepath.Base(path))
}
