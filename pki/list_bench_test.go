package pki_test

import (
	"math/big"
	"runtime"
	"testing"
	"time"

	"senim/algid"
	"senim/internal/pkitest"
	"senim/pki"
)

// largeList writes a list, with a signature of zeros, of n entries with serials of 20 octets in no order.
func largeList(t testing.TB, n int) (der []byte, last *big.Int) {
	t.Helper()
	a := pkitest.New(t)
	entries := make([]pki.Entry, n)
	state := uint64(1)
	for i := range entries {
		var b [20]byte
		for j := range b {
			state = state*6364136223846793005 + 1442695040888963407
			b[j] = byte(state >> 56)
		}
		b[0] = b[0]&0x7f | 0x10
		entries[i] = pki.Entry{Serial: new(big.Int).SetBytes(b[:]), RevokedAt: a.Now.Add(-time.Hour), Reason: pki.Superseded, HasReason: true}
	}
	tpl := pki.ListTemplate{Number: big.NewInt(1), ThisUpdate: a.Now, NextUpdate: a.Now.AddDate(0, 0, 7), Entries: entries}
	tbs, err := tpl.TBS(a.CA)
	if err != nil {
		t.Fatal(err)
	}
	return pki.Assemble(tbs, algid.GOST512Sig, make([]byte, 128)), entries[n-1].Serial
}

// A list of a million entries costs its bytes and four more for each entry, and a lookup next to
// nothing (crypto.md §11, security.md §3: lists of up to 64 MiB).
func TestMillionEntries(t *testing.T) {
	if testing.Short() {
		t.Skip("a list of a million entries takes seconds")
	}
	const n = 1_000_000
	der, last := largeList(t, n)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start := time.Now()
	l, err := pki.ParseRevocationList(der)
	took := time.Since(start)
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	kept := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	t.Logf("%d bytes parsed in %v, %d bytes kept, %d bytes allocated in %d pieces", len(der), took, kept,
		after.TotalAlloc-before.TotalAlloc, after.Mallocs-before.Mallocs)
	if l.Len() != n || kept > 5*n {
		t.Errorf("%d entries in %d bytes", l.Len(), kept)
	}
	if e, ok := l.Find(last); !ok || e.Reason != pki.Superseded {
		t.Errorf("last entry: %v, %v", e, ok)
	}
	runtime.KeepAlive(l)
}

func BenchmarkParseRevocationList(b *testing.B) {
	der, _ := largeList(b, 100_000)
	b.SetBytes(int64(len(der)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := pki.ParseRevocationList(der); err != nil {
			b.Fatal(err)
		}
	}
}
