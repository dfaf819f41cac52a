package tlog_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	sumdb "golang.org/x/mod/sumdb/tlog"

	"senim/internal/pkitest"
	"senim/internal/tlog"
	"senim/pki"
)

// made is a log in memory, written here by another hand than the one that reads it: x/mod's.
type made struct {
	t      *testing.T
	signer note.Signer
	key    tlog.Key
	raw    [][]byte
	hashes []sumdb.Hash
}

func newLog(t *testing.T) *made {
	t.Helper()
	secret, public, err := note.GenerateKey(rand.Reader, "test.example/log")
	if err != nil {
		t.Fatal(err)
	}
	m := &made{t: t}
	if m.signer, err = note.NewSigner(secret); err != nil {
		t.Fatal(err)
	}
	if m.key, err = tlog.ParseKey(" " + public + "\n"); err != nil {
		t.Fatal(err)
	}
	return m
}

func (m *made) reader() sumdb.HashReader {
	return sumdb.HashReaderFunc(func(at []int64) ([]sumdb.Hash, error) {
		out := make([]sumdb.Hash, len(at))
		for i, n := range at {
			out[i] = m.hashes[n]
		}
		return out, nil
	})
}

func (m *made) add(raw ...[]byte) {
	m.t.Helper()
	for _, r := range raw {
		stored, err := sumdb.StoredHashes(int64(len(m.raw)), r, m.reader())
		if err != nil {
			m.t.Fatal(err)
		}
		m.raw, m.hashes = append(m.raw, r), append(m.hashes, stored...)
	}
}

// files are the log's files, by path.
func (m *made) files() map[string][]byte {
	m.t.Helper()
	all := map[string][]byte{}
	size := int64(len(m.raw))
	root, err := sumdb.TreeHash(size, m.reader())
	if err != nil {
		m.t.Fatal(err)
	}
	all["checkpoint"] = m.sign(size, root)
	for _, t := range sumdb.NewTiles(8, 0, size) {
		if t.W < 256 && t.N != (size>>(8*t.L))/256 {
			continue
		}
		b, err := sumdb.ReadTileData(t, m.reader())
		if err != nil {
			m.t.Fatal(err)
		}
		all[name(fmt.Sprint(t.L), t.N, t.W)] = b
	}
	for n := int64(0); n*256 < size; n++ {
		var b []byte
		width := min(size-n*256, 256)
		for _, r := range m.raw[n*256 : n*256+width] {
			b = append(binary.BigEndian.AppendUint16(b, uint16(len(r))), r...)
		}
		all[name("entries", n, int(width))] = b
	}
	return all
}

func name(kind string, n int64, w int) string {
	s := fmt.Sprintf("tile/%s/%03d", kind, n)
	if w < 256 {
		s += fmt.Sprintf(".p/%d", w)
	}
	return s
}

func (m *made) sign(size int64, root [32]byte) []byte {
	m.t.Helper()
	b, err := note.Sign(&note.Note{Text: fmt.Sprintf("test.example/log\n%d\n%s\n", size, base64.StdEncoding.EncodeToString(root[:]))}, m.signer)
	if err != nil {
		m.t.Fatal(err)
	}
	return b
}

func (m *made) open(files map[string][]byte) *tlog.Log {
	return tlog.NewLog(m.key, func(path string) ([]byte, error) {
		b, ok := files[path]
		if !ok {
			return nil, fs.ErrNotExist
		}
		return b, nil
	})
}

func entry(t testing.TB, c *pki.Certificate, s tlog.Salt) []byte {
	t.Helper()
	e, err := tlog.New(c, s)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := e.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// filler are entries that are not looked into.
func filler(n int) (all [][]byte) {
	for i := range n {
		all = append(all, fmt.Appendf(nil, "entry %d", i))
	}
	return all
}

func TestEntry(t *testing.T) {
	t.Parallel()
	a := pkitest.New(t)
	c, other := a.Head().Certificate, a.Head().Certificate
	salt := tlog.Salt{1, 2, 3}
	raw := entry(t, c, salt)
	e, err := tlog.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	if e.SerialHex() != c.SerialHex() || !e.NotAfter.Equal(c.NotAfter) || !bytes.Equal(e.Authority, c.AuthorityKeyID) || len(e.Purposes) != len(c.ExtKeyUsage) ||
		e.Usage != c.KeyUsage || len(e.Values) != len(c.Subject)+len(c.Emails)+1 {
		t.Errorf("%+v", e)
	}
	if !e.Mine(salt) || e.Mine(tlog.Salt{1, 2, 4}) {
		t.Error("the wrong one finds it")
	}
	if !bytes.Equal(raw, entry(t, c, salt)) {
		t.Error("made twice, two entries")
	}
	for what, b := range map[string][]byte{"another salt": entry(t, c, tlog.Salt{9}), "another certificate": entry(t, other, salt)} {
		if bytes.Equal(raw, b) {
			t.Errorf("%s, the same entry", what)
		}
	}
	for n := range raw { // nothing cut, nothing added
		if _, err := tlog.Parse(raw[:n]); err == nil {
			t.Fatalf("%d of %d bytes are an entry", n, len(raw))
		}
	}
	if _, err := tlog.Parse(append(raw, 0)); err == nil {
		t.Error("a byte more is an entry")
	}
}

// A certificate that differs in one bit of its signature has another entry: nothing hides behind one.
func TestTheEntryFixesEveryBit(t *testing.T) {
	t.Parallel()
	c := pkitest.New(t).Individual().Certificate
	changed := *c
	changed.Raw = append([]byte(nil), c.Raw...)
	changed.Raw[len(changed.Raw)-1] ^= 1
	if bytes.Equal(entry(t, c, tlog.Salt{}), entry(t, &changed, tlog.Salt{})) {
		t.Error("two certificates, one entry")
	}
}

func TestLogOfEverySize(t *testing.T) {
	t.Parallel()
	m := newLog(t)
	all := filler(700)
	var before []tlog.Checkpoint
	for n := range 700 {
		switch n {
		case 0, 1, 2, 3, 7, 8, 255, 256, 257, 511, 512, 513, 699:
		default:
			m.add(all[n])
			continue
		}
		l := m.open(m.files())
		at, err := l.Checkpoint()
		if err != nil || at.Size != int64(n) {
			t.Fatalf("%d: %+v, %v", n, at, err)
		}
		seen := 0
		count := func(i int64, raw []byte) error {
			if string(raw) != fmt.Sprintf("entry %d", i) {
				t.Errorf("entry %d is %q", i, raw)
			}
			seen++
			return nil
		}
		if err := errors.Join(l.Recompute(at, count), l.Walk(at, count)); err != nil || seen != 2*n {
			t.Fatalf("%d: %d seen, %v", n, seen, err)
		}
		if root, err := l.Root(at.Size); err != nil || root != at.Root {
			t.Errorf("%d: root, %v", n, err)
		}
		for _, i := range []int64{0, at.Size / 2, at.Size - 1} {
			if at.Size == 0 {
				continue
			}
			raw, err := l.Entry(at, i)
			if err != nil || string(raw) != fmt.Sprintf("entry %d", i) {
				t.Errorf("%d: entry %d: %v", n, i, err)
			}
		}
		for _, old := range before {
			if err := l.Follows(old, at); err != nil {
				t.Errorf("%d follows %d: %v", n, old.Size, err)
			}
		}
		before = append(before, at)
		m.add(all[n])
	}
}

func TestTampering(t *testing.T) {
	t.Parallel()
	m := newLog(t)
	m.add(filler(600)...)
	good := m.files()
	old, err := m.open(good).Checkpoint()
	if err != nil {
		t.Fatal(err)
	}
	forked := newLog(t)
	forked.signer, forked.key = m.signer, m.key
	forked.add(filler(299)...)
	forked.add([]byte("another certificate"))
	forked.add(filler(700)[300:]...)
	longer := forked.files()
	other := newLog(t)
	other.add(filler(600)...)
	for what, c := range map[string]struct {
		spoil func(map[string][]byte)
		fork  bool // both states are signed: it is a fork
	}{
		"an entry changed":       {func(f map[string][]byte) { f["tile/entries/001"][700] ^= 1 }, false},
		"an entry of the edge":   {func(f map[string][]byte) { f["tile/entries/002.p/88"][30] ^= 1 }, false},
		"a tile rewritten":       {func(f map[string][]byte) { f["tile/0/000"][40] ^= 1 }, false},
		"a tile of the edge":     {func(f map[string][]byte) { f["tile/0/002.p/88"][40] ^= 1 }, false},
		"a tile above":           {func(f map[string][]byte) { f["tile/1/000.p/2"][40] ^= 1 }, false},
		"a bundle gone":          {func(f map[string][]byte) { delete(f, "tile/entries/000") }, false},
		"a bundle cut":           {func(f map[string][]byte) { f["tile/entries/000"] = f["tile/entries/000"][:500] }, false},
		"another root, unsigned": {func(f map[string][]byte) { f["checkpoint"][30] ^= 1 }, false},
		"another root, signed":   {func(f map[string][]byte) { f["checkpoint"] = m.sign(600, [32]byte{1}) }, true},
		"another log's":          {func(f map[string][]byte) { maps.Copy(f, other.files()) }, false},
		"cut off": {func(f map[string][]byte) {
			short := newLog(t)
			short.signer = m.signer
			short.add(filler(500)...)
			clear(f)
			maps.Copy(f, short.files())
		}, true},
		"a certificate exchanged": {func(f map[string][]byte) { clear(f); maps.Copy(f, longer) }, true},
	} {
		files := map[string][]byte{}
		for k, v := range good {
			files[k] = bytes.Clone(v)
		}
		c.spoil(files)
		l := m.open(files)
		at, err := l.Checkpoint()
		var fork error
		if err == nil {
			fork = l.Follows(old, at)
			err = errors.Join(fork, l.Recompute(at, func(int64, []byte) error { return nil }))
		}
		if err == nil {
			t.Errorf("%s: not found", what)
		}
		if errors.Is(fork, tlog.ErrFork) != c.fork {
			t.Errorf("%s: fork %t, want %t: %v", what, !c.fork, c.fork, err)
		}
	}
}

func TestReceipt(t *testing.T) {
	t.Parallel()
	a := pkitest.New(t)
	c, other := a.Individual().Certificate, a.Individual().Certificate
	salt := tlog.Salt{5}
	m := newLog(t)
	m.add(filler(300)...)
	m.add(entry(t, c, salt))
	m.add(filler(50)...)
	l := m.open(m.files())
	at, err := l.Checkpoint()
	if err != nil {
		t.Fatal(err)
	}
	r, err := l.Receipt(at, salt, 300, entry(t, c, salt))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Receipt(at, salt, 299, entry(t, c, salt)); err == nil {
		t.Error("a receipt for another place")
	}
	kept, err := tlog.ParseReceipt(r.Marshal())
	if err != nil {
		t.Fatal(err)
	}
	if then, err := kept.Check(m.key, c); err != nil || then.Size != 351 {
		t.Errorf("%+v, %v", then, err)
	}
	for what, spoil := range map[string]func(*tlog.Receipt) (tlog.Key, *pki.Certificate){
		"certificate": func(*tlog.Receipt) (tlog.Key, *pki.Certificate) { return m.key, other },
		"salt":        func(r *tlog.Receipt) (tlog.Key, *pki.Certificate) { r.Salt[3] ^= 1; return m.key, c },
		"index":       func(r *tlog.Receipt) (tlog.Key, *pki.Certificate) { r.Index++; return m.key, c },
		"far index":   func(r *tlog.Receipt) (tlog.Key, *pki.Certificate) { r.Index = 1 << 50; return m.key, c },
		"proof":       func(r *tlog.Receipt) (tlog.Key, *pki.Certificate) { r.Proof[2][0] ^= 1; return m.key, c },
		"short proof": func(r *tlog.Receipt) (tlog.Key, *pki.Certificate) { r.Proof = r.Proof[1:]; return m.key, c },
		"key":         func(*tlog.Receipt) (tlog.Key, *pki.Certificate) { return newLog(t).key, c },
		"checkpoint":  func(r *tlog.Receipt) (tlog.Key, *pki.Certificate) { r.Checkpoint[25] ^= 1; return m.key, c },
	} {
		spoiled, err := tlog.ParseReceipt(r.Marshal())
		if err != nil {
			t.Fatal(err)
		}
		key, cert := spoil(&spoiled)
		if _, err := spoiled.Check(key, cert); err == nil {
			t.Errorf("another %s: proved all the same", what)
		}
	}
	for _, s := range []string{"", "x", strings.Replace(string(r.Marshal()), "index 300", "index +300", 1), strings.Replace(string(r.Marshal()), "@v1", "@v2", 1),
		strings.Replace(string(r.Marshal()), "extra", "extras", 1), strings.Repeat("A", 1<<16)} {
		if _, err := tlog.ParseReceipt([]byte(s)); err == nil {
			t.Errorf("%.40q is a receipt", s)
		}
	}
	typed, err := tlog.ParseSalt(salt.String() + "\n")
	if err != nil || typed != salt {
		t.Errorf("salt: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	a := pkitest.New(f)
	f.Add(entry(f, a.Individual().Certificate, tlog.Salt{}))
	f.Add(entry(f, a.InfoSystem().Certificate, tlog.Salt{7}))
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, err := tlog.Parse(raw)
		if err != nil {
			return
		}
		again, err := e.Marshal()
		if err != nil || !bytes.Equal(again, raw) {
			t.Errorf("read and written it differs: %v", err)
		}
	})
}

func FuzzParseReceipt(f *testing.F) {
	f.Add(tlog.Receipt{Salt: tlog.Salt{1}, Index: 7, Proof: [][32]byte{{1}, {2}}, Checkpoint: []byte("o\n1\n\n")}.Marshal())
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := tlog.ParseReceipt(raw)
		if err == nil && !bytes.Equal(r.Marshal(), raw) {
			t.Error("read and written it differs")
		}
	})
}

// The reader of bundles and tiles takes whatever a server sends.
func FuzzBundle(f *testing.F) {
	f.Add([]byte{0, 1, 65}, []byte("x"))
	f.Fuzz(func(t *testing.T, bundle, tile []byte) {
		m := &made{t: t}
		l := m.open(map[string][]byte{"tile/entries/000.p/3": bundle, "tile/0/000.p/3": tile})
		if err := l.Recompute(tlog.Checkpoint{Size: 3}, func(int64, []byte) error { return nil }); err == nil {
			t.Error("a log with the root 0")
		}
	})
}
