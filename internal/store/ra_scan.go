package store

import (
	"context"
	"time"
)

func (t raTx) ForgetScans(ctx context.Context, before time.Time) (int, error) {
	n, err := t.exec(ctx, `delete from ra_scans where number in (select number from ra_applications where changed < $1)`, ms(before))
	return int(n), err
}
