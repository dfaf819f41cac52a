package store

import (
	"context"
	"time"

	"senim/internal/notice"
)

// ByLetter finds the message of a letter: its name is the beginning of the key.
func (t noticeTx) ByLetter(ctx context.Context, id string) (notice.Outgoing, error) {
	if len(id) != 40 {
		return notice.Outgoing{}, notice.ErrNotFound
	}
	return one(ctx, t.tx, notice.ErrNotFound, t.scan, outgoing+`where o.key >= $1 and o.key < $2`, id, id+"g")
}

// ByRef finds the short message that went by a name.
func (t noticeTx) ByRef(ctx context.Context, ref string) (notice.Outgoing, error) {
	if ref == "" {
		return notice.Outgoing{}, notice.ErrNotFound
	}
	return one(ctx, t.tx, notice.ErrNotFound, t.scan, outgoing+`where w.ref = $1`, ref)
}

// ByPart finds the short message with a part.
func (t noticeTx) ByPart(ctx context.Context, name string) (notice.Outgoing, error) {
	return one(ctx, t.tx, notice.ErrNotFound, t.scan, outgoing+`where o.id = (select id from outbox_part where part = $1)`, name)
}

// Parts lists those of a message.
func (t noticeTx) Parts(ctx context.Context, id int64) ([]notice.Part, error) {
	return list(ctx, t.tx, func(r row) (p notice.Part, err error) {
		var state string
		err = r.Scan(&p.Name, &state)
		p.State = notice.State(state)
		return p, err
	}, `select part, state from outbox_part where id = $1 order by number`, id)
}

// SavePart adds a part or writes its state. A centre that uses a name anew means the newest message.
func (t noticeTx) SavePart(ctx context.Context, id int64, p notice.Part) error {
	_, err := t.exec(ctx, `insert into outbox_part (part, id, number, state)
		values ($1, $2, (select coalesce(max(number), 0) + 1 from outbox_part where id = $2), $3)
		on conflict (part) do update set state = excluded.state, id = excluded.id`, p.Name, id, string(p.State))
	return err
}

// DropParts forgets the parts of a message.
func (t noticeTx) DropParts(ctx context.Context, id int64) error {
	_, err := t.exec(ctx, `delete from outbox_part where id = $1`, id)
	return err
}

// Address reads what is known of an address.
func (t noticeTx) Address(ctx context.Context, who string) (notice.Address, error) {
	a, err := one(ctx, t.tx, nil, func(r row) (a notice.Address, err error) {
		var bad, muted, confirmed int64
		err = r.Scan(&bad, &muted, &confirmed)
		a.Bad, a.Muted, a.Confirmed = at(bad), at(muted), at(confirmed)
		return a, err
	}, `select bad, muted, confirmed from address where who = $1`, who)
	a.Who = who
	return a, err
}

// SaveAddress writes it.
func (t noticeTx) SaveAddress(ctx context.Context, a notice.Address) error {
	_, err := t.exec(ctx, `insert into address (who, bad, muted, confirmed) values ($1, $2, $3, $4)
		on conflict (who) do update set bad = excluded.bad, muted = excluded.muted, confirmed = excluded.confirmed`,
		a.Who, ms(a.Bad), ms(a.Muted), ms(a.Confirmed))
	return err
}

// Failures lists the letters to an address that did not arrive.
func (t noticeTx) Failures(ctx context.Context, who string) ([]notice.Failure, error) {
	return list(ctx, t.tx, func(r row) (f notice.Failure, err error) {
		var when int64
		var fate string
		err = r.Scan(&when, &fate)
		return notice.Failure{At: at(when), Fate: notice.Fate(fate)}, err
	}, `select at, fate from address_failure where who = $1 order by at`, who)
}

// AddFailure adds one.
func (t noticeTx) AddFailure(ctx context.Context, who string, f notice.Failure) error {
	_, err := t.exec(ctx, `insert into address_failure (who, at, fate) values ($1, $2, $3)`, who, ms(f.At), string(f.Fate))
	return err
}

// Count adds to a number of a day.
func (t noticeTx) Count(ctx context.Context, day, what string, n int) error {
	_, err := t.exec(ctx, `insert into outbox_day (day, what, node, number) values ($1, $2, $3, $4)
		on conflict (day, what, node) do update set number = outbox_day.number + $4`, day, what, t.s.node, n)
	return err
}

// Counted reads it, over all nodes.
func (t noticeTx) Counted(ctx context.Context, day, what string) (int, error) {
	n, err := one(ctx, t.tx, errNoRow, value[int64], `select cast(coalesce(sum(number), 0) as bigint) from outbox_day where day = $1 and what = $2`, day, what)
	return int(n), err
}

// OldestDue is when the oldest message waiting was due.
func (t noticeTx) OldestDue(ctx context.Context) (due time.Time, waiting int, err error) {
	r := t.queryRow(ctx, `select coalesce(min(due), 0), count(*) from outbox where state in ($1, $2)`, string(notice.Waiting), string(notice.Sending))
	var first, n int64
	err = r.Scan(&first, &n)
	return at(first), int(n), err
}

// Ended counts what ended since a moment.
func (t noticeTx) Ended(ctx context.Context, since time.Time) (states map[notice.State]int, why map[string]int, err error) {
	states, why = map[notice.State]int{}, map[string]int{}
	_, err = list(ctx, t.tx, func(r row) (struct{}, error) {
		var state, reason string
		var n int64
		if err := r.Scan(&state, &reason, &n); err != nil {
			return struct{}{}, err
		}
		if states[notice.State(state)] += int(n); notice.State(state) == notice.Failed {
			why[reason] += int(n)
		}
		return struct{}{}, nil
	}, `select state, why, count(*) from outbox where done >= $1 and state not in ($2, $3) group by state, why`,
		ms(since), string(notice.Waiting), string(notice.Sending))
	return states, why, err
}

// InDoubt lists the uncertain messages, newest first.
func (t noticeTx) InDoubt(ctx context.Context, limit int) ([]notice.Outgoing, error) {
	return list(ctx, t.tx, t.scan, outgoing+`where o.state = $1 order by o.done desc, o.id desc limit $2`, string(notice.Uncertain), limit)
}

// BadAddresses counts them.
func (t noticeTx) BadAddresses(ctx context.Context) (int, error) {
	n, err := one(ctx, t.tx, errNoRow, value[int64], `select count(*) from address where bad > 0`)
	return int(n), err
}

// Forget deletes what ended before a moment, and wipes the addresses of what ended before returns.
func (t noticeTx) Forget(ctx context.Context, before, returns time.Time) error {
	if _, err := t.exec(ctx, `update outbox set sealed = $1 where done > 0 and done < $2 and state <> $3 and sealed <> $1`,
		[]byte{}, ms(returns), string(notice.Uncertain)); err != nil {
		return err
	}
	for _, sql := range []string{
		`delete from outbox_part where id in (select id from outbox where done > 0 and done < $1)`,
		`delete from outbox_way where id in (select id from outbox where done > 0 and done < $1)`,
		`delete from outbox where done > 0 and done < $1`,
		`delete from address_failure where at < $1`,
	} {
		if _, err := t.exec(ctx, sql, ms(before)); err != nil {
			return err
		}
	}
	_, err := t.exec(ctx, `delete from outbox_day where day < $1`, before.UTC().Format(time.DateOnly))
	return err
}
