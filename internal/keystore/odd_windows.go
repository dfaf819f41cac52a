package keystore

import (
	"path/filepath"
	"slices"
	"strings"
)

// odd tells whether Windows reads a path otherwise than it is written: a stream of a file ("a.p8::$DATA"), a device
// ("COM1"), dots and blanks at the end of a name, which it leaves out. What is judged by such a name is judged wrongly.
func odd(path string) bool {
	path = filepath.Clean(path)
	rest := strings.TrimLeft(path[len(filepath.VolumeName(path)):], `\`)
	if rest == "" {
		return false
	}
	return !filepath.IsLocal(rest) || slices.ContainsFunc(strings.Split(rest, `\`), func(name string) bool {
		return name != "." && strings.TrimRight(name, ". ") != name
	})
}
