package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"senim/internal/batchfile"
	"senim/internal/filekeep"
	"senim/internal/registry"
	"senim/internal/trustdir"
)

// registryConfig is how registries come in.
type registryConfig struct {
	// inbox is the folder batches are laid in. Default: registry/inbox in the data folder; "none" for a process
	// that takes none.
	inbox string
	// signers are certificates, or folders of them, whose keys may sign batches.
	signers list
	guard   registry.Guard
	// pull is where the batches of sources are fetched from, by source; roots whom those places' certificates lead to.
	pull  map[string]string
	roots string
	// keepFiles is how long the files of batches are kept.
	keepFiles time.Duration
}

func (c *registryConfig) flags(f *flag.FlagSet) {
	f.StringVar(&c.inbox, "registry.inbox", "", "folder in which batches of the registry are laid, or none (default: registry/inbox in the data folder)")
	f.Var(&c.signers, "registry.trusted_signers", "certificates, or folders of them, whose keys may sign batches (default: none; batches come by hand only)")
	f.Func("registry.pull", "fetch a source's batches at the calendar's hours, as gbdul=https://host/path/manifest.json or gbdul=/folder; again for each source (default: none)", func(v string) error {
		source, place, ok := strings.Cut(v, "=")
		if !ok || c.pull[source] != "" {
			return errors.New("it is SOURCE=PLACE, once for a source")
		}
		if c.pull == nil {
			c.pull = map[string]string{}
		}
		c.pull[source] = place
		return nil
	})
	f.StringVar(&c.roots, "registry.pull_roots", "", "PEM file of the authorities that certificates of those addresses lead to (default: the system's)")
	f.DurationVar(&c.keepFiles, "registry.keep_files", 90*24*time.Hour, "how long the files of batches are kept, sealed")
	for _, one := range []struct {
		name, what string
		to         *float64
		usual      float64
	}{
		{"ended", "records a full load may end", &c.guard.Ended, 5}, {"heads", "heads it may change", &c.guard.Heads, 2},
		{"quarantined", "rows it may have refused", &c.guard.Quarantined, 1},
	} {
		*one.to = one.usual
		f.Func("registry.guard."+one.name, fmt.Sprintf("percent of %s before an operator must confirm it (default: %g)", one.what, one.usual), func(v string) error {
			n, err := strconv.ParseFloat(v, 64)
			if err != nil || n <= 0 || n > 100 {
				return errors.New("more than 0, at most 100")
			}
			*one.to = n
			return nil
		})
	}
}

// inbox is the folder batches are laid in, or none.
func (c config) inbox() string {
	if c.registry.inbox == "" {
		return filepath.Join(c.data, "registry", "inbox")
	}
	return c.registry.inbox
}

// openRegistry makes what takes batches in.
func (s *server) openRegistry() (err error) {
	folder := filepath.Join(s.c.data, "registry")
	s.c.registry.inbox = s.c.inbox()
	s.kept = filekeep.New(filepath.Join(folder, "files"), s.store, s.now)
	c := registry.ImportConfig{Book: s.book, Judge: s.judge, Guard: s.c.registry.guard, Keep: s.kept, Node: s.store.Node(), Log: s.log}
	for _, path := range s.c.registry.signers {
		some, err := trustdir.Certificates(path)
		if err != nil {
			return fmt.Errorf("-registry.trusted_signers: %w", err)
		}
		for _, one := range some {
			c.Signers = append(c.Signers, registry.SignerOf(one))
		}
	}
	if s.imports, err = registry.NewImporter(c); err != nil {
		return err
	}
	if s.pulls, err = s.openPulls(); err != nil {
		return err
	}
	if s.c.only == "" && !s.suspended() {
		s.background = append(s.background, s.takeBatches)
	}
	return nil
}

// inboxEvery is how often the inbox is looked into.
const inboxEvery = 10 * time.Second

// takeBatches looks after batches until ctx ends: goes on with those that waited, takes what lies in the inbox, and
// removes files kept long enough.
func (s *server) takeBatches(ctx context.Context) error {
	tick := time.NewTicker(inboxEvery)
	defer tick.Stop()
	for {
		if err := s.takeBatchesOnce(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("ALERT: batches of the registry could not be looked after; it is tried again", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (s *server) takeBatchesOnce(ctx context.Context) error {
	_, err := s.imports.Tick(ctx)
	if s.c.registry.inbox != "none" {
		err = errors.Join(err, s.lookIntoInbox(ctx))
	}
	return errors.Join(err, s.kept.Sweep(s.c.registry.keepFiles))
}

// refusedFolder of the inbox has the batches that were refused.
const refusedFolder = "refused"

// lookIntoInbox takes every batch that lies there, by name. Names with a dot in front are still being written.
func (s *server) lookIntoInbox(ctx context.Context) error {
	if err := os.MkdirAll(s.c.registry.inbox, 0o700); err != nil {
		return fmt.Errorf("the inbox of the registry: %w", err)
	}
	all, err := os.ReadDir(s.c.registry.inbox)
	if err != nil {
		return fmt.Errorf("the inbox of the registry: %w", err)
	}
	for _, e := range all {
		if strings.HasPrefix(e.Name(), ".") || e.Name() == refusedFolder || ctx.Err() != nil {
			continue
		}
		if err := s.takeBatch(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

func (s *server) takeBatch(ctx context.Context, e fs.DirEntry) error {
	path := filepath.Join(s.c.registry.inbox, e.Name())
	files, closing, err := openBatch(path, e.IsDir())
	var i registry.Import
	if err == nil {
		i, err = s.imports.Receive(ctx, files, registry.Receipt{})
		err = errors.Join(err, closing())
	}
	refusal, refused := errors.AsType[*registry.ImportRefusal](err)
	_, unreadable := errors.AsType[*batchfile.Error](err)
	switch {
	case err == nil:
		s.log.Info("a batch of the registry was taken in", "import", i.ID, "source", i.Source, "state", i.State, "rows", i.Total(), "refused", i.Quarantined())
		return os.RemoveAll(path)
	case errors.Is(err, registry.ErrBusy):
		return nil // it waits in the inbox
	case refused && refusal.Code == registry.LoadLoaded:
		s.log.Info("a batch of the registry is loaded already")
		return os.RemoveAll(path)
	case refused || unreadable:
		s.log.Error("a batch of the registry was refused; it lies in the inbox's folder "+refusedFolder, "error", err)
		to := filepath.Join(s.c.registry.inbox, refusedFolder)
		name := filepath.Join(to, strconv.FormatInt(s.now().UnixMilli(), 10)+"-"+e.Name())
		return errors.Join(os.MkdirAll(to, 0o700), os.Rename(path, name))
	}
	return err
}

// openBatch opens a folder, out of which no link leads, or a zip.
func openBatch(path string, folder bool) (fs.FS, func() error, error) {
	if folder {
		root, err := os.OpenRoot(path)
		if err != nil {
			return nil, nil, fmt.Errorf("open a batch: %w", err)
		}
		return root.FS(), root.Close, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("open a batch: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open a batch: %w", err), f.Close())
	}
	files, err := batchfile.OpenZip(f, info.Size(), batchfile.Bounds{})
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return files, f.Close, nil
}
