package registry

import (
	"slices"
	"time"

	"senim/internal/lang"
)

// Calendar says when loads are expected. The zero Calendar is Monday, Wednesday and Friday, 06:00.
type Calendar struct {
	Days   []time.Weekday
	Hour   int // in Astana
	Minute int
	// Exceptions cancel a day's load, or add one.
	Exceptions []CalendarDay
}

// farthest bounds the search for a slot, in days: a calendar of exceptions alone ends somewhere.
const farthest = 62

func (c Calendar) orDefault() Calendar {
	if len(c.Days) == 0 {
		c.Days, c.Hour = []time.Weekday{time.Monday, time.Wednesday, time.Friday}, 6
	}
	return c
}

// Of is the calendar of one source.
func (c Calendar) Of(source string) Calendar {
	var own []CalendarDay
	for _, e := range c.Exceptions {
		if e.Source == "" || e.Source == source {
			own = append(own, e)
		}
	}
	c.Exceptions = own
	return c
}

// Next is the first slot after now; the zero time when there is none in two months.
func (c Calendar) Next(now time.Time) time.Time { return c.slot(now, 1) }

// Last is the newest slot not after now; the zero time when there was none in two months.
func (c Calendar) Last(now time.Time) time.Time { return c.slot(now, -1) }

// Delayed reports that the newest slot passed and the last load was received before it.
func (c Calendar) Delayed(received, now time.Time) bool { return c.Missed(received, now) > 0 }

// Missed counts the slots that passed since the last load was received, at most a few.
func (c Calendar) Missed(received, now time.Time) (slots int) {
	for at := c.Last(now); received.Before(at) && slots < 9; at = c.Last(at.Add(-time.Second)) {
		slots++
	}
	return slots
}

func (c Calendar) slot(now time.Time, step int) time.Time {
	c = c.orDefault()
	y, m, d := now.In(lang.Astana).Date()
	for n := 0; n <= farthest; n++ {
		at := time.Date(y, m, d+n*step, c.Hour, c.Minute, 0, 0, lang.Astana)
		if at.After(now) == (step > 0) && c.expects(at) {
			return at
		}
	}
	return time.Time{}
}

// expects reports whether a load is expected on the day; of exceptions the last one counts.
func (c Calendar) expects(at time.Time) bool {
	day, load := DateOf(at), slices.Contains(c.Days, at.Weekday())
	for _, e := range c.Exceptions {
		if e.Date == day {
			load = e.Load
		}
	}
	return load
}
