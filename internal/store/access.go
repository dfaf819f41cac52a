package store

import (
	"context"
	"errors"
	"time"

	"senim/internal/access"
)

// Access is the store of other programs and their requests.
func (s *Store) Access() access.Store {
	return domain[access.Tx]{s, func(t *tx) access.Tx { return accessTx{t} }}
}

type accessTx struct{ *tx }

const clientColumns = `name, key_id, key_hash, certificate, rights, profiles, networks, per_minute, expires, disabled, created`

// clientValues are a client's columns in their order.
func clientValues(c access.Client) ([]any, error) {
	lists := [3]string{}
	for i, v := range []any{c.Rights, c.Profiles, c.Networks} {
		var err error
		if lists[i], err = text(v); err != nil {
			return nil, err
		}
	}
	return []any{c.Name, orNull(c.KeyID), c.KeyHash, orNull(c.Certificate), lists[0], lists[1], lists[2],
		int64(c.PerMinute), ms(c.Expires), ms(c.Disabled), ms(c.Created)}, nil
}

// orNull keeps "" as null, which unique columns may hold many times.
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func scanClient(r row) (c access.Client, err error) {
	var key, certificate *string
	var rights, profiles, networks string
	var perMinute, expires, disabled, created int64
	if err := r.Scan(&c.Name, &key, &c.KeyHash, &certificate, &rights, &profiles, &networks, &perMinute, &expires, &disabled, &created); err != nil {
		return c, err
	}
	if key != nil {
		c.KeyID = *key
	}
	if certificate != nil {
		c.Certificate = *certificate
	}
	c.PerMinute, c.Expires, c.Disabled, c.Created = int(perMinute), at(expires), at(disabled), at(created)
	return c, errors.Join(fromText(rights, &c.Rights), fromText(profiles, &c.Profiles), fromText(networks, &c.Networks))
}

func (t accessTx) AddClient(ctx context.Context, c access.Client) error {
	v, err := clientValues(c)
	if err != nil {
		return err
	}
	return changed(access.ErrExists)(t.exec(ctx, `insert into api_clients (`+clientColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict do nothing`, v...))
}

func (t accessTx) PutClient(ctx context.Context, c access.Client) error {
	v, err := clientValues(c)
	if err != nil {
		return err
	}
	return changed(access.ErrNotFound)(t.exec(ctx, `update api_clients set key_id = $2, key_hash = $3, certificate = $4, rights = $5,
		profiles = $6, networks = $7, per_minute = $8, expires = $9, disabled = $10, created = $11 where name = $1`, v...))
}

func (t accessTx) client(ctx context.Context, where, value string) (access.Client, error) {
	return one(ctx, t.tx, access.ErrNotFound, scanClient, `select `+clientColumns+` from api_clients where `+where+` = $1`, value)
}

func (t accessTx) Client(ctx context.Context, name string) (access.Client, error) {
	return t.client(ctx, "name", name)
}

func (t accessTx) ClientByKey(ctx context.Context, id string) (access.Client, error) {
	return t.client(ctx, "key_id", id)
}

func (t accessTx) ClientByCertificate(ctx context.Context, fingerprint string) (access.Client, error) {
	return t.client(ctx, "certificate", fingerprint)
}

func (t accessTx) Clients(ctx context.Context) ([]access.Client, error) {
	return list(ctx, t.tx, scanClient, `select `+clientColumns+` from api_clients order by name`)
}

func (t accessTx) AddRequest(ctx context.Context, r access.Request) error {
	return changed(access.ErrExists)(t.exec(ctx, `insert into api_requests (client, request_key, digest, begun, status, type, body)
		values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing`, r.Client, r.Key, r.Digest, ms(r.Begun), int64(r.Status), r.Type, r.Body))
}

func (t accessTx) Request(ctx context.Context, client, key string) (access.Request, error) {
	return one(ctx, t.tx, access.ErrNotFound, func(r row) (q access.Request, err error) {
		var begun, status int64
		err = r.Scan(&q.Client, &q.Key, &q.Digest, &begun, &status, &q.Type, &q.Body)
		q.Begun, q.Status = at(begun), int(status)
		return q, err
	}, `select client, request_key, digest, begun, status, type, body from api_requests where client = $1 and request_key = $2`, client, key)
}

func (t accessTx) Answer(ctx context.Context, r access.Request) error {
	_, err := t.exec(ctx, `update api_requests set status = $1, type = $2, body = $3
		where client = $4 and request_key = $5 and status = 0`, int64(r.Status), r.Type, r.Body, r.Client, r.Key)
	return err
}

func (t accessTx) DropRequest(ctx context.Context, client, key string) error {
	_, err := t.exec(ctx, `delete from api_requests where client = $1 and request_key = $2 and status = 0`, client, key)
	return err
}

func (t accessTx) ForgetRequests(ctx context.Context, before time.Time) error {
	_, err := t.exec(ctx, `delete from api_requests where begun < $1`, ms(before))
	return err
}

func (t accessTx) Pending(ctx context.Context, serial string) (access.Pending, error) {
	return one(ctx, t.tx, access.ErrNotFound, func(r row) (p access.Pending, err error) {
		var held, asked int64
		err = r.Scan(&p.Serial, &held, &p.First, &asked, &p.Second)
		p.Held, p.Asked = at(held), at(asked)
		return p, err
	}, `select serial, held, first_client, asked, second_client from api_pending_releases where serial = $1`, serial)
}

func (t accessTx) PutPending(ctx context.Context, p access.Pending) error {
	_, err := t.exec(ctx, `insert into api_pending_releases (serial, held, first_client, asked, second_client) values ($1, $2, $3, $4, $5)
		on conflict (serial) do update set held = excluded.held, first_client = excluded.first_client, asked = excluded.asked,
			second_client = excluded.second_client`, p.Serial, ms(p.Held), p.First, ms(p.Asked), p.Second)
	return err
}
