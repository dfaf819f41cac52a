package registry_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"senim/internal/ident"
	"senim/internal/registry"
	"senim/internal/store"
	"senim/internal/store/storetest"
)

// The generations of the registry that the tests of a killed server load.
const companies = 60

func generation(g int) batch {
	var b strings.Builder
	b.WriteString(entityHeader)
	for i := range companies {
		b.WriteString(entityLine(number(i, 4), fmt.Sprintf("ТОО %d", g), number(i+g, 0), registryDay(g)))
	}
	return batch{source: "gbdul", kind: "full", asOf: at(2, 5).Add(time.Duration(g) * time.Minute), files: map[string]string{"legal_entities.csv": b.String()}}
}

func registryDay(g int) string { return at(2, 0).AddDate(0, 0, g-300).Format(time.DateOnly) }

// killing ends the process at the n-th change of the store: inside it, or when it is committed.
type killing struct {
	registry.Store
	n      int
	inside bool
}

func (k *killing) Update(ctx context.Context, f func(registry.Tx) error) error {
	k.n--
	err := k.Store.Update(ctx, func(tx registry.Tx) error {
		err := f(tx)
		if k.n == 0 && k.inside {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
		return err
	})
	if k.n == 0 {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	return err
}

// importerOver is an importer of batches by hand, which no guard holds.
func importerOver(t *testing.T, w *world, s registry.Store, now func() time.Time) (*registry.Importer, *registry.Book) {
	t.Helper()
	book, err := registry.New(registry.Config{Store: s, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	imp, err := registry.NewImporter(registry.ImportConfig{Book: book, Judge: w.judge(), Node: "node", Guard: registry.Guard{Ended: 100, Heads: 100, Quarantined: 100}})
	if err != nil {
		t.Fatal(err)
	}
	return imp, book
}

// TestR13Child is the server that is killed: it takes in one generation.
func TestR13Child(t *testing.T) {
	task := strings.Split(os.Getenv("SENIM_R13"), "|") // database, generation, when, inside
	if len(task) != 4 {
		t.Skip("the child of TestR13KilledInTheSwitch")
	}
	g, err := strconv.Atoi(task[1])
	if err != nil {
		t.Fatal(err)
	}
	when, err := strconv.Atoi(task[2])
	if err != nil {
		t.Fatal(err)
	}
	s := storetest.Open(t, store.Config{URL: task[0], Node: "node"})
	w := &world{t: t}
	imp, _ := importerOver(t, w, &killing{Store: s.Registry(), n: when, inside: task[3] == "true"}, func() time.Time { return at(2, 12) })
	if err := give(t.Context(), imp, w, g); err != nil {
		t.Fatal(err)
	}
}

// give brings a generation by hand and confirms it, unless it is in force.
func give(ctx context.Context, imp *registry.Importer, w *world, g int) error {
	_, err := imp.Receive(ctx, w.files(generation(g), nil), registry.Receipt{ByHand: &registry.Clerk{IIN: clerk}})
	if errors.Is(err, registry.ErrLoaded) {
		return nil
	}
	if err != nil && !errors.Is(err, registry.ErrBusy) { // busy: it waits since before the server was killed
		return err
	}
	all, err := imp.Imports(ctx, 1)
	if err == nil && all[0].State == registry.Held {
		err = imp.Confirm(ctx, all[0].ID, registry.Clerk{IIN: headA})
	}
	if err == nil {
		_, err = imp.Tick(ctx)
	}
	return err
}

// The server is killed at every step of a load: after the restart the old load is there whole, or the new one, and
// the batch comes into force when it is given again.
func TestR13KilledInTheSwitch(t *testing.T) {
	for name, url := range map[string]func() string{"sqlite": func() string { return filepath.Join(t.TempDir(), "senim.db") },
		"postgres": func() string { return storetest.PostgresURL(t) }} {
		t.Run(name, func(t *testing.T) { killed(t, url()) })
	}
}

func killed(t *testing.T, url string) {
	w := &world{t: t}
	now := func() time.Time { return at(2, 12) }
	restarted := func(f func(imp *registry.Importer, book *registry.Book)) {
		s, err := store.Open(t.Context(), store.Config{URL: url, Node: "node"})
		if err != nil {
			t.Fatal(err)
		}
		imp, book := importerOver(t, w, s.Registry(), now)
		f(imp, book)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	restarted(func(imp *registry.Importer, book *registry.Book) {
		if err := give(t.Context(), imp, w, 0); err != nil {
			t.Fatal(err)
		}
		wholeIn(t, book, 0)
	})
	old, fresh, g := 0, 0, 0
	for when := 1; ; when++ {
		ended := false
		for _, inside := range []bool{true, false} {
			g++
			child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestR13Child$")
			child.Env = append(os.Environ(), fmt.Sprintf("SENIM_R13=%s|%d|%d|%t", url, g, when, inside))
			out, err := child.CombinedOutput()
			if err == nil {
				ended = true
			} else if e, ok := errors.AsType[*exec.ExitError](err); !ok || e.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL { //nolint:forcetypeassert // on Unix it is
				t.Fatalf("child: %v\n%s", err, out)
			}
			restarted(func(imp *registry.Importer, book *registry.Book) {
				switch is := wholeIn(t, book, g-1, g); is {
				case g:
					fresh++
				default:
					old++
				}
				if _, err := imp.Tick(t.Context()); err != nil {
					t.Fatal(err)
				}
				wholeIn(t, book, g-1, g)
				if err := give(t.Context(), imp, w, g); err != nil {
					t.Fatalf("change %d, inside %t: %v", when, inside, err)
				}
				wholeIn(t, book, g)
			})
		}
		if ended {
			break
		}
	}
	t.Logf("killed %d times: the old load was there %d times, the new one %d times", g-2, old, fresh)
	if old < 10 || fresh < 2 {
		t.Errorf("killed too seldom: %d, %d", old, fresh)
	}
}

// wholeIn finds the registry in one of generations, every company of it, and says in which.
func wholeIn(t *testing.T, book *registry.Book, of ...int) int {
	t.Helper()
	is := -1
	for i := range companies {
		a := book.Head(t.Context(), ident.BIN(number(i, 4)), at(2, 12))
		at := -1
		for _, g := range of {
			if a.Verdict == registry.Good && a.Value.Entity.NameRU == fmt.Sprintf("ТОО %d", g) && string(a.Value.Leader.IIN) == number(i+g, 0) {
				at = g
			}
		}
		if at < 0 || is >= 0 && at != is {
			t.Fatalf("company %d: %s %s %q, the others are of generation %d", i, a.Verdict, a.Code, a.Value.Entity.NameRU, is)
		}
		is = at
	}
	return is
}
