package store

import (
	"context"
	"errors"
	"time"

	"senim/internal/ca"
)

// counter moves one of the two counters of an authority and returns both.
func (t caTx) counter(ctx context.Context, authority string, epochs, numbers int64) (epoch, number int64, err error) {
	err = t.queryRow(ctx, `insert into ca_counters (ca, epoch, list_number) values ($1, $2, $3)
		on conflict (ca) do update set epoch = ca_counters.epoch + $2, list_number = ca_counters.list_number + $3
		returning epoch, list_number`, authority, epochs, numbers).Scan(&epoch, &number)
	return epoch, number, err
}

func (t caTx) AddRevocation(ctx context.Context, authority, serial string, r ca.Revocation) error {
	epoch, _, err := t.counter(ctx, authority, 1, 0)
	if err != nil {
		return err
	}
	return t.insert(ctx, `insert into ca_revocations (serial, ca, epoch, revoked_at, reason, invalidity, revoked_by)
		values ($1, $2, $3, $4, $5, $6, $7)
		on conflict (serial) do update set epoch = $3, revoked_at = $4, reason = $5, invalidity = $6, revoked_by = $7
		where ca_revocations.reason = 8`,
		serial, authority, epoch, ms(r.At), int64(r.Reason), ms(r.Invalidity), r.By)
}

func (t caTx) SetReason(ctx context.Context, authority, serial string, reason ca.Reason) error {
	epoch, _, err := t.counter(ctx, authority, 1, 0)
	if err != nil {
		return err
	}
	return changed(ca.ErrNotFound)(t.exec(ctx, `update ca_revocations set reason = $1, epoch = $2
		where ca = $3 and serial = $4`, int64(reason), epoch, authority, serial))
}

func (t caTx) RevokedSince(ctx context.Context, authority string, since int64, endAfter time.Time) ([]ca.RevokedRecord, error) {
	return list(ctx, t.tx, func(r row) (e ca.RevokedRecord, err error) {
		var revokedAt, reason, invalidity int64
		err = r.Scan(&e.Serial, &revokedAt, &reason, &invalidity, &e.By)
		e.At, e.Reason, e.Invalidity = at(revokedAt), ca.Reason(reason), at(invalidity)
		return e, err
	}, `select r.serial, r.revoked_at, r.reason, r.invalidity, r.revoked_by
		from ca_revocations r join ca_certificates c on c.serial = r.serial
		where r.ca = $1 and r.epoch > $2 and (c.not_after > $3 or c.not_after = 0) order by r.epoch`,
		authority, since, ms(endAfter))
}

func (t caTx) Changed(ctx context.Context, authority string, since int64, limit int) (epoch int64, serials []string, err error) {
	epoch, err = one(ctx, t.tx, errNoRow, value[int64], `select epoch from ca_counters where ca = $1`, authority)
	if errors.Is(err, errNoRow) {
		return 0, nil, nil
	}
	if err != nil || epoch <= since || limit == 0 {
		return epoch, nil, err
	}
	serials, err = list(ctx, t.tx, value[string], `select serial from ca_revocations where ca = $1 and epoch > $2 order by epoch limit $3`,
		authority, since, limit)
	return epoch, serials, err
}

func (t caTx) NextListNumber(ctx context.Context, authority string) (number, epoch int64, err error) {
	epoch, number, err = t.counter(ctx, authority, 0, 1)
	return number, epoch, err
}

func (t caTx) LastListNumber(ctx context.Context, authority string) (int64, error) {
	n, err := one(ctx, t.tx, ca.ErrNotFound, value[int64], `select list_number from ca_counters where ca = $1`, authority)
	if errors.Is(err, ca.ErrNotFound) {
		return 0, nil
	}
	return n, err
}

func (t caTx) RaiseListNumber(ctx context.Context, authority string, n int64) error {
	_, err := t.exec(ctx, `insert into ca_counters (ca, epoch, list_number) values ($1, 0, $2)
		on conflict (ca) do update set list_number = $2 where ca_counters.list_number < $2`, authority, n)
	return err
}

// AddList keeps the newest list of each kind, and of full lists the two newest scheduled ones, which
// delta lists refer to.
func (t caTx) AddList(ctx context.Context, l ca.ListRecord) error {
	_, err := t.exec(ctx, `insert into ca_lists (ca, delta, number, base, epoch, scheduled, this_update, next_update, raw)
		select $1, $2, $3, $4, $5, $6, $7, $8, $9
		where not exists (select 1 from ca_lists where ca = $1 and delta = $2 and number >= $3)`,
		l.CA, bit(l.Delta), l.Number, l.Base, l.Epoch, bit(l.Scheduled), ms(l.ThisUpdate), ms(l.NextUpdate), l.Raw)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, `delete from ca_lists where ca = $1 and delta = $2
		and number < (select max(number) from ca_lists where ca = $1 and delta = $2)
		and number not in (select number from ca_lists where ca = $1 and delta = $2 and scheduled = 1 and delta = 0
			order by number desc limit 2)`, l.CA, bit(l.Delta))
	return err
}

const caLists = `select ca, delta, scheduled, number, base, epoch, this_update, next_update, raw from ca_lists `

func scanList(r row) (l ca.ListRecord, err error) {
	var delta, scheduled, this, next int64
	err = r.Scan(&l.CA, &delta, &scheduled, &l.Number, &l.Base, &l.Epoch, &this, &next, &l.Raw)
	l.Delta, l.Scheduled, l.ThisUpdate, l.NextUpdate = delta == 1, scheduled == 1, at(this), at(next)
	return l, err
}

func (t caTx) List(ctx context.Context, authority string, delta bool) (ca.ListRecord, error) {
	return one(ctx, t.tx, ca.ErrNotFound, scanList,
		caLists+`where ca = $1 and delta = $2 order by number desc limit 1`, authority, bit(delta))
}

func (t caTx) ListNumber(ctx context.Context, authority string, delta bool) (int64, error) {
	return one(ctx, t.tx, ca.ErrNotFound, value[int64], `select number from ca_lists where ca = $1 and delta = $2 order by number desc limit 1`,
		authority, bit(delta))
}

func (t caTx) Base(ctx context.Context, authority string, below int64) (ca.ListRecord, error) {
	return one(ctx, t.tx, ca.ErrNotFound, scanList,
		caLists+`where ca = $1 and delta = 0 and scheduled = 1 and number < $2 order by number desc limit 1`,
		authority, below)
}
