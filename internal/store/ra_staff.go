package store

import (
	"context"
	"strings"

	"senim/internal/ra"
)

func (t raTx) PutDelegation(ctx context.Context, d ra.Delegation) error {
	body, err := text(d)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, `insert into ra_delegations (id, bin, iin, powers, from_at, until_at, ended_at, body) values ($1, $2, $3, $4, $5, $6, $7, $8)
		on conflict (id) do update set ended_at = excluded.ended_at, body = excluded.body`,
		d.ID, d.BIN, d.IIN, strings.Join(d.Powers, " "), ms(d.From), ms(d.Until), ms(d.EndedAt), body)
	return err
}

func delegation(r row) (d ra.Delegation, err error) {
	var body string
	if err = r.Scan(&body); err != nil {
		return d, err
	}
	return d, fromText(body, &d)
}

func (t raTx) Delegation(ctx context.Context, id string) (ra.Delegation, error) {
	return one(ctx, t.tx, ra.ErrNotFound, delegation, `select body from ra_delegations where id = $1`, id)
}

func (t raTx) DelegationsOf(ctx context.Context, bin string) ([]ra.Delegation, error) {
	return list(ctx, t.tx, delegation, `select body from ra_delegations where bin = $1 order by from_at desc, id`, bin)
}

func (t raTx) OpenDelegations(ctx context.Context, after string, n int) ([]ra.Delegation, error) {
	return list(ctx, t.tx, delegation, `select body from ra_delegations where id > $1 and ended_at = 0 order by id limit $2`, after, n)
}

func (t raTx) OpenDelegationsTo(ctx context.Context, iin string) ([]ra.Delegation, error) {
	return list(ctx, t.tx, delegation, `select body from ra_delegations where iin = $1 and ended_at = 0 order by id`, iin)
}

func (t raTx) PutDismissal(ctx context.Context, d ra.Dismissal) error {
	body, err := text(d)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, `insert into ra_dismissals (bin, iin, at, lifted_at, body) values ($1, $2, $3, $4, $5)
		on conflict (bin, iin) do update set at = excluded.at, lifted_at = excluded.lifted_at, body = excluded.body`,
		d.BIN, d.IIN, ms(d.At), ms(d.LiftedAt), body)
	return err
}

func dismissal(r row) (d ra.Dismissal, err error) {
	var body string
	if err = r.Scan(&body); err != nil {
		return d, err
	}
	return d, fromText(body, &d)
}

func (t raTx) Dismissal(ctx context.Context, bin, iin string) (ra.Dismissal, error) {
	return one(ctx, t.tx, ra.ErrNotFound, dismissal, `select body from ra_dismissals where bin = $1 and iin = $2`, bin, iin)
}

func (t raTx) DismissalsOf(ctx context.Context, bin string) ([]ra.Dismissal, error) {
	return list(ctx, t.tx, dismissal, `select body from ra_dismissals where bin = $1 and lifted_at = 0 order by at desc, iin`, bin)
}

func (t raTx) WaitingOfCompany(ctx context.Context, bin string) ([]ra.Application, error) {
	return list(ctx, t.tx, application, `select body from ra_applications where bin = $1 and bin <> ''
		and state in ('SIGNED', 'AWAITING_DIRECTOR', 'AWAITING_DESK', 'APPROVED') order by created, number`, bin)
}

func (t raTx) BeginChange(ctx context.Context, bin, change string) (bool, error) {
	n, err := t.exec(ctx, `insert into ra_changes (bin, change) values ($1, $2) on conflict (bin, change) do nothing`, bin, change)
	return n > 0, err
}

func (t raTx) DismissedAmong(ctx context.Context, iins []string) ([]ra.Post, error) {
	return many(ctx, t.tx, iins, func(r row) (p ra.Post, err error) { return p, r.Scan(&p.BIN, &p.IIN) }, dismissedAmong)
}

var dismissedAmong = `select bin, iin from ra_dismissals where lifted_at = 0 and iin in (` + places(1, `?`) + `)`
