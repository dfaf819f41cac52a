package registry

import (
	"time"

	"senim/internal/lang"
)

// Date is a calendar day as YYYY-MM-DD, or empty for none. Dates compare as strings.
type Date string

// ParseDate reads a date of the years 1900 to 2199; the empty text is no date.
func ParseDate(s string) (Date, bool) {
	t, err := time.Parse(time.DateOnly, s)
	return Date(s), s == "" || err == nil && t.Year() >= 1900 && t.Year() < 2200
}

// DateOf is the day of a moment in Astana.
func DateOf(t time.Time) Date { return Date(t.In(lang.Astana).Format(time.DateOnly)) }

// Time is the beginning of the day in Astana; the zero time for no date.
func (d Date) Time() time.Time {
	t, err := time.ParseInLocation(time.DateOnly, string(d), lang.Astana)
	if err != nil {
		return time.Time{}
	}
	return t
}
