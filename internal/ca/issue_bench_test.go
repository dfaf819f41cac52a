package ca_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"senim/algid"
	"senim/internal/ca"
	"senim/internal/pkitest"
	"senim/internal/store"
	"senim/internal/store/storetest"
	"senim/pki"
)

// BenchmarkIssue512 is the whole issue of a GOST512 certificate, durable on SQLite: possession proved,
// linted under a throw-away key, both audit records, signed, compared. Many callers at once; what
// counts is the processor's time of the whole process, so waiting for the disk is free and everything
// else is not.
func BenchmarkIssue512(b *testing.B) { benchmarkIssue(b, filepath.Join(b.TempDir(), "senim.db")) }

// BenchmarkIssue512Postgres is the same on PostgreSQL, whose own processes are not counted.
func BenchmarkIssue512Postgres(b *testing.B) { benchmarkIssue(b, storetest.PostgresURL(b)) }

func benchmarkIssue(b *testing.B, url string) {
	s := storetest.Open(b, store.Config{URL: url})
	authority := newAuthority(b, s, &storetest.Keys{})
	orders := make([]ca.Order, b.N)
	for i := range orders {
		orders[i] = order(b, fmt.Sprint("B-", i))
	}
	// Tables of the keys and prepared statements are of the start, not of an issue.
	for i := range 16 {
		if _, err := authority.Issue(b.Context(), order(b, fmt.Sprint("warm-", i))); err != nil {
			b.Fatal(err)
		}
	}
	const callers = 64
	var next atomic.Int64
	var group sync.WaitGroup
	before := processorTime(b)
	b.ResetTimer()
	for range callers {
		group.Go(func() {
			for i := next.Add(1) - 1; i < int64(b.N); i = next.Add(1) - 1 {
				if _, err := authority.Issue(b.Context(), orders[i]); err != nil {
					b.Error(err)
				}
			}
		})
	}
	group.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/(processorTime(b)-before).Seconds(), "op/cpu-s")
}

// processorTime is what this process has used of all cores.
func processorTime(t testing.TB) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// newAuthority creates the authority "gost" in a new store and opens it.
func newAuthority(t testing.TB, s *store.Store, keys ca.Keys) *ca.Service {
	t.Helper()
	err := ca.Create(t.Context(), ca.Ceremony{Store: s.CA(), Keys: keys, By: "tester", Plans: []ca.Plan{{
		Name: "gost", Algorithm: algid.GOST512, RootName: "ROOT", IssuingName: "ISSUING", Address: "http://localhost:8082",
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return openAuthority(t, s, keys)
}

func openAuthority(t testing.TB, s *store.Store, keys ca.Keys) *ca.Service {
	t.Helper()
	authority, err := ca.Open(t.Context(), ca.Config{Store: s.CA(), Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	return authority
}

func order(t testing.TB, id string) ca.Order {
	t.Helper()
	csr := pkitest.Request(t, pkitest.NewKey(t, algid.GOST512), pki.Holder{CommonName: "ТЕСТОВ ТЕСТ"})
	return ca.Order{ID: id, Profile: "individual", CSR: csr, By: "tester",
		Subject: ca.Subject{CommonName: "ТЕСТОВ ТЕСТ", Surname: "ТЕСТОВ", IIN: "123456789011"}}
}
