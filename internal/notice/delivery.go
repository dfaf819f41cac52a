package notice

import (
	"context"
	"time"
)

// Address is what is known of an address, by its keyed hash and not by itself.
type Address struct {
	Who string
	// Bad is when letters to it stopped to make sense (rule I5); Muted when its reader wanted no more
	// reminders there; Confirmed when its owner last confirmed it. Zero: never.
	Bad, Muted, Confirmed time.Time
}

// Part is one part of a short message, by the name the message centre gave it.
type Part struct {
	Name  string
	State State
}

// deliveryTx is what sending and what comes back need of a transaction.
type deliveryTx interface {
	// ByLetter finds the message whose [Letter.ID] this is; ByRef the one that went by a name; ByPart
	// the one with such a part. ErrNotFound when there is none.
	ByLetter(ctx context.Context, id string) (Outgoing, error)
	ByRef(ctx context.Context, ref string) (Outgoing, error)
	ByPart(ctx context.Context, name string) (Outgoing, error)
	// Parts are those of a message in their order; SavePart adds one or writes its state; DropParts
	// forgets them.
	Parts(ctx context.Context, id int64) ([]Part, error)
	SavePart(ctx context.Context, id int64, p Part) error
	DropParts(ctx context.Context, id int64) error

	// Address reads what is known; of an address nothing is known about only Who is set.
	Address(ctx context.Context, who string) (Address, error)
	SaveAddress(ctx context.Context, a Address) error
	// Failures lists the letters to an address that did not arrive; AddFailure adds one.
	Failures(ctx context.Context, who string) ([]Failure, error)
	AddFailure(ctx context.Context, who string, f Failure) error

	// Count adds to a day's number of something, as "email"; Counted reads it. Nodes of one
	// installation do not wait for each other.
	Count(ctx context.Context, day, what string, n int) error
	Counted(ctx context.Context, day, what string) (int, error)

	// Hash is the keyed hash of an address.
	Hash(value string) string
}

// word names a channel in records and counts.
func (c Channel) word() string {
	if c == Email {
		return "email"
	}
	return string(c)
}
