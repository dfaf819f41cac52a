// Package logdir keeps the public log in a folder, as tiles (c2sp.org/tlog-tiles), and serves it.
//
// [Open] opens the folder for writing: one process at a time, by the folder's lock. [Fetch] reads its
// files, and [Handler] answers them over HTTP; neither needs the lock.
package logdir

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"
)

// Folder is a log open for writing. It is used by one goroutine.
type Folder struct {
	lock   *os.File
	add    tessera.AddFn
	size   func(context.Context) (uint64, error)
	finish func(context.Context) error
	cancel context.CancelFunc
}

// What is published how often; how many entries become part of the tree at once.
const (
	publish    = time.Second
	batchSize  = 2048
	batchAge   = 20 * time.Millisecond
	closeAfter = 10 * time.Second
	// lockFile is beside the log's own files, and never served.
	lockFile = ".writer"
)

// ErrLocked says that another process has the folder open for writing.
var ErrLocked = errors.New("another process writes this log")

// Open opens the folder, making it when it is not there, with the log's signing key.
func Open(ctx context.Context, dir, secret string) (_ *Folder, err error) {
	signer, err := note.NewSigner(secret)
	if err != nil {
		return nil, errors.New("open the log's folder: not a signing key of a log")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // the log is public
		return nil, fmt.Errorf("open the log's folder: %w", err)
	}
	f := &Folder{}
	if f.lock, err = lock(filepath.Join(dir, lockFile)); err != nil {
		return nil, fmt.Errorf("open the log's folder %s: %w", dir, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.lock.Close())
		}
	}()
	driver, err := posix.New(ctx, posix.Config{Path: dir})
	if err != nil {
		return nil, fmt.Errorf("open the log's folder: %w", err)
	}
	// The writer's own goroutines end with Close, not with ctx: what was added is published first.
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	options := tessera.NewAppendOptions().WithCheckpointSigner(signer).WithCheckpointInterval(publish).
		WithBatching(batchSize, batchAge).WithShutdownTimeout(closeAfter)
	appender, finish, reader, err := tessera.NewAppender(own, driver, options)
	if err != nil {
		cancel()
		return nil, fmt.Errorf("open the log's folder: %w", err)
	}
	f.add, f.size, f.finish, f.cancel = appender.Add, reader.IntegratedSize, finish, cancel
	return f, nil
}

// lock takes the lock of a file; it ends with the process.
func lock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = ErrLocked
		}
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Size is how many entries stand in the log for good.
func (f *Folder) Size() (int64, error) {
	n, err := f.size(context.Background())
	if err != nil {
		return 0, fmt.Errorf("size of the log: %w", err)
	}
	return int64(n), nil
}

// Append adds entries, the first of them at position first, and returns when they stand there for good.
func (f *Folder) Append(ctx context.Context, first int64, entries [][]byte) error {
	if size, err := f.Size(); err != nil || size != first {
		return errors.Join(fmt.Errorf("append to the log: it has %d entries, not %d", size, first), err)
	}
	futures := make([]tessera.IndexFuture, len(entries))
	for i, raw := range entries {
		futures[i] = f.add(ctx, tessera.NewEntry(raw))
	}
	for i, future := range futures {
		at, err := future()
		if err != nil {
			return fmt.Errorf("append to the log: %w", err)
		}
		if at.Index != uint64(first)+uint64(i) {
			return fmt.Errorf("append to the log: entry %d came to place %d", first+int64(i), at.Index)
		}
	}
	return nil
}

// Close publishes what was added, and unlocks the folder.
func (f *Folder) Close() error {
	err := f.finish(context.Background())
	f.cancel()
	if err = errors.Join(err, f.lock.Close()); err != nil {
		return fmt.Errorf("close the log: %w", err)
	}
	return nil
}
