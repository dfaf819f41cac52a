package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
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
	*ca.Service
	path string
	keys *storetest.Keys
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
	l.Service = l.open(tb, s)
	if err := l.Tend(tb.Context()); err != nil {
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

// fill runs statements on the file with nothing but speed in mind.
func fill(tb testing.TB, path string, statements ...string) {
	tb.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)&_pragma=cache_size(-1000000)&_pragma=wal_autocheckpoint(100000)")
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

// revokedRows writes n revocations of certificates with serials in no order.
func revokedRows(n int) []string {
	return []string{
		fmt.Sprintf(`with recursive n(i) as (select 1 union all select i + 1 from n where i < %d)
		insert into ca_revoked (serial, ca, shard, epoch, revoked_at, recorded, reason, invalidity, kept, revoked_by)
		select '1' || substr(lower(hex(randomblob(20))), 2), 'large', '', i, %d - i, %d - i, 4, 0, %d, 'tester' from n`,
			n, largeStart.UnixMilli(), largeStart.UnixMilli(), largeStart.AddDate(1, 0, 0).UnixMilli()),
		fmt.Sprintf(`insert into ca_counters (ca, epoch, list_number) values ('large', %d, 1) on conflict (ca) do update set epoch = %d`, n, n),
	}
}

// certificateRows writes n certificates that end over a year, of which one in forty is revoked.
func certificateRows(n int) []string {
	year := int64(365 * 24 * 3600 * 1000)
	return []string{
		fmt.Sprintf(`with recursive n(i) as (select 1 union all select i + 1 from n where i < %d)
		insert into ca_certificates (serial, ca, order_id, key_hash, profile, state, tbs, raw, iin, bin, name, replaces, not_before, not_after, created)
		select printf('%%040x', 1152921504606846976 + i), 'large', printf('o-%%012d', i), printf('%%064x', i), 'individual', 'issued', x'00', zeroblob(64),
			printf('%%012d', i / 2), '', 'ТЕСТОВ ТЕСТ', '', %d, %d + i * (%d / %d), %d + i from n`,
			n, largeStart.UnixMilli(), largeStart.UnixMilli(), year, n, largeStart.UnixMilli()),
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

// benchmarkList makes and stores the lists of an authority with a million revocations.
func benchmarkList(b *testing.B, algorithm algid.Key) {
	path := filepath.Join(b.TempDir(), "senim.db")
	l := newLarge(b, path, algorithm)
	const n = 1_000_000
	fill(b, path, revokedRows(n)...)
	s := openLarge(b, path)
	defer func() { _ = s.Close() }()
	c := l.open(b, s)
	resetPeak()
	begin, runs := time.Now(), 0
	for b.Loop() {
		if err := c.Publish(b.Context(), "large"); err != nil {
			b.Fatal(err)
		}
		runs++
	}
	took := time.Since(begin)
	b.StopTimer()
	b.ReportMetric(took.Seconds()/float64(runs), "s")
	b.ReportMetric(peak(b), "MiB")
	list, err := c.CRL(b.Context(), "large", false)
	if err != nil || len(list.Raw) < 50*n {
		b.Fatalf("%d bytes, %v", len(list.Raw), err)
	}
}
