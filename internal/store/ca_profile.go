package store

import (
	"context"
	"time"

	"senim/internal/ca"
)

func (t caTx) AddProfile(ctx context.Context, v ca.ProfileVersion) error {
	return t.insert(ctx, `insert into ca_profiles (name, digest, came, went, body) values ($1, $2, $3, 0, $4) on conflict do nothing`,
		v.Name, v.Digest, ms(v.Came), v.Text)
}

func (t caTx) EndProfile(ctx context.Context, name string, went time.Time) error {
	return changed(ca.ErrNotFound)(t.exec(ctx, `update ca_profiles set went = $1 where name = $2 and went = 0`, ms(went), name))
}

func (t caTx) ProfileVersions(ctx context.Context, past bool) ([]ca.ProfileVersion, error) {
	return list(ctx, t.tx, func(r row) (v ca.ProfileVersion, err error) {
		var came, went int64
		err = r.Scan(&v.Name, &v.Digest, &came, &went, &v.Text)
		v.Came, v.Went = at(came), at(went)
		return v, err
	}, `select name, digest, came, went, body from ca_profiles where went = 0 or $1 = 1 order by name, came, digest`, bit(past))
}
