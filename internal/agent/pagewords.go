package agent

import (
	"errors"

	"senim/internal/keystore"
)

// plainError is why something failed, in words of our own that anybody may read.
type plainError string

func (e plainError) Error() string { return string(e) }

// forPage is what a page is told of a failure. What exactly failed is for the person and the log: errors of the libraries
// hold addresses behind his firewall.
func (a *Agent) forPage(err error) string {
	why, plain := errors.AsType[plainError](err)
	_, stamp := errors.AsType[*stampError](err)
	switch {
	case stamp && plain:
		return "time-stamp service: " + why.Error()
	case stamp:
		a.log.Warn("no time-stamp", "err", err)
		return "time-stamp service: no answer"
	case plain:
		return why.Error()
	}
	for _, known := range []error{errNoStamp, errRefused, errOrigin, errInner, errNotWanted, keystore.ErrToken, keystore.ErrCannot} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	a.log.Warn("an act failed", "err", err)
	return "the act failed"
}
