package audit

import (
	"errors"
	"fmt"
	"slices"

	"github.com/transparency-dev/merkle/compact"
)

// CheckpointError names the first checkpoint of a node that is not as it was signed, or that does
// not fit the records.
type CheckpointError struct {
	Node   string
	Number int64
	Why    string
}

func (e *CheckpointError) Error() string {
	return fmt.Sprintf("audit checkpoint %d of node %q: %s", e.Number, e.Node, e.Why)
}

// Trail walks one node's records and checkpoints in order and holds each against what came before.
// It keeps one record and one checkpoint, however long the chain is.
type Trail struct {
	node  string
	key   *Verifier
	tree  *compact.Range
	last  Record
	point Statement
}

// NewTrail begins at the first record. Without a key (nil) signatures are not looked at.
func NewTrail(node string, key *Verifier) (*Trail, error) {
	t, err := tree(0, nil)
	return &Trail{node: node, key: key, tree: t}, err
}

// Records is how many records were good.
func (t *Trail) Records() int64 { return t.last.Seq }

// Point is the newest checkpoint that was good.
func (t *Trail) Point() Statement { return t.point }

// Add takes the record that follows, or returns a [*BrokenError].
func (t *Trail) Add(r Record) error {
	if r.Node != t.node {
		return &BrokenError{t.node, t.last.Seq + 1, "a record of another node"}
	}
	next, err := Verify(t.last, []Record{r})
	if err != nil {
		return err
	}
	t.last = next
	return grow(t.tree, r)
}

// Mark takes the checkpoint that follows: every record it speaks of was added, and no later one. It
// returns a [*CheckpointError] when it does not fit.
func (t *Trail) Mark(s Statement) error {
	wrong := func(format string, args ...any) error {
		return &CheckpointError{t.node, t.point.Number + 1, fmt.Sprintf(format, args...)}
	}
	c, err := ReadNote(s.Note)
	if err == nil && t.key != nil {
		c, err = t.key.Open(s.Note)
	}
	if err != nil {
		return wrong("%v", err)
	}
	if c.Node != t.node || c.Number != t.point.Number+1 {
		return wrong("checkpoint %d of node %q stands in its place", c.Number, c.Node)
	}
	var before [32]byte
	if t.point.Number > 0 {
		before = t.point.Digest()
	}
	if c.Previous != before {
		return wrong("it does not follow the checkpoint before")
	}
	if c.Stamped != (s.Token != nil) {
		return wrong("it says whether a time-stamp goes with it, and that is not so")
	}
	root, err := rootOf(t.tree)
	if err != nil {
		return err
	}
	switch {
	case c.Size > t.last.Seq:
		return wrong("it speaks of %d records and only %d are there: the tail is missing from record %d on", c.Size, t.last.Seq, t.last.Seq+1)
	case c.Size < t.last.Seq:
		return wrong("it speaks of %d records, %d stand before it", c.Size, t.last.Seq)
	case c.Head != t.last.Hash:
		return wrong("record %d is not the one it was signed over", c.Size)
	case c.Root != root:
		return wrong("its Merkle root is not that of the records")
	}
	t.point = Statement{Checkpoint: c, Note: s.Note, Token: s.Token, Tree: slices.Clone(t.tree.Hashes())}
	return nil
}

// After goes on where a checkpoint stands, with the compact range kept beside it; the zero Statement with
// a Node stands before the first record.
func After(s Statement, key *Verifier) (*Trail, error) {
	grown, err := tree(s.Size, s.Tree)
	if err != nil {
		return nil, err
	}
	if root, err := rootOf(grown); err != nil || (s.Number > 0 && root != s.Root) {
		return nil, errors.Join(&CheckpointError{s.Node, s.Number, "the tree kept with it has another root"}, err)
	}
	return &Trail{node: s.Node, key: key, tree: grown, last: Record{Node: s.Node, Seq: s.Size, Hash: s.Head}, point: s}, nil
}
