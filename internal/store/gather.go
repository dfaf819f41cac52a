package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/riverqueue/river"

	"senim/internal/audit"
	"senim/internal/notice"
)

// gathered is what a transaction will record and ask for at its end, together: a great many small changes cost
// less so. They are written or lost with the transaction like everything else.
type gathered struct {
	events []audit.Event
	jobs   []asked
}

// asked is a job with the moment of its first try.
type asked struct {
	envelope
	at time.Time
}

// UpdateMany is Update for many changes at once: f's records and jobs are written at its end, in their order.
func (d noticeDomain) UpdateMany(ctx context.Context, f func(notice.Tx) error) error {
	return d.s.update(ctx, func(t *tx) error {
		t.gather = &gathered{}
		err := f(d.dress(t))
		g := t.gather
		t.gather = nil
		if err != nil {
			return err
		}
		if err := t.auditAll(ctx, g.events); err != nil || len(g.jobs) == 0 {
			return err
		}
		return t.note(t.c.insertJobs(ctx, g.jobs))
	})
}

// noticeDomain is the outbox with changes of many at once.
type noticeDomain struct{ domain[notice.Tx] }

// auditRows is how many records one statement writes.
const auditRows = 50

// auditAll records events one after the other in this node's chain; of a great many, many in one statement.
func (t *tx) auditAll(ctx context.Context, events []audit.Event) error {
	for len(events) >= auditRows {
		last, err := one(ctx, t, nil, scanAudit, `select `+auditColumns+` from audit where node = $1 order by seq desc limit 1`, t.s.node)
		if err != nil {
			return fmt.Errorf("audit: %w: %w", audit.ErrUnwritten, err)
		}
		var args []any
		for _, e := range events[:auditRows] {
			if last, err = audit.Next(last, t.s.node, t.now(), e); err != nil {
				return err
			}
			detail, err := text(last.Detail)
			if err != nil {
				return err
			}
			r := last // its hashes are this row's own
			args = append(args, r.Node, r.Seq, ms(r.At), r.Action, r.Actor, r.Object, r.Result, detail, r.Prev[:], r.Hash[:])
		}
		if _, err := t.exec(ctx, manyAudits, args...); err != nil {
			return fmt.Errorf("audit: %w: %w", audit.ErrUnwritten, err)
		}
		if t.turn {
			t.s.last = last
		}
		events = events[auditRows:]
	}
	for _, e := range events {
		if err := t.Audit(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

var manyAudits = func() string {
	rows := make([]string, auditRows)
	for i := range rows {
		columns := make([]string, 10)
		for c := range columns {
			columns[c] = "$" + strconv.Itoa(i*10+c+1)
		}
		rows[i] = "(" + strings.Join(columns, ", ") + ")"
	}
	return `insert into audit (` + auditColumns + `) values ` + strings.Join(rows, ", ")
}()

// inserts is what River takes.
func inserts(all []asked) []river.InsertManyParams {
	params := make([]river.InsertManyParams, len(all))
	for i, a := range all {
		params[i] = river.InsertManyParams{Args: a.envelope, InsertOpts: a.options(a.at)}
	}
	return params
}
