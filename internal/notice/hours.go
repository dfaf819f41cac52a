package notice

import (
	"time"

	"senim/internal/lang"
)

// Hours are those of a day, in Astana, when phones may ring: from From o'clock until To o'clock.
type Hours struct{ From, To int }

// Daytime is the usual choice (decision D4).
var Daytime = Hours{From: 9, To: 20}

// Next is the first moment, not before now, when a short message of a class may go. Codes go at
// once: somebody waits for them. Hours that hold no time at all hold everything.
func (h Hours) Next(now time.Time, class Class) time.Time {
	if class == Transaction || h.From < 0 || h.To > 24 || h.From >= h.To {
		return now
	}
	local := now.In(lang.Astana)
	at := func(days, hour int) time.Time {
		return time.Date(local.Year(), local.Month(), local.Day()+days, hour, 0, 0, 0, lang.Astana)
	}
	switch {
	case local.Before(at(0, h.From)):
		return at(0, h.From)
	case local.Before(at(0, h.To)):
		return now
	}
	return at(1, h.From)
}
