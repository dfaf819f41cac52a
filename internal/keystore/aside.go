package keystore

import (
	"fmt"
	"os"
	"path/filepath"
)

// Aside is what is put behind the name of a broken file that is kept beside.
const Aside = ".broken"

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
