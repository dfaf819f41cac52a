package pdf

import (
	"errors"
	"fmt"
	"io"
)

const (
	chunkSize = 64 << 10
	// The length of a stream may be an object in an object stream, whose length is one of its own.
	maxNested = 4
)

// Open reads the cross-references of a file of the given size.
func Open(r io.ReaderAt, size int64) (*File, error) {
	if size > MaxSize {
		return nil, fmt.Errorf("%w: %d bytes", ErrTooMuch, size)
	}
	f := &File{r: r, size: size, objects: map[int]loaded{}}
	f.shared = &shared{work: 64<<20 + 16*size, chunkAt: -1, packs: map[int64]*pack{}}
	head, err := f.window(0, 8)
	if err != nil {
		return nil, err
	}
	if len(head) < 8 || string(head[:5]) != "%PDF-" || !isDigit(int(head[5])) {
		return nil, fmt.Errorf("%w: it does not begin with %%PDF-", ErrDamaged)
	}
	if f.tail, err = f.findTail(); err != nil {
		return nil, err
	}
	if err := f.readSections(); err != nil {
		return nil, err
	}
	return f, nil
}

// window gives up to n bytes of the file from offset at on; fewer at its end. They are good until
// the next call.
func (f *File) window(at int64, n int) ([]byte, error) {
	n = int(min(int64(n), f.size-at))
	if n <= 0 {
		return nil, nil
	}
	s := f.shared
	if s.chunkAt < 0 || at < s.chunkAt || at+int64(n) > s.chunkAt+int64(len(s.chunk)) {
		want := max(n, int(min(chunkSize, f.size-at)))
		if cap(s.chunk) < want {
			s.chunk = make([]byte, want)
		}
		s.chunk, s.chunkAt = s.chunk[:want], -1
		if got, err := f.r.ReadAt(s.chunk, at); got < want {
			return nil, fmt.Errorf("read PDF: %w", errors.Join(err, io.ErrUnexpectedEOF))
		}
		s.chunkAt = at
	}
	from := int(at - s.chunkAt)
	return s.chunk[from : from+n], nil
}

// spend takes bytes off the work that may still be done.
func (f *File) spend(n int64) error {
	if f.shared.work -= n; f.shared.work < 0 {
		return fmt.Errorf("%w: too much work for a file of this size", ErrTooMuch)
	}
	return nil
}

// parse calls read with a window at an offset, again with a larger one when it was too short.
func (f *File) parse(at int64, read func(*lexer) error) error {
	if at < 0 || at >= f.size {
		return fmt.Errorf("%w: offset %d is outside", ErrDamaged, at)
	}
	for n := 1 << 10; ; n *= 8 {
		buf, err := f.window(at, n)
		if err != nil {
			return err
		}
		l := &lexer{buf: buf, base: at, more: at+int64(len(buf)) < f.size}
		err = read(l)
		if spent := f.spend(int64(l.pos) + 64); spent != nil {
			return spent
		}
		if !l.short || !l.more || errors.Is(err, ErrTooMuch) {
			return err
		}
		if n > maxText {
			return fmt.Errorf("%w: object of more than %d bytes at byte %d", ErrTooMuch, maxText, at)
		}
	}
}

// indirect reads "12 0 obj … endobj" at an offset; a stream's bytes are not read.
func (f *File) indirect(at int64) (num, gen int, o Object, end int64, err error) {
	var cost int
	var stream int64 // where the bytes of a stream begin
	err = f.parse(at, func(l *lexer) error {
		n, ok1 := l.natural()
		g, ok2 := l.natural()
		if !ok1 || !ok2 || n >= maxNumber || g > 65535 || !l.keyword("obj") {
			return l.damaged("no object")
		}
		num, gen, stream = int(n), int(g), 0
		var err error
		if o, err = l.object(0); err != nil {
			return err
		}
		cost = l.parts
		if l.keyword("endobj") {
			end = l.offset()
			return nil
		}
		if _, ok := o.(*Dict); !ok || !l.keyword("stream") {
			return l.damaged("object without endobj")
		}
		if l.peek() == '\r' && l.at(1) == '\n' {
			l.pos++
		}
		if l.peek() != '\n' {
			return l.damaged("stream does not begin on a line of its own")
		}
		l.pos++
		stream = l.offset()
		return nil
	})
	if err == nil && stream > 0 {
		o, end, err = f.stream(o.(*Dict), stream)
	}
	f.cost += cost
	return num, gen, o, end, err
}

// stream finds the end of a stream whose bytes begin at an offset.
func (f *File) stream(d *Dict, at int64) (*Stream, int64, error) {
	if f.shared.nested++; f.shared.nested > maxNested {
		f.shared.nested--
		return nil, 0, fmt.Errorf("%w: lengths of streams hang on one another", ErrDamaged)
	}
	length, err := f.Resolve(d.Get("Length"))
	f.shared.nested--
	if err != nil {
		return nil, 0, err
	}
	n, ok := length.(int64)
	if !ok || n < 0 || n > f.size-at {
		return nil, 0, fmt.Errorf("%w: length of the stream at byte %d", ErrDamaged, at)
	}
	var end int64
	err = f.parse(at+n, func(l *lexer) error {
		for isSpace(l.peek()) {
			l.pos++
		}
		if l.word() != "endstream" || !l.keyword("endobj") {
			return l.damaged("stream is not as long as it says")
		}
		end = l.offset()
		return nil
	})
	return &Stream{Dict: d, At: at, Size: n}, end, err
}

// Load gives the object of a number; nil when it is free or was never there.
func (f *File) Load(num int) (Object, error) {
	if got, ok := f.objects[num]; ok {
		return got.object, nil
	}
	// A stream whose length is, by way of others, in itself finds this and not itself again.
	f.objects[num] = loaded{}
	o, end, err := f.load(f.Entry(num))
	if err != nil {
		delete(f.objects, num)
		return nil, err
	}
	if f.cost > maxCached {
		f.objects, f.cost = map[int]loaded{}, 0
	}
	f.objects[num] = loaded{o, end}
	return o, nil
}

func (f *File) load(e Entry) (Object, int64, error) {
	switch e.Kind {
	case InFile:
		num, gen, o, end, err := f.indirect(e.Offset)
		if err == nil && (num != e.Num || gen != e.Gen) {
			err = fmt.Errorf("%w: object %d %d where %d %d should be", ErrDamaged, num, gen, e.Num, e.Gen)
		}
		return o, end, err
	case InStream:
		o, err := f.unpack(e)
		return o, -1, err
	case Free:
	}
	return nil, -1, nil
}

// Resolve follows a reference; anything else is given back as it is. A reference to nothing, or to
// another generation, is null (ISO 32000-1 7.3.10).
func (f *File) Resolve(o Object) (Object, error) {
	ref, ok := o.(Ref)
	if !ok {
		return o, nil
	}
	if e := f.Entry(ref.Num); e.Kind == Free || e.Gen != ref.Gen {
		return nil, nil
	}
	o, err := f.Load(ref.Num)
	if err != nil {
		return nil, err
	}
	if _, again := o.(Ref); again {
		return nil, fmt.Errorf("%w: object %d is only a reference", ErrDamaged, ref.Num)
	}
	return o, nil
}

// Dict resolves to a dictionary; nil when there is none. Of a stream it is the dictionary.
func (f *File) Dict(o Object) (*Dict, error) {
	o, err := f.Resolve(o)
	if err != nil {
		return nil, err
	}
	switch o := o.(type) {
	case *Dict:
		return o, nil
	case *Stream:
		return o.Dict, nil
	case nil:
		return nil, nil
	}
	return nil, fmt.Errorf("%w: %T where a dictionary should be", ErrDamaged, o)
}

// Array resolves to an array; nil when there is none.
func (f *File) Array(o Object) (Array, error) {
	o, err := f.Resolve(o)
	if err != nil {
		return nil, err
	}
	switch o := o.(type) {
	case Array:
		return o, nil
	case nil:
		return nil, nil
	}
	return nil, fmt.Errorf("%w: %T where an array should be", ErrDamaged, o)
}
