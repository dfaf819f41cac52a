package store

import (
	"context"

	"senim/internal/ra"
)

func (t raTx) Awaiting(ctx context.Context, bin string, limit int) ([]ra.Application, error) {
	return list(ctx, t.tx, application, `select body from ra_applications
		where bin = $1 and bin <> '' and state = 'AWAITING_DIRECTOR' order by signed, number limit $2`, bin, limit)
}

func (t raTx) PutDecision(ctx context.Context, d ra.SignedDecision) error {
	_, err := t.exec(ctx, `insert into ra_decisions (hash, serial, at, body) values ($1, $2, $3, $4) on conflict (hash) do nothing`,
		d.Hash, d.Serial, ms(d.At), d.Document)
	return err
}

func (t raTx) SignedDecision(ctx context.Context, hash string) (ra.SignedDecision, error) {
	return one(ctx, t.tx, ra.ErrNotFound, func(r row) (d ra.SignedDecision, err error) {
		var when int64
		err = r.Scan(&d.Hash, &d.Serial, &when, &d.Document)
		d.At = at(when)
		return d, err
	}, `select hash, serial, at, body from ra_decisions where hash = $1`, hash)
}
