package published_test

import (
	"errors"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"senim/internal/pkitest"
	"senim/internal/published"
	"senim/pki"
)

func numbered(a *pkitest.Authority, n int64) []byte {
	return a.ListOf(pki.ListTemplate{Number: big.NewInt(n), ThisUpdate: a.Now, NextUpdate: a.Now.AddDate(0, 0, 1)})
}

func TestPutAndRead(t *testing.T) {
	a := pkitest.New(t)
	f := published.Folder{Dir: t.TempDir()}
	if lists, err := published.Read(t.Context(), f.Dir); err != nil || len(lists) != 0 {
		t.Fatalf("an empty folder: %d lists, %v", len(lists), err)
	}
	first, second := numbered(a, 1), numbered(a, 2)
	for name, der := range map[string][]byte{"gost": first, "gost_d": first} {
		if err := f.Put(name, der); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Put("gost", second); err != nil {
		t.Fatal(err)
	}
	lists, err := published.Read(t.Context(), f.Dir)
	if err != nil {
		t.Fatal(err)
	}
	var numbers []int64
	for _, l := range lists {
		numbers = append(numbers, l.Number.Int64())
	}
	if slices.Sort(numbers); !slices.Equal(numbers, []int64{1, 2}) {
		t.Errorf("lists %v", numbers)
	}
	names, err := filepath.Glob(filepath.Join(f.Dir, ".*"))
	if err != nil || len(names) != 0 {
		t.Errorf("left behind: %v", names)
	}
	if one, err := published.Read(t.Context(), filepath.Join(f.Dir, "gost.crl")); err != nil || len(one) != 1 {
		t.Errorf("one file: %d, %v", len(one), err)
	}
	info, err := os.Stat(filepath.Join(f.Dir, "gost.crl"))
	if err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// Readers see whole lists while they are replaced.
func TestNeverHalf(t *testing.T) {
	a := pkitest.New(t)
	f := published.Folder{Dir: t.TempDir()}
	lists := [][]byte{numbered(a, 1), numbered(a, 2)}
	if err := f.Put("gost", lists[0]); err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for n := range 2 {
		wait.Go(func() {
			for range 50 {
				if err := f.Put("gost", lists[n]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 100 {
		if got, err := published.Read(t.Context(), filepath.Join(f.Dir, "gost.crl")); err != nil || len(got) != 1 {
			t.Errorf("%d lists, %v", len(got), err)
		}
	}
	wait.Wait()
}

func TestRefuses(t *testing.T) {
	f := published.Folder{Dir: t.TempDir()}
	for _, name := range []string{"", "../gost", "a/b", "Gost", "a b", ".x"} {
		if err := f.Put(name, []byte("x")); err == nil {
			t.Errorf("name %q was taken", name)
		}
	}
	if err := (published.Folder{Dir: filepath.Join(f.Dir, "none")}).Put("gost", nil); err == nil {
		t.Error("wrote into a folder that is not there")
	}
	if _, err := published.Read(t.Context(), filepath.Join(f.Dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
	if err := os.WriteFile(filepath.Join(f.Dir, "bad.crl"), []byte("no list"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := published.Read(t.Context(), f.Dir); err == nil {
		t.Error("a file that is no list is passed over")
	}
}

func TestFetch(t *testing.T) {
	der := numbered(pkitest.New(t), 7)
	mux := http.NewServeMux()
	mux.HandleFunc("/good.crl", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(der) })
	mux.HandleFunc("/cut.crl", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(der[:len(der)-1]) })
	mux.Handle("/elsewhere.crl", http.RedirectHandler("/good.crl", http.StatusFound))
	s := httptest.NewServer(mux)
	defer s.Close()
	got, err := published.Read(t.Context(), s.URL+"/good.crl")
	if err != nil || len(got) != 1 || got[0].Number.Int64() != 7 {
		t.Errorf("%d lists, %v", len(got), err)
	}
	for _, path := range []string{"/cut.crl", "/none.crl", "/elsewhere.crl"} {
		if _, err := published.Read(t.Context(), s.URL+path); err == nil {
			t.Errorf("%s was taken", path)
		}
	}
	s.Close()
	if _, err := published.Read(t.Context(), s.URL+"/good.crl"); err == nil {
		t.Error("a server that is not there is no evidence")
	}
}
