// Package pdf reads the skeleton of PDF files: cross-references, objects and object streams of
// ISO 32000, as much as signatures need, and writes objects for incremental updates. It shows no
// page and decodes no picture.
//
// [Open] reads the chain of cross-reference sections; [File.Resolve] and [File.Load] give objects;
// [File.Revision] gives the file as it was when it ended earlier; [File.Stray] finds bytes that no
// section accounts for; [Append] writes an object.
//
// It reads tables, streams and hybrids of both, object streams, Flate with PNG predictors,
// linearised files. It never guesses: a file whose cross-references are damaged is refused, not
// repaired, because programs repair differently and so see different documents. Encrypted files
// are refused with [ErrEncrypted].
//
// Bounds: files of 256 MiB, 1024 sections, 2²⁰ cross-references, objects of 16 MiB text, 2²⁰ parts
// and depth 32, decoded streams of 64 MiB and 256 times their input (1 MiB at least); the whole
// work on one file grows with its size only.
package pdf

import (
	"errors"
	"io"
)

// Bounds.
const (
	MaxSize     = 256 << 20
	maxSections = 1024
	maxEntries  = 1 << 20
	maxNumber   = 1 << 23 // ISO 32000-1 annex C: 8 388 607 objects
	maxText     = 16 << 20
	maxParts    = 1 << 20
	maxDepth    = 32
	maxDecoded  = 64 << 20
	maxRatio    = 256
	minDecoded  = 1 << 20
	maxCached   = 1 << 21 // parts of objects kept
)

// Errors that callers tell apart; compare with errors.Is.
var (
	// ErrDamaged: not a PDF file, or one whose cross-references or objects do not fit together.
	ErrDamaged = errors.New("not a PDF file or damaged")
	// ErrEncrypted: the file is encrypted.
	ErrEncrypted = errors.New("the PDF file is encrypted")
	// ErrTooMuch: a bound of this package is passed.
	ErrTooMuch = errors.New("the PDF file is larger or deeper than this program reads")
)

// Object is nil (null), bool, int64, Real, Name, *String, Array, *Dict, Ref or *Stream.
type Object any

// Real is a number with a point, or too long for int64, as it was written.
type Real string

// Name is a name without its slash and escapes.
type Name string

// String is a string: what it says, and where it stood.
type String struct {
	Bytes []byte
	// At and End are the offsets in the file of its first byte and after its last, brackets
	// included; both are -1 when it came out of an object stream.
	At, End int64
}

// Array is an array.
type Array []Object

// Ref names an indirect object.
type Ref struct{ Num, Gen int }

// Stream is a dictionary with bytes in the file.
type Stream struct {
	Dict *Dict
	At   int64 // of the first byte
	Size int64
}

// Dict is a dictionary whose keys keep their order. The zero value is empty.
type Dict struct {
	keys   []Name
	values []Object
	index  map[Name]int // of the last of each key; nil while there are few
	// Twice tells that a key stood there twice, so that programs may differ in what they see.
	Twice bool
}

const few = 16

// Get gives the value of a key, the last when it stood there twice; nil when there is none.
func (d *Dict) Get(key Name) Object {
	if i := d.find(key); i >= 0 {
		return d.values[i]
	}
	return nil
}

func (d *Dict) find(key Name) int {
	if d == nil {
		return -1
	}
	if d.index != nil {
		if i, ok := d.index[key]; ok {
			return i
		}
		return -1
	}
	for i := len(d.keys) - 1; i >= 0; i-- {
		if d.keys[i] == key {
			return i
		}
	}
	return -1
}

// Keys are the keys in their order. The caller must not change them.
func (d *Dict) Keys() []Name {
	if d == nil {
		return nil
	}
	return d.keys
}

// New makes a dictionary of keys and values in turn.
func New(pairs ...Object) *Dict {
	d := &Dict{}
	for i := 0; i+1 < len(pairs); i += 2 {
		d.add(pairs[i].(Name), pairs[i+1])
	}
	return d
}

// With gives a copy with one more key, or with another value of it. Each key stands there once.
func (d *Dict) With(key Name, value Object) *Dict {
	out := &Dict{}
	for i, k := range d.Keys() {
		switch {
		case d.find(k) != i:
		case k == key:
			out.add(k, value)
		default:
			out.add(k, d.values[i])
		}
	}
	if out.find(key) < 0 {
		out.add(key, value)
	}
	return out
}

// add puts a key at the end and tells whether it was there.
func (d *Dict) add(key Name, value Object) (twice bool) {
	twice = d.find(key) >= 0
	d.keys, d.values = append(d.keys, key), append(d.values, value)
	if d.index == nil && len(d.keys) > few {
		d.index = make(map[Name]int, 2*len(d.keys))
		for i, k := range d.keys {
			d.index[k] = i
		}
	}
	if d.index != nil {
		d.index[key] = len(d.keys) - 1
	}
	return twice
}

// Span is a part of the file: from the first offset up to, not including, the second.
type Span struct{ From, To int64 }

// File is an open file, or an earlier revision of one. It keeps what it read and is not safe for
// concurrent use.
type File struct {
	r        io.ReaderAt
	size     int64
	tail     tail
	sections []*Section // the newest first

	shared  *shared
	objects map[int]loaded
	cost    int // parts in objects
}

// shared is what all revisions of a file have in common.
type shared struct {
	work    int64 // bytes that may still be read
	chunk   []byte
	chunkAt int64
	packs   map[int64]*pack // opened object streams by their offset
	packed  int             // bytes in packs
	nested  int             // streams whose length is being looked for
}

type loaded struct {
	object Object
	end    int64
}

// Size is the length of the file or revision.
func (f *File) Size() int64 { return f.size }

// Trailer is the newest trailer dictionary.
func (f *File) Trailer() *Dict { return f.sections[0].Trailer }

// Sections are the cross-reference sections, the newest first.
func (f *File) Sections() []*Section { return f.sections }

// StartXref is what the next update writes as Prev.
func (f *File) StartXref() int64 { return f.sections[0].At }
