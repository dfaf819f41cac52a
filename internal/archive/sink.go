package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
)

var errDiffers = errors.New("a file of this name is there and differs")

// folder is a directory, of write-once storage where it matters.
type folder struct{ dir string }

// Put writes under another name first and links, so that a file is there whole or not at all, and
// never in the place of another.
func (f folder) Put(_ context.Context, name string, data []byte) (err error) {
	path := filepath.Join(f.dir, name)
	same := func() error {
		had, err := os.ReadFile(path)
		if err == nil && !bytes.Equal(had, data) {
			err = fmt.Errorf("%s: %w", name, errDiffers)
		}
		return err
	}
	if _, err := os.Lstat(path); err == nil {
		return same()
	}
	t, err := os.CreateTemp(f.dir, ".new-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(t.Name())) }()
	_, err = t.Write(data)
	if err == nil {
		err = errors.Join(t.Chmod(0o444), t.Sync())
	}
	if err = errors.Join(err, t.Close()); err != nil {
		return err
	}
	if err := os.Link(t.Name(), path); errors.Is(err, fs.ErrExist) {
		return same()
	} else if err != nil {
		return err
	}
	d, err := os.Open(f.dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// web is a server that takes PUT and refuses to replace.
type web struct {
	base   *url.URL
	client *http.Client
}

// maxAnswer bounds what is read of a file that is there already.
const maxAnswer = 512 << 20

// Put asks with If-None-Match: *, and when the name is taken (409, 412), reads what is there.
func (w web) Put(ctx context.Context, name string, data []byte) error {
	at := w.base.JoinPath(name).String()
	q, err := http.NewRequestWithContext(ctx, http.MethodPut, at, bytes.NewReader(data))
	if err != nil {
		return err
	}
	q.Header.Set("If-None-Match", "*")
	q.Header.Set("Content-Type", "application/octet-stream")
	a, err := w.client.Do(q)
	if err != nil {
		return bare(err)
	}
	_, err = io.Copy(io.Discard, io.LimitReader(a.Body, 1<<20))
	if err = errors.Join(err, a.Body.Close()); err != nil {
		return bare(err)
	}
	switch {
	case a.StatusCode == http.StatusConflict || a.StatusCode == http.StatusPreconditionFailed:
		return w.same(ctx, at, name, data)
	case a.StatusCode/100 != 2:
		return fmt.Errorf("put %s: the server answers %d", name, a.StatusCode)
	}
	return nil
}

func (w web) same(ctx context.Context, at, name string, data []byte) error {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return err
	}
	a, err := w.client.Do(q)
	if err != nil {
		return bare(err)
	}
	had, err := io.ReadAll(io.LimitReader(a.Body, min(int64(len(data))+1, maxAnswer)))
	if err = errors.Join(err, a.Body.Close()); err != nil {
		return bare(err)
	}
	if a.StatusCode != http.StatusOK || !bytes.Equal(had, data) {
		return fmt.Errorf("%s: %w", name, errDiffers)
	}
	return nil
}

// bare takes the address, which may hold a password, out of an error.
func bare(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// command is a program that gets every file on its standard input and its name as last argument.
type command struct{ words []string }

// Put waits for the program; another exit status than 0 is an error. A program is given a file again
// when it could not be noted that it had it.
func (c command) Put(ctx context.Context, name string, data []byte) error {
	args := append(append([]string{}, c.words[1:]...), name)
	p := exec.CommandContext(ctx, c.words[0], args...) //nolint:gosec // the operator's own choice
	p.Stdin = bytes.NewReader(data)
	if err := p.Run(); err != nil {
		return fmt.Errorf("%s: %w", c.words[0], err)
	}
	return nil
}
