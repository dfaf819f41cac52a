package courier

import (
	"senim/internal/ident/e164"
	"senim/internal/notice"
)

// The words for short messages are those of package notice, whose rules they follow.
type (
	SMS     = notice.Short
	Outcome = notice.Outcome
	State   = notice.State
	Receipt = notice.Receipt
	Texter  = notice.Texter
	Fate    = notice.Fate
)

// The states of a short message that a way out can tell of.
const (
	Accepted  = notice.Sent
	Throttled = notice.Throttled
	Uncertain = notice.Uncertain
	Delivered = notice.Delivered
	Failed    = notice.Failed
)

// checked reports that a message can be handed over at all.
func checked(m SMS) bool {
	if len(m.Ref) < 16 || !plainID(m.Ref) {
		return false
	}
	p, err := e164.Parse(string(m.To))
	return err == nil && p == m.To
}
