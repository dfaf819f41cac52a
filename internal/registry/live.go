package registry

import (
	"context"
	"errors"
	"time"

	"senim/internal/ident"
)

// Purpose says for what a question is asked; a state service is asked for nothing else
// (registries.md §14).
type Purpose string

// The purposes.
const (
	ForRegister   Purpose = "register"
	ForReregister Purpose = "reregister"
	ForKey        Purpose = "key.issue"
	ForNotify     Purpose = "notify"
	ForValidate   Purpose = "validate"
)

// Fresh reports a purpose that opens a gate: its answers are asked for anew, never remembered, and a
// service that could not tell is not replaced by the last load.
func (p Purpose) Fresh() bool { return p == ForRegister || p == ForReregister || p == ForKey }

// Codes of answers of state services that could not be used: unknown each.
const (
	ConsentNeeded     = "CONSENT_NEEDED"      // the service wants the person's consent, and there is none
	NoAppointmentDate = "NO_APPOINTMENT_DATE" // the head is named, the day of appointment is not
)

// ErrAskedLately says that a person was asked for his consent a moment ago, or often enough today.
var ErrAskedLately = errors.New("the person was asked for a consent lately")

// Live asks the state services themselves. An answer without a verdict says that the service is
// switched off here; one that could not be had is unknown, with the code of the cause. It is bounded in
// time by itself and safe for concurrent use.
type Live interface {
	Legal(ctx context.Context, p Purpose, bin ident.BIN) Answer[Legal]
	Person(ctx context.Context, p Purpose, iin ident.IIN) Answer[Person]
	Taxpayer(ctx context.Context, p Purpose, tin string) Answer[Taxpayer]
	Phone(ctx context.Context, p Purpose, iin ident.IIN) Answer[MobileContact]
	// By is the same services for a person of a number, who is the asker in their records; "" is the system.
	By(asker string) Live
}

// Legal is an organisation with its present head, as one answer tells both. The zero Leader: none is named.
type Legal struct {
	Entity LegalEntity
	Leader Leader
}

// For is the same book for askers of a purpose. Only such a book asks state services (Config.Live), and its answers
// are recorded one by one; one without a purpose answers from loads, for figures and the person's own pages.
func (b *Book) For(p Purpose) *Book {
	one := *b
	one.purpose = p
	return &one
}

// By is the same book for a person who asks: the records of what was answered name him, and not the system.
func (b *Book) By(asker ident.IIN) *Book {
	one := *b
	one.asker = asker
	if one.c.Live != nil {
		one.c.Live = one.c.Live.By(string(asker))
	}
	return &one
}

// asks reports whether state services are asked.
func (b *Book) asks() bool { return b.c.Live != nil && b.purpose != "" }

// settled reports that a live answer stands alone: unknown, for a gate. A service that was not asked,
// for want of a consent, leaves the question to the last load.
func settled[T any](b *Book, a Answer[T]) bool {
	alone := a.Verdict == Unknown && b.purpose.Fresh() && a.Code != ConsentNeeded
	if alone {
		b.c.Meter.Answered(a.Source, a.Verdict)
	}
	return alone
}

// asked dresses a live answer that stands alone.
func asked[T, U any](ctx context.Context, b *Book, a Answer[U]) Answer[T] {
	return Answer[T]{Verdict: a.Verdict, Code: a.Code, Source: a.Source, AsOf: a.AsOf, LoadedAt: a.LoadedAt, Detail: a.Detail, Err: a.Err,
		NextLoad: b.calendar(ctx).Of(a.Source).Next(b.c.Now())}
}

// told is a transaction in which a live answer stands for what the last load says of the same source.
type told struct {
	Tx
	loads    map[string]Load // by source: the moment of the live answer
	entities map[ident.BIN]Answer[Legal]
	person   *Answer[Person]
	contact  *Answer[MobileContact]
	fresh    bool // for a gate
}

// errOffice: whether a unit's head office exists could not be asked.
var errOffice = errors.New("the head office could not be asked about")

// askLegal asks about an organisation, and about the head office of a unit.
func (b *Book) askLegal(ctx context.Context, bin ident.BIN) (t *told, a Answer[Legal]) {
	if !b.asks() {
		return nil, a
	}
	if a = b.c.Live.Legal(ctx, b.purpose, bin); a.Verdict != Good && a.Verdict != Bad {
		return nil, a
	}
	t = &told{fresh: b.purpose.Fresh(), loads: map[string]Load{SourceLegal: moment(a)}, entities: map[ident.BIN]Answer[Legal]{bin: a}}
	if office := a.Value.Entity.HeadBIN; office != "" && office != bin {
		t.entities[office] = b.c.Live.Legal(ctx, b.purpose, office)
	}
	return t, a
}

func moment[T any](a Answer[T]) Load { return Load{Source: a.Source, AsOf: a.AsOf} }

// over is the transaction under the live answers.
func (t *told) over(tx Tx) Tx {
	if t == nil {
		return tx
	}
	one := *t
	one.Tx = tx
	return &one
}

func (t *told) LastLoad(ctx context.Context, source string) (Load, error) {
	if l, ok := t.loads[source]; ok {
		return l, nil
	}
	return t.Tx.LastLoad(ctx, source)
}

func (t *told) Entity(ctx context.Context, bin ident.BIN) ([]Kept[LegalEntity], error) {
	kept, err := t.Tx.Entity(ctx, bin)
	a, ok := t.entities[bin]
	switch {
	case err != nil || !ok:
		return kept, err
	case a.Verdict == Unknown && (t.fresh || len(kept) == 0):
		return nil, errOffice
	case a.Verdict == Good:
		return append(beside(kept), Kept[LegalEntity]{Source: SourceLegal, Value: a.Value.Entity}), nil
	case a.Verdict == Bad:
		return beside(kept), nil
	}
	return kept, nil
}

// beside leaves out what the source said in its loads.
func beside[T any](kept []Kept[T]) (other []Kept[T]) {
	for _, k := range kept {
		if k.Source == SourceClerk {
			other = append(other, k)
		}
	}
	return other
}

func (t *told) Leaders(ctx context.Context, bin ident.BIN) ([]KeptLeader, error) {
	kept, err := t.Tx.Leaders(ctx, bin)
	a, ok := t.entities[bin]
	if err != nil || !ok || a.Verdict == Unknown {
		return kept, err
	}
	var all []KeptLeader
	for _, k := range kept {
		if k.Source == SourceClerk {
			all = append(all, k)
		}
	}
	// Without a leader it says that nobody is: older records do not stand against that.
	return append(all, KeptLeader{Kept: Kept[Leader]{Source: SourceLegal, Value: a.Value.Leader}}), nil
}

func (t *told) Person(ctx context.Context, iin ident.IIN) ([]Kept[Person], error) {
	kept, err := t.Tx.Person(ctx, iin)
	if err != nil || t.person == nil {
		return kept, err
	}
	if kept = beside(kept); t.person.Verdict == Good {
		kept = append(kept, Kept[Person]{Source: SourcePersons, Value: t.person.Value})
	}
	return kept, nil
}

func (t *told) Contact(ctx context.Context, iin ident.IIN) ([]Kept[MobileContact], error) {
	if t.contact == nil {
		return t.Tx.Contact(ctx, iin)
	}
	if t.contact.Verdict == Good {
		return []Kept[MobileContact]{{Source: SourceMobile, Value: t.contact.Value}}, nil
	}
	return nil, nil
}

// dated is the head of an answer that names the day of appointment; without the day it is unknown,
// unless the installation is set to take it, and then it says so (registries.md §11.2).
func (b *Book) dated(a Answer[Head]) Answer[Head] {
	if a.Verdict != Good || a.Value.Leader.AppointedOn != "" {
		return a
	}
	if b.c.AllowNoAppointmentDate {
		a.Detail = map[string]string{"warning": NoAppointmentDate}
		return a
	}
	a.Verdict, a.Code, a.Value = Unknown, NoAppointmentDate, Head{}
	return a
}

// today reports a day the live services speak of: they know the present head, loads the past ones.
func (b *Book) today(on time.Time) bool { return DateOf(on) >= DateOf(b.c.Now()) }
