package revocation

import (
	"errors"
	"time"
)

// errSilent: the responder gave no answer.
var errSilent = errors.New("no answer")

// staleError says that the newest list is past its nextUpdate.
type staleError struct {
	from  string
	ended time.Time
}

func (e *staleError) Error() string {
	return "the newest list, " + e.from + ", ended at " + stamp(e.ended)
}

// reasons says in words for pages why neither way gave an answer: ocspWhy and crlWhy are "nobody"
// (there is none to ask), "silent", "stale" (with crlEnded) or "refused" (what came does not count).
func reasons(ocspErr, listErr error) map[string]string {
	e := map[string]string{"ocspWhy": why(ocspErr), "crlWhy": why(listErr)}
	var stale *staleError
	if errors.As(listErr, &stale) {
		e["crlEnded"] = stamp(stale.ended)
	}
	return e
}

func why(err error) string {
	var stale *staleError
	switch {
	case errors.As(err, &stale):
		return "stale"
	case errors.Is(err, errNobody):
		return "nobody"
	case errors.Is(err, errSilent):
		return "silent"
	}
	return "refused"
}
