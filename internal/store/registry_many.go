package store

import (
	"context"

	"senim/internal/ident"
	"senim/internal/registry"
)

// of lists what is in force of many keys by key; sql ends in "in (" and the placeholders of [places] from 1.
func of[K ~string, V any](ctx context.Context, t *tx, keys []K, scan func(row) (V, error), key func(V) K, sql string) (map[K][]V, error) {
	texts := make([]string, len(keys))
	for i, k := range keys {
		texts[i] = string(k)
	}
	found, err := many(ctx, t, texts, scan, sql)
	all := make(map[K][]V, len(keys))
	for _, k := range keys {
		all[k] = nil
	}
	for _, v := range found {
		all[key(v)] = append(all[key(v)], v)
	}
	return all, err
}

// The texts of these questions, made once.
var (
	entitiesOf = `select record, source, from_load, content from registry_entity r where bin in (` + places(1, `?`) + `) and ` + inForce + ` order by record`
	personsOf  = `select record, source, from_load, content from registry_person r where iin in (` + places(1, `?`) + `) and ` + inForce + ` order by record`
	contactsOf = `select record, source, from_load, content from registry_contact r where iin in (` + places(1, `?`) + `) and ` + inForce + ` order by record`
	leadersOf  = `select record, source, from_load, content, disputed from registry_leader r
		where bin in (` + places(1, `?`) + `) and ` + inForce + ` order by appointed_on, record`
)

// EntitiesOf lists the records in force of organisations.
func (t registryTx) EntitiesOf(ctx context.Context, bins []ident.BIN) (map[ident.BIN][]registry.Kept[registry.LegalEntity], error) {
	return of(ctx, t.tx, bins, scanKept[registry.LegalEntity], func(k registry.Kept[registry.LegalEntity]) ident.BIN { return k.Value.BIN }, entitiesOf)
}

// LeadersOf lists the leaders in force of organisations, earliest appointment first.
func (t registryTx) LeadersOf(ctx context.Context, bins []ident.BIN) (map[ident.BIN][]registry.KeptLeader, error) {
	return of(ctx, t.tx, bins, scanLeader, func(k registry.KeptLeader) ident.BIN { return k.Value.BIN }, leadersOf)
}

// PersonsOf lists the records in force of persons.
func (t registryTx) PersonsOf(ctx context.Context, iins []ident.IIN) (map[ident.IIN][]registry.Kept[registry.Person], error) {
	return of(ctx, t.tx, iins, scanKept[registry.Person], func(k registry.Kept[registry.Person]) ident.IIN { return k.Value.IIN }, personsOf)
}

// ContactsOf lists the phones in force of persons.
func (t registryTx) ContactsOf(ctx context.Context, iins []ident.IIN) (map[ident.IIN][]registry.Kept[registry.MobileContact], error) {
	return of(ctx, t.tx, iins, scanKept[registry.MobileContact], func(k registry.Kept[registry.MobileContact]) ident.IIN { return k.Value.IIN }, contactsOf)
}
