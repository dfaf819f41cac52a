package tlog

import (
	"bytes"
	"fmt"

	sumdb "golang.org/x/mod/sumdb/tlog"
)

// Recompute makes the whole tree of a checkpoint again from the entries, compares its root with the
// signed one and every tile with what it has to be, and shows each entry to see. Nothing read from the
// log is believed on the way.
func (l *Log) Recompute(c Checkpoint, see func(index int64, raw []byte) error) error {
	r := &rebuild{log: l}
	for n := int64(0); n*tileWidth < c.Size; n++ {
		all, err := l.bundle(n, width(c.Size, n))
		if err != nil {
			return err
		}
		for i, raw := range all {
			if err := r.add(0, sumdb.RecordHash(raw)); err != nil {
				return err
			}
			if err := see(n*tileWidth+int64(i), raw); err != nil {
				return err
			}
		}
	}
	root, err := r.finish()
	if err != nil {
		return err
	}
	if root != c.Root {
		return fmt.Errorf("the entries do not give the signed root: entries or checkpoint were changed")
	}
	return nil
}

// rebuild is the right edge of a tree that grows: for every level of tiles, the tile not yet full and
// how many came before it.
type rebuild struct {
	log   *Log
	edges []edge
}

type edge struct {
	done int64
	open []sumdb.Hash
}

// add puts a hash into the tiles of a level.
func (r *rebuild) add(level int, h sumdb.Hash) error {
	if level == len(r.edges) {
		r.edges = append(r.edges, edge{})
	}
	e := &r.edges[level]
	e.open = append(e.open, h)
	if len(e.open) < tileWidth {
		return nil
	}
	if err := r.compare(level, *e); err != nil {
		return err
	}
	up := perfect(e.open)
	e.done, e.open = e.done+1, e.open[:0]
	return r.add(level+1, up)
}

// compare reads the tile that is published and wants it to be as computed.
func (r *rebuild) compare(level int, e edge) error {
	got, err := r.log.tile(level, e.done, len(e.open))
	if err != nil {
		return err
	}
	var want bytes.Buffer
	for _, h := range e.open {
		want.Write(h[:])
	}
	if !bytes.Equal(got, want.Bytes()) {
		return fmt.Errorf("tile %d of level %d is not what the entries give", e.done, level)
	}
	return nil
}

// perfect is the root of a full tile.
func perfect(all []sumdb.Hash) sumdb.Hash {
	for len(all) > 1 {
		up := make([]sumdb.Hash, len(all)/2)
		for i := range up {
			up[i] = sumdb.NodeHash(all[2*i], all[2*i+1])
		}
		all = up
	}
	return all[0]
}

// finish compares the tiles of the edge and makes the root: full subtrees, the smallest first.
func (r *rebuild) finish() (sumdb.Hash, error) {
	var right *sumdb.Hash
	for level, e := range r.edges {
		if len(e.open) == 0 {
			continue
		}
		if err := r.compare(level, e); err != nil {
			return sumdb.Hash{}, err
		}
		for rest := e.open; len(rest) > 0; {
			size := len(rest) & -len(rest) // the smallest full subtree stands at the right
			h := perfect(rest[len(rest)-size:])
			rest = rest[:len(rest)-size]
			if right != nil {
				h = sumdb.NodeHash(h, *right)
			}
			right = &h
		}
	}
	if right == nil {
		return sumdb.TreeHash(0, nil)
	}
	return *right, nil
}
