package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"senim/internal/job"
	"senim/internal/notice"
)

// Notify puts a letter into the outbox and asks for the job that sends it. A second message with
// the same key is dropped.
func (t *tx) Notify(ctx context.Context, m notice.Message) error {
	if err := m.Check(); err != nil {
		return err
	}
	plain, err := json.Marshal(contents{m.To, m.Vars})
	if err != nil {
		return fmt.Errorf("notify %s: %w", m.N, err)
	}
	sealed, err := t.s.seal("outbox/"+m.Key, plain)
	if err != nil {
		return fmt.Errorf("notify %s: %w", m.N, err)
	}
	id, err := one(ctx, t, errNoRow, value[int64], `insert into outbox
		(id, key, n, lang, about, sealed, who, state, why, attempts, created, due, done)
		values ((select coalesce(max(id), 0) + 1 from outbox), $1, $2, $3, $4, $5, $6, $7, '', 0, $8, $8, 0)
		on conflict (key) do nothing returning id`,
		m.Key, m.N, string(m.Lang), m.About, sealed, t.Hash(m.To), string(notice.Waiting), ms(t.now()))
	if errors.Is(err, errNoRow) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("notify %s: %w", m.N, err)
	}
	return t.Enqueue(ctx, job.Job{Kind: notice.Kind, Payload: notice.Job{ID: id}})
}

// contents is the sealed part of an outbox row.
type contents struct {
	To   string            `json:"to"`
	Vars map[string]string `json:"vars"`
}
