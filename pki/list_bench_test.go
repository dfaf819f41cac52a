package pki_test

import (
	"bytes"
	"math/big"
	"runtime"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/algid"
	"senim/internal/pkitest"
	"senim/pki"
)

// largeList writes a list, with a signature of zeros, of n entries with serials of 20 octets in no
// order: one entry, again and again.
func largeList(t testing.TB, n int) (der []byte, last *big.Int) {
	t.Helper()
	a := pkitest.New(t)
	mark := bytes.Repeat([]byte{0x11}, 20)
	tpl := pki.ListTemplate{Number: big.NewInt(1), ThisUpdate: a.Now, NextUpdate: a.Now.AddDate(0, 0, 7), Entries: []pki.Entry{
		{Serial: new(big.Int).SetBytes(mark), RevokedAt: a.Now.Add(-time.Hour), Reason: pki.Superseded, HasReason: true},
	}}
	tbs, err := tpl.TBS(a.CA)
	if err != nil {
		t.Fatal(err)
	}
	list := elements(t, tbs)
	entry := elements(t, list[5])[0]
	at := bytes.Index(entry, mark)
	many := make([]byte, 0, n*len(entry))
	state := uint64(1)
	for range n {
		for j := range mark {
			state = state*6364136223846793005 + 1442695040888963407
			mark[j] = byte(state >> 56)
		}
		mark[0] = mark[0]&0x7f | 0x10
		many = append(append(append(many, entry[:at]...), mark...), entry[at+len(mark):]...)
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(many) })
	list[5] = b.BytesOrPanic()
	return pki.Assemble(sequenceOf(list...), algid.GOST512Sig, make([]byte, 128)), new(big.Int).SetBytes(mark)
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
