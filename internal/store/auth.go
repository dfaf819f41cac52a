package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"senim/internal/auth"
)

// Auth is the store of sessions and challenges.
func (s *Store) Auth() auth.Store {
	return authDomain{domain[auth.Tx]{s, func(t *tx) auth.Tx { return authTx{t} }}}
}

type authDomain struct{ domain[auth.Tx] }

// Attend counts a writer who will come again.
func (d authDomain) Attend() (leave func()) { return d.s.writers.attend() }

type authTx struct{ *tx }

func (t authTx) Session(ctx context.Context, hash string) (auth.Session, error) {
	return one(ctx, t.tx, auth.ErrNotFound, func(r row) (s auth.Session, err error) {
		var notes string
		var created, seen int64
		if err = r.Scan(&s.Site, &s.IIN, &s.BIN, &s.Serial, &s.Fingerprint, &s.Name, &notes, &created, &seen); err != nil {
			return s, err
		}
		s.Created, s.Seen = at(created), at(seen)
		return s, fromText(notes, &s.Values)
	}, `select site, iin, bin, serial, fingerprint, name, notes, created, seen from auth_sessions where hash = $1`, hash)
}

func (t authTx) PutSession(ctx context.Context, hash string, s auth.Session) error {
	notes, err := text(s.Values)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, `insert into auth_sessions (hash, site, iin, bin, serial, fingerprint, name, notes, created, seen)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		on conflict (hash) do update set site = excluded.site, iin = excluded.iin, bin = excluded.bin, serial = excluded.serial,
			fingerprint = excluded.fingerprint, name = excluded.name, notes = excluded.notes, created = excluded.created, seen = excluded.seen`,
		hash, s.Site, s.IIN, s.BIN, s.Serial, s.Fingerprint, s.Name, notes, ms(s.Created), ms(s.Seen))
	return err
}

func (t authTx) DeleteSession(ctx context.Context, hash string, why auth.Reason) error {
	if err := t.keepEnds(ctx, why, `hash = $1`, hash); err != nil {
		return err
	}
	if _, err := t.exec(ctx, `delete from auth_challenges where hash = $1`, hash); err != nil {
		return err
	}
	_, err := t.exec(ctx, `delete from auth_sessions where hash = $1`, hash)
	return err
}

// keepEnds keeps why the sessions of people that a condition chooses are about to end.
func (t authTx) keepEnds(ctx context.Context, why auth.Reason, chosen string, args ...any) error {
	if why == "" {
		return nil
	}
	n := len(args)
	_, err := t.exec(ctx, fmt.Sprintf(`insert into auth_ended (hash, site, reason, ended)
		select hash, site, cast($%d as text), cast($%d as bigint) from auth_sessions where fingerprint <> '' and `, n+1, n+2)+chosen+` on conflict (hash) do nothing`,
		append(slices.Clone(args), string(why), ms(t.now()))...)
	return err
}

func (t authTx) Ended(ctx context.Context, hash string) (site string, c auth.Closed, err error) {
	c, err = one(ctx, t.tx, auth.ErrNotFound, func(r row) (c auth.Closed, err error) {
		var ended int64
		err = r.Scan(&site, &c.Reason, &ended)
		c.At = at(ended)
		return c, err
	}, `select site, reason, ended from auth_ended where hash = $1`, hash)
	return site, c, err
}

func (t authTx) DeleteSessions(ctx context.Context, f auth.Filter, why auth.Reason) (int, error) {
	if f == (auth.Filter{Site: f.Site}) {
		return 0, nil
	}
	chosen, args := "true", []any(nil)
	for _, c := range []struct{ column, value string }{
		{"site", f.Site}, {"iin", f.IIN}, {"bin", f.BIN}, {"serial", f.Serial}, {"fingerprint", f.Fingerprint},
	} {
		if c.value != "" { // "is not empty" is said for the indexes, which have no others
			args = append(args, c.value)
			chosen += fmt.Sprintf(" and %s = $%d and %s <> ''", c.column, len(args), c.column)
		}
	}
	if err := t.keepEnds(ctx, why, chosen, args...); err != nil {
		return 0, err
	}
	_, err := t.exec(ctx, `delete from auth_challenges where hash in (select hash from auth_sessions where `+chosen+`)`, args...)
	if err != nil {
		return 0, err
	}
	n, err := t.exec(ctx, `delete from auth_sessions where `+chosen, args...)
	if err != nil {
		return 0, err
	}
	return int(n), t.endTokens(ctx, f)
}

func (t authTx) PutChallenge(ctx context.Context, hash string, c auth.Challenge) error {
	_, err := t.exec(ctx, `insert into auth_challenges (hash, purpose, origin, nonce, digest, issued, expires)
		values ($1, $2, $3, $4, $5, $6, $7)
		on conflict (hash, purpose) do update set origin = excluded.origin, nonce = excluded.nonce, digest = excluded.digest,
			issued = excluded.issued, expires = excluded.expires`,
		hash, c.Purpose, c.Origin, c.Nonce, c.Digest, ms(c.Issued), ms(c.Expires))
	return err
}

func (t authTx) TakeChallenge(ctx context.Context, hash, purpose string) (c auth.Challenge, ok bool, err error) {
	taken, err := list(ctx, t.tx, func(r row) (c auth.Challenge, err error) {
		var issued, expires int64
		err = r.Scan(&c.Origin, &c.Purpose, &c.Nonce, &c.Digest, &issued, &expires)
		c.Issued, c.Expires = at(issued), at(expires)
		return c, err
	}, `delete from auth_challenges where hash = $1 and purpose = $2
		returning origin, purpose, nonce, digest, issued, expires`, hash, purpose)
	if err != nil || len(taken) == 0 {
		return auth.Challenge{}, false, err
	}
	return taken[0], true, nil
}

func (t authTx) Sweep(ctx context.Context, idle, absolute, forget time.Time, most int) ([]auth.Swept, error) {
	const over = `(seen < $1 or created < $2)`
	args := []any{ms(idle), ms(absolute)}
	for _, sql := range []string{`delete from auth_challenges where hash in (select hash from auth_sessions where ` + over + `)`,
		`delete from auth_sessions where fingerprint = '' and ` + over} {
		if _, err := t.exec(ctx, sql, args...); err != nil {
			return nil, err
		}
	}
	if _, err := t.exec(ctx, `delete from auth_ended where ended < $1`, ms(forget)); err != nil {
		return nil, err
	}
	var hashes []string
	ended, err := list(ctx, t.tx, func(r row) (s auth.Swept, err error) {
		var hash string
		var seen int64
		err = r.Scan(&hash, &s.Site, &s.IIN, &s.Serial, &seen)
		s.Seen, s.Why = at(seen), auth.ByAge
		if s.Seen.Before(idle) {
			s.Why = auth.ByIdle
		}
		hashes = append(hashes, hash)
		return s, err
	}, `delete from auth_sessions where hash in (select hash from auth_sessions where fingerprint <> '' and `+over+` limit $3)
		returning hash, site, iin, serial, seen`, append(args, int64(most))...)
	if err != nil {
		return nil, err
	}
	for i, hash := range hashes {
		if _, err := t.exec(ctx, `insert into auth_ended (hash, site, reason, ended) values ($1, $2, $3, $4) on conflict (hash) do nothing`,
			hash, ended[i].Site, string(ended[i].Why), ms(t.now())); err != nil {
			return nil, err
		}
	}
	return ended, nil
}
