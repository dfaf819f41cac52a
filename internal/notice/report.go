package notice

import (
	"context"
	"errors"
	"fmt"
	"time"

	"senim/internal/audit"
)

// Report is what an operator sees of the messages.
type Report struct {
	// Oldest is how long the oldest message is due and not sent; zero when none is.
	Oldest time.Duration
	// Waiting counts the messages that wait, all of them.
	Waiting int
	// Ended counts what ended in the last seven days by state; Why counts the failures by their reason.
	Ended map[State]int
	Why   map[string]int
	// Uncertain are the short messages, and letters, that may have gone, newest first, at most a hundred.
	Uncertain []Doubt
	// Bad counts the addresses to which letters do not arrive.
	Bad int
	// Day are the numbers of today by channel.
	Day []Given
	// Reminded counts the reminders of the last seven days that had an address, NoContact those without
	// any: their owners cannot be reminded.
	Reminded, NoContact int
}

// Doubt is a message that may have been sent.
type Doubt struct {
	ID      int64
	N       string
	Channel Channel
	// Who is the keyed hash of its address.
	Who  string
	At   time.Time
	Why  string
	Code int
	// Again: it may be sent again by [Sender.Settle].
	Again bool
}

// Given is how much of a day's bound is used.
type Given struct {
	Channel   Channel
	Sent, Cap int
}

// Near reports that an operator should know: four fifths are used.
func (g Given) Near() bool { return g.Cap > 0 && g.Sent >= nearly(g.Cap) }

// reportTx is what a [Report] needs of a transaction.
type reportTx interface {
	// OldestDue is when the oldest message waiting was due, zero when none waits; waiting counts them.
	OldestDue(ctx context.Context) (due time.Time, waiting int, err error)
	// Ended counts messages that ended since a moment, by state, and the failed by reason.
	Ended(ctx context.Context, since time.Time) (states map[State]int, why map[string]int, err error)
	// InDoubt lists the uncertain messages, newest first.
	InDoubt(ctx context.Context, limit int) ([]Outgoing, error)
	// BadAddresses counts them.
	BadAddresses(ctx context.Context) (int, error)
	// Forget deletes messages that ended before a moment, with all that belongs to them, and the
	// addresses of those that ended before returns.
	Forget(ctx context.Context, before, returns time.Time) error
}

// Counts of days; see Tx.Count.
const (
	countReminded  = "reminded"
	countNoContact = "no-contact"
)

const reportDays = 7

// Report tells how the messages stand.
func (s *Sender) Report(ctx context.Context) (Report, error) {
	var r Report
	err := s.c.Store.View(ctx, func(tx Tx) error {
		r = Report{}
		now := s.c.Now()
		due, waiting, err := tx.OldestDue(ctx)
		if err != nil {
			return err
		}
		if r.Waiting = waiting; !due.IsZero() {
			r.Oldest = max(0, now.Sub(due))
		}
		if r.Ended, r.Why, err = tx.Ended(ctx, now.AddDate(0, 0, -reportDays)); err != nil {
			return err
		}
		doubts, err := tx.InDoubt(ctx, 100)
		if err != nil {
			return err
		}
		for _, o := range doubts {
			r.Uncertain = append(r.Uncertain, Doubt{ID: o.ID, N: o.N, Channel: o.Channel, Who: o.Who, At: o.Done, Why: o.Why, Code: o.Code, Again: !o.Wiped()})
		}
		if r.Bad, err = tx.BadAddresses(ctx); err != nil {
			return err
		}
		for _, c := range []Channel{Email, SMS} {
			n, err := tx.Counted(ctx, dayOf(now), c.word())
			if err != nil {
				return err
			}
			r.Day = append(r.Day, Given{c, n, s.c.Caps[c]})
		}
		for back := range reportDays {
			for what, sum := range map[string]*int{countReminded: &r.Reminded, countNoContact: &r.NoContact} {
				n, err := tx.Counted(ctx, dayOf(now.AddDate(0, 0, -back)), what)
				if err != nil {
					return err
				}
				*sum += n
			}
		}
		return nil
	})
	if err != nil {
		return Report{}, fmt.Errorf("report of messages: %w", err)
	}
	return r, nil
}

// ErrSettled says that a message is not in doubt any more, or cannot be sent again.
var ErrSettled = errors.New("the message is not in doubt, or cannot be sent again")

// Settle is an operator's word about a message in doubt: it was Sent, it Failed, or it is to go again
// (Waiting). By names the operator for the audit, never by a personal number.
func (s *Sender) Settle(ctx context.Context, id int64, as State, by string) error {
	err := s.c.Store.Update(ctx, func(tx Tx) error {
		o, err := tx.Outgoing(ctx, id)
		if err != nil {
			return err
		}
		if o.State != Uncertain || as == Waiting && o.Wiped() || as != Waiting && as != Sent && as != Failed {
			return ErrSettled
		}
		now := s.c.Now()
		if as == Waiting {
			o = o.wait("")
			o.Ref, o.Due, o.Done = "", now, time.Time{} // another message: its receipts are its own
			err = errors.Join(tx.DropParts(ctx, o.ID), tx.Enqueue(ctx, o.job(now)))
		} else {
			o = o.end(as, "operator", now)
		}
		if err := errors.Join(err, tx.SaveOutgoing(ctx, o)); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.Event{Action: "notice.settled", Actor: by, Object: o.Key[:min(len(o.Key), 16)], Result: string(as),
			Detail: map[string]string{"n": o.N, "channel": o.Channel.word()}})
	})
	if err != nil {
		return fmt.Errorf("settle notice %d: %w", id, err)
	}
	return nil
}

// SweepKind is the job that forgets messages long ended; ask for it once a day.
const SweepKind = "notice.sweep"

const (
	// keepUsual is notify.keep when it is not set.
	keepUsual = 180 * 24 * time.Hour
	// returnDays is how long a letter may come back: mail servers give up after five (RFC 5321 §4.5.4.1).
	returnDays = 14
)

// Sweep is the handler of [SweepKind] jobs: what ended [SenderConfig.Keep] ago is forgotten, and where a letter
// went when it cannot come back any more.
func (s *Sender) Sweep(ctx context.Context, _ []byte) error {
	now := s.c.Now()
	return s.c.Store.Update(ctx, func(tx Tx) error {
		return tx.Forget(ctx, now.Add(-s.c.Keep), now.AddDate(0, 0, -returnDays))
	})
}
