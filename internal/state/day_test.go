package state

import (
	"testing"

	"senim/internal/registry"
)

// Registers write a day alone, with a zone, or as a moment. A moment is of the day it was in Astana then, also while its
// clock stood an hour or two later than now; what is none of these is no date.
func TestDay(t *testing.T) {
	for said, want := range map[string]registry.Date{
		"": "", "2026-02-27": "2026-02-27", "2026-02-27+05:00": "2026-02-27", "2012-04-05+06:00": "2012-04-05", "2026-02-27Z": "2026-02-27",
		"2026-02-27T00:00:00": "2026-02-27", "2026-02-27T23:59:59.999": "2026-02-27",
		"2026-02-27T00:00:00+05:00": "2026-02-27", "2026-01-31T19:00:00.000+0000": "2026-02-01", "2026-01-31T19:00:00Z": "2026-02-01",
		"2026-01-31T18:59:59Z": "2026-01-31", "2026-01-31T21:00:00-0500": "2026-02-01",
		"2012-04-05T00:00:00+06:00": "2012-04-05", "2012-04-04T18:00:00.000+0000": "2012-04-05",
		"1985-06-30T17:00:00Z": "1985-07-01", // summer time
	} {
		var r record
		if got := r.day(said); got != want || r.bad {
			t.Errorf("%q: %q, bad: %v", said, got, r.bad)
		}
	}
	for _, said := range []string{"2026-01-31junk", "2026-01-31 ", "2026-01-31T", "2026-01-31T25:00:00", "2026-01-31T19:00:00.000+0000junk", "2026-02-30",
		"2026-02-30T00:00:00Z", "2026-01-31+99:00", "31.01.2026", "20260131", "1700-01-01", "2300-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "null"} {
		var r record
		if got := r.day(said); got != "" || !r.bad {
			t.Errorf("%q: %q, bad: %v", said, got, r.bad)
		}
	}
}
