package store_test

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"senim/internal/auth"
	"senim/internal/store"
	"senim/internal/store/storetest"
)

// BenchmarkOpenSessions opens 100,000 sessions as a sign-in leaves them, certificate and all, uses each
// once, and says how much more memory the process has then: sessions stand in the database.
func BenchmarkOpenSessions(b *testing.B) {
	const n, each = 100_000, 500
	path := filepath.Join(b.TempDir(), "senim.db")
	s := storetest.Open(b, store.Config{URL: path})
	desk, err := auth.New(auth.Config{Store: s.Auth(), Site: "portal", Origin: "http://localhost:8081"})
	if err != nil {
		b.Fatal(err)
	}
	open := func(from, to int) {
		err := s.Auth().Update(b.Context(), func(tx auth.Tx) error {
			for i := from; i < to; i++ {
				if err := tx.PutSession(b.Context(), fmt.Sprintf("%064d", i), openSession(i)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	open(0, each)
	begin := resident(b)
	for b.Loop() {
		for i := each; i < n; i += each {
			open(i, i+each)
		}
		err := s.Auth().View(b.Context(), func(tx auth.Tx) error {
			for i := range n {
				if _, err := tx.Session(b.Context(), fmt.Sprintf("%064d", i)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := desk.Begin(b.Context()); err != nil { // and sweeps
			b.Fatal(err)
		}
	}
	b.ReportMetric(resident(b)-begin, "MiB")
	if info, err := os.Stat(path); err == nil {
		b.ReportMetric(float64(info.Size())/(1<<20), "MiB-on-disk")
	}
}

// openSession is a session of a head, with a certificate of the usual length.
func openSession(i int) auth.Session {
	der := make([]byte, 1100)
	rand.Read(der)
	now := time.Now()
	return auth.Session{Site: "portal", IIN: fmt.Sprintf("%012d", i), BIN: "123456789021", Serial: fmt.Sprintf("%040x", i), Fingerprint: fmt.Sprintf("%064x", i),
		Name: "ТЕСТОВ ТЕСТ", Created: now, Seen: now, Values: map[string]string{"cert": base64.StdEncoding.EncodeToString(der), "profile": "AAAAAAAAAAAAAAAAAAAAAA",
			"profile.type": "ADMIN_ENTERPRISE", "entry": "AAAAAAAAAAAAAAAAAAAAAA", "key.bin": "123456789021", "checked": "2026-11-27T23:00:00Z"}}
}

// resident is the memory that the process has of the machine, in MiB, garbage given back.
func resident(tb testing.TB) float64 {
	tb.Helper()
	debug.FreeOSMemory()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		tb.Skip("this system does not say how much memory a process has")
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			if err != nil {
				tb.Fatal(err)
			}
			return kib / 1024
		}
	}
	tb.Fatal("no VmRSS")
	return 0
}
