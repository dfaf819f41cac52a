package registry

import "context"

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
