package store

import (
	"context"
	"time"

	"senim/internal/ident"
	"senim/internal/participant"
)

// actColumns leave out what one kind alone has: it stands in participant_act_details.
const actColumns = `browser, kind, iin, email, password, phone, lang, old_email, old_phone, old_lang, reset, made`

func (t participantTx) Act(ctx context.Context, browser string, k participant.Kind) (participant.Act, error) {
	return one(ctx, t.tx, participant.ErrNotFound, func(r row) (a participant.Act, err error) {
		var made int64
		err = r.Scan(&a.Browser, &a.Kind, &a.IIN, &a.Email, &a.Password, &a.Lang, &a.OldEmail, &a.Reset, &a.Details, &made, &a.Passkey)
		a.Made = at(made)
		return a, err
	}, `select a.browser, a.kind, a.iin, a.email, a.password, a.lang, a.old_email, a.reset, coalesce(d.details, ''), a.made,
			coalesce((select p.passkey from participant_act_passkeys p where p.browser = a.browser and a.kind = 'add-passkey'), '')
		from participant_acts a left join participant_act_details d on d.browser = a.browser and d.kind = a.kind
		where a.browser = $1 and a.kind = $2`, browser, string(k))
}

func (t participantTx) PutAct(ctx context.Context, a participant.Act) error {
	_, err := t.exec(ctx, `insert into participant_acts (`+actColumns+`) values ($1, $2, $3, $4, $5, '', $6, $7, '', '', $8, $9)
		on conflict (browser, kind) do update set iin = excluded.iin, email = excluded.email, password = excluded.password,
			lang = excluded.lang, old_email = excluded.old_email, reset = excluded.reset, made = excluded.made`,
		a.Browser, string(a.Kind), string(a.IIN), a.Email, a.Password, string(a.Lang), a.OldEmail, a.Reset, ms(a.Made))
	if err != nil {
		return err
	}
	if a.Passkey != "" {
		if err := t.putActPasskey(ctx, a); err != nil {
			return err
		}
	}
	_, err = t.exec(ctx, `insert into participant_act_details (browser, kind, details) values ($1, $2, $3)
		on conflict (browser, kind) do update set details = excluded.details`, a.Browser, string(a.Kind), a.Details)
	return err
}

func (t participantTx) DropAct(ctx context.Context, browser string, k participant.Kind) error {
	if k == participant.ActPasskey {
		if _, err := t.exec(ctx, `delete from participant_act_passkeys where browser = $1`, browser); err != nil {
			return err
		}
	}
	if _, err := t.exec(ctx, `delete from participant_acts where browser = $1 and kind = $2`, browser, string(k)); err != nil {
		return err
	}
	_, err := t.exec(ctx, `delete from participant_act_details where browser = $1 and kind = $2`, browser, string(k))
	return err
}

func (t participantTx) SweepActs(ctx context.Context, before time.Time) error {
	if _, err := t.exec(ctx, `delete from participant_act_passkeys where made < $1`, ms(before)); err != nil {
		return err
	}
	if _, err := t.exec(ctx, `delete from participant_acts where made < $1`, ms(before)); err != nil {
		return err
	}
	_, err := t.exec(ctx, `delete from participant_act_details where not exists
		(select 1 from participant_acts a where a.browser = participant_act_details.browser and a.kind = participant_act_details.kind)`)
	return err
}

func (t participantTx) PutSignedAct(ctx context.Context, s participant.SignedAct) error {
	_, err := t.exec(ctx, `insert into participant_signed_acts (id, kind, iin, act, challenge, answer, certificate, moment)
		values ($1, $2, $3, $4, $5, $6, $7, $8)`, s.ID, string(s.Kind), string(s.IIN), s.Act, s.Challenge, s.Answer, s.Certificate, ms(s.At))
	return err
}

func (t participantTx) SignedAct(ctx context.Context, id string) (participant.SignedAct, error) {
	return one(ctx, t.tx, participant.ErrNotFound, func(r row) (s participant.SignedAct, err error) {
		var moment int64
		err = r.Scan(&s.ID, &s.Kind, &s.IIN, &s.Act, &s.Challenge, &s.Answer, &s.Certificate, &moment)
		s.At = at(moment)
		return s, err
	}, `select id, kind, iin, act, challenge, answer, certificate, moment from participant_signed_acts where id = $1`, id)
}

// SignedActs lists a person's acts.
func (t participantTx) SignedActs(ctx context.Context, iin ident.IIN, limit int) ([]participant.SignedAct, error) {
	return list(ctx, t.tx, func(r row) (s participant.SignedAct, err error) {
		var moment int64
		err = r.Scan(&s.ID, &s.Kind, &s.IIN, &moment)
		s.At = at(moment)
		return s, err
	}, `select id, kind, iin, moment from participant_signed_acts where iin = $1 order by moment desc, id limit $2`, string(iin), int64(limit))
}

const emailChangeColumns = `id, iin, old_email, new_email, lang, state, confirm, dispute, signature, asked, expires, effective, ended`

func scanEmailChange(r row) (c participant.EmailChange, err error) {
	var asked, expires, effective, ended int64
	err = r.Scan(&c.ID, &c.IIN, &c.Old, &c.New, &c.Lang, &c.State, &c.Confirm, &c.Dispute, &c.Signature, &asked, &expires, &effective, &ended)
	c.Asked, c.Expires, c.Effective, c.Ended = at(asked), at(expires), at(effective), at(ended)
	return c, err
}

func (t participantTx) EmailChange(ctx context.Context, id string) (participant.EmailChange, error) {
	return one(ctx, t.tx, participant.ErrNotFound, scanEmailChange,
		`select `+emailChangeColumns+` from participant_email_changes where id = $1`, id)
}

func (t participantTx) EmailChangeByLink(ctx context.Context, hash string) (participant.EmailChange, error) {
	return one(ctx, t.tx, participant.ErrNotFound, scanEmailChange,
		`select `+emailChangeColumns+` from participant_email_changes where confirm = $1 or dispute = $1`, hash)
}

func (t participantTx) EmailChanges(ctx context.Context, iin ident.IIN, since time.Time) ([]participant.EmailChange, error) {
	return list(ctx, t.tx, scanEmailChange, `select `+emailChangeColumns+` from participant_email_changes
		where iin = $1 and (asked >= $2 or ended = 0) order by asked, id`, string(iin), ms(since))
}

func (t participantTx) PutEmailChange(ctx context.Context, c participant.EmailChange) error {
	_, err := t.exec(ctx, `insert into participant_email_changes (`+emailChangeColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
		on conflict (id) do update set state = excluded.state, effective = excluded.effective, ended = excluded.ended`,
		c.ID, string(c.IIN), c.Old, c.New, string(c.Lang), string(c.State), c.Confirm, c.Dispute, c.Signature,
		ms(c.Asked), ms(c.Expires), ms(c.Effective), ms(c.Ended))
	return err
}

func (t participantTx) PutResetAsk(ctx context.Context, a participant.ResetAsk) error {
	_, err := t.exec(ctx, `insert into participant_reset_asks (id, iin, email, lang, made) values ($1, $2, $3, $4, $5)`,
		a.ID, string(a.IIN), a.Email, string(a.Lang), ms(a.Made))
	return err
}

func (t participantTx) TakeResetAsk(ctx context.Context, id string) (participant.ResetAsk, error) {
	return one(ctx, t.tx, participant.ErrNotFound, func(r row) (a participant.ResetAsk, err error) {
		var made int64
		err = r.Scan(&a.ID, &a.IIN, &a.Email, &a.Lang, &made)
		a.Made = at(made)
		return a, err
	}, `delete from participant_reset_asks where id = $1 returning id, iin, email, lang, made`, id)
}

const resetColumns = `hash, iin, email, asked, expires, failed, used, signature`

func scanReset(r row) (p participant.Reset, err error) {
	var asked, expires, used int64
	err = r.Scan(&p.Hash, &p.IIN, &p.Email, &asked, &expires, &p.Failed, &used, &p.Signature)
	p.Asked, p.Expires, p.Used = at(asked), at(expires), at(used)
	return p, err
}

func (t participantTx) Reset(ctx context.Context, hash string) (participant.Reset, error) {
	return one(ctx, t.tx, participant.ErrNotFound, scanReset, `select `+resetColumns+` from participant_resets where hash = $1`, hash)
}

func (t participantTx) Resets(ctx context.Context, iin ident.IIN, since time.Time) ([]participant.Reset, error) {
	return list(ctx, t.tx, scanReset, `select `+resetColumns+` from participant_resets where iin = $1 and asked >= $2 order by asked, hash`,
		string(iin), ms(since))
}

func (t participantTx) PutReset(ctx context.Context, p participant.Reset) error {
	_, err := t.exec(ctx, `insert into participant_resets (`+resetColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8)
		on conflict (hash) do update set failed = excluded.failed, used = excluded.used, signature = excluded.signature`,
		p.Hash, string(p.IIN), p.Email, ms(p.Asked), ms(p.Expires), int64(p.Failed), ms(p.Used), p.Signature)
	return err
}

func (t participantTx) PutEntry(ctx context.Context, e participant.Entry, keep int) error {
	_, err := t.exec(ctx, `insert into participant_entries (id, iin, moment, serial, network) values ($1, $2, $3, $4, $5)`,
		e.ID, string(e.IIN), ms(e.At), e.Serial, e.Network)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, `delete from participant_entries where iin = $1 and id not in
		(select id from participant_entries where iin = $1 order by moment desc, id limit $2)`, string(e.IIN), int64(keep))
	if err != nil {
		return err
	}
	return t.putEntryBrowser(ctx, e)
}

func (t participantTx) Entries(ctx context.Context, iin ident.IIN, limit int) ([]participant.Entry, error) {
	return list(ctx, t.tx, func(r row) (e participant.Entry, err error) {
		var moment int64
		err = r.Scan(&e.ID, &e.IIN, &moment, &e.Serial, &e.Network, &e.Browser)
		e.At = at(moment)
		return e, err
	}, `select id, iin, moment, serial, network, coalesce((select b.browser from participant_entry_browsers b where b.entry = e.id), '')
		from participant_entries e where iin = $1 order by moment desc, id limit $2`, string(iin), int64(limit))
}
