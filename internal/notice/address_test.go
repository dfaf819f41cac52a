package notice

import (
	"testing"
	"time"
)

var at = time.Date(2026, 3, 2, 6, 0, 0, 0, time.UTC)

// NT-14: three soft failures in seven days, or one hard.
func TestNT14AddressesGoBad(t *testing.T) {
	day := 24 * time.Hour
	soft := func(after ...time.Duration) (all []Failure) {
		for _, d := range after {
			all = append(all, Failure{at.Add(d), Soft})
		}
		return all
	}
	for name, c := range map[string]struct {
		failures  []Failure
		confirmed time.Time
		works     bool
	}{
		"none":                         {nil, time.Time{}, true},
		"two soft":                     {soft(0, day), time.Time{}, true},
		"third of four in seven days":  {soft(0, 2*day, 4*day), time.Time{}, false},
		"four in seven days":           {soft(0, 2*day, 4*day, 6*day), time.Time{}, false},
		"three in just seven days":     {soft(0, 3*day, 7*day), time.Time{}, false},
		"three in a second more":       {soft(0, 3*day, 7*day+time.Second), time.Time{}, true},
		"out of order":                 {soft(4*day, 0, 2*day), time.Time{}, false},
		"the window slides":            {soft(0, 6*day, 8*day, 9*day), time.Time{}, false},
		"hard":                         {[]Failure{{at, Hard}}, time.Time{}, false},
		"hard, then confirmed":         {[]Failure{{at, Hard}}, at.Add(time.Hour), true},
		"confirmed, then hard":         {[]Failure{{at, Hard}}, at.Add(-time.Hour), false},
		"two before, one after":        {soft(0, day, 3*day), at.Add(2 * day), true},
		"delays and complaints beside": {[]Failure{{at, Delayed}, {at, Complaint}, {at, Arrived}, {at, Soft}}, time.Time{}, true},
	} {
		if got := Working(c.failures, c.confirmed); got != c.works {
			t.Errorf("%s: works %v", name, got)
		}
	}
}
