// Package restore finds out whether a database is older than what left the machine, and puts back what
// it lacks: the lists that were published, and the audit that was exported.
//
// [Read] gathers the evidence; [ca.Service.Compare] says what the database lacks of it, and [Found.Apply]
// brings that in, the authority's records and then [ra.Reapply]'s; then it puts the records of the audit back, so that
// its chain goes on where it was instead of forking. In this order: an interruption in between leaves the
// chain short, and everything is found again.
//
// What cannot be read is an error and never "nothing is missing".
package restore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"senim/internal/archive"
	"senim/internal/audit"
	"senim/internal/ca"
	"senim/internal/published"
	"senim/internal/ra"
	"senim/internal/store"
)

// Places are where evidence lies.
type Places struct {
	// Published are folders, files and addresses of revocation lists.
	Published []string
	// Audit is the folder the audit was exported to, "" for none.
	Audit string
	// Key is the audit's public key of this installation.
	Key *audit.Verifier
}

// Found is what the places say.
type Found struct {
	ca.Evidence
	// Work are the records about applications, delegations and dismissals.
	Work []ra.Recorded
	// Chains are the nodes of whose audit the database has less than was exported, or other records.
	Chains []Chain

	folder *archive.Folder
}

// Chain is the audit of a node that is not here as it was exported.
type Chain struct {
	Node string
	// Here and Exported are how many checkpoints the database and the export have.
	Here, Exported int64
	// Forked says that the database was used after it was put back: from record Forked on it has others
	// than were exported. 0: it has not.
	Forked int64
	// Foreign says that its checkpoints are signed with another key than [Places.Key], the one that lies
	// in the export.
	Foreign bool

	key  *audit.Verifier
	last time.Time // of the newest record that is not here
}

// String says what is the matter.
func (c Chain) String() string {
	if c.Forked > 0 {
		return fmt.Sprintf("the audit of node %s has other records than were exported, from record %d on", c.Node, c.Forked)
	}
	return fmt.Sprintf("the audit of node %s ends at checkpoint %d, and %d were exported", c.Node, c.Here, c.Exported)
}

// Read reads the lists and what the export of the audit has beyond the database.
func Read(ctx context.Context, s *store.Store, from Places) (*Found, error) {
	f := &Found{}
	for _, place := range from.Published {
		lists, err := published.Read(ctx, place)
		if err != nil {
			return nil, err
		}
		f.Lists = append(f.Lists, lists...)
	}
	if from.Audit == "" {
		return f, nil
	}
	var err error
	if f.folder, err = archive.OpenFolder(from.Audit); err != nil { // before the database: it may grow meanwhile
		return nil, err
	}
	for _, node := range f.folder.Nodes() {
		if err := f.node(ctx, s, node, from.Key); err != nil {
			return nil, fmt.Errorf("exported audit of node %s: %w", node, err)
		}
	}
	return f, nil
}

// node holds the chain of a node against its export. In the usual case it reads one segment.
func (f *Found) node(ctx context.Context, s *store.Store, node string, own *audit.Verifier) error {
	segments := f.folder.Segments(node)
	newest := segments[len(segments)-1]
	last, err := s.LastCheckpoint(ctx, node)
	if err != nil {
		return err
	}
	last.Node = node
	c := Chain{Node: node, Here: last.Number, Exported: newest}
	if err := f.verifier(&c, own); err != nil {
		return err
	}
	common, err := f.common(ctx, s, &c, last)
	if err != nil || common.Number == newest {
		return err
	}
	if c.Forked == 0 && common.Number < last.Number {
		c.Forked = common.Size + 1
	}
	here, err := hashes(ctx, s, node, common.Size)
	if err != nil {
		return err
	}
	err = f.each(c, common, func(_ audit.Statement, records []audit.Record) error {
		for _, r := range records {
			if h, ok := here[r.Seq]; ok && h != r.Hash && (c.Forked == 0 || r.Seq < c.Forked) {
				c.Forked = r.Seq
			}
			if strings.HasPrefix(r.Action, "ca.") {
				f.Acts = append(f.Acts, ca.Act{At: r.At, Action: r.Action, Object: r.Object, Detail: r.Detail})
			} else {
				f.Work = append(f.Work, ra.Recorded{At: r.At, Action: r.Action, Actor: r.Actor, Object: r.Object, Detail: r.Detail})
			}
			c.last = r.At
		}
		return ctx.Err()
	})
	f.Chains = append(f.Chains, c)
	return err
}

// verifier chooses the key that a node's checkpoints are signed with.
func (f *Found) verifier(c *Chain, own *audit.Verifier) error {
	newest, err := f.folder.Read(c.Node, c.Exported, func(audit.Record) error { return nil })
	if err != nil {
		return err
	}
	if own != nil {
		if _, err := own.Open(newest.Note); err == nil {
			c.key = own
			return nil
		}
	}
	c.Foreign = own != nil
	c.key, err = f.folder.Key(c.Node)
	return err
}

// common is the newest checkpoint that database and export have in common, with its tree; the zero
// Statement when it is none.
func (f *Found) common(ctx context.Context, s *store.Store, c *Chain, last audit.Statement) (audit.Statement, error) {
	segments := f.folder.Segments(c.Node)
	none := audit.Statement{Checkpoint: audit.Checkpoint{Node: c.Node}}
	for number := min(last.Number, c.Exported); number > 0; number-- {
		if !slices.Contains(segments, number) {
			if number == last.Number {
				return last, nil // it went elsewhere; the next one names it
			}
			return none, fmt.Errorf("segment %d is missing", number)
		}
		points, err := s.Checkpoints(ctx, c.Node, number-1, 1)
		if err != nil {
			return none, err
		}
		if len(points) == 0 || points[0].Number != number {
			return none, fmt.Errorf("checkpoint %d is not in the database", number)
		}
		told, err := f.folder.Read(c.Node, number, func(audit.Record) error { return nil })
		if err != nil {
			return none, err
		}
		if told.Digest() == points[0].Digest() {
			return points[0], nil
		}
	}
	return none, nil
}

// hashes are those of the records after a number.
func hashes(ctx context.Context, s *store.Store, node string, after int64) (map[int64][32]byte, error) {
	const page = 1000
	all := map[int64][32]byte{}
	for {
		records, err := s.AuditRecords(ctx, node, after, page)
		if err != nil {
			return nil, err
		}
		for _, r := range records {
			all[r.Seq], after = r.Hash, r.Seq
		}
		if len(records) < page {
			return all, nil
		}
	}
}

// each checks the segments after a checkpoint and hands them out, each with its records.
func (f *Found) each(c Chain, common audit.Statement, do func(audit.Statement, []audit.Record) error) error {
	trail, err := audit.After(common, c.key)
	if err != nil {
		return err
	}
	for _, number := range f.folder.Segments(c.Node) {
		if number <= common.Number {
			continue
		}
		if want := trail.Point().Number + 1; number != want {
			return fmt.Errorf("segment %d is missing", want)
		}
		var records []audit.Record
		point, err := f.folder.Read(c.Node, number, func(r audit.Record) error {
			records = append(records, r)
			return trail.Add(r)
		})
		if err == nil {
			err = trail.Mark(point)
		}
		if err == nil {
			err = do(trail.Point(), records)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Import puts the exported records back into the database, node by node. Chains that forked stay as they
// are. It returns how many records of how many nodes were put back.
func (f *Found) Import(ctx context.Context, s *store.Store) (records int64, nodes int, err error) {
	for _, c := range f.Chains {
		if c.Forked > 0 {
			continue
		}
		common, err := s.LastCheckpoint(ctx, c.Node)
		if err != nil {
			return records, nodes, err
		}
		common.Node = c.Node
		err = f.each(c, common, func(point audit.Statement, some []audit.Record) error {
			if err := s.ImportAudit(ctx, some, point); err != nil {
				return err
			}
			records += int64(len(some))
			return ctx.Err()
		})
		if err != nil {
			return records, nodes, err
		}
		nodes++
	}
	return records, nodes, nil
}

// NotThere reports that a place is not there at all.
func NotThere(err error) bool { return errors.Is(err, fs.ErrNotExist) }
