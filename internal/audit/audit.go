// Package audit is the record of who did what: a chain in which every record holds the hash of
// the one before, so that a record changed, dropped or moved afterwards is found.
//
// Work packages make an [Event] and hand it to the Audit method of their transaction; the store
// turns it into a [Record] with [Next] and keeps it in the same transaction, so a change that
// could not be recorded is not made. [Verify] reads a chain again and names the first bad record.
//
// Events never hold IIN, names, addresses or texts: persons are keyed hashes (the Hash method of a
// store transaction), objects are serials and ids. [Event.Check] refuses what looks otherwise.
//
// Cutting off the newest records of a stopped node leaves a good chain. What shows it is a
// [Checkpoint], signed by a [Keeper] every minute and kept on another machine (security.md §6);
// [Trail] holds records and checkpoints against each other, [Reader] reads the copy kept elsewhere.
// [Actions] is the list of everything that is recorded.
package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"sort"
	"strings"
	"time"
	"unicode/utf8"
)

// Event says what happened.
type Event struct {
	// Action is what was done, as "registry.head_changed". Required.
	Action string
	// Actor is who did it: a keyed hash of the person, a certificate's serial, or "system".
	Actor string
	// Object is what it was done to: an id, a serial, a digest.
	Object string
	// Result is "ok", "refused", "failed" or a code.
	Result string
	// Detail holds further short facts. Keyed hashes, serials, ids, codes.
	Detail map[string]string
}

// ErrUnwritten matches the error of a change that was not made because it could not be recorded:
// the audit takes nothing, or the disk is full.
var ErrUnwritten = errors.New("nothing can be recorded")

// Limits of an event: longer values are refused, since an audit record is no place for texts.
const (
	maxValue  = 512
	maxName   = 64
	maxDetail = 32
)

// Check reports what an event may not hold: no action, long values, an e-mail address, or a
// number of twelve digits standing alone (an IIN or BIN).
func (e Event) Check() error {
	if e.Action == "" {
		return errors.New("audit event without an action")
	}
	if len(e.Detail) > maxDetail {
		return fmt.Errorf("audit event %s: %d details, at most %d", e.Action, len(e.Detail), maxDetail)
	}
	check := func(name, value string) error {
		switch {
		case len(value) > maxValue:
			return fmt.Errorf("audit event %s: %s is longer than %d bytes", e.Action, name, maxValue)
		case !utf8.ValidString(value) || strings.ContainsRune(value, 0):
			return fmt.Errorf("audit event %s: %s is no text", e.Action, name)
		case identity(value):
			return fmt.Errorf("audit event %s: %s holds an address or a personal number", e.Action, name)
		}
		return nil
	}
	err := errors.Join(check("action", e.Action), check("actor", e.Actor), check("object", e.Object), check("result", e.Result))
	for k, v := range e.Detail {
		if len(k) > maxName || !utf8.ValidString(k) || strings.ContainsRune(k, 0) {
			return fmt.Errorf("audit event %s: the name of a detail is longer than %d bytes or no text", e.Action, maxName)
		}
		err = errors.Join(err, check("detail "+k, v))
	}
	return err
}

// identity reports an '@' or a word of exactly twelve digits.
func identity(s string) bool {
	digits, other := 0, false
	for i := 0; i <= len(s); i++ {
		var c byte
		if i < len(s) {
			c = s[i]
		}
		switch {
		case c == '@':
			return true
		case c >= '0' && c <= '9':
			digits++
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= 0x80:
			other = true
		default:
			if digits == 12 && !other {
				return true
			}
			digits, other = 0, false
		}
	}
	return false
}

// Record is an event in its place in a node's chain.
type Record struct {
	// Node names the chain; every node that writes has its own.
	Node string
	// Seq counts from 1 without gaps.
	Seq int64
	// At is when it was recorded, to the millisecond, UTC.
	At time.Time
	Event
	// Prev is the Hash of the record before, all zero for the first.
	Prev [32]byte
	// Hash is the SHA-256 of everything above.
	Hash [32]byte
}

// Next is the record that follows last in the chain of a node. The zero Record stands for an
// empty chain. It fails when [Event.Check] does.
func Next(last Record, node string, at time.Time, e Event) (Record, error) {
	if err := e.Check(); err != nil {
		return Record{}, err
	}
	r := Record{Node: node, Seq: last.Seq + 1, At: at.UTC().Truncate(time.Millisecond), Event: e, Prev: last.Hash}
	r.Hash = r.sum()
	return r, nil
}

// sum hashes a record without its own hash: every field with its length before it, so that no two
// different records give the same bytes.
func (r Record) sum() [32]byte {
	var b bytes.Buffer
	put := func(s string) {
		b.Write(binary.BigEndian.AppendUint32(nil, uint32(len(s))))
		b.WriteString(s)
	}
	put("senim-audit/1")
	put(r.Node)
	b.Write(binary.BigEndian.AppendUint64(nil, uint64(r.Seq)))
	b.Write(binary.BigEndian.AppendUint64(nil, uint64(r.At.UnixMilli())))
	put(r.Action)
	put(r.Actor)
	put(r.Object)
	put(r.Result)
	keys := make([]string, 0, len(r.Detail))
	for k := range r.Detail {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	b.Write(binary.BigEndian.AppendUint32(nil, uint32(len(keys))))
	for _, k := range keys {
		put(k)
		put(r.Detail[k])
	}
	b.Write(r.Prev[:])
	return sha256.Sum256(b.Bytes())
}

// BrokenError names the first record of a chain that is not as it was written.
type BrokenError struct {
	Node string
	// Seq is the number the record should have.
	Seq int64
	Why string
}

func (e *BrokenError) Error() string {
	return fmt.Sprintf("audit chain of node %q broken at record %d: %s", e.Node, e.Seq, e.Why)
}

// Verify checks records that follow last (the zero Record: from the beginning of the chain), in
// order. It returns the last good record, with a [*BrokenError] when a record is bad. A long chain
// may be verified in pieces: the result of one call is the last of the next.
func Verify(last Record, records []Record) (Record, error) {
	for _, r := range records {
		broken := func(why string) (Record, error) {
			return last, &BrokenError{Node: r.Node, Seq: last.Seq + 1, Why: why}
		}
		switch {
		case last.Seq > 0 && r.Node != last.Node:
			return broken("a record of another node")
		case r.Seq != last.Seq+1:
			return broken(fmt.Sprintf("record %d stands in its place", r.Seq))
		case r.Prev != last.Hash:
			return broken("it does not follow the record before")
		case r.Hash != r.sum():
			return broken("its content does not match its hash")
		}
		last = r
	}
	return last, nil
}
