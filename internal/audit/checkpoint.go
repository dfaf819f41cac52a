package audit

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"
)

// Checkpoint is a statement about a node's chain: so many records, this head, this Merkle root
// (RFC 6962 over the Hash of each record). Signed and kept on another machine, it shows what the chain
// alone cannot: that its newest records were cut off, or that all of it was written anew.
type Checkpoint struct {
	Node string
	// Number counts the checkpoints of a node from 1 without gaps.
	Number int64
	// Size is the Seq of the newest record it speaks of.
	Size int64
	Root [32]byte
	// Head is the Hash of that record.
	Head [32]byte
	// Previous is the Digest of the checkpoint before, all zero for the first.
	Previous [32]byte
	// At is when it was made, to the millisecond, UTC.
	At time.Time
	// Stamped says that a time-stamp goes with it, so that one taken away is missed.
	Stamped bool
}

// Statement is a checkpoint as it was signed.
type Statement struct {
	Checkpoint
	// Note is its text with its signature, a signed note (c2sp.org/signed-note).
	Note []byte
	// Token is the RFC 3161 time-stamp over Note, nil when it has none.
	Token []byte
	// Tree holds the compact range of the Merkle tree, from which the next checkpoint goes on. It is
	// no part of what is signed.
	Tree [][]byte
}

// Digest names a statement in the one after it.
func (s Statement) Digest() [32]byte { return sha256.Sum256(s.Note) }

const (
	origin = "senim-audit/"
	// maxNote bounds the text of a checkpoint with its signatures.
	maxNote = 16 << 10
	// moment is how times are written: milliseconds, UTC.
	moment = "2006-01-02T15:04:05.000Z"
)

// text is what is signed: the lines of a tlog-checkpoint (c2sp.org/tlog-checkpoint) and ours after them.
func (c Checkpoint) text() string {
	stamp := "none"
	if c.Stamped {
		stamp = "rfc3161"
	}
	return fmt.Sprintf("%s%s\n%d\n%s\nnumber %d\nhead %x\nprevious %x\ntime %s\nstamp %s\n", origin, url.PathEscape(c.Node), c.Size,
		base64.StdEncoding.EncodeToString(c.Root[:]), c.Number, c.Head, c.Previous, c.At.UTC().Format(moment), stamp)
}

// ReadNote reads the checkpoint in a signed note without looking at the signature: [Verifier.Open] does.
func ReadNote(note []byte) (Checkpoint, error) {
	if len(note) > maxNote {
		return Checkpoint{}, fmt.Errorf("checkpoint: %d bytes, at most %d", len(note), maxNote)
	}
	text, _, ok := strings.Cut(string(note), "\n\n")
	if !ok {
		return Checkpoint{}, errors.New("checkpoint: no signature")
	}
	return parseCheckpoint(text + "\n")
}

func parseCheckpoint(text string) (c Checkpoint, err error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 9 {
		return c, fmt.Errorf("checkpoint: %d lines, not 8", len(lines)-1)
	}
	value := func(line int, name string) string {
		v, ok := strings.CutPrefix(lines[line], name)
		if !ok && err == nil {
			err = fmt.Errorf("checkpoint: line %d does not begin with %q", line+1, name)
		}
		return v
	}
	number := func(s string) int64 {
		n, e := strconv.ParseInt(s, 10, 64)
		if err == nil && (e != nil || n < 1) {
			err = errors.New("checkpoint: a number is wrong")
		}
		return n
	}
	hash := func(dst *[32]byte, b []byte, e error) {
		if n := copy(dst[:], b); err == nil && (e != nil || n != 32 || len(b) != 32) {
			err = errors.New("checkpoint: a hash is wrong")
		}
	}
	node, e := url.PathUnescape(value(0, origin))
	c.Node, c.Size = node, number(lines[1])
	root, rootErr := base64.StdEncoding.DecodeString(lines[2])
	hash(&c.Root, root, rootErr)
	c.Number = number(value(3, "number "))
	for _, h := range []struct {
		dst  *[32]byte
		text string
	}{{&c.Head, value(4, "head ")}, {&c.Previous, value(5, "previous ")}} {
		b, e := hex.DecodeString(h.text)
		hash(h.dst, b, e)
	}
	at, timeErr := time.Parse(moment, value(6, "time "))
	c.At, c.Stamped = at, value(7, "stamp ") == "rfc3161"
	if err = errors.Join(err, e, timeErr); err != nil {
		return Checkpoint{}, err
	}
	if c.text() != text {
		return Checkpoint{}, errors.New("checkpoint: not written as it should be")
	}
	return c, nil
}

// maxTree is how many hashes the compact range of any tree has at most.
const maxTree = 63

// tree goes on from a compact range over size records.
func tree(size int64, hashes [][]byte) (*compact.Range, error) {
	f := &compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}
	if size < 0 || len(hashes) > maxTree {
		return nil, fmt.Errorf("merkle tree of %d records with %d hashes", size, len(hashes))
	}
	for _, h := range hashes {
		if len(h) != 32 {
			return nil, errors.New("merkle tree: a hash is wrong")
		}
	}
	return f.NewRange(0, uint64(size), hashes)
}

// grow adds a record to the tree.
func grow(t *compact.Range, r Record) error {
	return t.Append(rfc6962.DefaultHasher.HashLeaf(r.Hash[:]), nil)
}

// rootOf is the Merkle root.
func rootOf(t *compact.Range) (root [32]byte, err error) {
	h, err := t.GetRootHash(nil)
	if err == nil {
		copy(root[:], h)
	}
	return root, err
}
