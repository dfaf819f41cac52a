package tlog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"strconv"

	sumdb "golang.org/x/mod/sumdb/tlog"
)

// Fetch reads one file of a log by its path, as "checkpoint" or "tile/0/x001/067". What is not there is
// an error that matches fs.ErrNotExist.
type Fetch func(path string) ([]byte, error)

// Tiles hold 256 hashes or entries.
const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
	maxBundle  = tileWidth * (2 + maxEntry)
	// MaxFile bounds every file of a log.
	MaxFile = maxBundle
)

// Log reads a log. It keeps nothing but the last tiles it saw; it is used by one goroutine.
type Log struct {
	fetch Fetch
	key   Key
	kept  map[string][]byte
}

// NewLog reads the log that signs with a key.
func NewLog(key Key, fetch Fetch) *Log {
	return &Log{fetch: fetch, key: key, kept: map[string][]byte{}}
}

// Checkpoint reads the newest signed state.
func (l *Log) Checkpoint() (Checkpoint, error) {
	raw, err := l.fetch("checkpoint")
	if err != nil {
		return Checkpoint{}, fmt.Errorf("read the checkpoint: %w", err)
	}
	return l.key.Checkpoint(raw)
}

// path is where a tile or bundle lies (c2sp.org/tlog-tiles): the number in groups of three digits.
func path(kind string, n int64, width int) string {
	s := fmt.Sprintf("%03d", n%1000)
	for n >= 1000 {
		n /= 1000
		s = fmt.Sprintf("x%03d/%s", n%1000, s)
	}
	s = "tile/" + kind + "/" + s
	if width < tileWidth {
		s += ".p/" + strconv.Itoa(width)
	}
	return s
}

// read reads a tile or bundle of a width; of a full one that took its place, the beginning is what counts.
func (l *Log) read(kind string, n int64, width int) ([]byte, error) {
	b, err := l.fetch(path(kind, n, width))
	if errors.Is(err, fs.ErrNotExist) && width < tileWidth {
		b, err = l.fetch(path(kind, n, tileWidth))
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path(kind, n, width), err)
	}
	return b, nil
}

// tile reads the hashes of a tile.
func (l *Log) tile(level int, n int64, width int) ([]byte, error) {
	b, err := l.read(strconv.Itoa(level), n, width)
	if err != nil {
		return nil, err
	}
	if len(b) < width*sumdb.HashSize || len(b) > tileWidth*sumdb.HashSize {
		return nil, fmt.Errorf("read %s: %d bytes", path(strconv.Itoa(level), n, width), len(b))
	}
	return b[:width*sumdb.HashSize], nil
}

// hashes reads hashes of a tree; what does not lead to its root is an error.
func (l *Log) hashes(c Checkpoint) sumdb.HashReader { return sumdb.TileHashReader(c.tree(), tiles{l}) }

// tiles is the log as x/mod wants it.
type tiles struct{ *Log }

func (tiles) Height() int { return tileHeight }

// maxKept bounds the tiles kept, of 8 KiB each.
const maxKept = 256

func (t tiles) ReadTiles(all []sumdb.Tile) ([][]byte, error) {
	out := make([][]byte, len(all))
	for i, one := range all {
		name := path(strconv.Itoa(one.L), one.N, one.W)
		b, ok := t.kept[name]
		if !ok {
			var err error
			if b, err = t.tile(one.L, one.N, one.W); err != nil {
				return nil, err
			}
		}
		out[i] = b
	}
	return out, nil
}

func (t tiles) SaveTiles(all []sumdb.Tile, data [][]byte) {
	for i, one := range all {
		if len(t.kept) >= maxKept {
			clear(t.kept)
		}
		t.kept[path(strconv.Itoa(one.L), one.N, one.W)] = data[i]
	}
}

// bundle reads the raw entries of a bundle, of which width belong to the tree.
func (l *Log) bundle(n int64, width int) ([][]byte, error) {
	b, err := l.read("entries", n, width)
	if err != nil {
		return nil, err
	}
	if len(b) > maxBundle {
		return nil, fmt.Errorf("read %s: more than %d bytes", path("entries", n, width), maxBundle)
	}
	all := make([][]byte, 0, width)
	for len(all) < width {
		if len(b) < 2 {
			return nil, fmt.Errorf("read %s: cut off", path("entries", n, width))
		}
		size := int(binary.BigEndian.Uint16(b))
		if b = b[2:]; len(b) < size {
			return nil, fmt.Errorf("read %s: cut off", path("entries", n, width))
		}
		all = append(all, b[:size])
		b = b[size:]
	}
	return all, nil
}

// Entry reads one raw entry and proves that it is in the tree of a checkpoint.
func (l *Log) Entry(c Checkpoint, index int64) ([]byte, error) {
	if index < 0 || index >= c.Size {
		return nil, fmt.Errorf("entry %d of a log of %d entries", index, c.Size)
	}
	n := index / tileWidth
	all, err := l.bundle(n, width(c.Size, n))
	if err != nil {
		return nil, err
	}
	raw := all[index%tileWidth]
	if _, err := l.prove(c, index, raw); err != nil {
		return nil, err
	}
	return raw, nil
}

// width is how many of the n-th 256 of size items there are.
func width(size, n int64) int { return int(min(size-n*tileWidth, tileWidth)) }

// prove makes the proof that an entry is in the tree, and checks it.
func (l *Log) prove(c Checkpoint, index int64, raw []byte) ([][32]byte, error) {
	proof, err := sumdb.ProveRecord(c.Size, index, l.hashes(c))
	if err != nil {
		return nil, fmt.Errorf("prove entry %d: %w", index, err)
	}
	if err := sumdb.CheckRecord(proof, c.Size, c.Root, index, sumdb.RecordHash(raw)); err != nil {
		return nil, fmt.Errorf("entry %d is not the one the log's root was made of", index)
	}
	out := make([][32]byte, len(proof))
	for i, h := range proof {
		out[i] = h
	}
	return out, nil
}

// Walk reads every entry of a checkpoint in order, whole bundles at a time, and proves each bundle to be
// what the tree was made of. It ends early with the error of see.
func (l *Log) Walk(c Checkpoint, see func(index int64, raw []byte) error) error {
	reader := l.hashes(c)
	for n := int64(0); n*tileWidth < c.Size; n++ {
		all, err := l.bundle(n, width(c.Size, n))
		if err != nil {
			return err
		}
		at := make([]int64, len(all))
		for i := range all {
			at[i] = sumdb.StoredHashIndex(0, n*tileWidth+int64(i))
		}
		want, err := reader.ReadHashes(at)
		if err != nil {
			return fmt.Errorf("read the hashes of entries %d and following: %w", n*tileWidth, err)
		}
		for i, raw := range all {
			index := n*tileWidth + int64(i)
			if sumdb.RecordHash(raw) != want[i] {
				return fmt.Errorf("entry %d is not the one the log's root was made of", index)
			}
			if err := see(index, raw); err != nil {
				return err
			}
		}
	}
	return nil
}

// Root computes the root over the first size entries from the tiles as they lie there, believing them:
// it is for the keeper of the log, who looks whether his folder is the one he knew.
func (l *Log) Root(size int64) ([32]byte, error) {
	return sumdb.TreeHash(size, sumdb.HashReaderFunc(func(indexes []int64) ([]sumdb.Hash, error) {
		out := make([]sumdb.Hash, len(indexes))
		for i, index := range indexes {
			t := sumdb.TileForIndex(tileHeight, index)
			b, err := l.tile(t.L, t.N, width(size>>(tileHeight*t.L), t.N))
			if err != nil {
				return nil, err
			}
			t.W = len(b) / sumdb.HashSize
			if out[i], err = sumdb.HashFromTile(t, b, index); err != nil {
				return nil, err
			}
		}
		return out, nil
	}))
}

// Raw reads entries [from, to) as they lie there, believing them: for the keeper of the log.
func (l *Log) Raw(size, from, to int64) (all [][]byte, err error) {
	for n := from / tileWidth; n*tileWidth < to; n++ {
		some, err := l.bundle(n, width(size, n))
		if err != nil {
			return nil, err
		}
		for i, raw := range some {
			if at := n*tileWidth + int64(i); at >= from && at < to {
				all = append(all, raw)
			}
		}
	}
	return all, nil
}

// Leaf is the hash an entry has in the tree.
func Leaf(raw []byte) [32]byte { return sumdb.RecordHash(raw) }
