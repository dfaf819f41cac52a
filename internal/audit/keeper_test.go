package audit

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/transparency-dev/merkle/rfc6962"

	"senim/internal/pkitest"

	"senim/algid"
)

// memory is a chain of one node.
type memory struct {
	records []Record
	points  []Statement
	read    int
}

func (m *memory) AuditRecords(_ context.Context, _ string, after int64, limit int) ([]Record, error) {
	from := min(int(after), len(m.records))
	got := m.records[from:min(from+limit, len(m.records))]
	m.read += len(got)
	return slices.Clone(got), nil
}

func (m *memory) LastCheckpoint(context.Context, string) (Statement, error) {
	if len(m.points) == 0 {
		return Statement{}, nil
	}
	return m.points[len(m.points)-1], nil
}

func (m *memory) AddCheckpoint(_ context.Context, s Statement) error {
	m.points = append(m.points, s)
	return nil
}

func (m *memory) add(t testing.TB, n int) {
	t.Helper()
	var last Record
	if len(m.records) > 0 {
		last = m.records[len(m.records)-1]
	}
	for range n {
		var err error
		if last, err = Next(last, "n1", begin, Event{Action: "test.act", Actor: "h:00", Detail: map[string]string{"b": "<&>", "a": "қ"}}); err != nil {
			t.Fatal(err)
		}
		m.records = append(m.records, last)
	}
}

var begin = time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)

type stamps struct{ err error }

func (s stamps) Stamp(_ context.Context, digest []byte) ([]byte, error) { return digest, s.err }

// keeping is a keeper with a clock to move.
func keeping(t testing.TB, m *memory, key crypto.Signer, stamper Stamper) (*Keeper, *time.Time) {
	t.Helper()
	at := begin
	k, err := NewKeeper(KeeperConfig{Chain: m, Node: "n1", Key: key, Rand: rand.Reader, Now: func() time.Time { return at }, Stamper: stamper, Records: 10})
	if err != nil {
		t.Fatal(err)
	}
	return k, &at
}

// walk verifies everything.
func walk(t testing.TB, m *memory, key crypto.Signer) error {
	t.Helper()
	v, err := NewVerifier(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	trail, err := NewTrail("n1", v)
	if err != nil {
		t.Fatal(err)
	}
	points := m.points
	for _, r := range m.records {
		if err := trail.Add(r); err != nil {
			return err
		}
		if len(points) > 0 && points[0].Size == r.Seq {
			if err := trail.Mark(points[0]); err != nil {
				return err
			}
			points = points[1:]
		}
	}
	for _, p := range points {
		if err := trail.Mark(p); err != nil {
			return err
		}
	}
	return nil
}

func TestSec6CheckpointsWhenDue(t *testing.T) {
	t.Parallel()
	for _, kind := range []algid.Key{algid.GOST512, algid.RSA} {
		m, key := &memory{}, pkitest.NewKey(t, kind)
		k, at := keeping(t, m, key, nil)
		for _, step := range []struct {
			records int
			later   time.Duration
			now     bool
			made    int
		}{
			{0, 0, true, 0}, {3, 0, false, 1}, {3, 59 * time.Second, false, 0}, {0, time.Second, false, 1}, {9, 0, false, 0},
			{1, 0, false, 1}, {25, 0, false, 2}, {0, 0, true, 1}, {0, time.Hour, false, 0},
		} {
			m.add(t, step.records)
			*at = at.Add(step.later)
			if made, err := k.Keep(t.Context(), step.now); err != nil || made != step.made {
				t.Fatalf("%+v: %d made, %v", step, made, err)
			}
		}
		if err := walk(t, m, key); err != nil {
			t.Error(err)
		}
		if last := m.points[len(m.points)-1]; last.Size != 41 || last.Stamped {
			t.Errorf("%+v", last.Checkpoint)
		}
	}
}

// The root is that of RFC 6962 computed from scratch, and a checkpoint reads only what is new.
func TestCheckpointCostsWhatIsNew(t *testing.T) {
	t.Parallel()
	m, key := &memory{}, pkitest.NewKey(t, algid.GOST512)
	k, _ := keeping(t, m, key, nil)
	m.add(t, 95)
	if _, err := k.Keep(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	m.add(t, 5)
	m.read = 0
	if _, err := k.Keep(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if m.read > 8 {
		t.Errorf("%d records were read for 5 new ones", m.read)
	}
	var root func(r []Record) []byte
	root = func(r []Record) []byte {
		if len(r) == 1 {
			return rfc6962.DefaultHasher.HashLeaf(r[0].Hash[:])
		}
		half := 1
		for half*2 < len(r) {
			half *= 2
		}
		return rfc6962.DefaultHasher.HashChildren(root(r[:half]), root(r[half:]))
	}
	if last := m.points[len(m.points)-1]; !bytes.Equal(last.Root[:], root(m.records)) {
		t.Error("another root than from scratch")
	}
}

func TestSec6TrailFindsWhatWasDone(t *testing.T) {
	t.Parallel()
	key, other := pkitest.NewKey(t, algid.GOST512), pkitest.NewKey(t, algid.GOST512)
	whole := func() *memory {
		m := &memory{}
		k, _ := keeping(t, m, key, stamps{})
		m.add(t, 34)
		if _, err := k.Keep(t.Context(), true); err != nil || len(m.points) != 4 {
			t.Fatal(len(m.points), err)
		}
		return m
	}
	if err := walk(t, whole(), key); err != nil {
		t.Fatal(err)
	}
	resign := func(m *memory, i int, by crypto.Signer, change func(*Checkpoint)) {
		s, err := newSigner(by, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		c, token := m.points[i].Checkpoint, m.points[i].Token
		change(&c)
		if m.points[i], err = s.statement(c); err != nil {
			t.Fatal(err)
		}
		m.points[i].Token = token
	}
	// anew writes the whole chain again with another record 15, which its own hashes cannot show
	anew := func(m *memory) {
		var last Record
		for i, r := range m.records {
			if i == 14 {
				r.Actor = "h:01"
			}
			last, _ = Next(last, r.Node, r.At, r.Event)
			m.records[i] = last
		}
	}
	for name, c := range map[string]struct {
		spoil  func(*memory)
		record int64 // the first bad record, or
		point  int64 // the first bad checkpoint
	}{
		"a flipped bit":        {func(m *memory) { m.records[14].Hash[5] ^= 1 }, 15, 0},
		"one dropped":          {func(m *memory) { m.records = slices.Delete(m.records, 14, 15) }, 15, 0},
		"two swapped":          {func(m *memory) { m.records[14], m.records[15] = m.records[15], m.records[14] }, 15, 0},
		"the tail cut":         {func(m *memory) { m.records = m.records[:30] }, 0, 4},
		"written anew":         {anew, 0, 2},
		"a checkpoint dropped": {func(m *memory) { m.points = slices.Delete(m.points, 1, 2) }, 0, 2},
		"a checkpoint twice":   {func(m *memory) { m.points = slices.Insert(m.points, 1, m.points[0]) }, 0, 2},
		"a checkpoint's text changed": {func(m *memory) {
			m.points[1].Note = bytes.Replace(m.points[1].Note, []byte("\n20\n"), []byte("\n21\n"), 1)
		}, 0, 2},
		"a time-stamp taken away":        {func(m *memory) { m.points[1].Token = nil }, 0, 2},
		"signed with another key":        {func(m *memory) { resign(m, 1, other, func(*Checkpoint) {}) }, 0, 2},
		"signed again with the same key": {func(m *memory) { resign(m, 1, key, func(c *Checkpoint) { c.At = c.At.Add(time.Hour) }) }, 0, 3},
		"another root":                   {func(m *memory) { resign(m, 1, key, func(c *Checkpoint) { c.Root[0] ^= 1 }) }, 0, 2},
		"another head":                   {func(m *memory) { resign(m, 1, key, func(c *Checkpoint) { c.Head[0] ^= 1 }) }, 0, 2},
		"another node":                   {func(m *memory) { resign(m, 1, key, func(c *Checkpoint) { c.Node = "n2" }) }, 0, 2},
	} {
		m := whole()
		c.spoil(m)
		err := walk(t, m, key)
		var record *BrokenError
		var point *CheckpointError
		switch {
		case c.record > 0 && errors.As(err, &record) && record.Seq == c.record:
		case c.point > 0 && errors.As(err, &point) && point.Number == c.point:
		default:
			t.Errorf("%s: %v, want record %d or checkpoint %d", name, err, c.record, c.point)
		}
	}
}

// A keeper signs nothing over a chain that does not follow what it signed before.
func TestSec6KeeperRefusesATamperedChain(t *testing.T) {
	t.Parallel()
	key, other := pkitest.NewKey(t, algid.GOST512), pkitest.NewKey(t, algid.GOST512)
	for name, spoil := range map[string]func(*memory){
		"the tail cut": func(m *memory) { m.records = m.records[:9] },
		"cut and grown": func(m *memory) {
			r, _ := Next(m.records[8], "n1", begin, Event{Action: "test.other"})
			m.records = append(m.records[:9], r)
			m.add(t, 5)
		},
		"new one changed": func(m *memory) { m.add(t, 3); m.records[len(m.records)-2].Actor = "h:01" },
		"another's key": func(m *memory) {
			k, _ := keeping(t, &memory{}, other, nil)
			m.points[0], _ = k.signer.statement(m.points[0].Checkpoint)
			m.add(t, 1)
		},
		"a tree changed":     func(m *memory) { m.points[0].Tree[0][0] ^= 1; m.add(t, 1) },
		"a tree of rubbish":  func(m *memory) { m.points[0].Tree = [][]byte{{1}}; m.add(t, 1) },
		"everything is gone": func(m *memory) { m.records = nil },
	} {
		m := &memory{}
		k, _ := keeping(t, m, key, nil)
		m.add(t, 10)
		if _, err := k.Keep(t.Context(), true); err != nil {
			t.Fatal(err)
		}
		spoil(m)
		if made, err := k.Keep(t.Context(), true); err == nil || made != 0 {
			t.Errorf("%s: %d made, %v", name, made, err)
		}
	}
}

func TestCheckpointsAreTimeStamped(t *testing.T) {
	t.Parallel()
	m, key := &memory{}, pkitest.NewKey(t, algid.GOST512)
	k, _ := keeping(t, m, key, stamps{})
	m.add(t, 1)
	if _, err := k.Keep(t.Context(), true); err != nil || !m.points[0].Stamped || len(m.points[0].Token) != 32 {
		t.Fatalf("%+v %v", m.points, err)
	}
	var told error
	k.c.Stamper, k.c.Told = stamps{errors.New("no clock")}, func(err error) { told = err }
	m.add(t, 1)
	if _, err := k.Keep(t.Context(), true); err != nil || m.points[1].Stamped || m.points[1].Token != nil || told == nil {
		t.Fatalf("%+v %v %v", m.points[1], err, told)
	}
	if err := walk(t, m, key); err != nil {
		t.Error(err)
	}
}

func TestPublicKeyForm(t *testing.T) {
	t.Parallel()
	key := pkitest.NewKey(t, algid.GOST512)
	text, err := EncodePublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	v, err := ParsePublicKey(text)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := NewVerifier(key.Public()); err != nil || again.KeyHash() != v.KeyHash() {
		t.Error("another key came back")
	}
	for _, bad := range []string{"", "x", string(text) + "x", strings.Replace(string(text), "PUBLIC", "PRIVATE", 2), strings.Repeat("x", 1<<20)} {
		if _, err := ParsePublicKey([]byte(bad)); err == nil {
			t.Errorf("%.20q was read", bad)
		}
	}
}

// export writes a memory as lines.
func export(t testing.TB, m *memory) []byte {
	t.Helper()
	var b []byte
	var err error
	points := m.points
	for _, r := range m.records {
		if b, err = AppendRecord(b, r); err != nil {
			t.Fatal(err)
		}
		for ; len(points) > 0 && points[0].Size == r.Seq; points = points[1:] {
			if b, err = AppendStatement(b, points[0]); err != nil {
				t.Fatal(err)
			}
		}
	}
	return b
}

func TestExportLines(t *testing.T) {
	t.Parallel()
	m := &memory{}
	k, _ := keeping(t, m, pkitest.NewKey(t, algid.GOST512), stamps{})
	m.add(t, 12)
	if _, err := k.Keep(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	b := export(t, m)
	r := NewReader(bytes.NewReader(b))
	trail, err := NewTrail("n1", k.signer.Verifier)
	if err != nil {
		t.Fatal(err)
	}
	for range len(m.records) + len(m.points) {
		l, err := r.Next()
		if err == nil && l.Record != nil {
			err = trail.Add(*l.Record)
		} else if err == nil {
			err = trail.Mark(*l.Statement)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Next(); err == nil || trail.Records() != 12 || trail.Point().Number != 2 {
		t.Errorf("%v, %d records", err, trail.Records())
	}
	line := string(b[:bytes.IndexByte(b, '\n')+1])
	for name, bad := range map[string]string{
		"cut off": line[:len(line)-1], "a space": strings.Replace(line, ":", ": ", 1), "an unknown field": strings.Replace(line, "{", `{"x":1,`, 1),
		"a field twice": strings.Replace(line, "{", `{"node":"n1",`, 1), "two in one": line[:len(line)-1] + line, "a short hash": strings.Replace(line, `"hash":"`, `"hash":"00`, 1),
		"big letters": strings.Replace(line, m.hex(), strings.ToUpper(m.hex()), 1), "another order": strings.Replace(line, `"a":"қ","b":"<&>"`, `"b":"<&>","a":"қ"`, 1),
		"too long": `{"node":"` + strings.Repeat("x", maxLine) + "\"}\n", "an empty line": "\n", "no json": "x\n",
		"a checkpoint of nothing": "{\"checkpoint\":\"\",\"token\":\"\"}\n",
	} {
		if l, err := NewReader(strings.NewReader(bad)).Next(); err == nil {
			t.Errorf("%s: read as %+v", name, l)
		}
	}
}

func (m *memory) hex() string {
	const digits = "0123456789abcdef"
	var b strings.Builder
	for _, c := range m.records[0].Hash {
		b.WriteByte(digits[c>>4])
		b.WriteByte(digits[c&15])
	}
	return b.String()
}

// FuzzExport: what is read is written again to the same bytes.
func FuzzExport(f *testing.F) {
	m := &memory{}
	k, _ := keeping(f, m, pkitest.NewKey(f, algid.GOST512), stamps{})
	m.add(f, 2)
	if _, err := k.Keep(context.Background(), true); err != nil {
		f.Fatal(err)
	}
	b := export(f, m)
	f.Add(b)
	for line := range bytes.Lines(b) {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var again []byte
		for r := NewReader(bytes.NewReader(b)); ; {
			l, err := r.Next()
			if err != nil {
				break
			}
			if l.Record != nil {
				again, err = AppendRecord(again, *l.Record)
			} else {
				again, err = AppendStatement(again, *l.Statement)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.HasPrefix(b, again) {
			t.Errorf("written again:\n%s", again)
		}
	})
}

// FuzzCheckpoint: the text of a checkpoint that is read is written again to the same bytes.
func FuzzCheckpoint(f *testing.F) {
	f.Add(Checkpoint{Node: "n 1/қ", Number: 2, Size: 17, At: begin, Stamped: true}.text())
	f.Add("senim-audit/x\n1\n" + base64.StdEncoding.EncodeToString(make([]byte, 32)) + "\nnumber 1\n")
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := parseCheckpoint(text); err == nil && c.text() != text {
			t.Errorf("%q became %q", text, c.text())
		}
	})
}
