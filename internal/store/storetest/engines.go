package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"senim/internal/store"
)

// SQLite opens a store over a new file of the test.
func SQLite(t *testing.T) *store.Store {
	t.Helper()
	return Open(t, store.Config{URL: filepath.Join(t.TempDir(), "senim.db")})
}

// Postgres opens a store over a new database of the test. It skips the test when there is no
// PostgreSQL; see [PostgresURL].
func Postgres(t *testing.T) *store.Store {
	t.Helper()
	return Open(t, store.Config{URL: PostgresURL(t)})
}

// Open opens a store that is closed when the test ends.
func Open(t testing.TB, c store.Config) *store.Store {
	t.Helper()
	if c.Node == "" {
		c.Node = "test"
	}
	s, err := store.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// PostgresURL makes a new database and gives its URL. The cluster is that of the environment's
// SENIM_TEST_POSTGRES (a postgres:// URL of a role that may create databases), or else a throw-away
// one, started once for the test process in a temporary directory and stopped with it.
func PostgresURL(t testing.TB) string {
	t.Helper()
	at := os.Getenv("SENIM_TEST_POSTGRES")
	if at == "" {
		c := throwaway()
		if c.err != nil {
			t.Skipf("no PostgreSQL here: %v (install it, or name a cluster in SENIM_TEST_POSTGRES)", c.err)
		}
		at = c.url
	}
	name := fmt.Sprintf("senim_test_%d_%d", os.Getpid(), time.Now().UnixNano())
	command := func(ctx context.Context, sql string) error {
		c, err := pgx.Connect(ctx, at)
		if err != nil {
			return err
		}
		defer func() { _ = c.Close(ctx) }() // what was asked is done by then
		_, err = c.Exec(ctx, sql)
		return err
	}
	if err := command(t.Context(), "create database "+name); err != nil {
		t.Fatalf("create a test database: %v", err)
	}
	t.Cleanup(func() {
		if err := command(context.Background(), "drop database if exists "+name+" with (force)"); err != nil {
			t.Logf("drop the test database: %v", err)
		}
	})
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

type cluster struct {
	url string
	err error
	// alive is our end of the pipe to the watching shell; held here, it stays open.
	alive io.Closer
}

// throwaway starts the cluster of this process. A watching shell, not we, stops it: a test binary
// has no moment of its own at which all tests are over, and it may be killed.
var throwaway = sync.OnceValue(func() cluster {
	u, alive, err := start()
	return cluster{u, err, alive}
})

func start() (string, io.Closer, error) {
	bin, err := binaries()
	if err != nil {
		return "", nil, err
	}
	dir, err := os.MkdirTemp("", "senim-pg-")
	if err != nil {
		return "", nil, err
	}
	who, err := unprivileged(dir)
	if err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(dir))
	}
	run := func(name string, args ...string) error {
		c := exec.Command(filepath.Join(bin, name), args...) //nolint:gosec,noctx // programs of PostgreSQL found by us, for the whole process
		c.Dir, c.SysProcAttr = dir, who
		c.Env = append(os.Environ(), "LC_ALL=C", "PGDATA=", "HOME="+dir)
		var out bytes.Buffer
		c.Stdout, c.Stderr = &out, &out
		if err := c.Run(); err != nil {
			return fmt.Errorf("%s: %w: %s", name, err, bytes.TrimSpace(out.Bytes()))
		}
		return nil
	}
	data := filepath.Join(dir, "data")
	if err := run("initdb", "-D", data, "-U", "senim", "-A", "trust", "-E", "UTF8", "--no-sync", "--no-instructions"); err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(dir))
	}
	options := fmt.Sprintf("-k %s -h '' -F -c max_connections=300 -c shared_buffers=32MB -c log_min_messages=fatal", dir)
	if err := run("pg_ctl", "-D", data, "-w", "-t", "60", "-l", filepath.Join(dir, "log"), "-o", options, "start"); err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(dir))
	}
	// When this process is gone, whatever the way, its end of the pipe closes.
	watch := exec.Command("/bin/sh", "-c", `cat >/dev/null; "$1" -D "$2" -m immediate stop; rm -rf "$3"`, //nolint:gosec,noctx // our own paths; it outlives this process on purpose
		"sh", filepath.Join(bin, "pg_ctl"), data, dir)
	watch.SysProcAttr = apart(who)
	watch.Dir = "/"
	alive, err := watch.StdinPipe()
	if err != nil {
		return "", nil, err
	}
	if err := watch.Start(); err != nil {
		return "", nil, err
	}
	return "postgres://senim@/postgres?host=" + url.QueryEscape(dir), alive, nil
}

// binaries finds the directory of initdb and pg_ctl: that of Debian's packages, or of the PATH.
func binaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	if len(found) > 0 {
		return filepath.Dir(found[len(found)-1]), nil
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		return "", errors.New("initdb is not found")
	}
	return filepath.Dir(path), nil
}
