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

// Calendar says when loads are expected. The zero Calendar is Monday, Wednesday and Friday, 06:00.
type Calendar struct {
	Days   []time.Weekday
	Hour   int // in Astana
	Minute int
}

func (c Calendar) orDefault() Calendar {
	if len(c.Days) == 0 {
		return Calendar{Days: []time.Weekday{time.Monday, time.Wednesday, time.Friday}, Hour: 6}
	}
	return c
}

// Next is the first slot after now.
func (c Calendar) Next(now time.Time) time.Time { return c.slot(now, 1) }

// Last is the newest slot not after now.
func (c Calendar) Last(now time.Time) time.Time { return c.slot(now, -1) }

// Delayed reports that the newest slot passed and the last load was received before it.
func (c Calendar) Delayed(received, now time.Time) bool { return received.Before(c.Last(now)) }

func (c Calendar) slot(now time.Time, step int) time.Time {
	c = c.orDefault()
	y, m, d := now.In(lang.Astana).Date()
	for n := 0; n <= 7; n++ {
		at := time.Date(y, m, d+n*step, c.Hour, c.Minute, 0, 0, lang.Astana)
		if at.After(now) != (step > 0) {
			continue
		}
		for _, day := range c.Days {
			if at.Weekday() == day {
				return at
			}
		}
	}
	return time.Time{} // not reached: a week has every weekday
}
