package store

import (
	"context"
	"errors"
	"time"

	"senim/internal/ca"
)

// CA is the store of the certification authority.
func (s *Store) CA() ca.Store {
	return caDomain{domain[ca.Tx]{s, func(t *tx) ca.Tx { return caTx{t} }}}
}

type caDomain struct{ domain[ca.Tx] }

// Attend counts a writer who will come again.
func (d caDomain) Attend() (leave func()) { return d.s.writers.attend() }

type caTx struct{ *tx }

func (t caTx) AddAuthority(ctx context.Context, a ca.AuthorityRecord) error {
	return t.insert(ctx, `insert into ca_authorities (name, parent, raw, key_name, settings, created)
		values ($1, $2, $3, $4, $5, $6) on conflict do nothing`,
		a.Name, a.Parent, a.Raw, a.Key, a.Settings, ms(a.Created))
}

// insert runs an "on conflict do nothing"; no row changed means that something was there.
func (t caTx) insert(ctx context.Context, sql string, args ...any) error {
	return changed(ca.ErrExists)(t.exec(ctx, sql, args...))
}

// changed turns "no row" into missing.
func changed(missing error) func(int64, error) error {
	return func(n int64, err error) error {
		if err == nil && n == 0 {
			return missing
		}
		return err
	}
}

func (t caTx) Authorities(ctx context.Context) ([]ca.AuthorityRecord, error) {
	return list(ctx, t.tx, func(r row) (a ca.AuthorityRecord, err error) {
		var created, retired int64
		err = r.Scan(&a.Name, &a.Parent, &a.Raw, &a.Key, &a.Settings, &created, &retired, &a.Successor)
		a.Created, a.Retired = at(created), at(retired)
		return a, err
	}, `select a.name, a.parent, a.raw, a.key_name, a.settings, a.created, coalesce(r.retired, 0), coalesce(r.successor, '')
		from ca_authorities a left join ca_retired r on r.name = a.name order by a.name`)
}

func (t caTx) SetSettings(ctx context.Context, name string, settings []byte) error {
	return changed(ca.ErrNotFound)(t.exec(ctx, `update ca_authorities set settings = $1 where name = $2`, settings, name))
}

func (t caTx) AddSigner(ctx context.Context, r ca.SignerRecord) error {
	return t.insert(ctx, `insert into ca_signers (serial, ca, kind, key_name, raw, not_after)
		values ($1, $2, $3, $4, $5, $6) on conflict do nothing`, r.Serial, r.CA, r.Kind, r.Key, r.Raw, ms(r.NotAfter))
}

func (t caTx) Signer(ctx context.Context, authority, kind string) (ca.SignerRecord, error) {
	return one(ctx, t.tx, ca.ErrNotFound, func(r row) (o ca.SignerRecord, err error) {
		var notAfter int64
		err = r.Scan(&o.CA, &o.Kind, &o.Serial, &o.Key, &o.Raw, &notAfter)
		o.NotAfter = at(notAfter)
		return o, err
	}, `select ca, kind, serial, key_name, raw, not_after from ca_signers
		where ca = $1 and kind = $2 and not exists (select 1 from ca_revoked r where r.serial = ca_signers.serial and r.reason <> 8)
		order by not_after desc, serial limit 1`, authority, kind)
}

func (t caTx) Reserve(ctx context.Context, r ca.Record) error {
	return t.insert(ctx, `insert into ca_certificates
		(serial, ca, order_id, key_hash, profile, state, tbs, raw, iin, bin, name, replaces, not_before, not_after, created)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) on conflict do nothing`,
		r.Serial, r.CA, r.Order, r.Key, r.Profile, string(r.State), r.TBS, r.Raw, r.IIN, r.BIN, r.Name, r.Replaces,
		ms(r.NotBefore), ms(r.NotAfter), ms(r.Created))
}

func (t caTx) Advance(ctx context.Context, r ca.Record) error {
	return changed(ca.ErrNotFound)(t.exec(ctx, `update ca_certificates
		set state = $1, tbs = $2, raw = $3, not_before = $4, not_after = $5, iin = $6, bin = $7, name = $8, replaces = $9, ca = $10, created = $11
		where serial = $12`,
		string(r.State), r.TBS, r.Raw, ms(r.NotBefore), ms(r.NotAfter), r.IIN, r.BIN, r.Name, r.Replaces, r.CA, ms(r.Created), r.Serial))
}

func (t caTx) Restore(ctx context.Context, r ca.Record) error {
	err := changed(ca.ErrNotFound)(t.exec(ctx, `update ca_certificates
		set state = $1, tbs = $2, raw = $3, not_before = $4, not_after = $5, iin = $6, bin = $7, name = $8, key_hash = $9, profile = $10
		where serial = $11`,
		string(r.State), r.TBS, r.Raw, ms(r.NotBefore), ms(r.NotAfter), r.IIN, r.BIN, r.Name, r.Key, r.Profile, r.Serial))
	if err != nil {
		return err
	}
	return t.keyID(ctx, r.Serial, r.Raw)
}

func (t caTx) Intend(ctx context.Context, serial string, tbs []byte) error {
	return changed(ca.ErrNotFound)(t.exec(ctx, `update ca_certificates set state = 'intended', tbs = $1
		where serial = $2 and state = 'reserved'`, tbs, serial))
}

func (t caTx) Finish(ctx context.Context, serial string, raw []byte) error {
	err := changed(ca.ErrNotFound)(t.exec(ctx, `update ca_certificates set state = 'issued', raw = $1
		where serial = $2 and state = 'intended'
		and not exists (select 1 from ca_revoked r where r.serial = $2 and r.reason <> 8)`, raw, serial))
	if err != nil {
		return err
	}
	return t.keyID(ctx, serial, raw)
}

// caSelect reads records with their revocation. Reason 8, removeFromCRL, is a hold that was lifted. A successor
// revoked for good is none any more; one on hold (6) still is.
const caSelect = `select c.serial, c.ca, c.order_id, c.key_hash, c.profile, c.state, c.tbs, c.raw,
	c.iin, c.bin, c.name, c.replaces, c.not_before, c.not_after, c.created,
	coalesce(r.revoked_at, 0), coalesce(r.recorded, 0), coalesce(r.reason, -1), coalesce(r.invalidity, 0), coalesce(r.revoked_by, ''), coalesce(r.shard, ''),
	coalesce((select min(n.serial) from ca_certificates n
		where n.replaces = c.serial and n.state = 'issued'
		and not exists (select 1 from ca_revoked x where x.serial = n.serial and x.reason not in (6, 8))), '')
	from ca_certificates c left join ca_revoked r on r.serial = c.serial and r.reason <> 8 `

func scanRecord(r row) (c ca.Record, err error) {
	var state string
	var notBefore, notAfter, created, revokedAt, recorded, reason, invalidity int64
	var by, shard string
	err = r.Scan(&c.Serial, &c.CA, &c.Order, &c.Key, &c.Profile, &state, &c.TBS, &c.Raw,
		&c.IIN, &c.BIN, &c.Name, &c.Replaces, &notBefore, &notAfter, &created,
		&revokedAt, &recorded, &reason, &invalidity, &by, &shard, &c.ReplacedBy)
	c.State = ca.State(state)
	c.NotBefore, c.NotAfter, c.Created = at(notBefore), at(notAfter), at(created)
	if reason >= 0 {
		c.Revoked = &ca.Revocation{At: at(revokedAt), Recorded: at(recorded), Reason: ca.Reason(reason), Invalidity: at(invalidity), By: by, Shard: shard}
	}
	return c, err
}

func (t caTx) Followed(ctx context.Context, serial, order string) (bool, error) {
	n, err := one(ctx, t.tx, errNoRow, value[int64], `select count(*) from ca_certificates n
		where n.replaces = $1 and n.order_id <> $2 and n.state in ('reserved', 'intended', 'issued')
		and not exists (select 1 from ca_revoked x where x.serial = n.serial and x.reason not in (6, 8))`, serial, order)
	return n > 0, err
}

func (t caTx) ByOrder(ctx context.Context, order string) (ca.Record, error) {
	return one(ctx, t.tx, ca.ErrNotFound, scanRecord, caSelect+`where c.order_id = $1`, order)
}

func (t caTx) BySerial(ctx context.Context, serial string) (ca.Record, error) {
	return one(ctx, t.tx, ca.ErrNotFound, scanRecord, caSelect+`where c.serial = $1`, serial)
}

func (t caTx) Status(ctx context.Context, serial string) (ca.Record, error) {
	return one(ctx, t.tx, ca.ErrNotFound, func(r row) (c ca.Record, err error) {
		var state string
		var notAfter, revokedAt, reason, invalidity int64
		err = r.Scan(&c.CA, &c.Serial, &state, &notAfter, &revokedAt, &reason, &invalidity)
		c.State, c.NotAfter = ca.State(state), at(notAfter)
		if reason >= 0 {
			c.Revoked = &ca.Revocation{At: at(revokedAt), Reason: ca.Reason(reason), Invalidity: at(invalidity)}
		}
		return c, err
	}, `select c.ca, c.serial, c.state, c.not_after, coalesce(r.revoked_at, 0), coalesce(r.reason, -1), coalesce(r.invalidity, 0)
		from ca_certificates c left join ca_revoked r on r.serial = c.serial and r.reason <> 8 where c.serial = $1`, serial)
}

func (t caTx) ByKey(ctx context.Context, key string) (ca.Record, error) {
	return one(ctx, t.tx, ca.ErrNotFound, scanRecord, caSelect+`where c.key_hash = $1`, key)
}

// caIntended is served by an index of these records alone, so the state stands in its text.
const caIntended = caSelect + `where c.state = 'intended' and c.serial > $1 order by c.serial limit $2`

func (t caTx) Intended(ctx context.Context, after string, limit int) ([]ca.Record, error) {
	return list(ctx, t.tx, scanRecord, caIntended, after, limit)
}

func (t caTx) Holders(ctx context.Context, iin, bin string) ([]ca.Record, error) {
	where, args := `where c.state = 'issued'`, []any{}
	switch {
	case iin != "" && bin != "":
		where, args = where+` and c.iin = $1 and c.bin = $2`, append(args, iin, bin)
	case iin != "":
		where, args = where+` and c.iin = $1`, append(args, iin)
	case bin != "":
		where, args = where+` and c.bin = $1`, append(args, bin)
	default:
		return nil, errors.New("list certificates: neither IIN nor BIN")
	}
	return list(ctx, t.tx, scanRecord, caSelect+where+` order by c.not_before desc, c.created desc, c.serial`, args...)
}

// The state is asked of what is found: SQLite would rather walk all certificates issued, by their state.
func (t caTx) Ending(ctx context.Context, from, to time.Time, after string, limit int) ([]ca.Record, error) {
	return list(ctx, t.tx, scanRecord, caSelect+`where coalesce(c.state, '') = 'issued' and r.serial is null
		and (c.not_after, c.serial) > ($1, $2) and c.not_after < $3 order by c.not_after, c.serial limit $4`,
		ms(from), after, ms(to), limit)
}
