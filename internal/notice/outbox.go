package notice

import (
	"context"
	"errors"
	"time"

	"senim/internal/audit"
	"senim/internal/job"
)

// ErrNotFound says that the outbox has no such message.
var ErrNotFound = errors.New("no such message in the outbox")

// Outgoing is a message of the outbox.
type Outgoing struct {
	ID int64
	// Message is empty but for N, Lang, Key and About once the message is not Waiting: the address
	// and the values are wiped.
	Message
	State State
	// Why tells how it ended, when not by sending.
	Why string
	// Attempts counts the tries that failed.
	Attempts int
	Created  time.Time
	// Due is when it is to be tried next.
	Due time.Time
	// Done is when it ended; zero while waiting.
	Done time.Time
}

// Store keeps the outbox and the stages of reminders.
type Store interface {
	Update(ctx context.Context, f func(Tx) error) error
	View(ctx context.Context, f func(Tx) error) error
	// UpdateMany is Update for many messages at once: what f records and asks for is written at its end.
	UpdateMany(ctx context.Context, f func(Tx) error) error
}

// Tx is one transaction.
type Tx interface {
	// Outgoing reads a message; ErrNotFound when there is none.
	Outgoing(ctx context.Context, id int64) (Outgoing, error)
	// SaveOutgoing writes State, Why, Attempts, Due and Done; when the state is not Waiting it
	// wipes the address and the values.
	SaveOutgoing(ctx context.Context, o Outgoing) error
	// Received lists the numbers of the letters sent since a moment to the address of message id.
	Received(ctx context.Context, id int64, since time.Time) ([]string, error)
	// Examine notes that a stage of a key set was looked at. First is false when it had been.
	Examine(ctx context.Context, set, stage string, at time.Time) (first bool, err error)
	scanTx

	Notify(ctx context.Context, m Message) error
	Enqueue(ctx context.Context, j job.Job) error
	Audit(ctx context.Context, e audit.Event) error
}

// retries are the pauses after the first, second … failed try (rule I3).
func retries(c Class) []time.Duration {
	all := []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 4 * time.Hour}
	if c == Transaction {
		return all[:3] // a later code or link would be dead on arrival
	}
	return all
}

// fail is what becomes of a message after a failed try.
func (o Outgoing) fail(now time.Time, err error) Outgoing {
	o.Attempts++
	pauses := retries(ClassOf(o.N))
	var refused *RefusedError
	switch {
	case errors.As(err, &refused):
		o = o.end(Failed, "refused", now)
	case o.Attempts > len(pauses):
		o = o.end(Failed, "unreachable", now)
	default:
		o.Due = now.Add(pauses[o.Attempts-1])
	}
	return o
}

func (o Outgoing) end(s State, why string, now time.Time) Outgoing {
	o.State, o.Why, o.Done = s, why, now
	return o
}
