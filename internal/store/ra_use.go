package store

import (
	"context"
	"time"
)

func (t raTx) PutUse(ctx context.Context, serial string, when time.Time) error {
	_, err := t.exec(ctx, `insert into ra_key_uses (serial, used) values ($1, $2) on conflict (serial) do update set used = excluded.used`, serial, ms(when))
	return err
}

func (t raTx) Uses(ctx context.Context, serials []string) (map[string]time.Time, error) {
	uses := make(map[string]time.Time, len(serials))
	for _, serial := range serials { // a person has a few
		all, err := list(ctx, t.tx, value[int64], `select used from ra_key_uses where serial = $1`, serial)
		if err != nil {
			return nil, err
		}
		for _, used := range all {
			uses[serial] = at(used)
		}
	}
	return uses, nil
}
