package registry

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"senim/internal/audit"
	"senim/internal/ident"
	"senim/internal/job"
)

// Errors of [Book.Load].
var (
	// ErrLoaded: the same batch was loaded before; nothing changed (L2).
	ErrLoaded = errors.New("already loaded")
	// ErrGap: a batch that is not full does not follow the current load (L3).
	ErrGap = errors.New("the batch does not follow the current load: a full one is needed")
	// ErrOlder: a newer load of the source is in force (L4).
	ErrOlder = errors.New("a newer load is in force")
)

// Kinds of jobs after a load; whoever must act on them handles them.
const (
	// KindHeadChanged has the payload [HeadChanged]; it is asked for on the day of appointment or dismissal.
	KindHeadChanged = "registry.head_changed"
	// KindEntityEnded has the payload [EntityEnded].
	KindEntityEnded = "registry.entity_ended"
)

// HeadChanged says that an organisation got another head, or has none any more. It holds no persons: ask
// [Book.Head] for the new one.
type HeadChanged struct {
	BIN ident.BIN `json:"bin"`
	// AppointedOn is since when; of no head the day of dismissal, when the registry names it.
	AppointedOn Date  `json:"appointed_on"`
	Load        int64 `json:"load"`
}

// EntityEnded says that an organisation is active no more.
type EntityEnded struct {
	BIN  ident.BIN `json:"bin"`
	Load int64     `json:"load"`
}

// Load takes a batch: bad rows are left out and returned, the rest is switched in within one
// transaction, with the jobs that tell of changed heads. It fails with [ErrLoaded], [ErrGap] or
// [ErrOlder] and changes nothing.
func (b *Book) Load(ctx context.Context, batch Batch) (load Load, out []Quarantined, err error) {
	err = b.c.Store.Update(ctx, func(tx Tx) error {
		load, out, err = b.load(ctx, tx, batch)
		return err
	})
	if err != nil {
		return Load{}, nil, fmt.Errorf("load registry batch: %w", err)
	}
	return load, out, nil
}

func (b *Book) load(ctx context.Context, tx Tx, batch Batch) (Load, []Quarantined, error) {
	hash, err := batch.hash()
	if err != nil {
		return Load{}, nil, err
	}
	if batch.Source == "" || batch.AsOf.IsZero() {
		return Load{}, nil, errors.New("no source or no moment")
	}
	if err := b.follows(ctx, tx, batch, hash); err != nil {
		return Load{}, nil, err
	}
	c := batch.check(b.c.Rules)
	before, err := b.heads(ctx, tx, c)
	if err != nil {
		return Load{}, nil, err
	}
	load := Load{Source: batch.Source, Full: batch.Full, AsOf: batch.AsOf, Received: b.c.Now(), SHA256: hash, Operator: batch.Operator,
		Entities: len(c.Entities), Leaders: len(c.Leaders), Persons: len(c.Persons) + len(c.Contacts) + len(c.Taxpayers), Quarantined: len(c.quarantined)}
	if load.Number, err = tx.InsertLoad(ctx, load); err != nil {
		return load, nil, err
	}
	if err := b.put(ctx, tx, load, c); err != nil {
		return load, nil, err
	}
	if err := b.tell(ctx, tx, load, before); err != nil {
		return load, nil, err
	}
	return load, c.quarantined, tx.Audit(ctx, audit.Event{Action: "registry.load.accepted", Actor: batch.Operator,
		Object: "load:" + strconv.FormatInt(load.Number, 10), Result: "ok",
		Detail: map[string]string{"source": load.Source, "sha256": hash, "quarantined": strconv.Itoa(load.Quarantined)}})
}

// follows keeps the order of a source's loads (L2 to L4). While a batch of files comes into force there is
// no other: its records already have the number of the load that it will be.
func (b *Book) follows(ctx context.Context, tx Tx, batch Batch, hash string) error {
	open, err := tx.OpenImports(ctx)
	if err != nil {
		return err
	}
	for _, o := range open {
		if o.Source == batch.Source && o.State == Merging {
			return ErrBusy
		}
	}
	switch _, err := tx.LoadByHash(ctx, batch.Source, hash); {
	case err == nil:
		return ErrLoaded
	case !errors.Is(err, ErrNotFound):
		return err
	}
	last, err := tx.LastLoad(ctx, batch.Source)
	switch {
	case errors.Is(err, ErrNotFound):
		if !batch.Full && batch.Source != SourceClerk {
			return ErrGap
		}
		return nil
	case err != nil:
		return err
	case batch.AsOf.Before(last.AsOf):
		return ErrOlder
	case !batch.Full && batch.Source != SourceClerk && !batch.Previous.Equal(last.AsOf):
		return ErrGap
	}
	return nil
}

func (b *Book) put(ctx context.Context, tx Tx, load Load, c checked) error {
	var has Keys
	for _, e := range c.Entities {
		has.Entities = append(has.Entities, e.BIN)
		if err := tx.PutEntity(ctx, load.Source, load.Number, e); err != nil {
			return err
		}
	}
	for _, l := range c.Leaders {
		if err := tx.PutLeader(ctx, load.Source, load.Number, l, c.disputed[l.BIN] && l.DismissedOn == ""); err != nil {
			return err
		}
	}
	if load.Source != SourceClerk { // a state register names the current head; clerks name a new one
		newest := map[ident.BIN]Date{}
		for _, l := range c.Leaders {
			newest[l.BIN] = max(newest[l.BIN], l.AppointedOn)
		}
		for _, e := range c.Entities {
			if !c.led[e.BIN] {
				newest[e.BIN] = "" // whoever headed it does no more
			}
		}
		for bin, day := range newest {
			if err := tx.EndLeadersAfter(ctx, load.Source, load.Number, bin, day); err != nil {
				return err
			}
		}
	}
	for _, p := range c.Persons {
		has.Persons = append(has.Persons, p.IIN)
		if err := tx.PutPerson(ctx, load.Source, load.Number, p); err != nil {
			return err
		}
	}
	for _, m := range c.Contacts {
		has.Contacts = append(has.Contacts, m.IIN)
		if err := tx.PutContact(ctx, load.Source, load.Number, m); err != nil {
			return err
		}
	}
	for _, t := range c.Taxpayers {
		has.Taxpayers = append(has.Taxpayers, t.TIN)
		if err := tx.PutTaxpayer(ctx, load.Source, load.Number, t); err != nil {
			return err
		}
	}
	if load.Full {
		return tx.EndAbsent(ctx, load.Source, load.Number, has)
	}
	return nil
}

// known is what was in force about an organisation before a load.
type known struct {
	seen    bool // there was a record of it
	entity  bool // it was active
	leaders []KeptLeader
}

// heads reads what a batch may change.
func (b *Book) heads(ctx context.Context, tx Tx, c checked) (map[ident.BIN]known, error) {
	before := map[ident.BIN]known{}
	look := func(bin ident.BIN) error {
		if _, done := before[bin]; done {
			return nil
		}
		k, err := look(ctx, tx, bin)
		before[bin] = k
		return err
	}
	for _, e := range c.Entities {
		if err := look(e.BIN); err != nil {
			return nil, err
		}
	}
	for _, l := range c.Leaders {
		if err := look(l.BIN); err != nil {
			return nil, err
		}
	}
	return before, nil
}

func look(ctx context.Context, tx Tx, bin ident.BIN) (known, error) {
	entities, err := tx.Entity(ctx, bin)
	if err != nil {
		return known{}, err
	}
	leaders, err := tx.Leaders(ctx, bin)
	if err != nil {
		return known{}, err
	}
	return knownOf(entities, leaders), nil
}

func knownOf(entities []Kept[LegalEntity], leaders []KeptLeader) known {
	k := known{seen: len(entities)+len(leaders) > 0, leaders: leaders}
	for _, e := range entities {
		k.entity = k.entity || e.Value.Status == Active || e.Value.Status == Liquidation
	}
	return k
}

// tell asks for the jobs about what a load changed (L7). An organisation seen for the first time
// changed nothing.
func (b *Book) tell(ctx context.Context, tx Tx, load Load, before map[ident.BIN]known) error {
	for bin, was := range before {
		is, err := look(ctx, tx, bin)
		if err != nil {
			return err
		}
		if was.entity && !is.entity {
			if err := tx.Enqueue(ctx, job.Job{Kind: KindEntityEnded, Payload: EntityEnded{bin, load.Number}}); err != nil {
				return err
			}
		}
		if !was.seen {
			continue
		}
		now := b.c.Now()
		for _, head := range changes(was.leaders, is.leaders, DateOf(now)) {
			at := head.since.Time()
			if at.Before(now) {
				at = time.Time{}
			}
			if err := tx.Enqueue(ctx, job.Job{Kind: KindHeadChanged, Payload: HeadChanged{bin, head.since, load.Number}, At: at}); err != nil {
				return err
			}
		}
	}
	return nil
}
