package registry

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"senim/internal/ident"
)

// Config is what a [Book] needs.
type Config struct {
	Store Store
	// Rules say which test identities are admitted in batches and changes.
	Rules ident.Rules
	// MaxAge is how old the last load of a source may be before its answers are unknown; 7 days
	// when zero. Clerks' changes do not grow old by themselves: the desk is where they change.
	MaxAge time.Duration
	// Calendar says when loads are expected.
	Calendar Calendar
	// Live asks the state services for books with a purpose ([Book.For]); nil asks nobody
	// (registry.ask_live).
	Live Live
	// AllowNoAppointmentDate takes a head whose day of appointment a state service does not tell
	// (gate.allow_no_appointment_date).
	AllowNoAppointmentDate bool
	// Meter counts answers; nil counts nothing.
	Meter Meter
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Meter counts what a book answers. It is told sources and verdicts, never what was asked about. It is called
// concurrently.
type Meter interface {
	// Answered counts an answer. The source is empty when none knows.
	Answered(source string, v Verdict)
	// Looked tells how long a look into the records took.
	Looked(took time.Duration)
}

// unmetered counts nothing.
type unmetered struct{}

func (unmetered) Answered(string, Verdict) {}
func (unmetered) Looked(time.Duration)     {}

// Book answers questions and takes loads. It is safe for concurrent use.
type Book struct {
	c       Config
	purpose Purpose   // of those who ask; empty: loads answer alone
	asker   ident.IIN // empty: the system
}

// New checks the configuration.
func New(c Config) (*Book, error) {
	if c.Store == nil {
		return nil, errors.New("new registry: no store")
	}
	if c.MaxAge == 0 {
		c.MaxAge = 7 * 24 * time.Hour
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Meter == nil {
		c.Meter = unmetered{}
	}
	return &Book{c: c}, nil
}

// Entity tells who an organisation is. Bad: EntityUnknown (no fresh source knows it),
// EntityLiquidated (Value holds the date), NoHeadOffice (a unit whose head office is not known).
func (b *Book) Entity(ctx context.Context, bin ident.BIN) Answer[LegalEntity] {
	t, live := b.askLegal(ctx, bin)
	if settled(b, live) {
		return asked[LegalEntity](ctx, b, live)
	}
	a := ask(ctx, b, func(tx Tx, now time.Time) (Answer[LegalEntity], error) { return b.entity(ctx, t.over(tx), bin, now) })
	if t == nil {
		a = given(ctx, b, string(bin), a)
	}
	return a
}

// Head tells who heads an organisation on a day: the day of on, in Astana. Bad: what [Book.Entity]
// says is bad; NoHead (Value.Leader is who headed it last, if anybody did); HeadFuture (Value.Next
// is appointed from a later day, and nobody heads it now). Unknown: SourcesDisagree, TwoHeads, TooOld,
// NoAppointmentDate, or why a state service could not be asked.
func (b *Book) Head(ctx context.Context, bin ident.BIN, on time.Time) Answer[Head] {
	var t *told
	if b.today(on) {
		var live Answer[Legal]
		if t, live = b.askLegal(ctx, bin); settled(b, live) {
			return asked[Head](ctx, b, live)
		}
	}
	a := ask(ctx, b, func(tx Tx, now time.Time) (Answer[Head], error) { return b.head(ctx, t.over(tx), bin, DateOf(on), now) })
	if t == nil {
		a = given(ctx, b, string(bin), a)
	}
	return a
}

// Person tells who a person is. Bad: PersonUnknown, PersonExcluded (excluded, dead or incapable).
func (b *Book) Person(ctx context.Context, iin ident.IIN) Answer[Person] {
	var t *told
	var live Answer[Person]
	if b.asks() {
		live = b.c.Live.Person(ctx, b.purpose, iin)
		if settled(b, live) {
			return asked[Person](ctx, b, live)
		}
		if live.Verdict == Good || live.Verdict == Bad {
			t = &told{loads: map[string]Load{SourcePersons: moment(live)}, person: &live}
		}
	}
	a := ask(ctx, b, func(tx Tx, now time.Time) (Answer[Person], error) { return b.person(ctx, t.over(tx), iin, now) })
	if t == nil {
		a = given(ctx, b, string(iin), a)
	}
	if a.Verdict == Unknown && live.Code == ConsentNeeded {
		return asked[Person](ctx, b, live) // nobody else knows: the person can help
	}
	return a
}

func (b *Book) person(ctx context.Context, tx Tx, iin ident.IIN, now time.Time) (Answer[Person], error) {
	kept, err := tx.Person(ctx, iin)
	if err != nil {
		return Answer[Person]{}, err
	}
	best, err := newest(ctx, b, tx, kept, now)
	if err != nil {
		return best, err
	}
	switch {
	case best.Source == "":
		return absent[Person](ctx, b, tx, PersonUnknown, now, SourcePersons)
	case best.Verdict == Good && (best.Value.Excluded || best.Value.Dead || best.Value.Incapable):
		best.Verdict, best.Code = Bad, PersonExcluded
	}
	return best, nil
}

// Phone tells where a person gets short messages. Bad: NoPhone, he registered none.
func (b *Book) Phone(ctx context.Context, iin ident.IIN) Answer[MobileContact] {
	var t *told
	if b.asks() {
		live := b.c.Live.Phone(ctx, b.purpose, iin)
		if settled(b, live) {
			return asked[MobileContact](ctx, b, live)
		}
		if live.Verdict == Good || live.Verdict == Bad {
			t = &told{loads: map[string]Load{SourceMobile: moment(live)}, contact: &live}
		}
	}
	a := ask(ctx, b, func(tx Tx, now time.Time) (Answer[MobileContact], error) { return b.phone(ctx, t.over(tx), iin, now) })
	if t == nil {
		a = given(ctx, b, string(iin), a)
	}
	return a
}

func (b *Book) phone(ctx context.Context, tx Tx, iin ident.IIN, now time.Time) (Answer[MobileContact], error) {
	kept, err := tx.Contact(ctx, iin)
	if err != nil {
		return Answer[MobileContact]{}, err
	}
	best, err := newest(ctx, b, tx, kept, now)
	if err != nil || best.Source != "" {
		return best, err
	}
	return absent[MobileContact](ctx, b, tx, NoPhone, now, SourceMobile)
}

// Loads lists the newest loads of all sources, newest first, for the page of registry updates.
func (b *Book) Loads(ctx context.Context, limit int) (all []Load, err error) {
	err = b.c.Store.View(ctx, func(tx Tx) error { all, err = tx.Loads(ctx, limit); return err })
	return all, err
}

// NextLoad is when data are expected next.
func (b *Book) NextLoad(ctx context.Context) time.Time { return b.calendar(ctx).Next(b.c.Now()) }

// ask turns a failure into an unknown answer.
func ask[T any](ctx context.Context, b *Book, f func(Tx, time.Time) (Answer[T], error)) Answer[T] {
	now, begun := b.c.Now(), time.Now()
	var a Answer[T]
	c := b.c.Calendar
	err := b.c.Store.View(ctx, func(tx Tx) (err error) {
		if c, err = b.calendarIn(ctx, tx); err == nil {
			a, err = f(tx, now)
		}
		return err
	})
	if err != nil {
		a = Answer[T]{Verdict: Unknown, Code: Unreachable, Err: fmt.Errorf("ask registry: %w", err)}
	}
	a.NextLoad = c.Of(a.Source).Next(now)
	b.c.Meter.Looked(time.Since(begun))
	b.c.Meter.Answered(a.Source, a.Verdict)
	return a
}

func (b *Book) entity(ctx context.Context, tx Tx, bin ident.BIN, now time.Time) (Answer[LegalEntity], error) {
	kept, err := tx.Entity(ctx, bin)
	if err != nil {
		return Answer[LegalEntity]{}, err
	}
	best, err := newest(ctx, b, tx, kept, now)
	if err != nil {
		return best, err
	}
	if best.Source == "" {
		return absent[LegalEntity](ctx, b, tx, EntityUnknown, now, SourceLegal)
	}
	if best.Verdict != Good {
		return best, nil
	}
	e := best.Value
	switch {
	case e.Status == Liquidated || e.Status == Reorganised:
		best.Verdict, best.Code = Bad, EntityLiquidated
	case e.Unit() && e.HeadBIN != "":
		if office, err := tx.Entity(ctx, e.HeadBIN); err != nil {
			return best, err
		} else if len(office) == 0 {
			best.Verdict, best.Code = Bad, NoHeadOffice
		}
	case e.Unit():
		best.Verdict, best.Code = Bad, NoHeadOffice
	}
	return best, nil
}

// newest is the best answer of all records; without a Source when there are none.
func newest[T any](ctx context.Context, b *Book, tx Tx, kept []Kept[T], now time.Time) (best Answer[T], err error) {
	for _, k := range kept {
		a, err := provenance(ctx, b, tx, k, now)
		if err != nil {
			return best, err
		}
		best = newer(best, a)
	}
	return best, nil
}

// newer prefers an answer that can be used, then the newer one (rule V4 for names).
func newer[T any](a, b Answer[T]) Answer[T] {
	switch {
	case a.Source == "":
		return b
	case (a.Verdict == Unknown) != (b.Verdict == Unknown):
		if a.Verdict == Unknown {
			return b
		}
		return a
	case b.AsOf.After(a.AsOf):
		return b
	}
	return a
}

// provenance dresses a record with its source's last load, and with a verdict by its age: unknown
// without the value when the source was not loaded for too long (rule V3).
func provenance[T any](ctx context.Context, b *Book, tx Tx, k Kept[T], now time.Time) (Answer[T], error) {
	l, err := vouching(ctx, tx, k.Source, k.Load)
	if err != nil {
		return Answer[T]{}, err
	}
	a := Answer[T]{Verdict: Good, Value: k.Value, Source: k.Source, LoadID: numbered(l.Number),
		RecordID: numbered(k.Record), AsOf: l.AsOf, LoadedAt: l.Received}
	if b.old(l, now) {
		var none T
		a.Verdict, a.Code, a.Value = Unknown, TooOld, none
	}
	return a, nil
}

// numbered names a load or a record; a live answer has neither.
func numbered(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// vouching is the load by which a record is known to hold: the last of its source, which would have
// ended it otherwise; of clerks, who speak about one organisation at a time, the one that brought it.
func vouching(ctx context.Context, tx Tx, source string, load int64) (Load, error) {
	if source == SourceClerk {
		return tx.LoadNumber(ctx, load)
	}
	return tx.LastLoad(ctx, source)
}

func (b *Book) old(l Load, now time.Time) bool {
	return l.Source != SourceClerk && now.Sub(l.AsOf) > b.c.MaxAge
}

// absent is the answer about what no source knows: bad when the state's own source was loaded lately, else
// unknown (rule V2). Clerks speak only of what they write down.
func absent[T any](ctx context.Context, b *Book, tx Tx, code string, now time.Time, source string) (Answer[T], error) {
	l, err := tx.LastLoad(ctx, source)
	if errors.Is(err, ErrNotFound) {
		return Answer[T]{Verdict: Unknown, Code: NeverLoaded}, nil
	}
	if err != nil {
		return Answer[T]{}, err
	}
	a := Answer[T]{Verdict: Bad, Code: code, Source: l.Source, LoadID: numbered(l.Number), AsOf: l.AsOf, LoadedAt: l.Received}
	if b.old(l, now) {
		a.Verdict, a.Code = Unknown, TooOld
	}
	return a, nil
}
