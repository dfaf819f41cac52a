package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"senim/internal/audit"
)

// ImportAudit puts back records of a node that an older copy of the database does not have, with the
// checkpoint that was signed over them: the records follow what is here, or nothing is done and the
// error is a [*audit.BrokenError]. Records that are here already are held against the given ones. The
// caller has checked the checkpoint's signature and its tree.
//
// Whoever follows what was issued has followed these records before the copy was put back, so its place
// moves behind them.
func (s *Store) ImportAudit(ctx context.Context, records []audit.Record, point audit.Statement) error {
	err := s.update(ctx, func(t *tx) error { return t.importAudit(ctx, records, point) })
	if err != nil {
		return fmt.Errorf("import the audit of %s up to record %d: %w", point.Node, point.Size, err)
	}
	return nil
}

func (t *tx) importAudit(ctx context.Context, records []audit.Record, point audit.Statement) error {
	last, err := one(ctx, t, nil, scanAudit, `select `+auditColumns+` from audit where node = $1 order by seq desc limit 1`, point.Node)
	if err != nil {
		return err
	}
	for _, r := range records {
		if r.Node != point.Node {
			return errors.New("a record of another node")
		}
		if r.Seq <= last.Seq {
			here, err := one(ctx, t, nil, scanAudit, `select `+auditColumns+` from audit where node = $1 and seq = $2`, r.Node, r.Seq)
			if err != nil {
				return err
			}
			if here.Hash != r.Hash {
				return &audit.BrokenError{Node: r.Node, Seq: r.Seq, Why: "another record is in the database"}
			}
			continue
		}
		if last, err = audit.Verify(last, []audit.Record{r}); err != nil {
			return err
		}
		detail, err := text(r.Detail)
		if err != nil {
			return err
		}
		if _, err := t.exec(ctx, `insert into audit (`+auditColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
			r.Node, r.Seq, ms(r.At), r.Action, r.Actor, r.Object, r.Result, detail, r.Prev[:], r.Hash[:]); err != nil {
			return err
		}
	}
	if last.Seq < point.Size {
		return &audit.BrokenError{Node: point.Node, Seq: last.Seq + 1, Why: "it is missing"}
	}
	if _, err := t.exec(ctx, `insert into audit_checkpoints (node, number, size, note, token, tree) values ($1, $2, $3, $4, $5, $6)`,
		point.Node, point.Number, point.Size, string(point.Note), append([]byte{}, point.Token...), bytes.Join(point.Tree, nil)); err != nil {
		return err
	}
	if _, err := t.exec(ctx, `insert into audit_exports (node, number) values ($1, $2)
		on conflict (node) do update set number = excluded.number where excluded.number > audit_exports.number`, point.Node, point.Number); err != nil {
		return err
	}
	_, err = t.exec(ctx, `insert into feed_cursors (feed, node, seq) select distinct feed, cast($1 as text), cast($2 as bigint) from feed_cursors where feed <> ''
		on conflict (feed, node) do update set seq = excluded.seq where excluded.seq > feed_cursors.seq`, point.Node, point.Size)
	return err
}

// UseNode has this process write another chain from now on. Call it before anything is written.
func (s *Store) UseNode(name string) { s.node = name }

// SkipStamps leaves out more serials of time-stamps than any day gives: an older copy of the database
// does not know how many were given after it was made.
func (s *Store) SkipStamps(ctx context.Context) error {
	return s.update(ctx, func(t *tx) error {
		_, err := t.exec(ctx, `update tsa_serials set next = next + $1`, int64(1)<<32)
		return err
	})
}
