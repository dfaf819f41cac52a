package store

import (
	"context"
	"time"

	"senim/internal/lang"
	"senim/internal/ra"
)

func (t raTx) PutFactor(ctx context.Context, f ra.Factor) error {
	_, err := t.exec(ctx, `insert into ra_factors (handle, iin, about, kind, hash, sent, wrong, passed, exempt)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		on conflict (handle) do update set wrong = excluded.wrong, passed = excluded.passed`,
		f.Handle, f.IIN, f.About, string(f.Kind), f.Sum, ms(f.Sent), f.Wrong, ms(f.PassedAt), bit(f.Exempt))
	return err
}

func (t raTx) Factors(ctx context.Context, iin string, since time.Time) ([]ra.Factor, error) {
	return list(ctx, t.tx, func(r row) (f ra.Factor, err error) {
		var kind string
		var sent, wrong, passed, exempt int64
		err = r.Scan(&f.Handle, &f.IIN, &f.About, &kind, &f.Sum, &sent, &wrong, &passed, &exempt)
		f.Kind, f.Sent, f.Wrong, f.PassedAt, f.Exempt = ra.FactorKind(kind), at(sent), int(wrong), at(passed), exempt != 0
		return f, err
	}, `select handle, iin, about, kind, hash, sent, wrong, passed, exempt from ra_factors
		where iin = $1 and sent >= $2 order by sent desc, handle desc`, iin, ms(since))
}

func (t raTx) ForgetFactors(ctx context.Context, before time.Time) error {
	_, err := t.exec(ctx, `delete from ra_factors where sent < $1`, ms(before))
	return err
}

// accounts reads accounts with what is known of their addresses.
const accounts = `select a.iin, a.email, a.city, a.lang, a.confirmed, a.consent, a.created, a.changed,
	coalesce(c.pending, ''), coalesce(c.bad, 0), coalesce(c.quiet, 0) from ra_accounts a left join ra_contacts c on c.iin = a.iin `

func account(r row) (a ra.Account, err error) {
	var tag string
	var confirmed, consent, created, changed, bad, quiet int64
	err = r.Scan(&a.IIN, &a.Email, &a.City, &tag, &confirmed, &consent, &created, &changed, &a.Next, &bad, &quiet)
	a.Lang, a.ConfirmedAt, a.ConsentAt, a.Created, a.Changed = lang.Tag(tag), at(confirmed), at(consent), at(created), at(changed)
	a.Bad, a.NoReminders = bad != 0, quiet != 0
	return a, err
}

func (t raTx) Accounts(ctx context.Context, email string) ([]ra.Account, error) {
	return list(ctx, t.tx, account, accounts+`where a.email = $1 and a.email <> '' order by a.iin`, email)
}

func (t raTx) putContact(ctx context.Context, a ra.Account) error {
	_, err := t.exec(ctx, `insert into ra_contacts (iin, pending, bad, quiet) values ($1, $2, $3, $4)
		on conflict (iin) do update set pending = excluded.pending, bad = excluded.bad, quiet = excluded.quiet`,
		a.IIN, a.Next, bit(a.Bad), bit(a.NoReminders))
	return err
}

func (t raTx) LinksOf(ctx context.Context, iin string, after time.Time) ([]ra.Link, error) {
	return list(ctx, t.tx, link, `select hash, iin, email, expires from ra_links where iin = $1 and expires > $2 order by expires desc, hash`, iin, ms(after))
}

func link(r row) (l ra.Link, err error) {
	var expires int64
	err = r.Scan(&l.Hash, &l.IIN, &l.Email, &expires)
	l.Expires = at(expires)
	return l, err
}
