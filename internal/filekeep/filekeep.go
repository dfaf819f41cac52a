// Package filekeep keeps files that came from outside, sealed, for as long as they may be asked about.
//
// [New] makes a [Keep] over a folder. [Keep.Keep] gives the files of a batch to be read once; what is read is
// packed, sealed and kept on the way, in constant memory. [Keep.Restore] gives one back, [Keep.Sweep] removes
// what is older than its time. Nothing of it is ever written unsealed.
//
// It refuses to give back what was cut short, put into another order or under another name.
package filekeep

import (
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Sealer encrypts bytes for a place. The store's key does.
type Sealer interface {
	Seal(place string, plain []byte) ([]byte, error)
	Open(place string, sealed []byte) ([]byte, error)
}

// Keep is a folder of sealed files.
type Keep struct {
	dir  string
	seal Sealer
	now  func() time.Time
}

// New keeps files in a folder, which is made when it is needed. now is the clock; nil is time.Now.
func New(dir string, s Sealer, now func() time.Time) *Keep {
	if now == nil {
		now = time.Now
	}
	return &Keep{dir, s, now}
}

const unfinished = ".part"

// Keep gives files to be read. Those that were read to their end are kept when done is told so.
func (k *Keep) Keep(name string, files fs.FS) (fs.FS, func(bool) error, error) {
	part := filepath.Join(k.dir, name+unfinished)
	if err := errors.Join(os.RemoveAll(part), os.MkdirAll(part, 0o700)); err != nil {
		return nil, nil, fmt.Errorf("keep files: %w", err)
	}
	done := func(keep bool) error {
		if !keep {
			return os.RemoveAll(part)
		}
		now := k.now()
		to := filepath.Join(k.dir, name)
		if err := errors.Join(os.RemoveAll(to), os.Chtimes(part, now, now), os.Rename(part, to)); err != nil {
			return fmt.Errorf("keep files: %w", err)
		}
		return nil
	}
	return &copying{k, files, name, part}, done, nil
}

// Sweep removes what was kept for longer than a time, and what was never finished.
func (k *Keep) Sweep(after time.Duration) error {
	all, err := os.ReadDir(k.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range all {
		info, failed := e.Info()
		if failed != nil {
			err = errors.Join(err, failed)
			continue
		}
		age := k.now().Sub(info.ModTime())
		if age > after || strings.HasSuffix(e.Name(), unfinished) && age > 24*time.Hour {
			err = errors.Join(err, os.RemoveAll(filepath.Join(k.dir, e.Name())))
		}
	}
	if err != nil {
		return fmt.Errorf("remove old files: %w", err)
	}
	return nil
}

// Restore writes a kept file out.
func (k *Keep) Restore(name, file string, w io.Writer) (err error) {
	f, err := os.Open(filepath.Join(k.dir, filepath.Base(name), filepath.Base(file)))
	if err != nil {
		return fmt.Errorf("restore a file: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	z, err := gzip.NewReader(&opener{k: k, place: name + "/" + file, in: f})
	if err != nil {
		return fmt.Errorf("restore a file: %w", err)
	}
	for err == nil {
		_, err = io.CopyN(w, z, 1<<20)
	}
	if !errors.Is(err, io.EOF) {
		return fmt.Errorf("restore a file: %w", err)
	}
	return nil
}

// copying keeps every file that is opened.
type copying struct {
	k          *Keep
	files      fs.FS
	name, part string
}

// Open opens a file; reading it keeps it.
func (c *copying) Open(name string) (fs.File, error) {
	if name != filepath.Base(name) || strings.HasPrefix(name, ".") {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	in, err := c.files.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read a file: %w", err)
	}
	out, err := os.OpenFile(filepath.Join(c.part, name), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("keep a file: %w", err), in.Close())
	}
	s := &sealer{k: c.k, place: c.name + "/" + name, out: out}
	z, err := gzip.NewWriterLevel(s, gzip.BestSpeed)
	if err != nil {
		return nil, errors.Join(err, in.Close(), out.Close())
	}
	return &copiedFile{File: in, z: z, s: s, out: out}, nil
}

type copiedFile struct {
	fs.File
	z   *gzip.Writer
	s   *sealer
	out *os.File
}

func (f *copiedFile) Read(p []byte) (int, error) {
	n, err := f.File.Read(p)
	if n > 0 {
		if _, failed := f.z.Write(p[:n]); failed != nil {
			return n, failed
		}
	}
	return n, err
}

// Close ends the copy too.
func (f *copiedFile) Close() error {
	return errors.Join(f.z.Close(), f.s.finish(), f.out.Sync(), f.out.Close(), f.File.Close())
}

const sealPiece = 1 << 20

// sealer writes pieces, each its length and then itself, sealed for its number and whether it is the last: none can be
// left out, moved or taken off the end.
type sealer struct {
	k     *Keep
	place string
	out   io.Writer
	buf   []byte
	n     int
}

func (s *sealer) Write(p []byte) (int, error) {
	s.buf = append(s.buf, p...)
	for len(s.buf) > sealPiece {
		if err := s.piece(s.buf[:sealPiece], false); err != nil {
			return 0, err
		}
		s.buf = append(s.buf[:0], s.buf[sealPiece:]...)
	}
	return len(p), nil
}

func (s *sealer) finish() error { return s.piece(s.buf, true) }

func (s *sealer) piece(b []byte, last bool) error {
	sealed, err := s.k.seal.Seal(placeOf(s.place, s.n, last), b)
	if err != nil {
		return err
	}
	s.n++
	head := binary.BigEndian.AppendUint32(nil, uint32(len(sealed)))
	_, err = s.out.Write(append(head, sealed...))
	return err
}

func placeOf(place string, n int, last bool) string {
	return "file/" + place + "/" + strconv.Itoa(n) + "/" + strconv.FormatBool(last)
}

// opener reads what sealer wrote.
type opener struct {
	k     *Keep
	place string
	in    io.Reader
	buf   []byte
	n     int
	last  bool
}

func (o *opener) Read(p []byte) (int, error) {
	for len(o.buf) == 0 {
		if o.last {
			return 0, io.EOF
		}
		if err := o.piece(); err != nil {
			return 0, err
		}
	}
	n := copy(p, o.buf)
	o.buf = o.buf[n:]
	return n, nil
}

var errCut = errors.New("a kept file is not whole")

func (o *opener) piece() error {
	var head [4]byte
	if _, err := io.ReadFull(o.in, head[:]); err != nil {
		return errCut
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > sealPiece+1024 {
		return errCut
	}
	sealed := make([]byte, n)
	if _, err := io.ReadFull(o.in, sealed); err != nil {
		return errCut
	}
	b, err := o.k.seal.Open(placeOf(o.place, o.n, false), sealed)
	if err != nil {
		if b, err = o.k.seal.Open(placeOf(o.place, o.n, true), sealed); err != nil {
			return fmt.Errorf("%w: %w", errCut, err)
		}
		o.last = true
	}
	o.n++
	o.buf = b
	return nil
}
