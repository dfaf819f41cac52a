package store

import (
	"context"
	"strings"
	"time"

	"senim/internal/auth"
	"senim/internal/ident"
	"senim/internal/relying"
)

// Relying is the store of the OpenID Connect provider.
func (s *Store) Relying() relying.Store {
	return domain[relying.Tx]{s, func(t *tx) relying.Tx { return relyingTx{t} }}
}

type relyingTx struct{ *tx }

func (t relyingTx) Mac(purpose, value string) []byte { return t.s.mac(purpose, value) }

const oidcRequests = `select id, browser, client, query, certificate, made, ended, proved from oidc_requests `

func scanRequest(r row) (q relying.Request, err error) {
	var made, ended, proved int64
	err = r.Scan(&q.ID, &q.Browser, &q.Client, &q.Query, &q.Certificate, &made, &ended, &proved)
	q.Made, q.Ended, q.Proved = at(made), at(ended), at(proved)
	if len(q.Certificate) == 0 {
		q.Certificate = nil
	}
	return q, err
}

func (t relyingTx) Request(ctx context.Context, id string) (relying.Request, error) {
	return one(ctx, t.tx, relying.ErrNotFound, scanRequest, oidcRequests+`where id = $1`, id)
}

func (t relyingTx) LatestRequest(ctx context.Context, browser string, after time.Time) (relying.Request, error) {
	return one(ctx, t.tx, relying.ErrNotFound, scanRequest,
		oidcRequests+`where browser = $1 and ended = 0 and made >= $2 order by made desc, id limit 1`, browser, ms(after))
}

func (t relyingTx) PutRequest(ctx context.Context, q relying.Request) error {
	certificate := q.Certificate
	if certificate == nil {
		certificate = []byte{}
	}
	_, err := t.exec(ctx, `insert into oidc_requests (id, browser, client, query, certificate, made, ended, proved)
		values ($1, $2, $3, $4, $5, $6, $7, $8)
		on conflict (id) do update set certificate = excluded.certificate, ended = excluded.ended, proved = excluded.proved`,
		q.ID, q.Browser, q.Client, q.Query, certificate, ms(q.Made), ms(q.Ended), ms(q.Proved))
	return err
}

const oidcConsents = `select iin, client, scopes, coalesce((select o.orgs from oidc_consent_orgs o where o.iin = c.iin and o.client = c.client), ''), made, used
	from oidc_consents c `

func scanConsent(r row) (c relying.Consent, err error) {
	var scopes, orgs string
	var made, used int64
	err = r.Scan(&c.IIN, &c.Client, &scopes, &orgs, &made, &used)
	c.Scopes, c.Made, c.Used = strings.Fields(scopes), at(made), at(used)
	for _, bin := range strings.Fields(orgs) {
		c.Orgs = append(c.Orgs, ident.BIN(bin))
	}
	return c, err
}

func (t relyingTx) Consent(ctx context.Context, iin ident.IIN, client string) (relying.Consent, error) {
	return one(ctx, t.tx, relying.ErrNotFound, scanConsent, oidcConsents+`where iin = $1 and client = $2`, string(iin), client)
}

func (t relyingTx) Consents(ctx context.Context, iin ident.IIN) ([]relying.Consent, error) {
	return list(ctx, t.tx, scanConsent, oidcConsents+`where iin = $1 order by made, client`, string(iin))
}

func (t relyingTx) PutConsent(ctx context.Context, c relying.Consent) error {
	orgs := make([]string, len(c.Orgs))
	for i, bin := range c.Orgs {
		orgs[i] = string(bin)
	}
	if _, err := t.exec(ctx, `insert into oidc_consent_orgs (iin, client, orgs) values ($1, $2, $3)
		on conflict (iin, client) do update set orgs = excluded.orgs`, string(c.IIN), c.Client, strings.Join(orgs, " ")); err != nil {
		return err
	}
	_, err := t.exec(ctx, `insert into oidc_consents (iin, client, scopes, made, used) values ($1, $2, $3, $4, $5)
		on conflict (iin, client) do update set scopes = excluded.scopes, made = excluded.made, used = excluded.used`,
		string(c.IIN), c.Client, strings.Join(c.Scopes, " "), ms(c.Made), ms(c.Used))
	return err
}

func (t relyingTx) DropConsent(ctx context.Context, iin ident.IIN, client string) error {
	if _, err := t.exec(ctx, `delete from oidc_consent_orgs where iin = $1 and client = $2`, string(iin), client); err != nil {
		return err
	}
	_, err := t.exec(ctx, `delete from oidc_consents where iin = $1 and client = $2`, string(iin), client)
	return err
}

// tokenPlace binds what is sealed to its row.
func tokenPlace(kind relying.Kind, hash string) string { return "oidc " + string(kind) + " " + hash }

func (t relyingTx) Token(ctx context.Context, kind relying.Kind, hash string) (relying.Token, error) {
	return one(ctx, t.tx, relying.ErrNotFound, func(r row) (k relying.Token, err error) {
		var made, expires, used int64
		if err = r.Scan(&k.Kind, &k.Hash, &k.Grant, &k.Client, &k.IIN, &k.ActsAs, &k.Serial, &k.Fingerprint, &k.Data, &made, &expires, &used); err != nil {
			return k, err
		}
		k.Made, k.Expires, k.Used = at(made), at(expires), at(used)
		k.Data, err = t.s.open(tokenPlace(kind, hash), k.Data)
		return k, err
	}, `select kind, hash, family, client, iin, bin, serial, fingerprint, data, made, expires, used
		from oidc_tokens where kind = $1 and hash = $2`, string(kind), hash)
}

func (t relyingTx) AddToken(ctx context.Context, k relying.Token) error {
	sealed, err := t.s.seal(tokenPlace(k.Kind, k.Hash), k.Data)
	if err != nil {
		return err
	}
	n, err := t.exec(ctx, `insert into oidc_tokens (kind, hash, family, client, iin, bin, serial, fingerprint, data, made, expires, used)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) on conflict (kind, hash) do nothing`,
		string(k.Kind), k.Hash, k.Grant, k.Client, string(k.IIN), k.ActsAs, k.Serial, k.Fingerprint, sealed, ms(k.Made), ms(k.Expires), ms(k.Used))
	if err == nil && n == 0 {
		return relying.ErrUsed
	}
	return err
}

func (t relyingTx) UseToken(ctx context.Context, kind relying.Kind, hash string, moment time.Time) (bool, error) {
	n, err := t.exec(ctx, `update oidc_tokens set used = $3 where kind = $1 and hash = $2 and used = 0`, string(kind), hash, ms(moment))
	return n == 1, err
}

func (t relyingTx) DropToken(ctx context.Context, kind relying.Kind, hash string) error {
	_, err := t.exec(ctx, `delete from oidc_tokens where kind = $1 and hash = $2`, string(kind), hash)
	return err
}

func (t relyingTx) DropGrant(ctx context.Context, grant string) (relying.Token, error) {
	all, err := list(ctx, t.tx, func(r row) (k relying.Token, err error) {
		return k, r.Scan(&k.Kind, &k.Hash, &k.Grant, &k.Client, &k.IIN)
	}, `delete from oidc_tokens where family = $1 and kind <> 'code' returning kind, hash, family, client, iin`, grant)
	if err == nil && len(all) == 0 {
		err = relying.ErrNotFound
	}
	if err != nil {
		return relying.Token{}, err
	}
	return all[0], nil
}

func (t relyingTx) DropTokens(ctx context.Context, iin ident.IIN, client string) error {
	if iin == "" {
		return nil // assertions of clients are nobody's
	}
	_, err := t.exec(ctx, `delete from oidc_tokens where iin = $1 and client = $2`, string(iin), client)
	return err
}

func (t relyingTx) Sweep(ctx context.Context, now, requests time.Time) error {
	if _, err := t.exec(ctx, `delete from oidc_tokens where expires < $1`, ms(now)); err != nil {
		return err
	}
	_, err := t.exec(ctx, `delete from oidc_requests where made < $1`, ms(requests))
	return err
}

func (t relyingTx) Keys(ctx context.Context) ([]relying.Key, error) {
	return list(ctx, t.tx, func(r row) (k relying.Key, err error) {
		var number, begins int64
		if err = r.Scan(&number, &k.Private, &begins); err != nil {
			return k, err
		}
		k.Number, k.From = int(number), at(begins)
		k.Private, err = t.s.open("oidc key", k.Private)
		return k, err
	}, `select number, sealed, begins from oidc_keys order by number`)
}

func (t relyingTx) AddKey(ctx context.Context, k relying.Key) error {
	sealed, err := t.s.seal("oidc key", k.Private)
	if err != nil {
		return err
	}
	n, err := t.exec(ctx, `insert into oidc_keys (number, sealed, begins) values ($1, $2, $3) on conflict (number) do nothing`,
		int64(k.Number), sealed, ms(k.From))
	if err == nil && n == 0 {
		return relying.ErrUsed
	}
	return err
}

func (t relyingTx) DropKey(ctx context.Context, number int) error {
	_, err := t.exec(ctx, `delete from oidc_keys where number = $1`, int64(number))
	return err
}

// endTokens ends what services hold of the people whose sessions a filter ends. Tokens were given on
// the portal: they stand where its sessions stand.
func (t authTx) endTokens(ctx context.Context, f auth.Filter) error {
	if f.Site != "" && f.Site != "portal" || f == (auth.Filter{Site: f.Site}) {
		return nil
	}
	_, err := t.exec(ctx, `delete from oidc_tokens where ($1 = '' or iin = $1) and ($2 = '' or bin = $2)
		and ($3 = '' or serial = $3) and ($4 = '' or fingerprint = $4)`, f.IIN, f.BIN, f.Serial, f.Fingerprint)
	return err
}
