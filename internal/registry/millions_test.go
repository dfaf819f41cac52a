package registry_test

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"senim/internal/ident"
	"senim/internal/registry"
	"senim/internal/store"
	"senim/internal/store/storetest"
)

// Whole registries: how long a load takes, a load of the same with a few changes, and a look-up, and how much memory.
// A thousand companies always; with SENIM_LONG that many companies (1: two millions), and ten persons for each.
// SENIM_LONG_ENGINE runs one of the engines only.
func TestLoadOfMillions(t *testing.T) {
	n := 1000
	if v := os.Getenv("SENIM_LONG"); v != "" {
		var err error
		if n, err = strconv.Atoi(v); err != nil {
			t.Fatal(err)
		}
		if n < 1000 {
			n *= 2_000_000
		}
	}
	for name, open := range map[string]func(*testing.T) *store.Store{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		if one := os.Getenv("SENIM_LONG_ENGINE"); one != "" && one != name {
			continue
		}
		t.Run(name, func(t *testing.T) { millions(t, newWorld(t, open(t)), n) })
	}
}

func millions(t *testing.T, w *world, n int) {
	var all time.Duration
	load := func(what string, b registry.Receipt, files fs.FS, rows int) {
		t.Helper()
		var i registry.Import
		took, peak := storetest.Measured(t, func() (err error) {
			if i, err = w.imp.Receive(t.Context(), files, b); err != nil || i.State != registry.Held {
				return err
			}
			if err = w.imp.Confirm(t.Context(), i.ID, registry.Clerk{IIN: headA}); err == nil {
				_, err = w.imp.Tick(t.Context())
			}
			if err == nil {
				i, err = w.imp.Import(t.Context(), i.ID)
			}
			return err
		})
		all += took
		t.Logf("%s: %d rows in %v, %.0f rows a second, heap at most %d MiB", what, rows, took.Round(time.Millisecond), float64(rows)/took.Seconds(), peak>>20)
		if i.State != registry.Accepted || i.Total() != int64(rows) || i.Quarantined() != 0 {
			t.Fatalf("%s: %s %s, %d rows", what, i.State, i.Code, i.Total())
		}
		if peak > 200<<20 {
			t.Errorf("%s took %d MiB", what, peak>>20)
		}
	}
	hand := registry.Receipt{ByHand: &registry.Clerk{IIN: clerk}}
	load("companies", hand, bigCompanies(t, n, 0, at(2, 5)), n)
	load("persons", hand, bigPersons(t, 10*n, 0, at(2, 5)), 10*n)
	t.Logf("the whole registry: %d rows in %v", 11*n, all.Round(time.Millisecond))
	if n == 2_000_000 && all > 10*time.Minute {
		t.Errorf("it took %v", all)
	}
	// one in a hundred companies gets another head, one in a thousand persons another name
	w.now = at(4, 7)
	load("companies again", hand, bigCompanies(t, n, 100, at(4, 5)), n)
	load("persons again", hand, bigPersons(t, 10*n, 1000, at(4, 5)), 10*n)
	w.head(w.now, ident.BIN(fast(0, '4')), ident.IIN(fast(1, '0')))
	w.head(w.now, ident.BIN(fast(1, '4')), ident.IIN(fast(10, '0')))

	const asks = 500
	for _, times := range []string{"the first time", "again"} {
		begin := time.Now()
		for i := range asks {
			at := i * (n / asks)
			if a := w.book.Head(t.Context(), ident.BIN(fast(at, '4')), w.now); a.Verdict != registry.Good {
				t.Fatalf("head %d: %s %s", at, a.Verdict, a.Code)
			}
		}
		head := time.Since(begin) / asks
		begin = time.Now()
		for i := range asks {
			at := i * (10 * n / asks)
			if a := w.book.Person(t.Context(), ident.IIN(fast(at, '0'))); a.Verdict != registry.Good {
				t.Fatalf("person %d: %s %s", at, a.Verdict, a.Code)
			}
		}
		t.Logf("a look-up, %s: head %v, person %v", times, head, time.Since(begin)/asks)
	}
}

// fast makes the n-th number with the fifth digit and a right check digit; fast numbers of never assigned ones are
// moved to a range of their own.
func fast(n int, fifth byte) string {
	var d [12]byte
	for try := 0; ; try++ {
		v := n + try*100_000_000
		for i := 10; i >= 0; i-- {
			if i == 4 {
				d[i] = fifth
				continue
			}
			d[i], v = byte('0'+v%10), v/10
		}
		for _, first := range []int{0, 2} {
			r := 0
			for i := range 11 {
				r += int(d[i]-'0') * ((i+first)%11 + 1)
			}
			if r %= 11; r < 10 {
				d[11] = byte('0' + r)
				return string(d[:])
			}
		}
	}
}

func bigCompanies(t *testing.T, n, changed int, asOf time.Time) fs.FS {
	return big(t, "gbdul", "legal_entities.csv", n, asOf, entityHeader, func(w io.Writer, i int) error {
		head, day := fast(10*i, '0'), "2020-01-01"
		if changed > 0 && i%changed == 0 {
			head, day = fast(10*i+1, '0'), "2026-03-01"
		}
		_, err := fmt.Fprintf(w, "%s;LE;ТОО «Компания %d»;ACTIVE;2012-04-05;;%s;ТЕСТОВ;ТЕСТ;Директор;%s;\n", fast(i, '4'), i, head, day)
		return err
	})
}

func bigPersons(t *testing.T, n, changed int, asOf time.Time) fs.FS {
	return big(t, "gbdfl", "persons.csv", n, asOf, "iin;surname;name;patronymic;birth_date;sex;citizenship;life;capable;excluded;nonresident\n", func(w io.Writer, i int) error {
		surname := "ТЕСТОВ"
		if changed > 0 && i%changed == 0 {
			surname = "ТЕСТЕНОВ"
		}
		_, err := fmt.Fprintf(w, "%s;%s;ТЕСТ;ТЕСТОВИЧ;1980-01-01;M;KAZ;ALIVE;1;0;0\n", fast(i, '0'), surname)
		return err
	})
}

// big writes a batch of one file into a folder of the test.
func big(t *testing.T, source, name string, n int, asOf time.Time, header string, line func(io.Writer, int) error) fs.FS {
	t.Helper()
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.New()
	w := bufio.NewWriterSize(io.MultiWriter(f, sum), 1<<20)
	if _, err := w.WriteString(header); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if err := line(w, i); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	manifest, err := json.Marshal(map[string]any{"format": "senim-registry/1", "source": source, "kind": "full", "as_of": asOf.Format(time.RFC3339),
		"files": []map[string]any{{"name": name, "rows": n, "sha256": hex.EncodeToString(sum.Sum(nil))}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "manifest.json"), manifest, 0o600); err != nil {
		t.Fatal(err)
	}
	return os.DirFS(dir)
}
