package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"senim/algid"
	"senim/internal/ca"
	"senim/internal/store"
	"senim/internal/store/storetest"
)

// largeStart is the clock of the benchmarks of large databases.
var largeStart = time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)

func largeNow() time.Time { return largeStart.Add(time.Hour) }

// large is an authority over an SQLite file that is filled beside it.
type large struct {
	path string
	keys *storetest.Keys
	n    int // certificates
}

// newLarge makes an authority, with its first lists, in a new file.
func newLarge(tb testing.TB, path string, algorithm algid.Key) *large {
	tb.Helper()
	l := &large{path: path, keys: &storetest.Keys{}}
	s := openLarge(tb, path)
	err := ca.Create(tb.Context(), ca.Ceremony{Store: s.CA(), Keys: l.keys, By: "tester", Now: func() time.Time { return largeStart }, Plans: []ca.Plan{{
		Name: "large", Algorithm: algorithm, RootName: "ROOT", IssuingName: "ISSUING", Address: "http://localhost:8082",
	}}})
	if err != nil {
		tb.Fatal(err)
	}
	if err := l.open(tb, s).Tend(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	if err := s.Close(); err != nil {
		tb.Fatal(err)
	}
	return l
}

func openLarge(tb testing.TB, path string) *store.Store {
	tb.Helper()
	s, err := store.Open(tb.Context(), store.Config{URL: path, Node: "large", Now: largeNow})
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func (l *large) open(tb testing.TB, s *store.Store) *ca.Service {
	tb.Helper()
	c, err := ca.Open(tb.Context(), ca.Config{Store: s.CA(), Keys: l.keys, Now: largeNow})
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// fill runs statements on the file with nothing but speed in mind: without a journal, since in a log of
// gigabytes each page is looked for from end to end, and with all rows in the order of every index.
func fill(tb testing.TB, path string, statements ...string) {
	tb.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=locking_mode(EXCLUSIVE)&_pragma=journal_mode(OFF)&_pragma=synchronous(OFF)&_pragma=cache_size(-250000)")
	if err != nil {
		tb.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	for _, q := range statements {
		if _, err := db.ExecContext(context.Background(), q); err != nil {
			tb.Fatalf("%s: %v", q, err)
		}
	}
	if err := db.Close(); err != nil {
		tb.Fatal(err)
	}
}

// revokedRows writes n revocations of certificates with serials in no order. The last scheduled list knew
// all but a thousand of them: the full list has a million entries, its delta a thousand.
func revokedRows(n int) []string {
	return []string{
		fmt.Sprintf(`with recursive n(i) as (select 1 union all select i + 1 from n where i < %d)
		insert into ca_revoked (serial, ca, shard, epoch, revoked_at, recorded, reason, invalidity, kept, revoked_by)
		select '1' || substr(lower(hex(randomblob(20))), 2), 'large', '', i, %d - i, %d - i, 4, 0, %d, 'tester' from n`,
			n, largeStart.UnixMilli(), largeStart.UnixMilli(), largeStart.AddDate(1, 0, 0).UnixMilli()),
		fmt.Sprintf(`insert into ca_counters (ca, epoch, list_number) values ('large', %d, 1) on conflict (ca) do update set epoch = %d`, n, n),
		fmt.Sprintf(`update ca_published set epoch = %d where ca = 'large'`, n-1000),
	}
}

// certificateRows writes n certificates that end over a year, of which one in forty is revoked. One in
// forty has the bytes raw of a certificate, the others nothing but zeros.
func certificateRows(n int, raw []byte) []string {
	year := int64(365 * 24 * 3600 * 1000)
	return []string{
		fmt.Sprintf(`with recursive n(i) as (select 1 union all select i + 1 from n where i < %d)
		insert into ca_certificates (serial, ca, order_id, key_hash, profile, state, tbs, raw, iin, bin, name, replaces, not_before, not_after, created)
		select printf('%%040x', 1152921504606846976 + i), 'large', printf('o-%%012d', i), printf('%%064x', i), 'individual', 'issued', x'00', case when i %% 40 = 1 then x'%x' else zeroblob(64) end,
			printf('%%012d', i / 2), '', 'ТЕСТОВ ТЕСТ', '', %d, %d + i * (%d / %d), %d + i from n`,
			n, raw, largeStart.UnixMilli(), largeStart.UnixMilli(), year, n, largeStart.UnixMilli()),
		fmt.Sprintf(`with recursive n(i) as (select 1 union all select i + 1 from n where i < %d)
		insert into ca_revoked (serial, ca, shard, epoch, revoked_at, recorded, reason, invalidity, kept, revoked_by)
		select printf('%%040x', 1152921504606846976 + i * 40), 'large', '', i, %d, %d, 4, 0, %d, 'tester' from n`,
			n/40, largeStart.UnixMilli(), largeStart.UnixMilli(), largeStart.AddDate(1, 0, 0).UnixMilli()),
		fmt.Sprintf(`insert into ca_counters (ca, epoch, list_number) values ('large', %d, 1) on conflict (ca) do update set epoch = %d`, n/40, n/40),
	}
}

// peak is the most memory the process had since resetPeak, in MiB; 0 where the system does not tell.
func peak(tb testing.TB) float64 {
	tb.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			if err != nil {
				tb.Fatal(err)
			}
			return kib / 1024
		}
	}
	return 0
}

func resetPeak() { _ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) }

func BenchmarkMillionEntries512(b *testing.B) { benchmarkList(b, algid.GOST512) }

func BenchmarkMillionEntriesRSA(b *testing.B) { benchmarkList(b, algid.RSA) }

// benchmarkList makes and stores the lists of an authority with a million revocations. It counts seconds of
// the clock, the disk and other programs included, and those of the processor, which are ours.
func benchmarkList(b *testing.B, algorithm algid.Key) {
	path := filepath.Join(b.TempDir(), "senim.db")
	l := newLarge(b, path, algorithm)
	const n = 1_000_000
	fill(b, path, revokedRows(n)...)
	s := openLarge(b, path)
	defer func() { _ = s.Close() }()
	c := l.open(b, s)
	runtime.GC()
	resetPeak()
	start, begin, runs := time.Now(), used(b), 0
	for b.Loop() {
		if err := c.Publish(b.Context(), "large"); err != nil {
			b.Fatal(err)
		}
		runs++
	}
	took, clock := used(b)-begin, time.Since(start)
	b.StopTimer()
	b.ReportMetric(clock.Seconds()/float64(runs), "s")
	b.ReportMetric(took.Seconds()/float64(runs), "CPU-s")
	b.ReportMetric(peak(b), "MiB")
	list, err := c.CRL(b.Context(), "large", false)
	if err != nil || len(list.Raw) < 50*n {
		b.Fatalf("%d bytes, %v", len(list.Raw), err)
	}
}

// used is the processor time of this process.
func used(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// tenMillionIn makes a database of ten million certificates, which takes a minute or two, and gigabytes.
// SENIM_BENCH_CERTIFICATES sets another number.
func tenMillionIn(b *testing.B) *large {
	b.Helper()
	n := 10_000_000
	if v := os.Getenv("SENIM_BENCH_CERTIFICATES"); v != "" {
		var err error
		if n, err = strconv.Atoi(v); err != nil {
			b.Fatal(err)
		}
	}
	path := filepath.Join(b.TempDir(), "senim.db")
	l := newLarge(b, path, algid.GOST512)
	l.n = n
	s := openLarge(b, path)
	raw := l.open(b, s).Authorities()[0].Certificate.Raw
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	fill(b, path, certificateRows(n, raw)...)
	s = openLarge(b, path)
	if err := errors.Join(l.open(b, s).Publish(b.Context(), "large"), s.Close()); err != nil { // as if it had been running
		b.Fatal(err)
	}
	return l
}

// BenchmarkStart opens a database of ten million certificates, and does all that is done before the
// first order is taken.
func BenchmarkStart(b *testing.B) {
	l := tenMillionIn(b)
	begin, runs := time.Now(), 0
	for b.Loop() {
		s := openLarge(b, l.path)
		c := l.open(b, s)
		if err := errors.Join(c.Recover(b.Context()), c.Tend(b.Context()), s.Close()); err != nil {
			b.Fatal(err)
		}
		runs++
	}
	b.ReportMetric(time.Since(begin).Seconds()/float64(runs), "s")
}

// BenchmarkAmongMany does single things in a database of ten million certificates.
func BenchmarkAmongMany(b *testing.B) {
	l := tenMillionIn(b)
	s := openLarge(b, l.path)
	defer func() { _ = s.Close() }()
	c := l.open(b, s)
	b.Run("Revoke", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			revokedSoFar++
			if _, err := c.Revoke(b.Context(), largeSerial(revokedSoFar*40+1), ca.Superseded, "tester", time.Time{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Certificate", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if _, err := c.Certificate(b.Context(), largeSerial(1+i*7919%l.n)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Expiring", func(b *testing.B) { // all that end within a month
		runtime.GC()
		resetPeak()
		before := peak(b)
		var seen int
		for b.Loop() {
			seen = 0
			err := c.Expiring(b.Context(), largeStart, largeStart.AddDate(0, 0, 33), func(ca.Info) error {
				seen++
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(peak(b)-before, "MiB")
		b.ReportMetric(float64(seen), "certificates")
	})
}

// revokedSoFar goes on when a benchmark is run again: nothing is revoked twice.
var revokedSoFar int

func largeSerial(i int) string { return fmt.Sprintf("%040x", 1<<60+i) }
