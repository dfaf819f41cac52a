package batchfile

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// maxEntries is how many files a zip may have: the kinds, the manifest, its signature, and little more.
const maxEntries = 32

// OpenZip opens a zip of a batch. Its files stand in it without folders, each once, and none unpacks to
// more than the bounds or than it says.
func OpenZip(r io.ReaderAt, size int64, b Bounds) (fs.FS, error) {
	b = b.orUsual()
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, &Error{Code: CodeArchive, Err: err}
	}
	if len(z.File) > maxEntries {
		return nil, &Error{Code: CodeArchive, Err: errors.New("too many files")}
	}
	all := archive{}
	for _, f := range z.File {
		switch {
		case !plainName(f.Name) || !f.Mode().IsRegular() || all[f.Name] != nil:
			return nil, &Error{Code: CodeArchive, File: shown(f.Name), Err: errors.New("not a file of its own beside the manifest")}
		case f.UncompressedSize64 > uint64(b.File):
			return nil, &Error{Code: CodeTooBig, File: f.Name}
		}
		all[f.Name] = f
	}
	return all, nil
}

type archive map[string]*zip.File

// Open opens a file, which gives no more bytes than the archive says it has.
func (a archive) Open(name string) (fs.File, error) {
	f := a[name]
	if f == nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	return &member{r, f, &io.LimitedReader{R: r, N: int64(f.UncompressedSize64) + 1}}, nil
}

type member struct {
	io.Closer
	f  *zip.File
	in *io.LimitedReader
}

var errLonger = errors.New("unpacks to more than it says")

func (m *member) Stat() (fs.FileInfo, error) { return m.f.FileInfo(), nil }

func (m *member) Read(p []byte) (int, error) {
	n, err := m.in.Read(p)
	if m.in.N == 0 {
		return n, errLonger
	}
	return n, err
}
