package store

import (
	"context"
	"time"

	"senim/internal/ra"
)

func paperPlace(number, hash string) string { return "scan:" + number + ":" + hash }

func (t raTx) PutScan(ctx context.Context, number string, s ra.Scan, body []byte) error {
	sealed, err := t.s.seal(paperPlace(number, s.Hash), body)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, `insert into ra_scans (number, hash, kind, body) values ($1, $2, $3, $4) on conflict (number, hash) do nothing`,
		number, s.Hash, s.Type, sealed)
	return err
}

func (t raTx) ScanBody(ctx context.Context, number, hash string) ([]byte, error) {
	sealed, err := one(ctx, t.tx, ra.ErrNotFound, value[[]byte], `select body from ra_scans where number = $1 and hash = $2`, number, hash)
	if err != nil {
		return nil, err
	}
	return t.s.open(paperPlace(number, hash), sealed)
}

func (t raTx) InState(ctx context.Context, s ra.State, since time.Time, limit int) ([]ra.Application, error) {
	return list(ctx, t.tx, application, `select body from ra_applications where state = $1 and changed >= $2 order by changed, number limit $3`,
		string(s), ms(since), limit)
}

func (t raTx) Tallies(ctx context.Context) ([]ra.Tally, error) {
	return list(ctx, t.tx, func(r row) (y ra.Tally, err error) {
		var state string
		var n, oldest int64
		err = r.Scan(&state, &n, &oldest)
		y.State, y.N, y.Oldest = ra.State(state), int(n), at(oldest)
		return y, err
	}, `select state, count(*), min(changed) from ra_applications group by state order by state`)
}

func (t raTx) Unreachable(ctx context.Context) (int, error) {
	n, err := one(ctx, t.tx, errNoRow, value[int64], `select count(*) from ra_accounts a left join ra_contacts c on c.iin = a.iin
		where a.confirmed = 0 or coalesce(c.bad, 0) <> 0`)
	return int(n), err
}

func (t raTx) PutAct(ctx context.Context, a ra.KeyAct) error {
	body, err := text(a)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, `insert into ra_acts (id, serial, state, changed, body) values ($1, $2, $3, $4, $5)
		on conflict (id) do update set state = excluded.state, changed = excluded.changed, body = excluded.body`,
		a.ID, a.Serial, string(a.State), ms(a.Changed), body)
	return err
}

func act(r row) (a ra.KeyAct, err error) {
	var body string
	if err = r.Scan(&body); err != nil {
		return a, err
	}
	return a, fromText(body, &a)
}

func (t raTx) Act(ctx context.Context, id string) (ra.KeyAct, error) {
	return one(ctx, t.tx, ra.ErrNotFound, act, `select body from ra_acts where id = $1`, id)
}

func (t raTx) ActsIn(ctx context.Context, s ra.ActState, limit int) ([]ra.KeyAct, error) {
	return list(ctx, t.tx, act, `select body from ra_acts where state = $1 order by changed, id limit $2`, string(s), limit)
}
