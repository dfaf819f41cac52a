package pdf

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// file writes objects (1 is the catalog) with a table.
func file(objects map[int]string, trailer string) []byte {
	out := []byte("%PDF-1.4\n")
	offsets := map[int]int{}
	for _, n := range slices.Sorted(maps.Keys(objects)) {
		offsets[n] = len(out)
		out = fmt.Appendf(out, "%d 0 obj\n%s\nendobj\n", n, objects[n])
	}
	start := len(out)
	out = append(out, "xref\n0 1\n0000000000 65535 f \n"...)
	size := 1
	for _, n := range slices.Sorted(maps.Keys(objects)) {
		out = fmt.Appendf(out, "%d 1\n%010d 00000 n \n", n, offsets[n])
		size = n + 1
	}
	return fmt.Appendf(out, "trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n", size, trailer, start)
}

func streamOf(dict string, data []byte) string {
	return fmt.Sprintf("<< %s /Length %d >>\nstream\n%s\nendstream", dict, len(data), data)
}

func deflate(data []byte) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, _ = w.Write(data)
	_ = w.Close()
	return b.Bytes()
}

func open(t testing.TB, data []byte) *File {
	t.Helper()
	f, err := Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestObjects(t *testing.T) {
	for text, want := range map[string]string{
		"null":                               "null",
		"true":                               "true",
		"false ":                             "false",
		"12":                                 "12",
		"-12":                                "-12",
		"+7":                                 "7",
		"00012":                              "12",
		"1.50":                               "1.50",
		"-.5":                                "-.5",
		"4.":                                 "4.",
		"123456789012345678901234567890":     "123456789012345678901234567890",
		"/Name":                              "/Name",
		"/A#20B#2f":                          "/A#20B#2F",
		"/":                                  "/",
		"(text)":                             "(text)",
		`(a\(b\)\\c(d(e)))`:                  `(a\(b\)\\c\(d\(e\)\))`,
		`(\101\60\7)`:                        "<413007>",
		"(a\\\r\nb)":                         "(ab)",
		"(a\\\nb)":                           "(ab)",
		"(a\rb)":                             "<610a62>",
		"(a\r\nb)":                           "<610a62>",
		`(\n\r\t\b\f\q)`:                     "<0a0d09080c71>",
		"<48 65\n6C6c 6f>":                   "(Hello)",
		"<4>":                                "(@)",
		"<>":                                 "()",
		"[1 R]":                              "", // R alone is nothing
		"[1 2 3 0 R/N(s)[]<</A 1>>null]":     "[1 2 3 0 R /N (s) [] << /A 1 >> null]",
		"<</A/B/C[1]/D<</E null>>>>":         "<< /A /B /C [1] /D << /E null >> >>",
		"<<>>":                               "<< >>",
		"<< /A % remark\n 1 >>":              "<< /A 1 >>",
		"9999999 0 R":                        "", // no such number
		"1 65536 R":                          "",
		"<< /A >>":                           "",
		"<< 1 2 >>":                          "",
		"[1":                                 "",
		"(":                                  "",
		"(\\":                                "",
		"<4x>":                               "",
		"1.2.3":                              "",
		"1e5":                                "",
		"--1":                                "",
		"-":                                  "",
		"nul":                                "",
		"/#4x":                               "",
		"":                                   "",
		strings.Repeat("[", maxDepth+2):      "",
		strings.Repeat("<</A", maxDepth+2):   "",
		"[" + strings.Repeat("0 ", maxParts): "",
	} {
		l := &lexer{buf: []byte(text), base: 0}
		o, err := l.object(0)
		if err == nil {
			if l.space(); l.pos != len(l.buf) {
				err = errors.New("rest")
			}
		}
		if got := string(Append(nil, o)); (err == nil) != (want != "") || err == nil && got != want {
			t.Errorf("%.40q: %.60q %v", text, got, err)
		}
	}
}

func TestDict(t *testing.T) {
	var text strings.Builder
	text.WriteString("<<")
	for i := range 40 {
		fmt.Fprintf(&text, "/K%d %d", i, i)
	}
	o, err := (&lexer{buf: []byte(text.String() + ">>")}).object(0)
	if d := o.(*Dict); err != nil || d.Twice || d.Get("K33") != int64(33) || d.Get("K") != nil || len(d.Keys()) != 40 {
		t.Error(err, o)
	}
	o, err = (&lexer{buf: []byte(text.String() + "/K7 8>>")}).object(0)
	d := o.(*Dict)
	if err != nil || !d.Twice || d.Get("K7") != int64(8) {
		t.Error(err, o)
	}
	if d = d.With("K7", true).With("New", false); d.Get("K7") != true || d.Get("New") != false || len(d.Keys()) != 41 || d.Twice {
		t.Error(d)
	}
	var none *Dict
	if none.Get("A") != nil || none.With("A", int64(1)).Get("A") != int64(1) {
		t.Error("nil dictionary")
	}
}

func TestText(t *testing.T) {
	for _, s := range []string{"", "plain (text)", "Келісім 🖋"} {
		if got := Text(s).Text(); got != s {
			t.Errorf("%q: %q", s, got)
		}
	}
	if got := (&String{Bytes: []byte("\xef\xbb\xbfҚ\xff")}).Text(); got != "Қ\uFFFD" {
		t.Errorf("%q", got)
	}
}

// Streams with every predictor, and what may not be decoded.
func TestDecode(t *testing.T) {
	const columns = 5
	plain := []byte("abcdebcdefzzzzzaaaaa0123456789")
	for kind := range byte(5) {
		var rows []byte
		above := make([]byte, columns)
		for i := 0; i < len(plain); i += columns {
			rows = append(rows, kind)
			for j := range columns {
				now := plain[i+j]
				var left, corner byte
				if j > 0 {
					left, corner = plain[i+j-1], above[j-1]
				}
				switch kind {
				case 1:
					now -= left
				case 2:
					now -= above[j]
				case 3:
					now -= byte((int(left) + int(above[j])) / 2)
				case 4:
					now -= paeth(int(left), int(above[j]), int(corner))
				}
				rows = append(rows, now)
			}
			above = plain[i : i+columns]
		}
		f := open(t, file(map[int]string{1: "<< >>", 2: streamOf("/Filter [/FlateDecode] /DecodeParms [<< /Predictor 15 /Columns 5 >>]", deflate(rows))}, ""))
		if got, err := decode(f, 2); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("filter %d: %q %v", kind, got, err)
		}
	}
	for dict, want := range map[string]error{
		"":                                    nil,
		"/Filter []":                          nil,
		"/Filter null /DecodeParms null":      nil,
		"/Filter /LZWDecode":                  ErrDamaged,
		"/Filter [/FlateDecode /FlateDecode]": ErrDamaged,
		"/Filter /FlateDecode":                ErrDamaged, // it is not
		"/Filter 5":                           ErrDamaged,
		"/Filter /FlateDecode /Filter /FlateDecode":                            ErrDamaged,
		"/Filter /FlateDecode /DecodeParms << /Predictor 2 >>":                 ErrDamaged,
		"/Filter /FlateDecode /DecodeParms << /Predictor 12 /Columns 0 >>":     ErrDamaged,
		"/Filter /FlateDecode /DecodeParms << /Predictor 12 /Columns -1 >>":    ErrDamaged,
		"/Filter /FlateDecode /DecodeParms << /Predictor 12 /Columns 999999>>": ErrDamaged,
	} {
		data := plain
		if strings.Contains(dict, "Predictor") {
			data = deflate(plain)
		}
		f := open(t, file(map[int]string{1: "<< >>", 2: streamOf(dict, data)}, ""))
		if got, err := decode(f, 2); !errors.Is(err, want) || want == nil && !bytes.Equal(got, plain) {
			t.Errorf("%s: %q %v", dict, got, err)
		}
	}
}

func decode(f *File, num int) ([]byte, error) {
	o, err := f.Load(num)
	if err != nil {
		return nil, err
	}
	return f.decoded(o.(*Stream))
}

func TestSec3PDFBounds(t *testing.T) {
	bomb := deflate(make([]byte, maxDecoded+1))
	f := open(t, file(map[int]string{1: "<< >>", 2: streamOf("/Filter /FlateDecode", bomb)}, ""))
	if _, err := decode(f, 2); !errors.Is(err, ErrTooMuch) {
		t.Error("bomb:", err)
	}
	ratio := deflate(make([]byte, 8<<20))
	f = open(t, file(map[int]string{1: "<< >>", 2: streamOf("/Filter /FlateDecode", ratio)}, ""))
	if _, err := decode(f, 2); !errors.Is(err, ErrTooMuch) {
		t.Error("ratio:", err)
	}
	// Work: a thousand references to one large object.
	large := map[int]string{1: "<< >>", 2: "(" + strings.Repeat("x", 1<<20) + ")"}
	f = open(t, file(large, ""))
	var err error
	for range 1000 {
		f.objects = map[int]loaded{}
		if _, err = f.Load(2); err != nil {
			break
		}
	}
	if !errors.Is(err, ErrTooMuch) {
		t.Error("work:", err)
	}
	// An object that does not end.
	endless := file(map[int]string{1: "<< >>", 2: "(" + strings.Repeat("x", 3*maxText) + ")"}, "")
	if _, err := open(t, endless).Load(2); err == nil || !errors.Is(err, ErrTooMuch) && !errors.Is(err, ErrDamaged) {
		t.Error("endless:", err)
	}
	// Entries a table claims to have.
	claims := bytes.Replace(file(map[int]string{1: "<< >>"}, ""), []byte("0 1\n"), []byte("0 8000000\n"), 1)
	if _, err := Open(bytes.NewReader(claims), int64(len(claims))); !errors.Is(err, ErrDamaged) {
		t.Error("claims:", err)
	}
	// Sections in a row.
	chain := file(map[int]string{1: "<< >>"}, "")
	prev := bytes.LastIndex(chain, []byte("xref\n0 1"))
	for range maxSections {
		at := len(chain)
		chain = fmt.Appendf(chain, "xref\n0 0\ntrailer\n<< /Size 2 /Root 1 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n", prev, at)
		prev = at
	}
	if _, err := Open(bytes.NewReader(chain), int64(len(chain))); !errors.Is(err, ErrTooMuch) {
		t.Error("sections:", err)
	}
	// Lengths that hang on one another, and on themselves.
	lengths := map[int]string{1: "<< >>", 50: "<< /Length 50 0 R >>\nstream\n\nendstream"}
	for n := 2; n < 50; n++ {
		lengths[n] = fmt.Sprintf("<< /Length %d 0 R >>\nstream\n\nendstream", n+1)
	}
	f = open(t, file(lengths, ""))
	for n := 2; n <= 50; n++ {
		if _, err := f.Load(n); !errors.Is(err, ErrDamaged) {
			t.Error("lengths:", n, err)
		}
	}
}

func TestStreams(t *testing.T) {
	f := open(t, file(map[int]string{
		1: "<< >>",
		2: "<< /Length 6 0 R >>\nstream\r\nabc\nendstream",
		3: "<< /Length 4 >>\nstream\nabc\nendstream", // too long by the line end, which is permitted
		4: "<< /Length 2 >>\nstream\nabc\nendstream", // too short
		5: "<< /Length 3 >>\nstream\rabc\nendstream", // no line
		6: "3",
		7: "<< /Length -1 >>\nstream\nabc\nendstream",
		8: "<< /Length 99999 >>\nstream\nabc\nendstream",
		9: "[ ]\nstream\nabc\nendstream",
	}, ""))
	for n, want := range map[int]string{2: "abc", 3: "abc\n", 4: "", 5: "", 7: "", 8: "", 9: ""} {
		o, err := f.Load(n)
		if want == "" {
			if !errors.Is(err, ErrDamaged) {
				t.Error(n, err)
			}
			continue
		}
		s, ok := o.(*Stream)
		if err != nil || !ok {
			t.Fatal(n, err)
		}
		if got, err := f.decoded(s); err != nil || string(got) != want {
			t.Errorf("%d: %q %v", n, got, err)
		}
	}
}

// hybrid writes a table beside which a stream tells of object 3 in an object stream.
func hybrid() []byte {
	out := []byte("%PDF-1.5\n")
	at := map[int]int{}
	put := func(n int, text string) {
		at[n] = len(out)
		out = fmt.Appendf(out, "%d 0 obj\n%s\nendobj\n", n, text)
	}
	put(1, "<< /Hidden 3 0 R >>")
	put(4, streamOf("/Type /ObjStm /N 1 /First 4", []byte("3 0 (found)")))
	rows := []byte{2}
	rows = binary.BigEndian.AppendUint32(rows, 4)
	rows = append(rows, 0, 1)
	rows = binary.BigEndian.AppendUint32(rows, uint32(at[4]))
	rows = append(rows, 0)
	put(5, streamOf("/Type /XRef /Size 6 /W [1 4 1] /Index [3 2]", rows))
	start := len(out)
	return fmt.Appendf(out, "xref\n0 2\n0000000003 65535 f \n%010d 00000 n \n3 1\n0000000000 00000 f \n5 1\n%010d 00000 n \ntrailer\n<< /Size 6 /Root 1 0 R /XRefStm %d >>\nstartxref\n%d\n%%%%EOF\n",
		at[1], at[5], at[5], start)
}

func TestHybrid(t *testing.T) {
	f := open(t, hybrid())
	o, err := f.Resolve(Ref{3, 0})
	if s, ok := o.(*String); err != nil || !ok || string(s.Bytes) != "found" || s.At != -1 {
		t.Error(o, err)
	}
	if f.Sections()[0].Stream {
		t.Error("a hybrid is a table")
	}
	// Table and stream disagree where object 3 is.
	two := bytes.Replace(hybrid(), []byte("0000000000 00000 f \n5 1"), []byte("0000000009 00000 n \n5 1"), 1)
	if _, err := Open(bytes.NewReader(two), int64(len(two))); !errors.Is(err, ErrDamaged) {
		t.Error("in two places:", err)
	}
	// One number twice in an object stream.
	two = bytes.Replace(hybrid(), []byte("/N 1 /First 4"), []byte("/N 2 /First 8"), 1)
	two = bytes.Replace(two, []byte("3 0 (found)"), []byte("3 0 3 0 (x)"), 1)
	if _, err := open(t, two).Load(3); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "twice") {
		t.Error("twice:", err)
	}
}

func TestReferences(t *testing.T) {
	f := open(t, file(map[int]string{1: "<< >>", 2: "3 0 R", 3: "7"}, ""))
	if _, err := f.Resolve(Ref{2, 0}); !errors.Is(err, ErrDamaged) {
		t.Error("a reference to a reference:", err)
	}
	for _, r := range []Ref{{3, 1}, {0, 65535}, {99, 0}} {
		if o, err := f.Resolve(r); o != nil || err != nil {
			t.Error(r, o, err)
		}
	}
	if o, err := f.Resolve(Ref{3, 0}); o != int64(7) || err != nil {
		t.Error(o, err)
	}
}

// What is written reads the same, in any file that opens.
func FuzzOpen(f *testing.F) {
	f.Add(file(map[int]string{1: "<< /A [1 -2.5 (x\\)) <00ff> /N#20 true null 3 0 R] >>", 2: streamOf("/Filter /FlateDecode", deflate([]byte("hello")))}, ""))
	f.Add(hybrid())
	f.Add(file(map[int]string{1: "<< >>", 2: "<< /Length 3 0 R >>\nstream\r\nabc\nendstream", 3: "3"}, "/Prev 9"))
	rows := append([]byte{1, 0, 9, 0}, 2, 0, 3, 0)
	f.Add(file(map[int]string{1: "<< >>", 3: streamOf("/Type /XRef /Size 2 /W [1 2 1]", rows)}, ""))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Open(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrEncrypted) && !errors.Is(err, ErrTooMuch) {
				t.Fatal(err)
			}
			return
		}
		err = file.Numbers(func(num int) error {
			o, err := file.Load(num)
			if err != nil {
				return nil
			}
			if s, ok := o.(*Stream); ok {
				_, _ = file.decoded(s)
				o = s.Dict
			}
			again, err := (&lexer{buf: Append(nil, o)}).object(0)
			if err != nil {
				t.Fatalf("%q: %v", Append(nil, o), err)
			}
			if same, err := Equal(file, o, file, again); err != nil || !same && !twice(o) {
				t.Fatalf("%q: %v", Append(nil, o), err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if old, err := file.Revision(file.Size()); err == nil {
			if span, err := file.Stray(old); err != nil || span != (Span{}) {
				t.Fatal("a file after itself:", span, err)
			}
		}
	})
}

// twice tells whether a key stands twice somewhere: such are equal to nothing.
func twice(o Object) bool {
	switch o := o.(type) {
	case Array:
		return slices.ContainsFunc(o, twice)
	case *Dict:
		return o.Twice || slices.ContainsFunc(o.values, twice)
	}
	return false
}
