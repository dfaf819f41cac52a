package notice

import (
	"context"
	"time"

	"senim/internal/ident"
)

// Short is one short message as a person gets it.
type Short struct {
	// Ref names the message, 16 to 64 digits and lower-case letters, random: a gateway sees it, and
	// reports come back with it. The caller keeps it before sending.
	Ref string
	To  ident.Phone
	// Text is what [gsm.Shape] takes.
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

// Texter hands short messages to an operator. Send returns the names the operator gave to the parts
// of the message, and how it ended. It never tries twice what may have been taken.
type Texter interface {
	Send(ctx context.Context, m Short) (parts []string, o Outcome)
}

// Receipt is what the operator says later of a message, or of one part of it.
type Receipt struct {
	// Part is the name the operator gave to the part, for SMPP; Ref is the message's own, for HTTP.
	Part, Ref string
	// State is Sent (still on its way), Delivered or Failed.
	State State
}

// Advance is how a message stands after a receipt. Changed is false when the receipt says nothing
// new: a repeated one, one that came late, or one that contradicts the end.
func Advance(now, receipt State) (next State, changed bool) {
	switch now {
	case Sent:
		changed = receipt == Delivered || receipt == Failed
	case Uncertain:
		changed = receipt == Sent || receipt == Delivered || receipt == Failed
	case Waiting, Sending, Throttled, Stopped, Delivered, Failed:
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
		case Waiting, Sending, Sent, Throttled, Stopped:
		}
	}
	switch {
	case len(parts) > 0 && delivered == len(parts):
		return Delivered
	case uncertain:
		return Uncertain
	}
	return Sent
}
