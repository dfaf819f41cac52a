package fetch

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"time"
)

// errNoStat: nobody who reads batches asks for it.
var errNoStat = errors.New("a file of a batch that is fetched is only read")

// held is a file that is here.
type held struct{ *bytes.Reader }

// Stat refuses.
func (*held) Stat() (fs.FileInfo, error) { return nil, errNoStat }

// Close does nothing.
func (*held) Close() error { return nil }

var errLong = errors.New("the file is longer than the bounds")

// coming is a file as it comes. Silence ends it, and so does its bound.
type coming struct {
	body    io.ReadCloser
	left    int64
	note    func(error) error
	cancel  context.CancelFunc
	silence time.Duration
	idle    *time.Timer
}

// Read reads on. What breaks off is noted: it says nothing of the file.
func (c *coming) Read(p []byte) (int, error) {
	n, err := c.body.Read(p)
	c.idle.Reset(c.silence)
	if c.left -= int64(n); c.left < 0 {
		return n, errLong
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return n, c.note(err)
	}
	return n, err
}

// Stat refuses.
func (*coming) Stat() (fs.FileInfo, error) { return nil, errNoStat }

// Close lets it go, read or not.
func (c *coming) Close() error {
	c.idle.Stop()
	c.cancel()
	return c.body.Close()
}
