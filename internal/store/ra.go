package store

import (
	"context"
	"time"

	"senim/internal/ra"
)

// RA is the store of applications for keys and of the cabinet's accounts.
func (s *Store) RA() ra.Store {
	return domain[ra.Tx]{s, func(t *tx) ra.Tx { return raTx{t} }}
}

type raTx struct{ *tx }

func (t raTx) Counter(ctx context.Context, day string) (int, error) {
	n, err := one(ctx, t.tx, errNoRow, value[int64], `insert into ra_counters (day, n) values ($1, 1)
		on conflict (day) do update set n = ra_counters.n + 1 returning n`, day)
	return int(n), err
}

func (t raTx) Put(ctx context.Context, a ra.Application) error {
	body, err := text(a)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, `insert into ra_applications (number, iin, bin, state, signed, created, changed, body)
		values ($1, $2, $3, $4, $5, $6, $7, $8)
		on conflict (number) do update set iin = excluded.iin, bin = excluded.bin, state = excluded.state,
			signed = excluded.signed, changed = excluded.changed, body = excluded.body`,
		a.Number, a.Subject.IIN, a.Subject.BIN, string(a.State), ms(a.SignedAt), ms(a.Created), ms(a.Changed), body)
	return err
}

func application(r row) (a ra.Application, err error) {
	var body string
	if err = r.Scan(&body); err != nil {
		return a, err
	}
	return a, fromText(body, &a)
}

func (t raTx) Application(ctx context.Context, number string) (ra.Application, error) {
	return one(ctx, t.tx, ra.ErrNotFound, application, `select body from ra_applications where number = $1`, number)
}

func (t raTx) OfPerson(ctx context.Context, iin string) ([]ra.Application, error) {
	return list(ctx, t.tx, application, `select body from ra_applications where iin = $1 order by created desc, number desc`, iin)
}

func (t raTx) OfCompany(ctx context.Context, bin string) ([]ra.Application, error) {
	return list(ctx, t.tx, application, `select body from ra_applications where bin = $1 and bin <> '' order by created desc, number desc`, bin)
}

func (t raTx) Overdue(ctx context.Context, s ra.State, before time.Time) ([]string, error) {
	return list(ctx, t.tx, value[string], `select number from ra_applications
		where state = $1 and (case when state = 'DRAFT' then changed else signed end) < $2 order by number`, string(s), ms(before))
}

func (t raTx) Remove(ctx context.Context, number string) error {
	_, err := t.exec(ctx, `delete from ra_applications where number = $1 and state = 'DRAFT'`, number)
	return err
}

func (t raTx) ClaimKey(ctx context.Context, keyHash, id string) (bool, error) {
	_, err := t.exec(ctx, `insert into ra_keys (hash, application) values ($1, $2) on conflict (hash) do nothing`, keyHash, id)
	if err != nil {
		return false, err
	}
	owner, err := one(ctx, t.tx, ra.ErrNotFound, value[string], `select application from ra_keys where hash = $1`, keyHash)
	return owner == id, err
}

func (t raTx) Account(ctx context.Context, iin string) (ra.Account, error) {
	return one(ctx, t.tx, ra.ErrNotFound, account, accounts+`where a.iin = $1`, iin)
}

func (t raTx) PutAccount(ctx context.Context, a ra.Account) error {
	_, err := t.exec(ctx, `insert into ra_accounts (iin, email, city, lang, confirmed, consent, created, changed)
		values ($1, $2, $3, $4, $5, $6, $7, $8)
		on conflict (iin) do update set email = excluded.email, city = excluded.city, lang = excluded.lang,
			confirmed = excluded.confirmed, consent = excluded.consent, changed = excluded.changed`,
		a.IIN, a.Email, a.City, string(a.Lang), ms(a.ConfirmedAt), ms(a.ConsentAt), ms(a.Created), ms(a.Changed))
	return err
}

func (t raTx) PutLink(ctx context.Context, l ra.Link) error {
	_, err := t.exec(ctx, `insert into ra_links (hash, iin, email, expires) values ($1, $2, $3, $4)`, l.Hash, l.IIN, l.Email, ms(l.Expires))
	return err
}

func (t raTx) Link(ctx context.Context, hash string) (ra.Link, error) {
	return one(ctx, t.tx, ra.ErrNotFound, func(r row) (l ra.Link, err error) {
		var expires int64
		err = r.Scan(&l.Hash, &l.IIN, &l.Email, &expires)
		l.Expires = at(expires)
		return l, err
	}, `select hash, iin, email, expires from ra_links where hash = $1`, hash)
}

func (t raTx) UseLink(ctx context.Context, hash string) (bool, error) {
	n, err := t.exec(ctx, `delete from ra_links where hash = $1`, hash)
	return n > 0, err
}
