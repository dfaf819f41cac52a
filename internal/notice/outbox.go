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
	// Message has N, Channel, Lang, Expires, About, and as Key its [Message.Identity]. The values are
	// empty once they are Wiped, and the address unless it is to be known when the letter comes back.
	Message
	State State
	// Who is the keyed hash of the address, for logs and for what is known of it.
	Who string
	// Ref is the random name a short message goes by; it is kept before it goes.
	Ref string
	// Why tells how it ended, or what it waits for; Code is the number the other side gave.
	Why  string
	Code int
	// Attempts counts the tries that failed.
	Attempts int
	Created  time.Time
	// Due is when it is to be tried next.
	Due time.Time
	// Claimed is when a worker took it last, Claims how often without saying how that ended.
	Claimed time.Time
	Claims  int
	// Done is when it ended; zero while waiting.
	Done time.Time
}

// Returns reports that a letter that ended may still come back: its address is kept for that.
func (o Outgoing) Returns() bool {
	return o.Channel == Email && (o.State == Sent || o.State == Failed)
}

// Wiped reports that the values are not needed any more. An operator may still send
// what is uncertain, but no code that nobody waits for.
func (o Outgoing) Wiped() bool {
	switch o.State {
	case Waiting, Sending, Throttled:
		return false
	case Uncertain:
		return ClassOf(o.N) == Transaction
	case Sent, Delivered, Stopped, Failed:
	}
	return true
}

// open reports that the message has not ended.
func (o Outgoing) open() bool { return o.State == Waiting || o.State == Sending }

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
	// SaveOutgoing writes State, Ref, Why, Code, Attempts, Due, Claimed, Claims and Done. It wipes the
	// values when they are [Outgoing.Wiped], and then the address too unless it [Outgoing.Returns].
	SaveOutgoing(ctx context.Context, o Outgoing) error
	// Received lists the numbers of what was sent since a moment to the address of message id, and of
	// what is being sent there now.
	Received(ctx context.Context, id int64, since time.Time) ([]string, error)
	// Examine notes that a stage of a key set was looked at. First is false when it had been.
	Examine(ctx context.Context, set, stage string, at time.Time) (first bool, err error)
	deliveryTx
	reportTx
	scanTx

	Notify(ctx context.Context, m Message) error
	Enqueue(ctx context.Context, j job.Job) error
	Audit(ctx context.Context, e audit.Event) error
}

// retries are the pauses after the first, second … failed try (rule I3); ends: it says itself until when
// it makes sense.
func retries(c Class, ends bool) []time.Duration {
	all := []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 4 * time.Hour}
	if c == Transaction && !ends {
		return all[:3] // a later code or link would be dead on arrival
	}
	return all
}

// fail is what becomes of a message after a failed try; after is the shortest pause the other side
// asks for.
func (o Outgoing) fail(now time.Time, after time.Duration, refused bool) Outgoing {
	o.Attempts++
	pauses := retries(ClassOf(o.N), !o.Expires.IsZero())
	if refused {
		return o.end(Failed, "refused", now)
	}
	if o.Attempts > len(pauses) {
		return o.end(Failed, "unreachable", now)
	}
	o.Due = now.Add(max(after, pauses[o.Attempts-1]))
	if !o.Expires.IsZero() && !o.Due.Before(o.Expires) {
		return o.end(Failed, "unreachable", now)
	}
	return o.wait("unreachable")
}

// wait lets a message be tried again when it is Due.
func (o Outgoing) wait(why string) Outgoing {
	o.State, o.Why, o.Claims = Waiting, why, 0
	return o
}

func (o Outgoing) end(s State, why string, now time.Time) Outgoing {
	o.State, o.Why, o.Done = s, why, now
	return o
}
