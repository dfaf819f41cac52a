package store

import (
	"context"
	"time"

	"senim/internal/ra"
)

const feedColumns = `select hash, iin, staff, created, revoked from ra_feeds `

func scanFeed(r row) (f ra.Feed, err error) {
	var created, revoked int64
	err = r.Scan(&f.Hash, &f.IIN, &f.Staff, &created, &revoked)
	f.Created, f.Revoked = at(created), at(revoked)
	return f, err
}

func (t raTx) FeedOf(ctx context.Context, iin string) (ra.Feed, error) {
	return one(ctx, t.tx, ra.ErrNotFound, scanFeed, feedColumns+`where iin = $1 and revoked = 0 order by created desc limit 1`, iin)
}

func (t raTx) FeedByHash(ctx context.Context, hash string) (ra.Feed, error) {
	return one(ctx, t.tx, ra.ErrNotFound, scanFeed, feedColumns+`where hash = $1`, hash)
}

func (t raTx) PutFeed(ctx context.Context, f ra.Feed) error {
	_, err := t.exec(ctx, `insert into ra_feeds (hash, iin, staff, created, revoked) values ($1, $2, $3, $4, $5)
		on conflict (hash) do update set staff = excluded.staff, revoked = excluded.revoked`, f.Hash, f.IIN, f.Staff, ms(f.Created), ms(f.Revoked))
	return err
}

func (t raTx) Digest(ctx context.Context, iin string) (bool, error) {
	n, err := one(ctx, t.tx, errNoRow, value[int64], `select count(*) from ra_digests where iin = $1`, iin)
	return n > 0, err
}

func (t raTx) SetDigest(ctx context.Context, iin string, on bool, when time.Time) error {
	sql, args := `delete from ra_digests where iin = $1`, []any{iin}
	if on {
		sql, args = `insert into ra_digests (iin, since) values ($1, $2) on conflict (iin) do nothing`, append(args, ms(when))
	}
	_, err := t.exec(ctx, sql, args...)
	return err
}

func (t raTx) Digests(ctx context.Context, after string, limit int) ([]string, error) {
	return list(ctx, t.tx, value[string], `select iin from ra_digests where iin > $1 order by iin limit $2`, after, limit)
}

func (t raTx) LookAfter(ctx context.Context, iin string, others []ra.Holder, when time.Time) error {
	for _, o := range others {
		_, err := t.exec(ctx, `insert into ra_looked_after (iin, holder, bin, since) values ($1, $2, $3, $4)
			on conflict (iin, holder, bin) do nothing`, iin, o.IIN, o.BIN, ms(when))
		if err != nil {
			return err
		}
	}
	return nil
}

func (t raTx) LookedAfter(ctx context.Context, iin string) ([]ra.Holder, error) {
	return list(ctx, t.tx, func(r row) (h ra.Holder, err error) { return h, r.Scan(&h.IIN, &h.BIN) },
		`select holder, bin from ra_looked_after where iin = $1 order by holder, bin`, iin)
}

func (t raTx) Examine(ctx context.Context, subject, stage string, when time.Time) (bool, error) {
	return noticeTx(t).Examine(ctx, subject, stage, when)
}

func (t raTx) WasExamined(ctx context.Context, subject, stage string) (bool, error) {
	n, err := one(ctx, t.tx, errNoRow, value[int64], `select count(*) from reminder where key_set = $1 and stage = $2`, subject, stage)
	return n > 0, err
}

func (t raTx) AccountsOf(ctx context.Context, iins []string) ([]ra.Account, error) {
	return many(ctx, t.tx, iins, account, accountsOf)
}

var accountsOf = accounts + `where a.iin in (` + places(1, `?`) + `)`
