package store

import (
	"context"
	"time"

	"senim/internal/ident"
	"senim/internal/registry"
)

// Registry is the registry of organisations and their heads.
func (s *Store) Registry() registry.Store {
	return domain[registry.Tx]{s, func(t *tx) registry.Tx { return registryTx{t} }}
}

// registryTx has the methods of registry.Tx; Enqueue, Audit and Hash come with *tx.
type registryTx struct{ *tx }

const loadColumns = `number, source, full_load, as_of, received, sha256, operator, entities, leaders, persons, quarantined`

func scanLoad(r row) (l registry.Load, err error) {
	var full, asOf, received int64
	err = r.Scan(&l.Number, &l.Source, &full, &asOf, &received, &l.SHA256, &l.Operator, &l.Entities, &l.Leaders, &l.Persons, &l.Quarantined)
	l.Full, l.AsOf, l.Received = full == 1, at(asOf), at(received)
	return l, err
}

// LastLoad is the newest load of a source.
func (t registryTx) LastLoad(ctx context.Context, source string) (registry.Load, error) {
	return one(ctx, t.tx, registry.ErrNotFound, scanLoad,
		`select `+loadColumns+` from registry_load where source = $1 order by number desc limit 1`, source)
}

// LoadNumber reads a load.
func (t registryTx) LoadNumber(ctx context.Context, number int64) (registry.Load, error) {
	return one(ctx, t.tx, registry.ErrNotFound, scanLoad, `select `+loadColumns+` from registry_load where number = $1`, number)
}

// LoadByHash finds a load by its batch.
func (t registryTx) LoadByHash(ctx context.Context, source, sha256 string) (registry.Load, error) {
	return one(ctx, t.tx, registry.ErrNotFound, scanLoad,
		`select `+loadColumns+` from registry_load where source = $1 and sha256 = $2`, source, sha256)
}

// Loads lists the newest loads.
func (t registryTx) Loads(ctx context.Context, limit int) ([]registry.Load, error) {
	return list(ctx, t.tx, scanLoad, `select `+loadColumns+` from registry_load order by number desc limit $1`, limit)
}

// nextLoad is beyond every load and every batch that has the number of one.
const nextLoad = `select coalesce(max(n), 0) + 1 from (select max(number) n from registry_load union all select max(load) n from registry_import) x`

// InsertLoad numbers and writes a load.
func (t registryTx) InsertLoad(ctx context.Context, l registry.Load) (int64, error) {
	return one(ctx, t.tx, errNoRow, value[int64], `insert into registry_load (`+loadColumns+`)
		values ((`+nextLoad+`), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		returning number`,
		l.Source, bit(l.Full), ms(l.AsOf), ms(l.Received), l.SHA256, l.Operator, l.Entities, l.Leaders, l.Persons, l.Quarantined)
}

// inForce says of a record of r that the last load of its source has it: what a batch on its way wrote
// already has the number of a load that is not there yet.
const inForce = `r.from_load <= (select max(l.number) from registry_load l where l.source = r.source)
	and (r.until_load = 0 or r.until_load > (select max(l.number) from registry_load l where l.source = r.source))`

// scanKept reads record, source, load and content.
func scanKept[T any](r row) (k registry.Kept[T], err error) {
	var content string
	if err = r.Scan(&k.Record, &k.Source, &k.Load, &content); err != nil {
		return k, err
	}
	return k, fromText(content, &k.Value)
}

// Entity lists the records in force for a BIN.
func (t registryTx) Entity(ctx context.Context, bin ident.BIN) ([]registry.Kept[registry.LegalEntity], error) {
	return list(ctx, t.tx, scanKept[registry.LegalEntity],
		`select record, source, from_load, content from registry_entity r where bin = $1 and `+inForce+` order by record`, string(bin))
}

// Person lists the records in force for an IIN.
func (t registryTx) Person(ctx context.Context, iin ident.IIN) ([]registry.Kept[registry.Person], error) {
	return list(ctx, t.tx, scanKept[registry.Person],
		`select record, source, from_load, content from registry_person r where iin = $1 and `+inForce+` order by record`, string(iin))
}

// Contact lists the phones in force for an IIN.
func (t registryTx) Contact(ctx context.Context, iin ident.IIN) ([]registry.Kept[registry.MobileContact], error) {
	return list(ctx, t.tx, scanKept[registry.MobileContact],
		`select record, source, from_load, content from registry_contact r where iin = $1 and `+inForce+` order by record`, string(iin))
}

// Taxpayer lists the records in force for a number.
func (t registryTx) Taxpayer(ctx context.Context, tin string) ([]registry.Kept[registry.Taxpayer], error) {
	return list(ctx, t.tx, scanKept[registry.Taxpayer],
		`select record, source, from_load, content from registry_taxpayer r where tin = $1 and `+inForce+` order by record`, tin)
}

// scanLeader reads a leader with what the load said about it.
func scanLeader(r row) (k registry.KeptLeader, err error) {
	var content string
	var disputed int64
	if err = r.Scan(&k.Record, &k.Source, &k.Load, &content, &disputed); err != nil {
		return k, err
	}
	k.Disputed = disputed == 1
	return k, fromText(content, &k.Value)
}

// Leaders lists the leaders in force for a BIN.
func (t registryTx) Leaders(ctx context.Context, bin ident.BIN) ([]registry.KeptLeader, error) {
	return list(ctx, t.tx, scanLeader, `select record, source, from_load, content, disputed from registry_leader r
		where bin = $1 and `+inForce+` order by appointed_on, record`, string(bin))
}

// PutEntity writes an organisation's record and ends the one before.
func (t registryTx) PutEntity(ctx context.Context, source string, load int64, e registry.LegalEntity) error {
	return t.put(ctx, "registry_entity", "bin", string(e.BIN), source, load, e)
}

// PutPerson writes a person's record and ends the one before.
func (t registryTx) PutPerson(ctx context.Context, source string, load int64, p registry.Person) error {
	return t.put(ctx, "registry_person", "iin", string(p.IIN), source, load, p)
}

// PutContact writes a person's phone and ends the one before.
func (t registryTx) PutContact(ctx context.Context, source string, load int64, c registry.MobileContact) error {
	return t.put(ctx, "registry_contact", "iin", string(c.IIN), source, load, c)
}

// PutTaxpayer writes a taxpayer's record and ends the one before.
func (t registryTx) PutTaxpayer(ctx context.Context, source string, load int64, p registry.Taxpayer) error {
	return t.put(ctx, "registry_taxpayer", "tin", p.TIN, source, load, p)
}

// put writes a record of a table keyed by one column. Table and column are ours, not anybody's text.
func (t registryTx) put(ctx context.Context, table, column, key, source string, load int64, v any) error {
	content, err := text(v)
	if err != nil {
		return err
	}
	had, err := one(ctx, t.tx, nil, value[string],
		`select content from `+table+` where `+column+` = $1 and source = $2 and until_load = 0`, key, source)
	if err != nil || had == content {
		return err
	}
	if _, err := t.exec(ctx, `update `+table+` set until_load = $1 where `+column+` = $2 and source = $3 and until_load = 0`, load, key, source); err != nil {
		return err
	}
	_, err = t.exec(ctx, `insert into `+table+` (record, source, `+column+`, content, from_load, until_load)
		values ((select coalesce(max(record), 0) + 1 from `+table+`), $1, $2, $3, $4, 0)`, source, key, content, load)
	return err
}

// PutLeader writes a leader's record and ends that of another load with the same day.
func (t registryTx) PutLeader(ctx context.Context, source string, load int64, l registry.Leader, disputed bool) error {
	content, err := text(l)
	if err != nil {
		return err
	}
	same, err := one(ctx, t.tx, errNoRow, value[int64], `select count(*) from registry_leader
		where bin = $1 and source = $2 and appointed_on = $3 and content = $4 and disputed = $5 and until_load = 0`,
		string(l.BIN), source, string(l.AppointedOn), content, bit(disputed))
	if err != nil || same > 0 {
		return err
	}
	if _, err := t.exec(ctx, `update registry_leader set until_load = $1
		where bin = $2 and source = $3 and appointed_on = $4 and until_load = 0 and from_load <> $1`,
		load, string(l.BIN), source, string(l.AppointedOn)); err != nil {
		return err
	}
	_, err = t.exec(ctx, `insert into registry_leader (record, source, bin, appointed_on, content, disputed, from_load, until_load)
		values ((select coalesce(max(record), 0) + 1 from registry_leader), $1, $2, $3, $4, $5, $6, 0)`,
		source, string(l.BIN), string(l.AppointedOn), content, bit(disputed), load)
	return err
}

// EndLeadersAfter ends leaders appointed after a day.
func (t registryTx) EndLeadersAfter(ctx context.Context, source string, load int64, bin ident.BIN, day registry.Date) error {
	_, err := t.exec(ctx, `update registry_leader set until_load = $1
		where bin = $2 and source = $3 and appointed_on > $4 and until_load = 0`, load, string(bin), source, string(day))
	return err
}

// EndAbsent ends what a full load does not have.
func (t registryTx) EndAbsent(ctx context.Context, source string, load int64, has registry.Keys) error {
	if err := t.endOthers(ctx, "registry_entity", "bin", source, load, set(has.Entities)); err != nil {
		return err
	}
	if err := t.endOthers(ctx, "registry_leader", "bin", source, load, set(has.Entities)); err != nil {
		return err
	}
	if err := t.endOthers(ctx, "registry_person", "iin", source, load, set(has.Persons)); err != nil {
		return err
	}
	if err := t.endOthers(ctx, "registry_contact", "iin", source, load, set(has.Contacts)); err != nil {
		return err
	}
	return t.endOthers(ctx, "registry_taxpayer", "tin", source, load, set(has.Taxpayers))
}

func (t registryTx) endOthers(ctx context.Context, table, column, source string, load int64, keep map[string]bool) error {
	keys, err := list(ctx, t.tx, value[string],
		`select distinct `+column+` from `+table+` where source = $1 and until_load = 0`, source)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if keep[key] {
			continue
		}
		if _, err := t.exec(ctx, `update `+table+` set until_load = $1 where source = $2 and `+column+` = $3 and until_load = 0`, load, source, key); err != nil {
			return err
		}
	}
	return nil
}

func set[K ~string](keys []K) map[string]bool {
	m := make(map[string]bool, len(keys))
	for _, k := range keys {
		m[string(k)] = true
	}
	return m
}

// Change reads a clerk's change.
func (t registryTx) Change(ctx context.Context, id string) (registry.Change, error) {
	return one(ctx, t.tx, registry.ErrNotFound, scanChange, `select content from registry_change where id = $1`, id)
}

// PutChange writes it.
func (t registryTx) PutChange(ctx context.Context, c registry.Change) error {
	for _, when := range []*time.Time{&c.Made, &c.Decided} {
		*when = at(ms(*when))
	}
	content, err := text(c)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, `insert into registry_change (id, bin, state, made, content) values ($1, $2, $3, $4, $5)
		on conflict (id) do update set state = excluded.state, made = excluded.made, content = excluded.content`,
		c.ID, string(c.BIN), string(c.State), ms(c.Made), content)
	return err
}

// Changes lists those that were signed.
func (t registryTx) Changes(ctx context.Context, limit int) ([]registry.Change, error) {
	return list(ctx, t.tx, scanChange, `select content from registry_change where state <> $1 order by made desc, id limit $2`,
		string(registry.Draft), limit)
}

func scanChange(r row) (c registry.Change, err error) {
	content, err := value[string](r)
	if err != nil {
		return c, err
	}
	return c, fromText(content, &c)
}
