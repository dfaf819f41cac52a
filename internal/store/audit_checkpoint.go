package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"senim/internal/audit"
)

// Node is the name of this process among those that share the database.
func (s *Store) Node() string { return s.node }

// LastCheckpoint is a node's newest checkpoint, the zero Statement when there is none.
func (s *Store) LastCheckpoint(ctx context.Context, node string) (c audit.Statement, err error) {
	err = s.view(ctx, func(t *tx) error {
		c, err = one(ctx, t, nil, scanCheckpoint, checkpointSelect+` where node = $1 order by number desc limit 1`, node)
		return err
	})
	return c, err
}

// Checkpoints reads up to limit checkpoints of a node with numbers greater than after, in order.
func (s *Store) Checkpoints(ctx context.Context, node string, after int64, limit int) (all []audit.Statement, err error) {
	err = s.view(ctx, func(t *tx) error {
		all, err = list(ctx, t, scanCheckpoint, checkpointSelect+` where node = $1 and number > $2 order by number limit $3`, node, after, limit)
		return err
	})
	return all, err
}

// AddCheckpoint keeps a checkpoint; a number that is taken is an error.
func (s *Store) AddCheckpoint(ctx context.Context, c audit.Statement) error {
	return s.update(ctx, func(t *tx) error {
		_, err := t.exec(ctx, `insert into audit_checkpoints (node, number, size, note, token, tree) values ($1, $2, $3, $4, $5, $6)`,
			c.Node, c.Number, c.Size, string(c.Note), append([]byte{}, c.Token...), bytes.Join(c.Tree, nil))
		return err
	})
}

const checkpointSelect = `select node, number, size, note, token, tree from audit_checkpoints`

// scanCheckpoint gives a checkpoint that cannot be read with its number all the same: whoever verifies
// it says what is wrong.
func scanCheckpoint(r row) (s audit.Statement, err error) {
	var node, note string
	var number, size int64
	var token, tree []byte
	if err = r.Scan(&node, &number, &size, &note, &token, &tree); err != nil {
		return s, err
	}
	s.Checkpoint, err = audit.ReadNote([]byte(note))
	if err != nil || s.Node != node || s.Number != number || s.Size != size {
		s.Checkpoint = audit.Checkpoint{Node: node, Number: number, Size: size}
	}
	s.Note = []byte(note)
	if len(token) > 0 {
		s.Token = token
	}
	if len(tree)%32 != 0 {
		return s, fmt.Errorf("store: the tree of audit checkpoint %d is cut off", number)
	}
	s.Tree = slices.Collect(slices.Chunk(tree, 32))
	return s, nil
}

// Exported is the number of the newest checkpoint of a node that went to another machine with its
// records, 0 when none did.
func (s *Store) Exported(ctx context.Context, node string) (number int64, err error) {
	err = s.view(ctx, func(t *tx) error {
		number, err = one(ctx, t, nil, value[int64], `select number from audit_exports where node = $1`, node)
		return err
	})
	return number, err
}

// SetExported notes that a checkpoint went out; the number never becomes less.
func (s *Store) SetExported(ctx context.Context, node string, number int64) error {
	return s.update(ctx, func(t *tx) error {
		_, err := t.exec(ctx, `insert into audit_exports (node, number) values ($1, $2)
			on conflict (node) do update set number = excluded.number where excluded.number > audit_exports.number`, node, number)
		return err
	})
}

// Record records an event by itself, in a transaction of its own.
func (s *Store) Record(ctx context.Context, e audit.Event) error {
	return s.update(ctx, func(t *tx) error { return t.Audit(ctx, e) })
}

// LastAudit is this node's newest record of an action, the zero Record when there is none.
func (s *Store) LastAudit(ctx context.Context, action string) (r audit.Record, err error) {
	err = s.view(ctx, func(t *tx) error {
		r, err = one(ctx, t, nil, scanAudit,
			`select `+auditColumns+` from audit where action = $1 and node = $2 order by seq desc limit 1`, action, s.node)
		return err
	})
	return r, err
}

// AuditQuery says which records are looked for; empty fields leave open.
type AuditQuery struct {
	Node string
	// About is an object, or a value in the details of a record: a serial, an order, an application.
	About string
	Actor string
	// Action is an action or, with a dot at its end, the beginning of several.
	Action string
	// From and To bound the time in milliseconds; 0 leaves open.
	From, To int64
	Limit    int
}

// FindAudit reads the records that a query asks for, in the order they were written.
// A record about something is found by its object or by a detail, both written in full.
func (s *Store) FindAudit(ctx context.Context, q AuditQuery) (all []audit.Record, err error) {
	if q.Limit < 1 {
		return nil, errors.New("find audit records: no limit")
	}
	where, args := ` where true`, []any{}
	add := func(cond string, v any) {
		args = append(args, v)
		where += fmt.Sprintf(" and "+cond, len(args))
	}
	if q.Node != "" {
		add("node = $%d", q.Node)
	}
	if q.About != "" {
		// replace is the one function for this that both engines have
		add("(object = $%[1]d or replace(detail, '\"' || $%[1]d || '\"', '') <> detail)", q.About)
	}
	if q.Actor != "" {
		add("actor = $%d", q.Actor)
	}
	if q.Action != "" {
		if q.Action[len(q.Action)-1] == '.' {
			add("substr(action, 1, length($%[1]d)) = $%[1]d", q.Action)
		} else {
			add("action = $%d", q.Action)
		}
	}
	if q.From != 0 {
		add("at >= $%d", q.From)
	}
	if q.To != 0 {
		add("at < $%d", q.To)
	}
	args = append(args, q.Limit)
	err = s.view(ctx, func(t *tx) error {
		all, err = list(ctx, t, scanAudit, `select `+auditColumns+` from audit`+where+fmt.Sprintf(` order by at, node, seq limit $%d`, len(args)), args...)
		return err
	})
	return all, err
}
