package logdir_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"senim/internal/logdir"
	"senim/internal/tlog"
)

func keys(t testing.TB) (secret, public string) {
	t.Helper()
	secret, public, err := note.GenerateKey(rand.Reader, "test.example/log")
	if err != nil {
		t.Fatal(err)
	}
	return secret, public
}

func filler(from, n int) (all [][]byte) {
	for i := range n {
		all = append(all, fmt.Appendf(nil, "entry %d", from+i))
	}
	return all
}

func open(t testing.TB, dir, secret string) *logdir.Folder {
	t.Helper()
	f, err := logdir.Open(t.Context(), dir, secret)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFolder(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "log")
	secret, public := keys(t)
	f := open(t, dir, secret)
	if _, err := logdir.Open(t.Context(), dir, secret); !errors.Is(err, logdir.ErrLocked) {
		t.Errorf("opened twice: %v", err)
	}
	if err := f.Append(t.Context(), 1, filler(0, 1)); err == nil {
		t.Error("the first entry came to place 1")
	}
	if err := errors.Join(f.Append(t.Context(), 0, filler(0, 300)), f.Close()); err != nil {
		t.Fatal(err)
	}
	f = open(t, dir, secret)
	if n, err := f.Size(); err != nil || n != 300 {
		t.Errorf("%d entries after a restart, %v", n, err)
	}
	if err := errors.Join(f.Append(t.Context(), 300, filler(300, 5)), f.Close()); err != nil {
		t.Fatal(err)
	}
	key, err := tlog.ParseKey(public)
	if err != nil {
		t.Fatal(err)
	}
	l := tlog.NewLog(key, logdir.Fetch(dir))
	at, err := l.Checkpoint()
	if err != nil || at.Size != 305 {
		t.Fatalf("%+v, %v", at, err)
	}
	if err := l.Recompute(at, func(i int64, raw []byte) error {
		if string(raw) != fmt.Sprintf("entry %d", i) {
			t.Errorf("entry %d is %q", i, raw)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	if _, err := logdir.Open(t.Context(), dir, "no key"); err == nil {
		t.Error("opened without a key")
	}
}

func TestServe(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "log")
	secret, public := keys(t)
	f := open(t, dir, secret)
	if err := errors.Join(f.Append(t.Context(), 0, filler(0, 300)), f.Close()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(dir), "secret"), []byte("confidential"), 0o600); err != nil {
		t.Fatal(err)
	}
	good := true
	h := logdir.Service{Files: logdir.Fetch(dir), Key: public, Health: func() (any, bool) { return map[string]int{"size": 300}, good }}.Handler("/log/")
	get := func(method, path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), method, "/log/", nil)
		r.URL.Path = path
		h.ServeHTTP(w, r)
		return w
	}
	for path, keep := range map[string]string{"checkpoint": "public, max-age=1", "tile/0/000": "public, max-age=31536000, immutable", "tile/entries/000": "public, max-age=31536000, immutable",
		"tile/0/001.p/44": "public, max-age=3600", "tile/1/000.p/1": "public, max-age=3600", "key": "public, max-age=3600", "health": "no-store"} {
		w := get(http.MethodGet, "/log/"+path)
		if w.Code != http.StatusOK || w.Header().Get("Cache-Control") != keep || w.Body.Len() == 0 {
			t.Errorf("%s: %d, %q, %d bytes", path, w.Code, w.Header().Get("Cache-Control"), w.Body.Len())
		}
	}
	for _, path := range []string{"", ".state/treeState", ".writer", "../secret", "tile/../../secret", "tile/0/001", "tile/64/000", "tile/0/000/", "tile/0/1000", "tile/0/000.p/0", "x"} {
		if w := get(http.MethodGet, "/log/"+path); w.Code == http.StatusOK || strings.Contains(w.Body.String(), "confidential") {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if w := get(http.MethodPost, "/log/checkpoint"); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", w.Code)
	}
	good = false
	if w := get(http.MethodGet, "/log/health"); w.Code != http.StatusServiceUnavailable {
		t.Errorf("health of a log in trouble: %d", w.Code)
	}
}

// BenchmarkAppend writes batches of the size of those of the feed.
func BenchmarkAppend(b *testing.B) {
	secret, _ := keys(b)
	f := open(b, filepath.Join(b.TempDir(), "log"), secret)
	const batch = 1300
	entry := []byte(strings.Repeat("x", 700))
	all := make([][]byte, batch)
	for i := range all {
		all[i] = entry
	}
	begin := time.Now()
	n := int64(0)
	for b.Loop() {
		if err := f.Append(b.Context(), n, all); err != nil {
			b.Fatal(err)
		}
		n += batch
	}
	b.ReportMetric(float64(n)/time.Since(begin).Seconds(), "entries/s")
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
}
