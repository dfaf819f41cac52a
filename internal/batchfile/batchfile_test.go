package batchfile

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

// one makes a batch of one file.
func one(t testing.TB, kind, name, text string, rows int) fstest.MapFS {
	t.Helper()
	sum := sha256.Sum256([]byte(text))
	m, err := json.Marshal(map[string]any{"format": Format, "source": "gbdul", "kind": kind, "as_of": "2026-03-02T05:30:00+05:00", "previous": "2026-02-27T05:30:00+05:00",
		"files": []File{{name, rows, hex.EncodeToString(sum[:])}}})
	if err != nil {
		t.Fatal(err)
	}
	return fstest.MapFS{ManifestName: {Data: m}, name: {Data: []byte(text)}}
}

// rows reads every row as line:column=value….
func rows(t testing.TB, files fs.FS, b Bounds, columns ...string) ([]string, error) {
	t.Helper()
	batch, err := Open(files, b)
	if err != nil {
		return nil, err
	}
	var all []string
	err = batch.Rows(batch.Files[0], func(r *Row) error {
		s := fmt.Sprintf("%d:", r.Line)
		switch {
		case r.Broken:
			s += "broken"
		case r.End:
			s += "end "
		}
		for _, c := range columns {
			s += r.Get(c) + "|"
		}
		all = append(all, s)
		return nil
	})
	return all, err
}

func code(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return fmt.Sprint(err)
}

// The files of the specification, as CSV and as JSON.
func TestRows(t *testing.T) {
	const header = "bin;kind;name_ru;name_kk;reg_status;reg_date;leader_iin;leader_surname;appointed_on\n"
	for _, c := range []struct {
		name, kind, file, text string
		rows                   int
		want                   []string
	}{
		{"csv", "full", "legal_entities.csv", header + "1;LE;АО «ТЕСТ»;;ACTIVE;2012-04-05;2;ТЕСТОВ;2026-02-27\n", 1, []string{"2:1|АО «ТЕСТ»|2|2026-02-27|"}},
		{"no newline at the end", "full", "legal_entities.csv", header + "1;LE;А;;ACTIVE;d;2;Т;", 1, []string{"2:1|А|2||"}},
		{"R-26 BOM, DOS, quotes", "full", "legal_entities.csv", "\ufeff" + strings.ReplaceAll(header+"1;LE;\"А;\"\"Б\"\"\nВ\";;ACTIVE;d;2;Т;d\n3;LE;Г;;A;d;;;\n", "\n", "\r\n"), 2,
			[]string{"2:1|А;\"Б\"\nВ|2|d|", "4:3|Г|||"}},
		{"broken rows", "full", "legal_entities.csv", header + "1;LE\n2;LE;a\"b;;A;d;;;\n3;LE;Г;;A;d;;;\n", 3, []string{"2:broken1||||", "3:broken2||||", "4:3|Г|||"}},
		{"delta", "delta", "legal_entities.csv", "op;" + header + "U;1;LE;А;;A;d;2;Т;d\nD;2;;;;;;;;\nX;3;;;;;;;;\n", 3, []string{"2:1|А|2|d|", "3:end 2||||", "4:broken3||||"}},
		{"json", "full", "legal_entities.jsonl", `{"bin":"1","kind":"LE","name_ru":"АО «ТЕСТ»","leader":{"iin":"2","surname":"Т","appointed_on":"2026-02-27"},"tax_inactive":false,"name_en":null}` + "\n\n" +
			`{"bin":"1","bin":"2"}` + "\n" + `{"bin":{}}` + "\n[]\n" + `{"bin":"3"} {"bin":"4"}` + "\n\xff\n", 6,
			[]string{"1:1|АО «ТЕСТ»|2|2026-02-27|", "3:broken1||||", "4:broken||||", "5:broken||||", "6:broken3||||", "7:broken||||"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := rows(t, one(t, c.kind, c.file, c.text, c.rows), Bounds{}, "bin", "name_ru", "leader_iin", "appointed_on")
			if err != nil || fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("%q %v", got, err)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	good := "iin;surname\n1;А\n"
	change := func(f func(fstest.MapFS)) fstest.MapFS { m := one(t, "full", "persons.csv", good, 1); f(m); return m }
	manifest := func(old, fresh string) fstest.MapFS {
		return change(func(m fstest.MapFS) {
			m[ManifestName].Data = bytes.Replace(m[ManifestName].Data, []byte(old), []byte(fresh), 1)
		})
	}
	for _, c := range []struct {
		name  string
		files fs.FS
		b     Bounds
		code  string
	}{
		{"no manifest", fstest.MapFS{}, Bounds{}, CodeManifest},
		{"format", manifest("registry/1", "registry/2"), Bounds{}, CodeManifest},
		{"unknown field", manifest(`"kind"`, `"more":1,"kind"`), Bounds{}, CodeManifest},
		{"kind", manifest(`"full"`, `"half"`), Bounds{}, CodeManifest},
		{"moment", manifest("2026-03-02T", "2026-03-32T"), Bounds{}, CodeManifest},
		{"something after", change(func(m fstest.MapFS) { m[ManifestName].Data = append(m[ManifestName].Data, "{}"...) }), Bounds{}, CodeManifest},
		{"signature elsewhere", manifest(`"kind"`, `"signature":"../x","kind"`), Bounds{}, CodeManifest},
		{"signature missing", manifest(`"kind"`, `"signature":"manifest.p7s","kind"`), Bounds{}, CodeFile},
		{"unknown file", manifest("persons.csv", "salaries.csv"), Bounds{}, CodeFile},
		{"path", manifest("persons.csv", "../persons.csv"), Bounds{}, CodeFile},
		{"file missing", manifest("persons.csv", "persons.jsonl"), Bounds{}, CodeFile},
		{"R-07 changed", change(func(m fstest.MapFS) { m["persons.csv"].Data = []byte("iin;surname\n1;Б\n") }), Bounds{}, CodeChanged},
		{"rows", one(t, "full", "persons.csv", good, 2), Bounds{}, CodeChanged},
		{"unknown column", one(t, "full", "persons.csv", "iin;surname;salary\n", 0), Bounds{}, CodeColumn},
		{"column twice", one(t, "full", "persons.csv", "iin;surname;iin\n", 0), Bounds{}, CodeColumn},
		{"column missing", one(t, "full", "persons.csv", "iin;name\n", 0), Bounds{}, CodeColumn},
		{"op in a full one", one(t, "full", "persons.csv", "op;iin;surname\n", 0), Bounds{}, CodeColumn},
		{"no op in a delta", one(t, "delta", "persons.csv", good, 1), Bounds{}, CodeColumn},
		{"empty", one(t, "full", "persons.csv", "", 0), Bounds{}, CodeColumn},
		{"unknown name", one(t, "full", "persons.jsonl", `{"salary":1}`, 1), Bounds{}, CodeColumn},
		{"leader of a person", one(t, "full", "persons.jsonl", `{"leader":{"iin":"1"}}`, 1), Bounds{}, CodeColumn},
		{"a quote nobody closes", one(t, "full", "persons.csv", "iin;surname\n1;\"А"+strings.Repeat("\nБ", 100_000), 1), Bounds{}, CodeTooBig},
		{"long line", one(t, "full", "persons.jsonl", `{"iin":"`+strings.Repeat("1", 70_000)+`"}`, 1), Bounds{}, CodeTooBig},
		{"long file", one(t, "full", "persons.csv", good+strings.Repeat("2;Б\n", 100), 101), Bounds{File: 100}, CodeTooBig},
		{"many rows", one(t, "full", "persons.csv", good+strings.Repeat("2;Б\n", 100), 101), Bounds{Rows: 50}, CodeTooBig},
		{"long manifest", one(t, "full", "persons.csv", good, 1), Bounds{Manifest: 50}, CodeTooBig},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := rows(t, c.files, c.b); code(err) != c.code {
				t.Errorf("%v, want %s", err, c.code)
			}
		})
	}
}

func pack(t *testing.T, names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range names {
		f, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(bytes.Repeat([]byte("0"), 1<<16)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestZip(t *testing.T) {
	open := func(b []byte, bounds Bounds) (fs.FS, error) {
		return OpenZip(bytes.NewReader(b), int64(len(b)), bounds)
	}
	if files, err := open(pack(t, "a.csv"), Bounds{}); err != nil {
		t.Error(err)
	} else if b, err := fs.ReadFile(files, "a.csv"); err != nil || len(b) != 1<<16 {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	many := make([]string, maxEntries+1)
	for i := range many {
		many[i] = fmt.Sprintf("f%d", i)
	}
	for name, c := range map[string]struct {
		b    []byte
		code string
	}{
		"no zip": {[]byte("PK"), CodeArchive}, "folder": {pack(t, "x/a.csv"), CodeArchive}, "way out": {pack(t, "../a.csv"), CodeArchive},
		"twice": {pack(t, "a.csv", "a.csv"), CodeArchive}, "many": {pack(t, many...), CodeArchive},
	} {
		if _, err := open(c.b, Bounds{}); code(err) != c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := open(pack(t, "a.csv"), Bounds{File: 1000}); code(err) != CodeTooBig {
		t.Errorf("too big: %v", err)
	}
	// says it is small and is not: the size in the directory is changed
	bomb := pack(t, "a.csv")
	at := bytes.LastIndex(bomb, []byte("PK\x01\x02"))
	bomb[at+24], bomb[at+25], bomb[at+26] = 10, 0, 0
	files, err := open(bomb, Bounds{})
	if err != nil {
		t.Fatal(err)
	}
	if b, err := fs.ReadFile(files, "a.csv"); err == nil || len(b) > 11 {
		t.Errorf("unpacked %d bytes, %v", len(b), err)
	}
}

// Whatever the bytes are, reading ends, without more memory than the bounds, and says what it is.
func FuzzRows(f *testing.F) {
	f.Add("iin;surname\n1;А\n", true, true)
	f.Add("\ufeffop;iin;surname\r\nD;\"1\";\"a\"\"\"\r\n", true, false)
	f.Add(`{"iin":"1","surname":"А","leader":{}}`+"\n", false, true)
	f.Add(`{"iin":1e9}`+"\n[[[[", false, false)
	f.Fuzz(func(t *testing.T, text string, csv, full bool) {
		name, kind := "persons.jsonl", "delta"
		if csv {
			name = "persons.csv"
		}
		if full {
			kind = "full"
		}
		all, err := rows(t, one(t, kind, name, text, 1), Bounds{Row: 1000, File: 1 << 16}, "iin", "surname")
		if err == nil && len(all) != 1 {
			t.Errorf("%d rows for one", len(all))
		}
		if _, ok := errors.AsType[*Error](err); err != nil && !ok {
			t.Errorf("no code: %v", err)
		}
		for _, s := range all {
			if len(s) > 1000+readAhead {
				t.Errorf("a row of %d bytes", len(s))
			}
		}
	})
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte(`{"format":"senim-registry/1","source":"gbdul","kind":"full","as_of":"2026-03-02T05:30:00+05:00","files":[]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, signature, err := ParseManifest(raw)
		if err == nil && (len(m.Files) == 0 || m.AsOf.IsZero() || strings.ContainsAny(signature, "/\\")) {
			t.Errorf("%+v %q", m, signature)
		}
	})
}
