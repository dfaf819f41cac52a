package pdf

import (
	"fmt"
	"slices"
)

// Revision gives the file as it was when it ended at an offset: its first bytes must be a whole
// file, and the sections of this file must go on from that one's. White space may stand between
// its %%EOF and the offset.
func (f *File) Revision(end int64) (*File, error) {
	if end <= 0 || end > f.size {
		return nil, fmt.Errorf("%w: no revision ends at byte %d", ErrDamaged, end)
	}
	old := &File{r: f.r, size: end, shared: f.shared, objects: map[int]loaded{}}
	var err error
	if old.tail, err = old.findTail(); err != nil {
		return nil, err
	}
	if blank, err := old.blank(old.tail.end, end); err != nil || !blank {
		return nil, fmt.Errorf("%w: no revision ends at byte %d", ErrDamaged, end)
	}
	first := slices.IndexFunc(f.sections, func(s *Section) bool { return s.At == old.tail.startxref })
	if first < 0 {
		return nil, fmt.Errorf("%w: the file does not go on from its revision that ends at byte %d", ErrDamaged, end)
	}
	for i, s := range f.sections {
		if i < first && (s.At < end || s.hybrid.To != 0 && s.hybrid.From < end) ||
			i >= first && (s.End > end || s.hybrid.To > end) {
			return nil, fmt.Errorf("%w: revisions of the file overlap at byte %d", ErrDamaged, end)
		}
	}
	old.sections = f.sections[first:]
	return old, nil
}

// blank tells whether there is only white space between two offsets.
func (f *File) blank(from, to int64) (bool, error) {
	for from < to {
		buf, err := f.window(from, int(min(chunkSize, to-from)))
		if err != nil {
			return false, err
		}
		for _, b := range buf {
			if !isSpace(int(b)) {
				return false, nil
			}
		}
		from += int64(len(buf))
	}
	return true, nil
}

// Blank tells whether nothing but white space follows an offset.
func (f *File) Blank(from int64) (bool, error) { return f.blank(from, f.size) }

// Updated are the numbers that sections newer than those of an earlier revision speak of, sorted.
func (f *File) Updated(old *File) []int {
	seen := map[int]bool{}
	for _, s := range f.sections[:len(f.sections)-len(old.sections)] {
		for _, e := range s.Entries {
			seen[e.Num] = true
		}
	}
	out := make([]int, 0, len(seen))
	for num := range seen {
		out = append(out, num)
	}
	slices.Sort(out)
	return out
}

// SamePlace tells whether the object of a number is at one place in both revisions.
func (f *File) SamePlace(old *File, num int) bool {
	a, b := old.Entry(num), f.Entry(num)
	return a == b && (a.Kind != InStream || f.Entry(a.Container) == old.Entry(a.Container))
}

// Numbers calls visit with every number that has an object.
func (f *File) Numbers(visit func(num int) error) error {
	seen := map[int]bool{}
	for _, s := range f.sections {
		for _, e := range s.Entries {
			if seen[e.Num] {
				continue
			}
			seen[e.Num] = true
			if e.Kind == Free {
				continue
			}
			if err := visit(e.Num); err != nil {
				return err
			}
		}
	}
	return nil
}
