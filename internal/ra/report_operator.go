package ra

import (
	"context"
	"errors"
	"fmt"
	"time"

	"senim/internal/ident"
	"senim/internal/lang"
	"senim/internal/sheet"
	"senim/internal/trust"
)

// Ends walks the certificates that end in [from, to) and are not revoked, by their end, in constant memory.
type Ends interface {
	Ending(ctx context.Context, from, to time.Time, f func(Key) error) error
}

// weeksAhead is how far [ReportWeeks] looks; lapsedDays how far back [ReportLapsed] does.
const (
	weeksAhead = 8
	lapsedDays = 30
)

// Contact says whether a person can be written to.
type Contact string

// The answers about a contact.
const (
	ContactKnown   Contact = "known"
	ContactNone    Contact = "none"
	ContactUnknown Contact = "unknown" // the registry did not answer
)

// counted are the registries for figures.
func (o *Office) counted() Counted {
	if o.c.Counted != nil {
		return o.c.Counted
	}
	return struct {
		Registry
		People
	}{o.c.Registry, o.c.People}
}

// ContactOf says whether reminders of a key reach anybody, as the reminders themselves find out: by a confirmed address
// that is not bad, or by a phone of the mobile base, the holder's, or for a key of an organisation its head's.
func (o *Office) ContactOf(ctx context.Context, k Key) (Contact, error) {
	account, err := o.Account(ctx, k.IIN)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return "", err
	}
	if account.Confirmed() != "" && !account.Bad {
		return ContactKnown, nil
	}
	iin := ident.IIN(k.IIN)
	if k.BIN != "" {
		head := o.counted().Head(ctx, "", ident.BIN(k.BIN))
		switch {
		case head.unknown():
			return ContactUnknown, nil
		case head.bad():
			return ContactNone, nil
		}
		iin = ident.IIN(head.IIN)
	}
	switch o.counted().Phone(ctx, "", iin).Verdict {
	case trust.Good:
		return ContactKnown, nil
	case trust.Bad:
		return ContactNone, nil
	case trust.Unknown:
	}
	return ContactUnknown, nil
}

// Week is what ends in a week and has no successor.
type Week struct {
	From                     time.Time
	Keys, NoContact, Unknown int
}

// ExpiringByWeek counts what ends in the coming weeks without a successor, and for how many of it nobody can be
// told. Weeks begin now; a week without keys is listed too.
func (o *Office) ExpiringByWeek(ctx context.Context) ([]Week, error) {
	now := o.c.Now()
	weeks := make([]Week, weeksAhead)
	for i := range weeks {
		weeks[i].From = now.AddDate(0, 0, 7*i)
	}
	err := o.ending(ctx, now, now.AddDate(0, 0, 7*weeksAhead), func(k Key) error {
		i := 0
		for i+1 < len(weeks) && !k.NotAfter.Before(weeks[i+1].From) {
			i++
		}
		weeks[i].Keys++
		switch c, err := o.ContactOf(ctx, k); {
		case err != nil:
			return err
		case c == ContactNone:
			weeks[i].NoContact++
		case c == ContactUnknown:
			weeks[i].Unknown++
		}
		return nil
	})
	return weeks, err
}

// ending walks what ends without a successor.
func (o *Office) ending(ctx context.Context, from, to time.Time, f func(Key) error) error {
	if o.c.Ends == nil {
		return errors.New("this office does not see what ends")
	}
	err := o.c.Ends.Ending(ctx, from, to, func(k Key) error {
		if k.ReplacedBy != "" {
			return nil
		}
		return f(k)
	})
	if err != nil {
		return fmt.Errorf("walk what ends: %w", err)
	}
	return nil
}

// WithoutContact lists at most a number of keys that end within 30 days and whose holder cannot be told. Names
// and numbers: for the desk network only.
func (o *Office) WithoutContact(ctx context.Context, limit int) ([]Key, error) {
	errEnough := errors.New("enough")
	var keys []Key
	now := o.c.Now()
	err := o.ending(ctx, now, now.AddDate(0, 0, 30), func(k Key) error {
		c, err := o.ContactOf(ctx, k)
		if err != nil || c != ContactNone {
			return err
		}
		if len(keys) == limit {
			return errEnough
		}
		keys = append(keys, k)
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return keys, err
}

// Day is how many keys ended on a day without a successor.
type Day struct {
	Day  time.Time
	Keys int
}

// Lapsed counts keys that ended in the last 30 days without a successor, by day in Astana; the latest first.
func (o *Office) Lapsed(ctx context.Context) ([]Day, error) {
	now := o.c.Now()
	counts := map[string]int{}
	err := o.ending(ctx, now.AddDate(0, 0, -lapsedDays), now, func(k Key) error {
		counts[k.NotAfter.In(lang.Astana).Format(time.DateOnly)]++
		return nil
	})
	if err != nil {
		return nil, err
	}
	var days []Day
	for i := range lapsedDays + 1 {
		day := now.AddDate(0, 0, -i)
		days = append(days, Day{day, counts[day.In(lang.Astana).Format(time.DateOnly)]})
	}
	return days, nil
}

func (o *Office) reportWeeks(ctx context.Context, r Report) (table, error) {
	t := table{columns: []column{{"week", 2}, {"keys", 1}, {"no_contact", 1}, {"contact_unknown", 1}}}
	weeks, err := o.ExpiringByWeek(ctx)
	for _, w := range weeks {
		t.rows = append(t.rows, []string{r.Lang.Date(w.From) + " – " + r.Lang.Date(w.From.AddDate(0, 0, 6)), itoa(w.Keys), itoa(w.NoContact), itoa(w.Unknown)})
	}
	return t, err
}

func (o *Office) reportNoContact(ctx context.Context, r Report) (table, error) {
	t := table{columns: []column{{"person", 4}, {"company", 4}, {"serial", 5}, {"until", 1.6}}}
	keys, err := o.WithoutContact(ctx, sheet.MaxRows)
	for _, k := range keys {
		w := o.wordsOf(r.Lang, k)
		t.rows = append(t.rows, []string{w.name, w.company, k.Serial, r.Lang.Date(k.NotAfter)})
	}
	return t, err
}

func (o *Office) reportLapsed(ctx context.Context, r Report) (table, error) {
	t := table{columns: []column{{"day", 1}, {"keys", 1}}}
	days, err := o.Lapsed(ctx)
	for _, d := range days {
		if d.Keys > 0 {
			t.rows = append(t.rows, []string{r.Lang.Date(d.Day), itoa(d.Keys)})
		}
	}
	return t, err
}
