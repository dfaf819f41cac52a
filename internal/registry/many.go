package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"senim/internal/ident"
)

// Many is answers about many at once: the same as those of [Book.Person], [Book.Phone] and [Book.Head] one by one.
type Many struct {
	Persons map[ident.IIN]Answer[Person]
	Phones  map[ident.IIN]Answer[MobileContact]
	Heads   map[ident.BIN]Answer[Head]
}

// Many asks about persons, with their phones when asked for, and about heads of organisations today;
// with phones about those of the heads too. When the database does not answer, every answer is unknown. A book that
// asks state services asks them about each, one after the other, at the services' own pace.
func (b *Book) Many(ctx context.Context, persons []ident.IIN, bins []ident.BIN, phones bool) Many {
	now := b.c.Now()
	if b.asks() {
		return b.each(ctx, persons, bins, phones, now)
	}
	calendar := b.c.Calendar
	m := Many{map[ident.IIN]Answer[Person]{}, map[ident.IIN]Answer[MobileContact]{}, map[ident.BIN]Answer[Head]{}}
	err := b.c.Store.View(ctx, func(under Tx) (err error) {
		if calendar, err = b.calendarIn(ctx, under); err != nil {
			return err
		}
		tx := &ahead{Tx: under, last: map[string]Load{}, numbered: map[int64]Load{}}
		if err := tx.read(ctx, persons, bins); err != nil {
			return err
		}
		for _, i := range persons {
			a, err := b.person(ctx, tx, i, now)
			if err != nil {
				return err
			}
			m.Persons[i] = a
		}
		owners := persons
		for _, bin := range bins {
			a, err := b.head(ctx, tx, bin, DateOf(now), now)
			if err != nil {
				return err
			}
			m.Heads[bin] = a
			if a.Verdict == Good {
				owners = append(owners[:len(owners):len(owners)], a.Value.Leader.IIN)
			}
		}
		if !phones {
			return nil
		}
		if tx.contacts, err = under.ContactsOf(ctx, owners); err != nil {
			return err
		}
		for _, i := range owners {
			if m.Phones[i], err = b.phone(ctx, tx, i, now); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		m = Many{map[ident.IIN]Answer[Person]{}, map[ident.IIN]Answer[MobileContact]{}, map[ident.BIN]Answer[Head]{}}
		err = fmt.Errorf("ask registry: %w", err)
		for _, i := range persons {
			m.Persons[i] = Answer[Person]{Verdict: Unknown, Code: Unreachable, Err: err}
			if phones {
				m.Phones[i] = Answer[MobileContact]{Verdict: Unknown, Code: Unreachable, Err: err}
			}
		}
		for _, bin := range bins {
			m.Heads[bin] = Answer[Head]{Verdict: Unknown, Code: Unreachable, Err: err}
		}
	}
	expect(b.c.Meter, m.Persons, calendar, now)
	expect(b.c.Meter, m.Phones, calendar, now)
	expect(b.c.Meter, m.Heads, calendar, now)
	return m
}

// expect says of each answer when its source is loaded next, and counts it.
func expect[K comparable, T any](meter Meter, all map[K]Answer[T], c Calendar, now time.Time) {
	next := map[string]time.Time{}
	for k, a := range all {
		at, ok := next[a.Source]
		if !ok {
			at = c.Of(a.Source).Next(now)
			next[a.Source] = at
		}
		a.NextLoad = at
		all[k] = a
		meter.Answered(a.Source, a.Verdict)
	}
}

// each asks one by one.
func (b *Book) each(ctx context.Context, persons []ident.IIN, bins []ident.BIN, phones bool, now time.Time) Many {
	m := Many{map[ident.IIN]Answer[Person]{}, map[ident.IIN]Answer[MobileContact]{}, map[ident.BIN]Answer[Head]{}}
	owners := slices.Clone(persons)
	for _, i := range persons {
		m.Persons[i] = b.Person(ctx, i)
	}
	for _, bin := range bins {
		a := b.Head(ctx, bin, now)
		m.Heads[bin] = a
		if a.Verdict == Good {
			owners = append(owners, a.Value.Leader.IIN)
		}
	}
	for _, i := range owners {
		if _, done := m.Phones[i]; phones && !done {
			m.Phones[i] = b.Phone(ctx, i)
		}
	}
	return m
}

// manyTx reads the records in force of many keys at once.
type manyTx interface {
	EntitiesOf(ctx context.Context, bins []ident.BIN) (map[ident.BIN][]Kept[LegalEntity], error)
	LeadersOf(ctx context.Context, bins []ident.BIN) (map[ident.BIN][]KeptLeader, error)
	PersonsOf(ctx context.Context, iins []ident.IIN) (map[ident.IIN][]Kept[Person], error)
	ContactsOf(ctx context.Context, iins []ident.IIN) (map[ident.IIN][]Kept[MobileContact], error)
}

// ahead is a transaction that has read what will be asked.
type ahead struct {
	Tx
	entities map[ident.BIN][]Kept[LegalEntity]
	leaders  map[ident.BIN][]KeptLeader
	persons  map[ident.IIN][]Kept[Person]
	contacts map[ident.IIN][]Kept[MobileContact]
	last     map[string]Load
	numbered map[int64]Load
}

func (t *ahead) read(ctx context.Context, persons []ident.IIN, bins []ident.BIN) (err error) {
	var errs [3]error
	t.persons, errs[0] = t.PersonsOf(ctx, persons)
	t.entities, errs[1] = t.EntitiesOf(ctx, bins)
	t.leaders, errs[2] = t.LeadersOf(ctx, bins)
	return errors.Join(errs[:]...)
}

// Entity falls back to a question for a head office that nobody asked about.
func (t *ahead) Entity(ctx context.Context, bin ident.BIN) ([]Kept[LegalEntity], error) {
	if kept, ok := t.entities[bin]; ok {
		return kept, nil
	}
	return t.Tx.Entity(ctx, bin)
}

func (t *ahead) Leaders(_ context.Context, bin ident.BIN) ([]KeptLeader, error) {
	return t.leaders[bin], nil
}

func (t *ahead) Person(_ context.Context, iin ident.IIN) ([]Kept[Person], error) {
	return t.persons[iin], nil
}

func (t *ahead) Contact(_ context.Context, iin ident.IIN) ([]Kept[MobileContact], error) {
	return t.contacts[iin], nil
}

func (t *ahead) LastLoad(ctx context.Context, source string) (Load, error) {
	if l, ok := t.last[source]; ok {
		if l.Number == 0 {
			return l, ErrNotFound
		}
		return l, nil
	}
	l, err := t.Tx.LastLoad(ctx, source)
	if err == nil || errors.Is(err, ErrNotFound) {
		t.last[source] = l
	}
	return l, err
}

func (t *ahead) LoadNumber(ctx context.Context, number int64) (Load, error) {
	if l, ok := t.numbered[number]; ok {
		return l, nil
	}
	l, err := t.Tx.LoadNumber(ctx, number)
	if err == nil {
		t.numbered[number] = l
	}
	return l, err
}
