package notice

import (
	"time"

	"senim/internal/lang"
)

// Stage is one planned reminder before a key set expires.
type Stage struct {
	// Name is "1m", "28d", "14d" or "7d"; with the key set's id it names the reminder.
	Name string
	// At is when it is due: 10:00 in Astana of its day.
	At time.Time
}

// Stages plans the e-mail reminders of a key set, earliest first: 28, 14 and 7 days before the day
// of notAfter in Astana for a person; one calendar month, 14 and 7 days for an organisation
// (notifications.md §2; when the month before has no such day, its last day).
func Stages(notAfter time.Time, legal bool) []Stage {
	y, m, d := notAfter.In(lang.Astana).Date()
	at := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 10, 0, 0, 0, lang.Astana) }
	first := Stage{"28d", at(y, m, d-28)}
	if legal {
		last := time.Date(y, m, 0, 0, 0, 0, 0, lang.Astana).Day() // of the month before
		first = Stage{"1m", at(y, m-1, min(d, last))}
	}
	return []Stage{first, {"14d", at(y, m, d-14)}, {"7d", at(y, m, d-7)}}
}

// Due is the newest stage whose time has come: older ones that were missed are dropped. None is due
// before the first, nor on the day of notAfter in Astana and after it.
func Due(stages []Stage, now, notAfter time.Time) (s Stage, ok bool) {
	y, m, d := notAfter.In(lang.Astana).Date()
	if !now.Before(time.Date(y, m, d, 0, 0, 0, 0, lang.Astana)) {
		return Stage{}, false
	}
	for _, next := range stages {
		if !next.At.After(now) {
			s, ok = next, true
		}
	}
	return s, ok
}

// DaysLeft counts the days from now's day to that of notAfter, both in Astana.
func DaysLeft(now, notAfter time.Time) int {
	day := func(t time.Time) time.Time {
		y, m, d := t.In(lang.Astana).Date()
		return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	}
	return int(day(notAfter).Sub(day(now)).Hours()) / 24
}

// KeySet is the certificates issued by one application: one, or a pair. One reminder speaks of all.
type KeySet struct {
	// ID names the set for good.
	ID string
	// Capacity is the same for sets of one person in one capacity (IIN, BIN, role) and only for
	// those. It is compared, and kept nowhere.
	Capacity string
	Legal    bool
	Issued   time.Time
	NotAfter time.Time
	// SignIn and Signing say what the set's certificates are for, together.
	SignIn, Signing bool
	Revoked         bool
	// Held: every certificate of the set is on hold. Reminders go on when the hold is lifted.
	Held bool
	// Ended is not empty when the person may not act any more in this capacity: "dismissed",
	// "head-changed", "liquidated", "dead", "excluded", "unsubscribed".
	Ended string

	// To is the confirmed e-mail of the person, or of the organisation's key set; empty when
	// there is none.
	To   string
	Lang lang.Tag
	// Name, Org and Role fill the text; Link leads to the cabinet.
	Name, Org, Role, Link string
}

// Reasons why a reminder is not sent.
const (
	Successor = "successor"
	Revoked   = "revoked"
	OnHold    = "hold"
)

// Stop gives the reason why reminders of set are not sent (notifications.md §2.1), empty when they
// are. Others are the sets of the same capacity, set itself may be among them. A successor covers
// the same use, lives longer and is not revoked.
func Stop(set KeySet, others []KeySet) string {
	switch {
	case set.Revoked:
		return Revoked
	case set.Ended != "":
		return set.Ended
	}
	for _, o := range others {
		if o.ID != set.ID && o.Capacity == set.Capacity && !o.Revoked && o.NotAfter.After(set.NotAfter) &&
			(o.SignIn || !set.SignIn) && (o.Signing || !set.Signing) {
			return Successor
		}
	}
	if set.Held {
		return OnHold
	}
	return ""
}
