package pdf

import (
	"bytes"
	"cmp"
	"slices"
)

const maxComment = 255

// Stray finds the first bytes after an earlier revision that belong to no object and no
// cross-reference section of the later ones, or to two of them at once: a program that repairs
// files could find something there that this one does not see. The span is empty when there are
// none; short comments are none.
func (f *File) Stray(old *File) (Span, error) {
	var spans []Span
	for _, s := range f.sections[:len(f.sections)-len(old.sections)] {
		end, err := f.afterSection(s.End)
		if err != nil {
			return Span{}, err
		}
		spans = append(spans, Span{s.At, end})
		if s.hybrid.To != 0 {
			spans = append(spans, s.hybrid)
		}
		for _, e := range s.Entries {
			if e.Kind != InFile || e.Offset == s.At || e.Offset == s.hybrid.From && s.hybrid.To != 0 {
				continue
			}
			if e.Offset < old.size && e == old.Entry(e.Num) {
				continue // said again
			}
			if e.Offset < old.size { // another object out of bytes that were there before
				return Span{e.Offset, e.Offset + 1}, nil
			}
			_, end, err := f.load(e)
			if err != nil {
				return Span{}, err
			}
			spans = append(spans, Span{e.Offset, end})
		}
	}
	slices.SortFunc(spans, func(a, b Span) int { return cmp.Compare(a.From, b.From) })
	spans = slices.Compact(spans)
	at := old.tail.end
	for _, s := range append(spans, Span{f.size, f.size}) {
		if s.From < at {
			return Span{s.From, at}, nil
		}
		if quiet, err := f.quiet(at, s.From); err != nil || !quiet {
			return Span{at, s.From}, err
		}
		at = s.To
	}
	return Span{}, nil
}

// afterSection gives the offset after the startxref and %%EOF that may follow a section.
func (f *File) afterSection(end int64) (int64, error) {
	buf, err := f.window(end, 128)
	if err != nil {
		return 0, err
	}
	l := &lexer{buf: buf, base: end}
	l.space()
	if t, ok := readTail(buf[l.pos:], l.offset()); ok {
		return t.end, nil
	}
	return end, nil
}

// quiet tells whether there are only white space and short comments between two offsets.
func (f *File) quiet(from, to int64) (bool, error) {
	for from < to {
		buf, err := f.window(from, int(min(chunkSize, to-from)))
		if err != nil {
			return false, err
		}
		trimmed := bytes.TrimLeft(buf, " \t\r\n\f\x00")
		if len(trimmed) == 0 {
			from += int64(len(buf))
			continue
		}
		from += int64(len(buf) - len(trimmed))
		if trimmed[0] != '%' {
			return false, nil
		}
		if buf, err = f.window(from, int(min(maxComment, to-from))); err != nil {
			return false, err
		}
		end := bytes.IndexAny(buf, "\r\n")
		if end < 0 && from+int64(len(buf)) < to {
			return false, nil // a long one
		}
		if end < 0 {
			end = len(buf)
		}
		if bytes.Contains(buf[:end], []byte("obj")) || bytes.Contains(buf[:end], []byte("xref")) {
			return false, nil
		}
		from += int64(end)
	}
	return true, nil
}
