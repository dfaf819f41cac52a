package store_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"senim/internal/paper"
	"senim/internal/registry"
	"senim/internal/store"
	"senim/internal/store/storetest"
)

// The scan of a change lies sealed: nothing of it can be read in the database's files.
func TestScanOfAChangeIsSealed(t *testing.T) {
	dir := t.TempDir()
	s := storetest.Open(t, store.Config{URL: filepath.Join(dir, "senim.db")})
	body := []byte("%PDF-1.7 the whole of the order")
	scan, err := paper.Read(body)
	if err != nil {
		t.Fatal(err)
	}
	err = s.Registry().Update(t.Context(), func(tx registry.Tx) error {
		return tx.PutScan(t.Context(), "change", scan, time.Now(), body)
	})
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "senim.db*"))
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		found = found || bytes.Contains(b, []byte(scan.Hash))
		if bytes.Contains(b, []byte("the whole of the order")) {
			t.Errorf("%s holds the scan as it is", filepath.Base(name))
		}
	}
	if !found {
		t.Error("the row is in none of the files that were read")
	}
}
