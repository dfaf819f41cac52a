package store

import (
	"context"

	"senim/internal/ca"
)

// AddList keeps the newest list of each kind with its bytes, and of full lists the two newest
// scheduled ones, which delta lists refer to, without.
func (t caTx) AddList(ctx context.Context, l ca.ListRecord) error {
	// Asked apart: as part of the insert, SQLite would write the bytes to a table in between.
	newer, err := one(ctx, t.tx, nil, value[int64], `select count(*) from ca_published
		where ca = $1 and shard = $2 and delta = $3 and (number >= $4 or epoch > $5)`, l.CA, l.Shard, bit(l.Delta), l.Number, l.Epoch)
	if err != nil {
		return err
	}
	if newer > 0 {
		return ca.ErrExists
	}
	err = t.insert(ctx, `insert into ca_published (ca, shard, delta, number, base, epoch, scheduled, this_update, next_update, size, raw)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict do nothing`,
		l.CA, l.Shard, bit(l.Delta), l.Number, l.Base, l.Epoch, bit(l.Scheduled), ms(l.ThisUpdate), ms(l.NextUpdate), int64(len(l.Raw)), l.Raw)
	if err != nil {
		return err
	}
	if _, err = t.exec(ctx, `delete from ca_published where ca = $1 and shard = $2 and delta = $3 and number < $4
		and number not in (select number from ca_published where ca = $1 and shard = $2 and delta = $3 and scheduled = 1 and delta = 0
			order by number desc limit 2)`, l.CA, l.Shard, bit(l.Delta), l.Number); err != nil {
		return err
	}
	_, err = t.exec(ctx, `update ca_published set raw = $1 where ca = $2 and shard = $3 and delta = $4 and number < $5`,
		[]byte{}, l.CA, l.Shard, bit(l.Delta), l.Number)
	return err
}

// caHeads reads lists without their bytes, which may be many.
const caHeads = `select ca, shard, delta, scheduled, number, base, epoch, this_update, next_update, size from ca_published p `

func scanHead(r row) (l ca.ListRecord, err error) {
	var delta, scheduled, this, next int64
	err = r.Scan(&l.CA, &l.Shard, &delta, &scheduled, &l.Number, &l.Base, &l.Epoch, &this, &next, &l.Size)
	l.Delta, l.Scheduled, l.ThisUpdate, l.NextUpdate = delta == 1, scheduled == 1, at(this), at(next)
	return l, err
}

func (t caTx) Head(ctx context.Context, authority, shard string, delta bool) (ca.ListRecord, error) {
	return one(ctx, t.tx, ca.ErrNotFound, scanHead,
		caHeads+`where ca = $1 and shard = $2 and delta = $3 order by number desc limit 1`, authority, shard, bit(delta))
}

func (t caTx) Heads(ctx context.Context, authority string) ([]ca.ListRecord, error) {
	return list(ctx, t.tx, scanHead, caHeads+`where ca = $1 and number =
		(select max(q.number) from ca_published q where q.ca = p.ca and q.shard = p.shard and q.delta = p.delta)
		order by shard, delta`, authority)
}

func (t caTx) Base(ctx context.Context, authority, shard string, below int64) (ca.ListRecord, error) {
	return one(ctx, t.tx, ca.ErrNotFound, scanHead,
		caHeads+`where ca = $1 and shard = $2 and delta = 0 and scheduled = 1 and number < $3 order by number desc limit 1`,
		authority, shard, below)
}

func (t caTx) ListBytes(ctx context.Context, l ca.ListRecord) ([]byte, error) {
	return one(ctx, t.tx, ca.ErrNotFound, value[[]byte],
		`select raw from ca_published where ca = $1 and shard = $2 and delta = $3 and number = $4 and size = length(raw)`,
		l.CA, l.Shard, bit(l.Delta), l.Number)
}
