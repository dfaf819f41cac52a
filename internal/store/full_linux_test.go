package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"senim/algid"
	"senim/internal/audit"
	"senim/internal/ca"
	"senim/internal/pkitest"
	"senim/internal/store"
	"senim/internal/store/storetest"
	"senim/pki"
)

// TestSec6FullDisk fills the disk under an authority at work. It stops issuing within one request, signs
// nothing that is not recorded, still reads, and goes on when there is room again.
func TestSec6FullDisk(t *testing.T) {
	t.Run("database", func(t *testing.T) {
		s := open(t, store.Config{URL: filepath.Join(t.TempDir(), "senim.db")})
		pages := func(n int64) {
			do(t, s, func(tx *store.Tx) error {
				_, err := tx.Int(t.Context(), fmt.Sprintf("pragma max_page_count = %d", n))
				return err
			})
		}
		fullDisk(t, s, func() { // room for a few certificates
			do(t, s, func(tx *store.Tx) error {
				n, err := tx.Int(t.Context(), "pragma page_count")
				if err == nil {
					_, err = tx.Int(t.Context(), fmt.Sprintf("pragma max_page_count = %d", n+3))
				}
				return err
			})
		}, func() { pages(1 << 30) })
	})
	t.Run("disk", func(t *testing.T) {
		dir := t.TempDir()
		if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=4m"); err != nil {
			t.Skipf("a small disk cannot be mounted here: %v", err)
		}
		t.Cleanup(func() {
			if err := syscall.Unmount(dir, 0); err != nil {
				t.Error(err)
			}
		})
		s := storetest.Open(t, store.Config{URL: filepath.Join(dir, "senim.db")})
		ballast := filepath.Join(dir, "ballast")
		fullDisk(t, s, func() {
			f, err := os.Create(ballast)
			if err != nil {
				t.Fatal(err)
			}
			size := int64(0)
			for n := 0; err == nil; size += int64(n) {
				n, err = f.Write(make([]byte, 4096))
			}
			_ = f.Close()                                              // it is full, which was the point
			if err := os.Truncate(ballast, size-16*4096); err != nil { // room for a few certificates
				t.Fatal(err)
			}
		}, func() {
			if err := os.Remove(ballast); err != nil {
				t.Fatal(err)
			}
		})
	})
}

func fullDisk(t *testing.T, s *store.Store, fill, free func()) {
	ctx := t.Context()
	keys := &storetest.Keys{}
	err := ca.Create(ctx, ca.Ceremony{Store: s.CA(), Keys: keys, By: "tester", Plans: []ca.Plan{{
		Name: "gost", Algorithm: algid.GOST512, RootName: "ROOT", IssuingName: "ISSUING", Address: "http://localhost:8082",
	}}})
	if err != nil {
		t.Fatal(err)
	}
	authority, err := ca.Open(ctx, ca.Config{Store: s.CA(), Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	issued := map[string]ca.Order{}
	count := 0
	issue := func(id string) error {
		csr := pkitest.Request(t, pkitest.NewKey(t, algid.GOST512), pki.Holder{CommonName: "ТЕСТОВ ТЕСТ"})
		o := ca.Order{ID: id, Profile: "individual", CSR: csr, By: "tester",
			Subject: ca.Subject{CommonName: "ТЕСТОВ ТЕСТ", Surname: "ТЕСТОВ", IIN: "123456789011"}}
		i, err := authority.Issue(ctx, o)
		if err == nil {
			mu.Lock()
			defer mu.Unlock()
			issued[i.Serial] = o
		}
		return err
	}
	if err := issue("before"); err != nil {
		t.Fatal(err)
	}
	fill()
	for err = error(nil); err == nil && count < 1000; count++ {
		err = issue(fmt.Sprint("filling-", count))
	}
	if err == nil {
		t.Fatal("the disk does not become full")
	}
	if again := issue("full"); again == nil {
		t.Error("issued with a full disk")
	}
	var group sync.WaitGroup // many at once: each is told the truth
	for i := range 8 {
		group.Go(func() {
			if err := issue(fmt.Sprint("crowd-", i)); err == nil {
				t.Error("issued with a full disk, in a crowd")
			}
		})
	}
	group.Wait()
	for serial := range issued {
		if _, err := authority.Certificate(ctx, serial); err != nil {
			t.Errorf("with a full disk, reading: %v", err)
		}
	}
	free()
	if err := issue("after"); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if err := authority.Recover(ctx); err != nil {
		t.Error(err)
	}
	recordedAll(t, s, issued)
}

// recordedAll holds what was given out against the audit chain: each with its intent before it.
func recordedAll(t *testing.T, s *store.Store, issued map[string]ca.Order) {
	t.Helper()
	if _, err := s.VerifyAudit(t.Context()); err != nil {
		t.Error(err)
	}
	all, err := s.AuditRecords(t.Context(), "test", 0, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	will, done := map[string]audit.Record{}, map[string]audit.Record{}
	for _, r := range all {
		switch r.Action {
		case "ca.will_sign":
			will[r.Object] = r
		case "ca.issued":
			if _, ok := will[r.Object]; !ok {
				t.Errorf("%s was signed without a record", r.Object)
			}
			done[r.Object] = r
		}
	}
	for serial := range issued {
		if _, ok := done[serial]; !ok {
			t.Errorf("%s was given out and is not recorded", serial)
		}
	}
}
