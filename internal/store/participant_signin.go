package store

import (
	"context"
	"time"

	"senim/internal/auth"
	"senim/internal/ident"
	"senim/internal/participant"
)

// putEntryBrowser keeps the browser of a sign-in, while the sign-in itself is kept.
func (t participantTx) putEntryBrowser(ctx context.Context, e participant.Entry) error {
	_, err := t.exec(ctx, `insert into participant_entry_browsers (entry, iin, browser) values ($1, $2, $3)`, e.ID, string(e.IIN), e.Browser)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, `delete from participant_entry_browsers where iin = $1 and entry not in
		(select id from participant_entries where iin = $1)`, string(e.IIN))
	return err
}

// putActPasskey keeps which passkey an act is about.
func (t participantTx) putActPasskey(ctx context.Context, a participant.Act) error {
	_, err := t.exec(ctx, `insert into participant_act_passkeys (browser, passkey, made) values ($1, $2, $3)
		on conflict (browser) do update set passkey = excluded.passkey, made = excluded.made`, a.Browser, a.Passkey, ms(a.Made))
	return err
}

func (t participantTx) Machine(ctx context.Context, iin ident.IIN, hash string) (time.Time, error) {
	seen, err := one(ctx, t.tx, participant.ErrNotFound, value[int64], `select seen from participant_machines where iin = $1 and hash = $2`, string(iin), hash)
	return at(seen), err
}

func (t participantTx) PutMachine(ctx context.Context, iin ident.IIN, hash string, seen time.Time, keep int) error {
	_, err := t.exec(ctx, `insert into participant_machines (iin, hash, seen) values ($1, $2, $3)
		on conflict (iin, hash) do update set seen = excluded.seen`, string(iin), hash, ms(seen))
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, `delete from participant_machines where iin = $1 and hash not in
		(select hash from participant_machines where iin = $1 order by seen desc, hash limit $2)`, string(iin), int64(keep))
	return err
}

func (t participantTx) DropMachines(ctx context.Context, iin ident.IIN) error {
	_, err := t.exec(ctx, `delete from participant_machines where iin = $1`, string(iin))
	return err
}

func (t participantTx) OpenSessions(ctx context.Context, site string, iin ident.IIN, since time.Time) ([]participant.OpenSession, error) {
	return list(ctx, t.tx, func(r row) (s participant.OpenSession, err error) {
		var notes string
		var created, seen int64
		if err = r.Scan(&s.Key, &s.TIN, &notes, &created, &seen); err != nil {
			return s, err
		}
		var values map[string]string
		err = fromText(notes, &values)
		s.Entry, s.Created, s.Seen = values[participant.EntryValue], at(created), at(seen)
		return s, err
	}, `select hash, bin, notes, created, seen from auth_sessions where iin = $1 and iin <> '' and site = $2 and seen >= $3 order by seen desc, hash`,
		string(iin), site, ms(since))
}

// EndSession ends one session, and what services got of its person: which of them came by this session nobody knows.
func (t participantTx) EndSession(ctx context.Context, key, reason string) error {
	iin, err := one(ctx, t.tx, nil, value[string], `select iin from auth_sessions where hash = $1`, key)
	if err != nil {
		return err
	}
	if err := authTx(t).DeleteSession(ctx, key, auth.Reason(reason)); err != nil || iin == "" {
		return err
	}
	return authTx(t).endTokens(ctx, auth.Filter{Site: "portal", IIN: iin})
}

const passkeyColumns = `id, iin, name, credential, made, signature, used` //nolint:gosec // names of columns

func scanPasskey(r row) (p participant.Passkey, err error) {
	var made, used int64
	err = r.Scan(&p.ID, &p.IIN, &p.Name, &p.Credential, &made, &p.Signature, &used)
	p.Made, p.Used = at(made), at(used)
	return p, err
}

func (t participantTx) Passkey(ctx context.Context, id string) (participant.Passkey, error) {
	return one(ctx, t.tx, participant.ErrNotFound, scanPasskey, `select `+passkeyColumns+` from participant_passkeys where id = $1`, id)
}

func (t participantTx) Passkeys(ctx context.Context, iin ident.IIN) ([]participant.Passkey, error) {
	return list(ctx, t.tx, scanPasskey, `select `+passkeyColumns+` from participant_passkeys where iin = $1 order by made, id`, string(iin))
}

func (t participantTx) PutPasskey(ctx context.Context, p participant.Passkey) error {
	_, err := t.exec(ctx, `insert into participant_passkeys (`+passkeyColumns+`) values ($1, $2, $3, $4, $5, $6, $7)
		on conflict (id) do update set credential = excluded.credential, signature = excluded.signature, used = excluded.used`,
		p.ID, string(p.IIN), p.Name, p.Credential, ms(p.Made), p.Signature, ms(p.Used))
	return err
}

func (t participantTx) DropPasskey(ctx context.Context, id string) error {
	_, err := t.exec(ctx, `delete from participant_passkeys where id = $1`, id)
	return err
}

func (t participantTx) SweepPasskeys(ctx context.Context, before time.Time) error {
	_, err := t.exec(ctx, `delete from participant_passkeys where signature = '' and made < $1`, ms(before))
	return err
}
