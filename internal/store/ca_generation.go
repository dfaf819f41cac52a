package store

import (
	"context"

	"senim/internal/ca"
)

func (t caTx) Retire(ctx context.Context, r ca.Retirement) error {
	_, err := t.exec(ctx, `insert into ca_retired (name, successor, retired) values ($1, $2, $3) on conflict do nothing`,
		r.Name, r.Successor, ms(r.At))
	return err
}

func (t caTx) AddCross(ctx context.Context, c ca.CrossRecord) error {
	return t.insert(ctx, `insert into ca_crosses (name, subject, issuer, raw, created) values ($1, $2, $3, $4, $5) on conflict do nothing`,
		c.Name, c.Subject, c.Issuer, c.Raw, ms(c.Created))
}

func (t caTx) Crosses(ctx context.Context) ([]ca.CrossRecord, error) {
	return list(ctx, t.tx, func(r row) (c ca.CrossRecord, err error) {
		var created int64
		err = r.Scan(&c.Name, &c.Subject, &c.Issuer, &c.Raw, &created)
		c.Created = at(created)
		return c, err
	}, `select name, subject, issuer, raw, created from ca_crosses order by name`)
}

func (t caTx) AddRequest(ctx context.Context, r ca.RequestRecord) error {
	return t.insert(ctx, `insert into ca_requests (name, key_name, plan, raw, created) values ($1, $2, $3, $4, $5) on conflict do nothing`,
		r.Name, r.Key, r.Plan, r.Raw, ms(r.Created))
}

func (t caTx) Request(ctx context.Context, name string) (ca.RequestRecord, error) {
	return one(ctx, t.tx, ca.ErrNotFound, func(r row) (q ca.RequestRecord, err error) {
		var created int64
		err = r.Scan(&q.Name, &q.Key, &q.Plan, &q.Raw, &created)
		q.Created = at(created)
		return q, err
	}, `select name, key_name, plan, raw, created from ca_requests where name = $1`, name)
}
