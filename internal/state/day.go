package state

import (
	"sync"
	"time"
	_ "time/tzdata" // the zone's past, on machines that have none

	"senim/internal/registry"
)

// astana is the zone of the registers, with its past: an hour later until 1 March 2024, and in summers before 2005 two.
var astana = sync.OnceValues(func() (*time.Location, error) { return time.LoadLocation("Asia/Almaty") })

// day reads a date of a register; what is none makes the record bad. A moment, as bridges write the midnight a day
// begins with, is of the day it was in Astana.
func (r *record) day(s string) registry.Date {
	for _, layout := range []string{time.DateOnly, "2006-01-02Z07:00", "2006-01-02T15:04:05"} {
		if at, err := time.Parse(layout, s); err == nil {
			return r.date(at)
		}
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05Z0700"} {
		at, err := time.Parse(layout, s)
		if err != nil {
			continue
		}
		zone, err := astana()
		if err != nil {
			break
		}
		return r.date(at.In(zone))
	}
	r.bad = r.bad || s != ""
	return ""
}

// date is the day as it is written, when registers have such a one.
func (r *record) date(at time.Time) registry.Date {
	d, ok := registry.ParseDate(at.Format(time.DateOnly))
	if !ok {
		r.bad = true
		return ""
	}
	return d
}
