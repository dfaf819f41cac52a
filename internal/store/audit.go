package store

import (
	"context"
	"fmt"
	"os"

	"senim/internal/audit"
)

// ConsoleNode names the chain of what is done by commands at this machine's console, beside the server's
// own. The server signs checkpoints over both.
func ConsoleNode() string {
	host, _ := os.Hostname()
	return host + ".console"
}

// Audit records an event in this node's chain, in this transaction: when it cannot be recorded, the
// change must not be made. Events that hold personal data are refused ([audit.Event.Check]).
//
// Where writers take turns, the record to follow is remembered from the one before. The insert finds out
// when that is not the end of the chain: a change was taken back, or another process wrote.
func (t *tx) Audit(ctx context.Context, e audit.Event) error {
	if t.gather != nil {
		t.gather.events = append(t.gather.events, e)
		return e.Check()
	}
	if t.turn && t.s.last.Seq > 0 {
		if followed, err := t.follow(ctx, t.s.last, e); followed || err != nil {
			return err
		}
	}
	last, err := one(ctx, t, nil, scanAudit,
		`select `+auditColumns+` from audit where node = $1 order by seq desc limit 1`, t.s.node)
	if err != nil {
		return fmt.Errorf("audit %s: %w: %w", e.Action, audit.ErrUnwritten, err)
	}
	followed, err := t.follow(ctx, last, e)
	if err == nil && !followed {
		err = fmt.Errorf("audit %s: the chain does not end in its last record", e.Action)
	}
	return err
}

// follow inserts the record of e after last; false when last is not the end of the chain.
func (t *tx) follow(ctx context.Context, last audit.Record, e audit.Event) (bool, error) {
	r, err := audit.Next(last, t.s.node, t.now(), e)
	if err != nil {
		return false, err
	}
	detail, err := text(r.Detail)
	if err != nil {
		return false, err
	}
	n, err := t.exec(ctx, `insert into audit (`+auditColumns+`) select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10
		where $2 = 1 + coalesce((select max(seq) from audit where node = $1), 0)
		and ($2 = 1 or exists (select 1 from audit where node = $1 and seq = $2 - 1 and hash = $11))`,
		r.Node, r.Seq, ms(r.At), r.Action, r.Actor, r.Object, r.Result, detail, r.Prev[:], r.Hash[:], r.Prev[:])
	if err != nil {
		return false, fmt.Errorf("audit %s: %w: %w", e.Action, audit.ErrUnwritten, err)
	}
	if n == 1 && t.turn {
		t.s.last = r
	}
	return n == 1, nil
}

const auditColumns = `node, seq, at, action, actor, object, result, detail, prev, hash`

func scanAudit(r row) (audit.Record, error) {
	var a audit.Record
	var when int64
	var detail string
	var prev, hash []byte
	if err := r.Scan(&a.Node, &a.Seq, &when, &a.Action, &a.Actor, &a.Object, &a.Result, &detail, &prev, &hash); err != nil {
		return a, err
	}
	a.At = at(when)
	copy(a.Prev[:], prev)
	copy(a.Hash[:], hash)
	return a, fromText(detail, &a.Detail)
}

// AuditRecords reads up to limit records of a node's chain with numbers greater than after, in order.
func (s *Store) AuditRecords(ctx context.Context, node string, after int64, limit int) (all []audit.Record, err error) {
	err = s.view(ctx, func(t *tx) error {
		all, err = list(ctx, t, scanAudit,
			`select `+auditColumns+` from audit where node = $1 and seq > $2 order by seq limit $3`, node, after, limit)
		return err
	})
	return all, err
}

// AuditNodes names every node that has a chain or checkpoints.
func (s *Store) AuditNodes(ctx context.Context) (nodes []string, err error) {
	err = s.view(ctx, func(t *tx) error {
		nodes, err = list(ctx, t, value[string], `select node from audit union select node from audit_checkpoints order by node`)
		return err
	})
	return nodes, err
}

// VerifyAudit reads every node's chain again and returns how many records are good, with a
// [*audit.BrokenError] for the first bad one. Checkpoints are looked at by `senim audit verify`.
func (s *Store) VerifyAudit(ctx context.Context) (good int64, err error) {
	nodes, err := s.AuditNodes(ctx)
	if err != nil {
		return 0, err
	}
	for _, node := range nodes {
		var last audit.Record
		for {
			records, err := s.AuditRecords(ctx, node, last.Seq, auditPage)
			if err != nil {
				return good, err
			}
			from := last.Seq
			last, err = audit.Verify(last, records)
			good += last.Seq - from
			if err != nil {
				return good, err
			}
			if len(records) < auditPage {
				break
			}
		}
	}
	return good, nil
}

// auditPage is how many records are read at once.
const auditPage = 1000
