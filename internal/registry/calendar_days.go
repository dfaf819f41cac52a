package registry

import (
	"context"
	"slices"
)

// CalendarDay is an exception of the calendar of loads (calendar.csv): a day on which a load is expected
// though its weekday has none, or is not though it has.
type CalendarDay struct {
	Date Date
	// Source is the one it speaks about; empty for every source.
	Source string
	Load   bool
	Note   string `json:",omitempty"`
}

// calendarTx reads the exceptions.
type calendarTx interface {
	// CalendarDays lists the exceptions in force, earliest day first.
	CalendarDays(ctx context.Context) ([]CalendarDay, error)
}

// calendarIn is the calendar with the exceptions that were loaded.
func (b *Book) calendarIn(ctx context.Context, tx Tx) (Calendar, error) {
	days, err := tx.CalendarDays(ctx)
	c := b.c.Calendar
	c.Exceptions = append(slices.Clone(c.Exceptions), days...)
	return c, err
}

// calendar is the same outside a transaction; as it is configured, when the database does not answer.
func (b *Book) calendar(ctx context.Context) Calendar {
	c := b.c.Calendar
	if err := b.c.Store.View(ctx, func(tx Tx) (err error) { c, err = b.calendarIn(ctx, tx); return err }); err != nil {
		return b.c.Calendar
	}
	return c
}
