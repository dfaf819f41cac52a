package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"senim/internal/batchfile"
	"senim/internal/registry"
)

// registryCommand is `senimd registry check|load|status`, with the server's own flags before the path.
func (p program) registryCommand(ctx context.Context, args []string) error {
	const see = "senimd registry --help"
	if len(args) == 0 {
		return &misuse{errors.New("registry: it is check, load or status"), see}
	}
	what, args := args[0], args[1:]
	if what != "check" && what != "load" && what != "status" {
		return &misuse{fmt.Errorf("registry %s: it is check, load or status", what), see}
	}
	path := ""
	if what != "status" {
		if len(args) == 0 {
			return &misuse{fmt.Errorf("registry %s: which batch, a folder or a zip?", what), see}
		}
		path, args = args[len(args)-1], args[:len(args)-1]
	}
	_, c, err := parse(append([]string{"serve"}, args...), p.stdout)
	if err != nil {
		return err
	}
	switch what {
	case "check":
		return p.checkBatch(c, path)
	case "load":
		return p.layBatch(c, path)
	}
	return p.batches(ctx, c)
}

// checkBatch says what a batch is and which of its rows would be refused.
func (p program) checkBatch(c config, path string) (err error) {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("check a batch: %w", err)
	}
	files, closing, err := openBatch(path, info.IsDir())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closing()) }()
	refused := 0
	m, err := registry.LookOver(files, batchfile.Bounds{}, c.rules(), func(q registry.Quarantined) error {
		if !q.Kept {
			refused++
		}
		_, err := fmt.Fprintf(p.stdout, "%s line %d: %s %s\n", q.File, q.Row, q.Code, q.Field)
		return err
	})
	if err != nil {
		return err
	}
	rows := 0
	for _, f := range m.Files {
		rows += f.Rows
	}
	_, err = fmt.Fprintf(p.stdout, "%s, full: %t, as of %s, %d rows, %d refused, signed: %t\n", m.Source, m.Full, m.AsOf.Format(time.RFC3339), rows, refused, m.Signature != nil)
	return err
}

// layBatch lays a copy of a batch into the inbox, where it appears at once and whole.
func (p program) layBatch(c config, path string) error {
	inbox := c.inbox()
	if inbox == "none" {
		return errors.New("lay a batch: -registry.inbox is none")
	}
	if _, err := os.Stat(inbox); err != nil {
		return fmt.Errorf("lay a batch: the server makes its inbox when it starts: %w", err)
	}
	name := filepath.Base(filepath.Clean(path))
	part, to := filepath.Join(inbox, "."+name+".part"), filepath.Join(inbox, name)
	if err := os.RemoveAll(part); err != nil {
		return fmt.Errorf("lay a batch: %w", err)
	}
	if err := copyBatch(path, part); err != nil {
		return errors.Join(fmt.Errorf("lay a batch: %w", err), os.RemoveAll(part))
	}
	if err := os.Rename(part, to); err != nil {
		return errors.Join(fmt.Errorf("lay a batch: %w", err), os.RemoveAll(part))
	}
	_, err := fmt.Fprintf(p.stdout, "%s lies in the inbox: `senimd registry status` and the page /desk/loads say what became of it\n", name)
	return err
}

// copyBatch copies a zip, or the files of a folder.
func copyBatch(from, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return copyFile(from, to)
	}
	if err := os.Mkdir(to, 0o700); err != nil {
		return err
	}
	all, err := os.ReadDir(from)
	for _, e := range all {
		if err == nil && e.Type().IsRegular() {
			err = copyFile(filepath.Join(from, e.Name()), filepath.Join(to, e.Name()))
		}
	}
	return err
}

func copyFile(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

// batches lists the newest batches and what became of them.
func (p program) batches(ctx context.Context, c config) (err error) {
	if _, err := os.Stat(filepath.Join(c.data, installationFile)); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s holds no installation", c.data)
	}
	s := &server{c: c, now: p.now, log: slog.New(slog.DiscardHandler)}
	if err := s.openStore(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.store.Close()) }()
	var all []registry.Import
	if err := s.store.Registry().View(ctx, func(tx registry.Tx) error { all, err = tx.Imports(ctx, 20); return err }); err != nil {
		return fmt.Errorf("read batches: %w", err)
	}
	for _, i := range all {
		if _, err := fmt.Fprintf(p.stdout, "%d %s %s as of %s, received %s, %d rows, %d refused: %s %s\n", i.ID, i.Source, map[bool]string{true: "full", false: "delta"}[i.Full],
			i.AsOf.Format(time.RFC3339), i.Received.Format(time.RFC3339), i.Total(), i.Quarantined(), i.State, i.Code); err != nil {
			return err
		}
	}
	return nil
}
