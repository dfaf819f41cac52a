package notice

import "time"

// Fate is what a report says of a letter.
type Fate string

// The fates of a letter.
const (
	Hard      Fate = "hard"      // the address does not exist or takes no mail
	Soft      Fate = "soft"      // not delivered now: full, busy, refused for its content
	Delayed   Fate = "delayed"   // the server still tries
	Arrived   Fate = "arrived"   // delivered, or passed on
	Complaint Fate = "complaint" // the reader calls it unwanted (RFC 5965)
)

// FateOf tells a hard failure from a soft one by its enhanced code: hard is only what no later
// letter can mend, an address or mail box that is not there (RFC 3463 §3.2, §3.3; RFC 7505).
func FateOf(code string) Fate {
	switch code {
	case "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1":
		return Hard
	}
	return Soft
}

// Failure is one letter that did not arrive.
type Failure struct {
	At   time.Time
	Fate Fate // Hard or Soft; others do not count
}

// The bounds of rule I5.
const (
	softBound  = 3
	softWindow = 7 * 24 * time.Hour
)

// Working tells whether letters to an address still make sense: not after one hard failure, nor
// after three soft ones within seven days (rule I5). Failures before the address was last confirmed
// by its owner do not count; confirmed is zero when it never was. The order of failures is free.
func Working(failures []Failure, confirmed time.Time) bool {
	var soft []time.Time
	for _, f := range failures {
		switch {
		case f.At.Before(confirmed):
		case f.Fate == Hard:
			return false
		case f.Fate == Soft:
			soft = append(soft, f.At)
		}
	}
	for _, first := range soft {
		n := 0
		for _, at := range soft {
			if d := at.Sub(first); d >= 0 && d <= softWindow {
				n++
			}
		}
		if n >= softBound {
			return false
		}
	}
	return true
}
