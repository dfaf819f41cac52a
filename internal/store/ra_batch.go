package store

import (
	"context"
	"time"

	"senim/internal/ra"
)

// batchesShown bounds a person's batches that are looked at.
const batchesShown = 100

func (t raTx) PutBatch(ctx context.Context, b ra.Batch) error {
	body, err := text(b)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, `insert into ra_batches (id, iin, created, body) values ($1, $2, $3, $4)
		on conflict (id) do update set body = excluded.body`, b.ID, b.IIN, ms(b.Created), body)
	for _, item := range b.Items {
		if err == nil && item.Number != "" {
			_, err = t.exec(ctx, `insert into ra_batch_items (number, iin) values ($1, $2) on conflict (number) do nothing`, item.Number, b.IIN)
		}
	}
	return err
}

func (t raTx) OpenInBatches(ctx context.Context, iin string) ([]ra.Application, error) {
	return list(ctx, t.tx, application, `select a.body from ra_batch_items i join ra_applications a on a.number = i.number
		where i.iin = $1 and a.state not in ('INSTALLED', 'REJECTED', 'EXPIRED', 'WITHDRAWN') order by a.created, a.number`, iin)
}

func batch(r row) (b ra.Batch, err error) {
	var body string
	if err = r.Scan(&body); err != nil {
		return b, err
	}
	return b, fromText(body, &b)
}

func (t raTx) Batch(ctx context.Context, id string) (ra.Batch, error) {
	return one(ctx, t.tx, ra.ErrNotFound, batch, `select body from ra_batches where id = $1`, id)
}

func (t raTx) Batches(ctx context.Context, iin string) ([]ra.Batch, error) {
	return list(ctx, t.tx, batch, `select body from ra_batches where iin = $1 order by created desc, id limit $2`, iin, batchesShown)
}

func (t raTx) Watch(ctx context.Context, iin string, serials []string, at time.Time) error {
	for _, s := range serials {
		_, err := t.exec(ctx, `insert into ra_watched (iin, serial, since) values ($1, $2, $3) on conflict (iin, serial) do nothing`, iin, s, ms(at))
		if err != nil {
			return err
		}
	}
	return nil
}

func (t raTx) Unwatch(ctx context.Context, iin string, serials []string) error {
	for _, s := range serials {
		if _, err := t.exec(ctx, `delete from ra_watched where iin = $1 and serial = $2`, iin, s); err != nil {
			return err
		}
	}
	return nil
}

func (t raTx) Watched(ctx context.Context, iin string) ([]string, error) {
	return list(ctx, t.tx, value[string], `select serial from ra_watched where iin = $1 order by since, serial`, iin)
}
