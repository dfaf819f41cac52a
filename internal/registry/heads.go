package registry

import (
	"slices"

	"senim/internal/ident"
)

// tenure is who heads an organisation, and since when: nobody when iin is empty.
type tenure struct {
	iin      ident.IIN
	since    Date
	disputed bool // the registry names two: the head is unknown, so there is no change to follow yet
}

// headOn is who heads an organisation on a day by the leaders of all sources, earliest appointment first: the last
// appointed on or before it, unless he is dismissed.
func headOn(leaders []KeptLeader, on Date) (t tenure) {
	var last Leader
	for _, k := range leaders {
		l := k.Value
		if l.AppointedOn > on {
			break
		}
		same := l.AppointedOn == last.AppointedOn
		if same && l.IIN == last.IIN && l.DismissedOn == "" {
			l.DismissedOn = last.DismissedOn // one source knows of the dismissal, another does not yet
		}
		t.disputed = k.Disputed || t.disputed && same
		last = l
	}
	t.iin, t.since = last.IIN, last.AppointedOn
	if d := last.DismissedOn; d != "" && d <= on {
		t = tenure{since: d}
	}
	return t
}

// turns are the days after a day on which somebody begins or ceases to head an organisation.
func turns(leaders []KeptLeader, after Date) (days []Date) {
	for _, k := range leaders {
		for _, d := range []Date{k.Value.AppointedOn, k.Value.DismissedOn} {
			if d > after {
				days = append(days, d)
			}
		}
	}
	slices.Sort(days)
	return slices.Compact(days)
}

// changes are the new heads to be told of, today's first. That nobody heads it is a change as well.
func changes(was, is []KeptLeader, today Date) (told []tenure) {
	for _, day := range append([]Date{today}, turns(is, today)...) {
		before, after := headOn(was, day), headOn(is, day)
		if after.disputed || before.iin == after.iin && !before.disputed {
			continue
		}
		if n := len(told); n > 0 && told[n-1] == after {
			continue // he came on an earlier day
		}
		told = append(told, after)
	}
	return told
}
