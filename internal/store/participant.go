package store

import (
	"context"
	"time"

	"senim/internal/auth"
	"senim/internal/ident"
	"senim/internal/participant"
)

// Participant is the store of accounts, profiles and registrations.
func (s *Store) Participant() participant.Store {
	return domain[participant.Tx]{s, func(t *tx) participant.Tx { return participantTx{t} }}
}

type participantTx struct{ *tx }

const accountColumns = `iin, name, password, email, email_confirmed, phone, lang, state, blocked_reason,
	failed, locks, locked_until, day_failed, day_start, password_changed, created`

func scanAccount(r row) (a participant.Account, err error) {
	var confirmed, locked, day, changed, created int64
	err = r.Scan(&a.IIN, &a.Name, &a.Password, &a.Email, &confirmed, &a.Phone, &a.Lang, &a.State, &a.BlockedReason,
		&a.Failed, &a.Locks, &locked, &a.DayFailed, &day, &changed, &created)
	a.EmailConfirmed, a.LockedUntil, a.DayStart, a.PasswordChanged, a.Created = at(confirmed), at(locked), at(day), at(changed), at(created)
	return a, err
}

func (t participantTx) Account(ctx context.Context, iin ident.IIN) (participant.Account, error) {
	return one(ctx, t.tx, participant.ErrNotFound, scanAccount,
		`select `+accountColumns+` from participant_accounts where iin = $1`, string(iin))
}

func (t participantTx) PutAccount(ctx context.Context, a participant.Account) error {
	_, err := t.exec(ctx, `insert into participant_accounts (`+accountColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
		on conflict (iin) do update set name = excluded.name, password = excluded.password, email = excluded.email,
			email_confirmed = excluded.email_confirmed, phone = excluded.phone, lang = excluded.lang, state = excluded.state,
			blocked_reason = excluded.blocked_reason, failed = excluded.failed, locks = excluded.locks,
			locked_until = excluded.locked_until, day_failed = excluded.day_failed, day_start = excluded.day_start,
			password_changed = excluded.password_changed, created = excluded.created`,
		string(a.IIN), a.Name, a.Password, a.Email, ms(a.EmailConfirmed), a.Phone, string(a.Lang), string(a.State), a.BlockedReason,
		int64(a.Failed), int64(a.Locks), ms(a.LockedUntil), int64(a.DayFailed), ms(a.DayStart), ms(a.PasswordChanged), ms(a.Created))
	return err
}

func (t participantTx) DeletePending(ctx context.Context, iin ident.IIN) error {
	_, err := t.exec(ctx, `delete from participant_accounts where iin = $1 and state = 'PENDING'
		and not exists (select 1 from participant_registrations where iin = $1 and state = 'AGREEMENT_SIGNED')`, string(iin))
	return err
}

const profileColumns = `id, iin, tin, type, name, category, status, previous, reason, since, evidence, reconfirm_by`

// profiles reads profiles with what invited users were given.
const profiles = `select p.id, p.iin, p.tin, p.type, p.name, p.category, p.status, p.previous, p.reason, p.since, p.evidence, p.reconfirm_by, coalesce(n.note, ''),
	coalesce(g.permissions, ''), coalesce(g.proxy, ''), coalesce(g.valid_from, 0), coalesce(g.valid_to, 0)
	from participant_profiles p left join participant_grants g on g.profile = p.id left join participant_notes n on n.profile = p.id `

func scanProfile(r row) (p participant.Profile, err error) {
	var permissions string
	var since, reconfirm, from, to int64
	err = r.Scan(&p.ID, &p.IIN, &p.TIN, &p.Type, &p.Name, &p.Category, &p.Status, &p.Previous, &p.Reason, &since, &p.Evidence, &reconfirm, &p.Note,
		&permissions, &p.Grant.Proxy, &from, &to)
	p.Since, p.ReconfirmBy = at(since), at(reconfirm)
	p.Grant.Permissions, p.Grant.From, p.Grant.To = permissionsOf(permissions), at(from), at(to)
	return p, err
}

func (t participantTx) Profile(ctx context.Context, id string) (participant.Profile, error) {
	return one(ctx, t.tx, participant.ErrNotFound, scanProfile,
		profiles+`where p.id = $1`, id)
}

func (t participantTx) Profiles(ctx context.Context, iin ident.IIN) ([]participant.Profile, error) {
	return list(ctx, t.tx, scanProfile, profiles+`where p.iin = $1 order by p.since, p.id`, string(iin))
}

func (t participantTx) ProfilesOf(ctx context.Context, tin string) ([]participant.Profile, error) {
	return list(ctx, t.tx, scanProfile, profiles+`where p.tin = $1 order by p.since, p.id`, tin)
}

func (t participantTx) PutProfile(ctx context.Context, p participant.Profile) error {
	if p.Type == participant.TypeHead && p.Status == participant.Active {
		// The index would refuse too, but PostgreSQL gives up the transaction then.
		others, err := one(ctx, t.tx, errNoRow, value[int64], `select count(*) from participant_profiles
			where tin = $1 and type = 'ADMIN_ENTERPRISE' and status = 'ACTIVE' and id <> $2`, p.TIN, p.ID)
		if err != nil {
			return err
		}
		if others > 0 {
			return participant.ErrRace
		}
	}
	_, err := t.exec(ctx, `insert into participant_profiles (`+profileColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		on conflict (id) do update set name = excluded.name, category = excluded.category, status = excluded.status,
			previous = excluded.previous, reason = excluded.reason, since = excluded.since, evidence = excluded.evidence,
			reconfirm_by = excluded.reconfirm_by`,
		p.ID, string(p.IIN), p.TIN, string(p.Type), p.Name, string(p.Category), string(p.Status), string(p.Previous), p.Reason,
		ms(p.Since), p.Evidence, ms(p.ReconfirmBy))
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, `insert into participant_notes (profile, note) values ($1, $2) on conflict (profile) do update set note = excluded.note`, p.ID, p.Note)
	if err != nil || !p.Type.Invited() {
		return err
	}
	_, err = t.exec(ctx, `insert into participant_grants (profile, permissions, proxy, valid_from, valid_to) values ($1, $2, $3, $4, $5)
		on conflict (profile) do update set permissions = excluded.permissions, proxy = excluded.proxy,
			valid_from = excluded.valid_from, valid_to = excluded.valid_to`,
		p.ID, permissionsText(p.Grant.Permissions), p.Grant.Proxy, ms(p.Grant.From), ms(p.Grant.To))
	return err
}

func (t participantTx) AddChange(ctx context.Context, c participant.Change) error {
	_, err := t.exec(ctx, `insert into participant_changes (profile, seq, before, after, reason, moment, evidence)
		values ($1, (select coalesce(max(seq), 0) + 1 from participant_changes where profile = $1), $2, $3, $4, $5, $6)`,
		c.Profile, string(c.From), string(c.To), c.Reason, ms(c.At), c.Evidence)
	return err
}

func (t participantTx) Changes(ctx context.Context, profile string) ([]participant.Change, error) {
	return list(ctx, t.tx, func(r row) (c participant.Change, err error) {
		var moment int64
		err = r.Scan(&c.Profile, &c.From, &c.To, &c.Reason, &moment, &c.Evidence)
		c.At = at(moment)
		return c, err
	}, `select profile, before, after, reason, moment, evidence from participant_changes where profile = $1 order by seq`, profile)
}

func (t participantTx) Enterprise(ctx context.Context, tin string) (participant.Enterprise, error) {
	return one(ctx, t.tx, participant.ErrNotFound, func(r row) (e participant.Enterprise, err error) {
		var blocked, updated int64
		err = r.Scan(&e.TIN, &e.Name, &e.Category, &e.HeadOffice, &e.RecordID, &blocked, &e.BlockedReason, &updated)
		e.Blocked, e.Updated = blocked != 0, at(updated)
		return e, err
	}, `select tin, name, category, head_office, record, blocked, blocked_reason, updated from participant_enterprises where tin = $1`, tin)
}

func (t participantTx) PutEnterprise(ctx context.Context, e participant.Enterprise) error {
	_, err := t.exec(ctx, `insert into participant_enterprises (tin, name, category, head_office, record, blocked, blocked_reason, updated)
		values ($1, $2, $3, $4, $5, $6, $7, $8)
		on conflict (tin) do update set name = excluded.name, category = excluded.category, head_office = excluded.head_office,
			record = excluded.record, blocked = excluded.blocked, blocked_reason = excluded.blocked_reason, updated = excluded.updated`,
		e.TIN, e.Name, string(e.Category), e.HeadOffice, e.RecordID, bit(e.Blocked), e.BlockedReason, ms(e.Updated))
	return err
}

func (t participantTx) EndSessions(ctx context.Context, site string, iin ident.IIN, p participant.Profile, reason string) (int, error) {
	if iin == "" {
		return 0, nil // a filter without a person would end everybody's
	}
	if p.ID == "" {
		return authTx(t).DeleteSessions(ctx, auth.Filter{Site: site, IIN: string(iin)}, auth.Reason(reason))
	}
	acting, err := list(ctx, t.tx, func(r row) (key string, err error) {
		var notes string
		var values map[string]string
		if err = r.Scan(&key, &notes); err == nil {
			err = fromText(notes, &values)
		}
		if as := values[participant.ProfileValue]; as != p.ID && as != "" {
			key = "" // of another profile of the same number
		}
		return key, err
	}, `select hash, notes from auth_sessions where iin = $1 and iin <> '' and site = $2 and bin = $3`, string(iin), site, p.TIN)
	if err != nil {
		return 0, err
	}
	ended := 0
	for _, key := range acting {
		if key == "" {
			continue
		}
		if err := authTx(t).DeleteSession(ctx, key, auth.Reason(reason)); err != nil {
			return 0, err
		}
		ended++
	}
	// Tokens of before profiles were noted have the number there.
	_, err = t.exec(ctx, `delete from oidc_tokens where iin = $1 and bin in ($2, $3)`, string(iin), p.ID, p.TIN)
	return ended, err
}

func (t participantTx) PutLink(ctx context.Context, hash, registration string, made time.Time) error {
	_, err := t.exec(ctx, `insert into participant_links (hash, registration, made) values ($1, $2, $3)`, hash, registration, ms(made))
	return err
}

func (t participantTx) DropLinks(ctx context.Context, registration string) error {
	_, err := t.exec(ctx, `delete from participant_links where registration = $1`, registration)
	return err
}
