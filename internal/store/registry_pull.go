package store

import (
	"context"

	"senim/internal/registry"
)

// Pull reads how the fetching of a source's batches goes.
func (t registryTx) Pull(ctx context.Context, source string) (registry.Pull, error) {
	return one(ctx, t.tx, registry.ErrNotFound, scanPull, `select source, slot, tried, tries, code, refused from registry_pull where source = $1`, source)
}

func scanPull(r row) (p registry.Pull, err error) {
	var slot, tried int64
	err = r.Scan(&p.Source, &slot, &tried, &p.Tries, &p.Code, &p.Refused)
	p.Slot, p.Tried = at(slot), at(tried)
	return p, err
}

// PutPull writes it.
func (t registryTx) PutPull(ctx context.Context, p registry.Pull) error {
	_, err := t.exec(ctx, `insert into registry_pull (source, slot, tried, tries, code, refused) values ($1, $2, $3, $4, $5, $6)
		on conflict (source) do update set slot = $2, tried = $3, tries = $4, code = $5, refused = $6`,
		p.Source, ms(p.Slot), ms(p.Tried), p.Tries, p.Code, p.Refused)
	return err
}
