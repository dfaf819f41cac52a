package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"senim/internal/job"
	"senim/internal/lang"
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
	key := m.Identity()
	sealed, err := t.s.seal("outbox/"+key, plain)
	if err != nil {
		return fmt.Errorf("notify %s: %w", m.N, err)
	}
	id, err := one(ctx, t, errNoRow, value[int64], `insert into outbox
		(id, key, n, lang, about, sealed, who, state, why, attempts, created, due, done)
		values ((select coalesce(max(id), 0) + 1 from outbox), $1, $2, $3, $4, $5, $6, $7, '', 0, $8, $8, 0)
		on conflict (key) do nothing returning id`,
		key, m.N, string(m.Lang), m.About, sealed, t.Hash(m.To), string(notice.Waiting), ms(t.now()))
	if errors.Is(err, errNoRow) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("notify %s: %w", m.N, err)
	}
	_, err = t.exec(ctx, `insert into outbox_way (id, channel, ref, expires, claimed, claims, code) values ($1, $2, '', $3, 0, 0, 0)`,
		id, string(m.Channel), ms(m.Expires))
	if err != nil {
		return fmt.Errorf("notify %s: %w", m.N, err)
	}
	return t.Enqueue(ctx, job.Job{Kind: notice.Kind, Payload: notice.Job{ID: id}, Priority: notice.ClassOf(m.N).Priority()})
}

// contents is the sealed part of an outbox row.
type contents struct {
	To   string            `json:"to"`
	Vars map[string]string `json:"vars"`
}

// Notice is the outbox and the stages of reminders.
func (s *Store) Notice() notice.Store {
	return noticeDomain{domain[notice.Tx]{s, func(t *tx) notice.Tx { return noticeTx{t} }}}
}

type noticeTx struct{ *tx }

const outgoing = `select o.id, o.key, o.n, o.lang, o.about, o.sealed, o.who, o.state, o.why, o.attempts, o.created, o.due, o.done,
	coalesce(w.channel, ''), coalesce(w.ref, ''), coalesce(w.expires, 0), coalesce(w.claimed, 0), coalesce(w.claims, 0), coalesce(w.code, 0)
	from outbox o left join outbox_way w on w.id = o.id `

// Outgoing reads a message.
func (t noticeTx) Outgoing(ctx context.Context, id int64) (notice.Outgoing, error) {
	return one(ctx, t.tx, notice.ErrNotFound, t.scan, outgoing+`where o.id = $1`, id)
}

func (t noticeTx) scan(r row) (o notice.Outgoing, err error) {
	var tag, state, channel string
	var created, due, done, expires, claimed int64
	var sealed []byte
	if err := r.Scan(&o.ID, &o.Key, &o.N, &tag, &o.About, &sealed, &o.Who, &state, &o.Why, &o.Attempts, &created, &due, &done,
		&channel, &o.Ref, &expires, &claimed, &o.Claims, &o.Code); err != nil {
		return o, err
	}
	o.Lang, o.State, o.Channel = lang.Tag(tag), notice.State(state), notice.Channel(channel)
	o.Created, o.Due, o.Done, o.Expires, o.Claimed = at(created), at(due), at(done), at(expires), at(claimed)
	if len(sealed) == 0 {
		return o, nil
	}
	plain, err := t.s.open("outbox/"+o.Key, sealed)
	if err != nil {
		return o, err
	}
	var c contents
	if err := json.Unmarshal(plain, &c); err != nil {
		return o, fmt.Errorf("store: read outbox: %w", err)
	}
	o.To, o.Vars = c.To, c.Vars
	return o, nil
}

// SaveOutgoing writes how a message stands, and wipes what is not needed any more.
func (t noticeTx) SaveOutgoing(ctx context.Context, o notice.Outgoing) error {
	_, err := t.exec(ctx, `update outbox set state = $1, why = $2, attempts = $3, due = $4, done = $5 where id = $6`,
		string(o.State), o.Why, o.Attempts, ms(o.Due), ms(o.Done), o.ID)
	if err != nil {
		return err
	}
	if _, err = t.exec(ctx, `insert into outbox_way (id, channel, ref, expires, claimed, claims, code) values ($1, $2, $3, $4, $5, $6, $7)
		on conflict (id) do update set ref = excluded.ref, claimed = excluded.claimed, claims = excluded.claims, code = excluded.code`,
		o.ID, string(o.Channel), o.Ref, ms(o.Expires), ms(o.Claimed), o.Claims, o.Code); err != nil || !o.Wiped() {
		return err
	}
	rest := []byte{}
	if o.Returns() && o.To != "" {
		plain, err := json.Marshal(contents{To: o.To})
		if err != nil {
			return fmt.Errorf("store: write outbox: %w", err)
		}
		if rest, err = t.s.seal("outbox/"+o.Key, plain); err != nil {
			return err
		}
	}
	_, err = t.exec(ctx, `update outbox set sealed = $1 where id = $2`, rest, o.ID)
	return err
}

// Examine notes a stage of a key set, once.
func (t noticeTx) Examine(ctx context.Context, set, stage string, when time.Time) (bool, error) {
	n, err := t.exec(ctx, `insert into reminder (key_set, stage, examined) values ($1, $2, $3)
		on conflict (key_set, stage) do nothing`, set, stage, ms(when))
	return n == 1, err
}

// Received lists what the address of a message was sent since a moment, and what is being sent there now.
func (t noticeTx) Received(ctx context.Context, id int64, since time.Time) ([]string, error) {
	return list(ctx, t.tx, value[string], `select n from outbox where who = (select who from outbox where id = $1) and id <> $1
		and (state = $2 or state in ($3, $4, $5) and done >= $6) order by id`, id, string(notice.Sending),
		string(notice.Sent), string(notice.Delivered), string(notice.Uncertain), ms(since))
}
