package courier

import (
	"context"
	"time"

	"senim/internal/ident"
)

// SMS is one short message.
type SMS struct {
	// Ref names the message, 16 to 64 digits and lower-case letters, random: a gateway sees it, and
	// reports come back with it. The caller keeps it before sending.
	Ref string
	To  ident.Phone
	// Text is what [Shape] takes.
	Text string
}

// Outcome is how an attempt to hand over a short message ended.
type Outcome struct {
	State State
	// Code is the other side's number, for the operator: an SMPP command status or an HTTP status.
	// 0 when there was none.
	Code int
	// After is when another try makes sense; only with Throttled.
	After time.Duration
}

// State is where a short message stands.
type State string

// The states. Throttled is only of outcomes: nothing was taken, the message may be tried again.
// Nothing follows Failed and Delivered; after Uncertain nobody may send again but an operator
// (rule I2), though a receipt still tells how it ended.
const (
	Accepted  State = "sent"      // the centre has it
	Throttled State = "throttled" // not now: nothing was sent
	Uncertain State = "uncertain" // it may have been sent
	Delivered State = "delivered" // the phone has it
	Failed    State = "failed"    // refused or undeliverable, for good
)

// Texter hands short messages to an operator. Send returns the names the operator gave to the parts
// of the message, and how it ended. It never tries twice what may have been taken.
type Texter interface {
	Send(ctx context.Context, m SMS) (parts []string, o Outcome)
}

// Receipt is what the operator says later of a message, or of one part of it.
type Receipt struct {
	// Part is the name the operator gave to the part, for SMPP; Ref is the message's own, for HTTP.
	Part, Ref string
	// State is Accepted (still on its way), Delivered or Failed.
	State State
}

// Advance is how a message stands after a receipt. Changed is false when the receipt says nothing
// new: a repeated one, one that came late, or one that contradicts the end.
func Advance(now, receipt State) (next State, changed bool) {
	switch now {
	case Accepted:
		changed = receipt == Delivered || receipt == Failed
	case Uncertain:
		changed = receipt == Accepted || receipt == Delivered || receipt == Failed
	case Throttled, Delivered, Failed:
	}
	if changed {
		return receipt, true
	}
	return now, false
}

// Whole is the state of a message from those of its parts: failed when one failed, delivered when
// all were.
func Whole(parts []State) State {
	delivered, uncertain := 0, false
	for _, p := range parts {
		switch p {
		case Failed:
			return Failed
		case Delivered:
			delivered++
		case Uncertain:
			uncertain = true
		case Accepted, Throttled:
		}
	}
	switch {
	case len(parts) > 0 && delivered == len(parts):
		return Delivered
	case uncertain:
		return Uncertain
	}
	return Accepted
}

// checked reports that a message can be handed over at all.
func (m SMS) checked() bool {
	if len(m.Ref) < 16 || !plainID(m.Ref) {
		return false
	}
	p, err := ident.ParsePhone(string(m.To))
	return err == nil && p == m.To
}
