package notice

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"senim/internal/lang"
)

// Plan says when people are reminded that their keys run out (notifications.md §2 and §8). The zero
// Plan is the usual one.
type Plan struct {
	// At is the time of day in Astana at which stages fall due; 10:00 when zero.
	At time.Duration
	// Individual and Legal are the stages of letters, earliest first: 28, 14 and 7 days; one month, 14
	// and 7 days when nil.
	Individual, Legal []Before
	// SMSDay is how many days before the end a short message goes; 10 when zero, none when negative.
	SMSDay int
	// SMSAlways sends the head of an organisation short messages even where letters arrive (D2).
	SMSAlways bool
}

// Before is a distance to the day a key set ends: calendar months, or days.
type Before struct{ Months, Days int }

// Name is "1m" or "28d": with the key set's id it names the reminder.
func (b Before) Name() string {
	if b.Months > 0 {
		return strconv.Itoa(b.Months) + "m"
	}
	return strconv.Itoa(b.Days) + "d"
}

// ParseStages reads stages as "28,14,7" or "1m,14,7" and orders them, earliest first.
func ParseStages(s string) ([]Before, error) {
	var all []Before
	for _, one := range strings.Split(s, ",") {
		number, months := strings.CutSuffix(strings.TrimSpace(one), "m")
		n, err := strconv.Atoi(number)
		if err != nil || n < 1 || n > 366 || months && n > 12 {
			return nil, fmt.Errorf("stage %q: it is a number of days, or of months as 1m", one)
		}
		if months {
			all = append(all, Before{Months: n})
		} else {
			all = append(all, Before{Days: n})
		}
	}
	slices.SortStableFunc(all, func(a, b Before) int { return b.reach() - a.reach() })
	return all, nil
}

// reach is how many days before the end it may fall at most.
func (b Before) reach() int { return b.Months*31 + b.Days }

// Stage is one planned reminder before a key set ends.
type Stage struct {
	// Name is "1m", "28d" … for letters, "sms10d" for the short message.
	Name string
	// Channel is by which it goes.
	Channel Channel
	// At is when it is due.
	At time.Time
}

// Usual fills in what was not chosen.
func (p Plan) Usual() Plan {
	if p.At == 0 {
		p.At = 10 * time.Hour
	}
	if p.Individual == nil {
		p.Individual = []Before{{Days: 28}, {Days: 14}, {Days: 7}}
	}
	if p.Legal == nil {
		p.Legal = []Before{{Months: 1}, {Days: 14}, {Days: 7}}
	}
	if p.SMSDay == 0 {
		p.SMSDay = 10
	}
	return p
}

// Stages plans the reminders of one channel for a key set, earliest first, by the day of notAfter in
// Astana. A month before is a calendar month; when that has no such day, its last (D3).
func (p Plan) Stages(notAfter time.Time, legal bool, c Channel) []Stage {
	p = p.Usual()
	var all []Stage
	if c == SMS {
		if p.SMSDay > 0 {
			all = append(all, Stage{"sms" + Before{Days: p.SMSDay}.Name(), SMS, p.at(notAfter, Before{Days: p.SMSDay})})
		}
		return all
	}
	stages := p.Individual
	if legal {
		stages = p.Legal
	}
	for _, b := range stages {
		all = append(all, Stage{b.Name(), Email, p.at(notAfter, b)})
	}
	return all
}

func (p Plan) at(notAfter time.Time, b Before) time.Time {
	y, m, d := notAfter.In(lang.Astana).Date()
	last := time.Date(y, m-time.Month(b.Months)+1, 0, 0, 0, 0, 0, lang.Astana).Day() // of the month b.Months before
	return time.Date(y, m-time.Month(b.Months), min(d, last)-b.Days, 0, 0, 0, 0, lang.Astana).Add(p.At)
}

// Due is the newest stage whose time has come: older ones that were missed are dropped (D5). None is
// due before the first, nor on the day of notAfter in Astana and after it.
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

// Window is the key sets of which one stage is the newest due at a moment: of persons or of
// organisations, ending in [From, To).
type Window struct {
	Stage    string
	Channel  Channel
	Legal    bool
	From, To time.Time
}

// Windows lists what is due now, whole days in Astana each.
func (p Plan) Windows(now time.Time) []Window {
	p = p.Usual()
	reach := p.SMSDay
	for _, b := range slices.Concat(p.Individual, p.Legal) {
		reach = max(reach, b.reach())
	}
	y, m, d := now.In(lang.Astana).Date()
	day := func(n int) time.Time { return time.Date(y, m, d+n, 0, 0, 0, 0, lang.Astana) }
	var all []Window
	for _, legal := range []bool{false, true} {
		for _, c := range []Channel{Email, SMS} {
			for n := 1; n <= reach; n++ {
				s, ok := Due(p.Stages(day(n), legal, c), now, day(n))
				if !ok {
					continue
				}
				if i := len(all) - 1; i >= 0 && all[i].Stage == s.Name && all[i].Legal == legal && all[i].Channel == c && all[i].To.Equal(day(n)) {
					all[i].To = day(n + 1)
					continue
				}
				all = append(all, Window{Stage: s.Name, Channel: c, Legal: legal, From: day(n), To: day(n + 1)})
			}
		}
	}
	return all
}
