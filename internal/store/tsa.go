package store

import (
	"context"
	"time"

	"senim/internal/tsa"
)

// TSA is the store of the time-stamping authority.
func (s *Store) TSA() tsa.Store {
	return domain[tsa.Tx]{s, func(t *tx) tsa.Tx { return tsaTx{t} }}
}

type tsaTx struct{ *tx }

func (t tsaTx) TakeSerials(ctx context.Context, n int64, now time.Time) (first int64, latest time.Time, err error) {
	var next, kept int64
	err = t.queryRow(ctx, `insert into tsa_serials (id, next, latest) values (1, 1 + $1, $2)
		on conflict (id) do update set next = tsa_serials.next + $1,
			latest = case when tsa_serials.latest > $2 then tsa_serials.latest else $2 end
		returning next, latest`, n, ms(now)).Scan(&next, &kept)
	return next - n, at(kept), err
}
