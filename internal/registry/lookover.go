package registry

import (
	"fmt"
	"io/fs"

	"senim/internal/batchfile"
	"senim/internal/ident"
)

// LookOver reads a batch without taking anything in: its manifest, every file against it, and every row by
// itself. f gets the refused rows. What needs the whole file or the registry (keys that stand twice, head offices)
// shows when it is loaded; whose signature it is, too.
func LookOver(files fs.FS, bounds batchfile.Bounds, rules ident.Rules, f func(Quarantined) error) (batchfile.Manifest, error) {
	b, err := batchfile.Open(files, bounds)
	if err != nil {
		return batchfile.Manifest{}, fmt.Errorf("look over a batch: %w", err)
	}
	if !allowed(b) {
		return b.Manifest, &ImportRefusal{Code: LoadSource}
	}
	for _, file := range b.Files {
		r := reader{checker{rules}, file.Kind()}
		err := b.Rows(file, func(row *batchfile.Row) error {
			_, bad, err := r.read(row)
			for _, q := range bad {
				if err == nil {
					err = f(q)
				}
			}
			return err
		})
		if err != nil {
			return b.Manifest, fmt.Errorf("look over a batch: %w", err)
		}
	}
	return b.Manifest, nil
}
