package store

import (
	"context"
	"time"

	"senim/internal/registry"
)

// InsertImport numbers and writes a batch of files.
func (t registryTx) InsertImport(ctx context.Context, i registry.Import) (int64, error) {
	id, err := one(ctx, t.tx, errNoRow, value[int64], `select coalesce(max(id), 0) + 1 from registry_import`)
	if err != nil {
		return 0, err
	}
	i.ID = id
	content, err := text(i)
	if err != nil {
		return 0, err
	}
	_, err = t.exec(ctx, `insert into registry_import (id, source, sha256, state, received, load, claimed, claimed_by, content)
		values ($1, $2, $3, $4, $5, $6, 0, '', $7)`, id, i.Source, i.SHA256, string(i.State), ms(i.Received), i.Load, content)
	return id, err
}

// PutImport writes how a batch stands now.
func (t registryTx) PutImport(ctx context.Context, i registry.Import) error {
	content, err := text(i)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, `update registry_import set state = $1, load = $2, content = $3 where id = $4`, string(i.State), i.Load, content, i.ID)
	return err
}

func scanImport(r row) (i registry.Import, err error) {
	content, err := value[string](r)
	if err != nil {
		return i, err
	}
	return i, fromText(content, &i)
}

// Import reads a batch.
func (t registryTx) Import(ctx context.Context, id int64) (registry.Import, error) {
	return one(ctx, t.tx, registry.ErrNotFound, scanImport, `select content from registry_import where id = $1`, id)
}

// Imports lists the newest.
func (t registryTx) Imports(ctx context.Context, limit int) ([]registry.Import, error) {
	return list(ctx, t.tx, scanImport, `select content from registry_import order by id desc limit $1`, limit)
}

// OpenImports lists those that did not end.
func (t registryTx) OpenImports(ctx context.Context) ([]registry.Import, error) {
	return list(ctx, t.tx, scanImport, `select content from registry_import where state in ($1, $2, $3, $4, $5) order by id`,
		string(registry.Staging), string(registry.Unverified), string(registry.Held), string(registry.Released), string(registry.Merging))
}

// ClaimImport gives a batch to a node.
func (t registryTx) ClaimImport(ctx context.Context, id int64, node string, now, until time.Time) (bool, error) {
	n, err := t.exec(ctx, `update registry_import set claimed = $1, claimed_by = $2 where id = $3 and (claimed_by = $2 or claimed < $4)`,
		ms(until), node, id, ms(now))
	return n == 1, err
}

// NextLoad is beyond every load and every batch that has the number of one.
func (t registryTx) NextLoad(ctx context.Context) (int64, error) {
	return one(ctx, t.tx, errNoRow, value[int64], nextLoad)
}

// InsertNumbered writes a load under its number.
func (t registryTx) InsertNumbered(ctx context.Context, l registry.Load) error {
	_, err := t.exec(ctx, `insert into registry_load (`+loadColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		l.Number, l.Source, bit(l.Full), ms(l.AsOf), ms(l.Received), l.SHA256, l.Operator, l.Entities, l.Leaders, l.Persons, l.Quarantined)
	return err
}

var refusedColumns = []string{"import", "file", "line", "field", "code", "kept"}

// PutRefused keeps refused rows.
func (t registryTx) PutRefused(ctx context.Context, id int64, rows []registry.Quarantined) error {
	if len(rows) == 0 {
		return nil
	}
	all := make([][]any, len(rows))
	for i, q := range rows {
		all[i] = []any{id, q.File, int64(q.Row), q.Field, q.Code, bit(q.Kept)}
	}
	return t.note(t.c.bulk(ctx, "registry_refused", refusedColumns, all))
}

// Refused lists refused rows after one.
func (t registryTx) Refused(ctx context.Context, id int64, after registry.Quarantined, limit int) ([]registry.Quarantined, error) {
	return list(ctx, t.tx, func(r row) (q registry.Quarantined, err error) {
		var kept int64
		err = r.Scan(&q.File, &q.Row, &q.Field, &q.Code, &kept)
		q.Kept = kept == 1
		return q, err
	}, `select file, line, field, code, kept from registry_refused where import = $1 and (file > $2 or file = $2 and line > $3)
		order by file, line limit $4`, id, after.File, int64(after.Row), limit)
}
