package pades

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	"senim/internal/pdf"
)

// update is the bytes of an incremental update, ISO 32000-1 7.5.6.
type update struct {
	base    int64 // length of the document they follow
	buf     bytes.Buffer
	entries []pdf.Entry
	next    int // first number nobody has
}

// newUpdate begins an update of a document.
func (d *Document) newUpdate() (*update, error) {
	u := &update{base: d.Size()}
	size, ok := d.file.Trailer().Get("Size").(int64)
	if !ok || size < 1 || size > 1<<23 {
		return nil, fmt.Errorf("%w: Size of the trailer", ErrDamaged)
	}
	u.next = int(size)
	for _, s := range d.file.Sections() {
		if n := len(s.Entries); n > 0 {
			u.next = max(u.next, s.Entries[n-1].Num+1)
		}
	}
	u.buf.WriteByte('\n') // the document may not end with a line
	return u, nil
}

// number gives a new object its number.
func (u *update) number() pdf.Ref {
	u.next++
	return pdf.Ref{Num: u.next - 1}
}

// at is where the next byte will stand.
func (u *update) at() int64 { return u.base + int64(u.buf.Len()) }

// begin writes the head of an object.
func (u *update) begin(ref pdf.Ref) {
	u.entries = append(u.entries, pdf.Entry{Num: ref.Num, Gen: ref.Gen, Kind: pdf.InFile, Offset: u.at()})
	fmt.Fprintf(&u.buf, "%d %d obj\n", ref.Num, ref.Gen)
}

// put writes an object.
func (u *update) put(ref pdf.Ref, o pdf.Object) {
	u.begin(ref)
	u.buf.Write(pdf.Append(nil, o))
	u.buf.WriteString("\nendobj\n")
}

// finish writes the cross-references in the style of the last section, and the end.
func (u *update) finish(d *Document, id pdf.Object) {
	last := d.file.Sections()[0]
	start := u.at()
	if last.Stream {
		ref := u.number()
		u.entries = append(u.entries, pdf.Entry{Num: ref.Num, Kind: pdf.InFile, Offset: start})
		u.stream(ref, u.trailer(d, id))
	} else {
		u.table(u.trailer(d, id))
	}
	fmt.Fprintf(&u.buf, "startxref\n%d\n%%%%EOF\n", start)
}

func (u *update) trailer(d *Document, id pdf.Object) *pdf.Dict {
	t := pdf.New(pdf.Name("Size"), u.next, pdf.Name("Root"), d.root, pdf.Name("Prev"), d.file.StartXref())
	if info := d.file.Trailer().Get("Info"); info != nil {
		t = t.With("Info", info)
	}
	if id != nil {
		t = t.With("ID", id)
	}
	return t
}

// runs splits the entries, sorted, where numbers are missing.
func (u *update) runs() [][]pdf.Entry {
	slices.SortFunc(u.entries, func(a, b pdf.Entry) int { return cmp.Compare(a.Num, b.Num) })
	var out [][]pdf.Entry
	for i, e := range u.entries {
		if i == 0 || u.entries[i-1].Num+1 != e.Num {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], e)
	}
	return out
}

func (u *update) table(trailer *pdf.Dict) {
	u.buf.WriteString("xref\n")
	for _, run := range u.runs() {
		fmt.Fprintf(&u.buf, "%d %d\n", run[0].Num, len(run))
		for _, e := range run {
			fmt.Fprintf(&u.buf, "%010d %05d n \n", e.Offset, e.Gen)
		}
	}
	u.buf.WriteString("trailer\n")
	u.buf.Write(pdf.Append(nil, trailer))
	u.buf.WriteByte('\n')
}

func (u *update) stream(ref pdf.Ref, trailer *pdf.Dict) {
	var index pdf.Array
	var rows []byte
	for _, run := range u.runs() {
		index = append(index, run[0].Num, len(run))
		for _, e := range run {
			rows = append(rows, 1)
			rows = binary.BigEndian.AppendUint32(rows, uint32(e.Offset))
			rows = binary.BigEndian.AppendUint16(rows, uint16(e.Gen))
		}
	}
	dict := trailer.With("Type", pdf.Name("XRef")).With("W", pdf.Array{1, 4, 2}).With("Index", index).With("Length", len(rows))
	fmt.Fprintf(&u.buf, "%d 0 obj\n", ref.Num)
	u.buf.Write(pdf.Append(nil, dict))
	u.buf.WriteString("\nstream\n")
	u.buf.Write(rows)
	u.buf.WriteString("\nendstream\nendobj\n")
}
