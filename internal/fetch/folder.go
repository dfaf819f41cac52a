package fetch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"senim/internal/batchfile"
	"senim/internal/registry"
)

// folder is a place on this machine, out of which no link leads. Nothing is taken away from it.
type folder string

// Open opens the batch that lies there.
func (f folder) Open(context.Context) (registry.Offer, error) {
	root, err := os.OpenRoot(string(f))
	if err != nil { // a folder that is not there is a wrong setting or a disk that is not mounted, not an empty one
		return nil, fmt.Errorf("the folder of batches cannot be opened: %w", hidden(err))
	}
	if _, err := root.Stat(batchfile.ManifestName); err != nil {
		return nil, errors.Join(fmt.Errorf("the folder of batches: %w", err), root.Close())
	}
	return &laid{FS: root.FS(), root: root}, nil
}

// hidden is an error that does not match fs.ErrNotExist.
func hidden(err error) error { return errors.New(err.Error()) }

type laid struct {
	fs.FS
	root *os.Root
}

// Err is nil: what cannot be read on this machine is the files' trouble.
func (*laid) Err() error { return nil }

// Close gives the folder back.
func (l *laid) Close() error { return l.root.Close() }
