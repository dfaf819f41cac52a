package store

import (
	"context"
	"time"

	"senim/internal/paper"
	"senim/internal/registry"
)

func changePlace(change, hash string) string { return "registry scan:" + change + ":" + hash }

// PutScan keeps the scan of a change, sealed.
func (t registryTx) PutScan(ctx context.Context, change string, s paper.Scan, made time.Time, body []byte) error {
	sealed, err := t.s.seal(changePlace(change, s.Hash), body)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, `insert into registry_scan (change, hash, kind, made, body) values ($1, $2, $3, $4, $5) on conflict (change, hash) do nothing`,
		change, s.Hash, s.Type, ms(made), sealed)
	return err
}

// ScanBody opens it.
func (t registryTx) ScanBody(ctx context.Context, change, hash string) ([]byte, error) {
	sealed, err := one(ctx, t.tx, registry.ErrNotFound, value[[]byte], `select body from registry_scan where change = $1 and hash = $2`, change, hash)
	if err != nil {
		return nil, err
	}
	return t.s.open(changePlace(change, hash), sealed)
}

// ForgetScans removes those of drafts.
func (t registryTx) ForgetScans(ctx context.Context, before time.Time) (int, error) {
	n, err := t.exec(ctx, `delete from registry_scan where made < $1 and change in (select id from registry_change where state = $2)`, ms(before), string(registry.Draft))
	return int(n), err
}
