package pdf

import (
	"fmt"
	"slices"
)

const (
	maxPacked = 32 << 20 // bytes of opened object streams kept
	maxInPack = 1 << 17
)

// pack is an opened object stream, ISO 32000-1 7.5.7.
type pack struct {
	data    []byte
	numbers []int
	offsets []int // in data
}

// unpack reads an object out of its object stream.
func (f *File) unpack(e Entry) (Object, error) {
	p, err := f.pack(e.Container)
	if err != nil {
		return nil, err
	}
	if e.Index >= len(p.numbers) || p.numbers[e.Index] != e.Num {
		return nil, fmt.Errorf("%w: object %d is not in its object stream", ErrDamaged, e.Num)
	}
	from, to := p.offsets[e.Index], len(p.data)
	if e.Index+1 < len(p.offsets) {
		to = max(from, p.offsets[e.Index+1])
	}
	l := &lexer{buf: p.data[from:to], base: -1}
	o, err := l.object(0)
	f.cost += l.parts
	if spent := f.spend(int64(l.pos) + 64); spent != nil {
		return nil, spent
	}
	if err != nil {
		return nil, err
	}
	if l.space(); l.pos != len(l.buf) {
		return nil, l.damaged("something after an object")
	}
	return o, nil
}

// pack opens an object stream. What is kept is found by offset, for revisions of a file may have
// different ones under a number.
func (f *File) pack(num int) (*pack, error) {
	e := f.Entry(num)
	if e.Kind != InFile {
		return nil, fmt.Errorf("%w: object stream %d is not there", ErrDamaged, num)
	}
	if p := f.shared.packs[e.Offset]; p != nil {
		return p, nil
	}
	o, err := f.Load(num)
	if err != nil {
		return nil, err
	}
	s, ok := o.(*Stream)
	if !ok || s.Dict.Get("Type") != Name("ObjStm") {
		return nil, fmt.Errorf("%w: object %d is no object stream", ErrDamaged, num)
	}
	data, err := f.decoded(s)
	if err != nil {
		return nil, err
	}
	n, ok1 := s.Dict.Get("N").(int64)
	first, ok2 := s.Dict.Get("First").(int64)
	if !ok1 || !ok2 || n < 0 || n > maxInPack || first < 0 || first > int64(len(data)) {
		return nil, fmt.Errorf("%w: head of object stream %d", ErrDamaged, num)
	}
	p := &pack{data: data[first:]}
	l := &lexer{buf: data[:first], base: -1}
	for range n {
		number, ok1 := l.natural()
		offset, ok2 := l.natural()
		if !ok1 || !ok2 || number >= maxNumber || offset > int64(len(p.data)) {
			return nil, fmt.Errorf("%w: head of object stream %d", ErrDamaged, num)
		}
		p.numbers, p.offsets = append(p.numbers, int(number)), append(p.offsets, int(offset))
	}
	// Some programs look for the number and not for the index.
	if len(slices.Compact(slices.Sorted(slices.Values(p.numbers)))) < len(p.numbers) {
		return nil, fmt.Errorf("%w: object stream %d has a number twice", ErrDamaged, num)
	}
	if f.shared.packed += len(data); f.shared.packed > maxPacked {
		f.shared.packs, f.shared.packed = map[int64]*pack{}, len(data)
	}
	f.shared.packs[e.Offset] = p
	return p, nil
}
