package courier

import "time"

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
