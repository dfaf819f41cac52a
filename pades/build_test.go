package pades

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"senim/algid"
	"senim/internal/pkitest"
)

// moment is the time all tests live at.
var moment = time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)

// body is what the tests sign: objects by number, 1 the catalog, 2 the pages, 3 a page, 4 what it
// shows, 5 a font.
func body() map[int]string {
	return map[int]string{
		1: "<< /Type /Catalog /Pages 2 0 R >>",
		2: "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		3: "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 144] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
		4: content("BT /F1 24 Tf 20 60 Td (Pay 100 tenge) Tj ET"),
		5: "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
	}
}

func content(text string) string {
	return fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(text), text)
}

// classic writes a file with a table.
func classic(objects map[int]string, trailer string) []byte {
	out := []byte("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	return table(out, objects, fmt.Sprintf("/Root 1 0 R /ID [<00112233445566778899aabbccddeeff> <00112233445566778899aabbccddeeff>] %s", trailer), 0)
}

// grow appends an incremental update with a table whose Prev is the last startxref.
func grow(file []byte, objects map[int]string) []byte { return growWith(file, objects, "/Root 1 0 R") }

func growWith(file []byte, objects map[int]string, trailer string) []byte {
	return table(slices.Clone(file), objects, fmt.Sprintf("/Prev %d %s", startxref(file), trailer), highest(file))
}

func startxref(file []byte) int {
	i := bytes.LastIndex(file, []byte("startxref"))
	n, err := strconv.Atoi(strings.Fields(string(file[i+9:]))[0])
	if err != nil {
		panic(err)
	}
	return n
}

// highest is the largest Size a trailer of the file names.
func highest(file []byte) (size int) {
	for _, part := range bytes.Split(file, []byte("/Size "))[1:] {
		n, _ := strconv.Atoi(string(part[:bytes.IndexAny(part, " /\n>")]))
		size = max(size, n)
	}
	return size
}

func table(out []byte, objects map[int]string, trailer string, size int) []byte {
	offsets := map[int]int{}
	for _, num := range slices.Sorted(maps.Keys(objects)) {
		if objects[num] == "" { // freed
			continue
		}
		offsets[num] = len(out)
		out = fmt.Appendf(out, "%d 0 obj\n%s\nendobj\n", num, objects[num])
	}
	start := len(out)
	out = append(out, "xref\n"...)
	if size == 0 {
		out = append(out, "0 1\n0000000000 65535 f \n"...)
	}
	for _, num := range slices.Sorted(maps.Keys(objects)) {
		size = max(size, num+1)
		if at, ok := offsets[num]; ok {
			out = fmt.Appendf(out, "%d 1\n%010d 00000 n \n", num, at)
		} else {
			out = fmt.Appendf(out, "%d 1\n0000000000 00001 f \n", num)
		}
	}
	return fmt.Appendf(out, "trailer\n<< /Size %d %s >>\nstartxref\n%d\n%%%%EOF\n", size, trailer, start)
}

func deflate(data []byte) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, _ = w.Write(data)
	_ = w.Close()
	return b.Bytes()
}

// up predicts rows the way PNG's filter 2 does.
func up(data []byte, row int) []byte {
	var out []byte
	above := make([]byte, row)
	for ; len(data) > 0; data = data[row:] {
		out = append(out, 2)
		for i := range row {
			out = append(out, data[i]-above[i])
		}
		above = data[:row]
	}
	return out
}

// modern writes the same with an object stream and a cross-reference stream.
func modern(objects map[int]string) []byte {
	out := []byte("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	last := slices.Max(slices.Collect(maps.Keys(objects)))
	pack, xref := last+1, last+2
	type row struct {
		kind byte
		a    uint32
		b    uint16
	}
	rows := map[int]row{0: {0, 0, 65535}}
	var head, inside string
	n := 0
	for _, num := range slices.Sorted(maps.Keys(objects)) {
		if strings.Contains(objects[num], "stream") {
			rows[num] = row{1, uint32(len(out)), 0}
			out = fmt.Appendf(out, "%d 0 obj\n%s\nendobj\n", num, objects[num])
			continue
		}
		rows[num] = row{2, uint32(pack), uint16(n)}
		head += fmt.Sprintf("%d %d ", num, len(inside))
		inside += objects[num] + "\n"
		n++
	}
	packed := deflate([]byte(head + inside))
	rows[pack] = row{1, uint32(len(out)), 0}
	out = fmt.Appendf(out, "%d 0 obj\n<< /Type /ObjStm /N %d /First %d /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream\nendobj\n", pack, n, len(head), len(packed), packed)
	start := len(out)
	rows[xref] = row{1, uint32(start), 0}
	var data []byte
	for num := range xref + 1 {
		r := rows[num]
		data = append(data, r.kind)
		data = binary.BigEndian.AppendUint32(data, r.a)
		data = binary.BigEndian.AppendUint16(data, r.b)
	}
	data = deflate(up(data, 7))
	out = fmt.Appendf(out, "%d 0 obj\n<< /Type /XRef /Size %d /Root 1 0 R /W [1 4 2] /Filter /FlateDecode /DecodeParms << /Predictor 12 /Columns 7 >> /Length %d >>\nstream\n%s\nendstream\nendobj\n", xref, xref+1, len(data), data)
	return fmt.Appendf(out, "startxref\n%d\n%%%%EOF\n", start)
}

func open(t testing.TB, file []byte) *Document {
	t.Helper()
	d, err := Parse(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// signed gives the file with one more signature.
func signed(t testing.TB, file []byte, l *pkitest.Leaf, change ...func(*Options)) []byte {
	t.Helper()
	o := Options{Key: l.Key, Certificate: l.Certificate, Time: moment}
	for _, c := range change {
		c(&o)
	}
	update, err := open(t, file).Sign(random, o)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Concat(file, update)
}

// verdicts verifies all signatures of a file.
func verdicts(t testing.TB, file []byte) []Verified {
	t.Helper()
	list, err := open(t, file).Verify()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func authority(t testing.TB) *pkitest.Authority { return pkitest.New(t, pkitest.Config{Now: moment}) }

func rsaLeaf(a *pkitest.Authority) *pkitest.Leaf { return a.Issue(pkitest.Spec{Kind: algid.RSA}) }
