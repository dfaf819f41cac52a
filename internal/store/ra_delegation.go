package store

import (
	"context"
	"time"
)

func (t raTx) LivingDelegation(ctx context.Context, bin, iin, power string, at time.Time) (string, error) {
	ids, err := list(ctx, t.tx, value[string], `select id from ra_delegations
		where iin = $1 and bin = $2 and (ended_at = 0 or ended_at > $3) and from_at <= $3 and until_at > $3 and ' ' || powers || ' ' like '% ' || $4 || ' %'
		order by until_at desc, id limit 1`, iin, bin, ms(at), power)
	if err != nil || len(ids) == 0 {
		return "", err
	}
	return ids[0], nil
}
