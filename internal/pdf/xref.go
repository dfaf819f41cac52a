package pdf

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
)

// Kind tells where an object is.
type Kind uint8

// The kinds.
const (
	Free     Kind = iota // nowhere
	InFile               // at an offset
	InStream             // in an object stream
)

// Entry is one cross-reference. Those that are the same are equal.
type Entry struct {
	Num       int
	Kind      Kind
	Gen       int   // 0 in an object stream
	Offset    int64 // InFile
	Container int   // InStream
	Index     int   // InStream
}

// Section is one cross-reference section with its trailer.
type Section struct {
	At, End int64 // from "xref", or from the number of the stream object, to after its trailer
	Stream  bool  // a stream, and not a table
	Trailer *Dict
	Entries []Entry // sorted by number, none twice
	hybrid  Span    // the stream a table has beside it; zero when there is none
}

// find gives the entry of a number.
func (s *Section) find(num int) (Entry, bool) {
	i, ok := slices.BinarySearchFunc(s.Entries, num, func(e Entry, num int) int { return cmp.Compare(e.Num, num) })
	if !ok {
		return Entry{}, false
	}
	return s.Entries[i], true
}

// Entry gives the newest cross-reference of a number.
func (f *File) Entry(num int) Entry {
	for _, s := range f.sections {
		if e, ok := s.find(num); ok {
			return e
		}
	}
	return Entry{Num: num}
}

// tail is the end of a file or revision.
type tail struct {
	startxref int64 // what it says
	end       int64 // after %%EOF
}

// findTail finds the last startxref, ISO 32000-1 7.5.5.
func (f *File) findTail() (tail, error) {
	const reach = 1024
	at := max(0, f.size-reach)
	buf, err := f.window(at, reach)
	if err != nil {
		return tail{}, err
	}
	i := bytes.LastIndex(buf, []byte("startxref"))
	if i < 0 {
		return tail{}, fmt.Errorf("%w: no startxref at the end", ErrDamaged)
	}
	t, ok := readTail(buf[i:], at+int64(i))
	if !ok {
		return tail{}, fmt.Errorf("%w: the end after startxref", ErrDamaged)
	}
	return t, nil
}

// readTail reads "startxref 123 %%EOF", which stands at an offset.
func readTail(buf []byte, at int64) (tail, bool) {
	l := &lexer{buf: buf, base: at}
	var t tail
	ok := l.keyword("startxref")
	if ok {
		t.startxref, ok = l.natural()
	}
	for isSpace(l.peek()) {
		l.pos++
	}
	if !ok || !bytes.HasPrefix(l.buf[l.pos:], []byte("%%EOF")) {
		return tail{}, false
	}
	t.end = l.offset() + 5
	return t, true
}

// readSections follows the chain of sections from startxref on.
func (f *File) readSections() error {
	seen := map[int64]bool{}
	total := 0
	for at := f.tail.startxref; ; {
		if seen[at] {
			return fmt.Errorf("%w: cross-references go in a circle", ErrDamaged)
		}
		seen[at] = true
		if len(f.sections) == maxSections {
			return fmt.Errorf("%w: more than %d cross-reference sections", ErrTooMuch, maxSections)
		}
		s, err := f.readSection(at)
		if err != nil {
			return err
		}
		if total += len(s.Entries); total > maxEntries {
			return fmt.Errorf("%w: more than %d cross-references", ErrTooMuch, maxEntries)
		}
		f.sections = append(f.sections, s)
		switch prev := s.Trailer.Get("Prev").(type) {
		case nil:
			return nil
		case int64:
			at = prev
		default:
			return fmt.Errorf("%w: Prev is no number", ErrDamaged)
		}
	}
}

func (f *File) readSection(at int64) (*Section, error) {
	s := &Section{At: at}
	table := false
	err := f.parse(at, func(l *lexer) error {
		if table = l.keyword("xref"); !table {
			return nil
		}
		var err error
		s.Entries, s.Trailer, err = readTable(l)
		s.End = l.offset()
		return err
	})
	if err == nil && !table {
		err = f.readStream(s)
	}
	if err != nil {
		return nil, err
	}
	if s.Trailer.Twice {
		return nil, fmt.Errorf("%w: a key stands twice in the trailer", ErrDamaged)
	}
	if s.Trailer.Get("Encrypt") != nil {
		return nil, ErrEncrypted
	}
	if s.Entries, err = sorted(s.Entries); err != nil {
		return nil, err
	}
	if table && s.Trailer.Get("XRefStm") != nil {
		if err := f.readHybrid(s); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// sorted refuses a number twice: programs choose differently.
func sorted(entries []Entry) ([]Entry, error) {
	slices.SortFunc(entries, func(a, b Entry) int { return cmp.Compare(a.Num, b.Num) })
	for i := 1; i < len(entries); i++ {
		if entries[i].Num == entries[i-1].Num {
			return nil, fmt.Errorf("%w: object %d twice in one cross-reference section", ErrDamaged, entries[i].Num)
		}
	}
	return entries, nil
}

// readTable reads a table after "xref", ISO 32000-1 7.5.4, and its trailer.
func readTable(l *lexer) ([]Entry, *Dict, error) {
	var entries []Entry
	for !l.keyword("trailer") {
		first, ok1 := l.natural()
		count, ok2 := l.natural()
		if !ok1 || !ok2 || first+count > maxNumber || count > maxEntries-int64(len(entries)) {
			return nil, nil, l.damaged("no head of a cross-reference table")
		}
		for i := range count {
			offset, ok1 := l.natural()
			gen, ok2 := l.natural()
			e := Entry{Num: int(first + i)}
			switch {
			case !ok1 || !ok2:
				return nil, nil, l.damaged("no cross-reference")
			case l.keyword("f"): // whatever generation would come next
			case gen <= 65535 && l.keyword("n"):
				e.Kind, e.Offset, e.Gen = InFile, offset, int(gen)
			default:
				return nil, nil, l.damaged("no cross-reference")
			}
			entries = append(entries, e)
		}
	}
	o, err := l.object(0)
	if err != nil {
		return nil, nil, err
	}
	trailer, ok := o.(*Dict)
	if !ok {
		return nil, nil, l.damaged("no trailer")
	}
	return entries, trailer, nil
}

// readStream reads a section that is a stream, ISO 32000-1 7.5.8.
func (f *File) readStream(s *Section) error {
	o, end, err := f.direct(s.At)
	if err != nil {
		return err
	}
	stream, ok := o.(*Stream)
	if !ok || stream.Dict.Get("Type") != Name("XRef") {
		return fmt.Errorf("%w: no cross-references at byte %d", ErrDamaged, s.At)
	}
	s.Stream, s.Trailer, s.End = true, stream.Dict, end
	if s.Trailer.Get("Encrypt") != nil {
		return ErrEncrypted
	}
	s.Entries, err = f.readEntries(stream)
	return err
}

// direct reads an indirect object without the help of any cross-reference.
func (f *File) direct(at int64) (Object, int64, error) {
	all := f.sections
	f.sections = nil // so that a length elsewhere is null, and refused
	_, _, o, end, err := f.indirect(at)
	f.sections = all
	return o, end, err
}

func (f *File) readEntries(stream *Stream) ([]Entry, error) {
	damaged := fmt.Errorf("%w: cross-reference stream at byte %d", ErrDamaged, stream.At)
	data, err := f.decoded(stream)
	if err != nil {
		return nil, err
	}
	widths, ok := naturals(stream.Dict.Get("W"), 8)
	size, ok2 := stream.Dict.Get("Size").(int64)
	if !ok || !ok2 || len(widths) != 3 || size < 0 || size > maxNumber {
		return nil, damaged
	}
	row := int(widths[0] + widths[1] + widths[2])
	index, ok := naturals(stream.Dict.Get("Index"), maxNumber)
	if stream.Dict.Get("Index") == nil {
		index, ok = []int64{0, size}, true
	}
	if !ok || len(index)%2 != 0 || row == 0 {
		return nil, damaged
	}
	var entries []Entry
	for i := 0; i < len(index); i += 2 {
		first, count := index[i], index[i+1]
		if first+count > maxNumber || count*int64(row) > int64(len(data)) || len(entries)+int(count) > maxEntries {
			return nil, damaged
		}
		for n := range count {
			e, err := readEntry(int(first+n), data[:row], widths)
			if err != nil {
				return nil, err
			}
			entries = append(entries, e)
			data = data[row:]
		}
	}
	return entries, nil
}

// naturals reads an array of numbers from 0 to limit.
func naturals(o Object, limit int64) ([]int64, bool) {
	list, ok := o.(Array)
	if !ok {
		return nil, false
	}
	var out []int64
	for _, o := range list {
		n, ok := o.(int64)
		if !ok || n < 0 || n > limit {
			return nil, false
		}
		out = append(out, n)
	}
	return out, true
}

// readEntry reads one row, ISO 32000-1 table 18. Types not known are null.
func readEntry(num int, row []byte, widths []int64) (Entry, error) {
	var field [3]uint64
	field[0] = 1 // when its width is 0
	for i, w := range widths {
		if w > 0 {
			field[i] = 0
		}
		for _, b := range row[:w] {
			field[i] = field[i]<<8 | uint64(b)
		}
		row = row[w:]
	}
	e := Entry{Num: num}
	switch {
	case field[0] == 1 && field[1] < 1<<62 && field[2] <= 65535:
		e.Kind, e.Offset, e.Gen = InFile, int64(field[1]), int(field[2])
	case field[0] == 2 && field[1] < maxNumber && field[2] < maxInPack:
		e.Kind, e.Container, e.Index = InStream, int(field[1]), int(field[2])
	case field[0] == 1 || field[0] == 2:
		return e, fmt.Errorf("%w: cross-reference of object %d", ErrDamaged, num)
	}
	return e, nil
}

// readHybrid adds the stream that a table of a hybrid file has beside it, ISO 32000-1 7.5.8.4: it
// tells where the objects are that the table calls free or does not know.
func (f *File) readHybrid(s *Section) error {
	at, ok := s.Trailer.Get("XRefStm").(int64)
	if !ok {
		return fmt.Errorf("%w: XRefStm is no number", ErrDamaged)
	}
	beside := &Section{At: at}
	if err := f.readStream(beside); err != nil {
		return err
	}
	s.hybrid = Span{beside.At, beside.End}
	var merged []Entry
	for _, e := range s.Entries {
		if e.Kind != Free {
			merged = append(merged, e)
		}
	}
	table := &Section{Entries: merged}
	for _, e := range beside.Entries {
		switch same, known := table.find(e.Num); {
		case !known:
			merged = append(merged, e)
		case e.Kind != Free && e != same: // programs choose differently
			return fmt.Errorf("%w: object %d in two places in a hybrid section", ErrDamaged, e.Num)
		}
	}
	hidden := &Section{}
	var err error
	if hidden.Entries, err = sorted(slices.Clone(beside.Entries)); err != nil {
		return err
	}
	for _, e := range s.Entries {
		if _, known := hidden.find(e.Num); e.Kind == Free && !known {
			merged = append(merged, e)
		}
	}
	s.Entries, err = sorted(merged)
	return err
}
