package notice

import (
	"context"
	"errors"
	"time"

	"senim/internal/audit"
	"senim/internal/job"
	"senim/internal/lang"
)

const (
	// lease is how long a claim is believed: longer than a job may run.
	lease = 3 * time.Minute
	// maxClaims is how often a letter is sent when nobody said how it ended (rule I2).
	maxClaims = 2
)

// interrupted decides about a message that a worker claimed and did not finish: ready says that it may
// be tried as if it waited. While the claim is fresh it is left alone. A letter goes once more, and is
// the same letter to its reader; a short message may have gone, and never goes by itself again.
func (s *Sender) interrupted(ctx context.Context, id int64) (ready bool, err error) {
	err = s.c.Store.Update(ctx, func(tx Tx) error {
		ready = false
		o, err := tx.Outgoing(ctx, id)
		if err != nil || o.State != Sending {
			ready = o.State == Waiting
			return ignore(err, ErrNotFound)
		}
		now := s.c.Now()
		switch end := o.Claimed.Add(lease); {
		case now.Before(end):
			return tx.Enqueue(ctx, o.job(end))
		case o.Channel == SMS || o.Claims >= maxClaims:
			return s.keep(ctx, tx, o.end(Uncertain, "interrupted", now))
		}
		o.State, ready = Waiting, true
		return tx.SaveOutgoing(ctx, o)
	})
	return ready, err
}

// claim takes a waiting message, in one transaction with all that bounds how many go: of two workers
// one has it, and no bound is passed by two at a time.
func (s *Sender) claim(ctx context.Context, id int64) (o Outgoing, mine bool, err error) {
	near := ""
	err = s.c.Store.Update(ctx, func(tx Tx) (err error) {
		mine, near = false, ""
		if o, err = tx.Outgoing(ctx, id); err != nil || o.State != Waiting {
			return ignore(err, ErrNotFound)
		}
		now := s.c.Now()
		a, err := tx.Address(ctx, o.Who)
		if err != nil {
			return err
		}
		if why := a.refuses(ClassOf(o.N)); why != "" {
			return s.keep(ctx, tx, o.end(Stopped, why, now))
		}
		if due, err := s.full(ctx, tx, o, now); err != nil {
			return err
		} else if !due.IsZero() {
			first := o.Why != "capped"
			o = o.wait("capped")
			if o.Due = due; first {
				err = s.record(ctx, tx, o, "capped")
			}
			return errors.Join(err, s.keep(ctx, tx, o))
		}
		if near, err = s.count(ctx, tx, o, now); err != nil {
			return err
		}
		o.State, o.Why, o.Claimed = Sending, "", now
		o.Claims++
		if o.Channel == SMS && o.Ref == "" {
			o.Ref = s.ref()
		}
		mine = true
		return tx.SaveOutgoing(ctx, o)
	})
	if near != "" && err == nil {
		s.c.Log.WarnContext(ctx, "four fifths of the day's messages are sent", "channel", near)
	}
	return o, mine, err
}

// refuses says why nothing of a class goes to an address, empty when it does.
func (a Address) refuses(c Class) string {
	switch {
	case !a.Bad.IsZero() && bounded(c):
		return "address-bad"
	case !a.Muted.IsZero() && c == Reminder:
		return "unsubscribed"
	}
	return ""
}

// bounded are the classes that people can do without for a day.
func bounded(c Class) bool { return c == Business || c == Reminder }

// full gives the moment until which a message must wait: its address got its share of the day, or the
// installation did; zero when it may go. Codes, links and security messages always may, and the
// installation's bound holds back reminders alone (rule I4).
func (s *Sender) full(ctx context.Context, tx Tx, o Outgoing, now time.Time) (time.Time, error) {
	class := ClassOf(o.N)
	if s.c.DailyCap > 0 && bounded(class) {
		all, err := tx.Received(ctx, o.ID, now.Add(-24*time.Hour))
		if err != nil {
			return time.Time{}, err
		}
		got := 0
		for _, n := range all {
			if bounded(ClassOf(n)) {
				got++
			}
		}
		if got >= s.c.DailyCap {
			return now.Add(24 * time.Hour), nil
		}
	}
	if limit := s.c.Caps[o.Channel]; limit > 0 && class == Reminder {
		n, err := tx.Counted(ctx, dayOf(now), o.Channel.word())
		if err != nil || n < limit {
			return time.Time{}, err
		}
		y, m, d := now.In(lang.Astana).Date()
		return time.Date(y, m, d+1, 0, 0, 0, 0, lang.Astana).Add(s.c.At), nil
	}
	return time.Time{}, nil
}

// count counts a message of the day; near names its channel when four fifths of the bound are reached
// with it.
func (s *Sender) count(ctx context.Context, tx Tx, o Outgoing, now time.Time) (near string, err error) {
	if err := tx.Count(ctx, dayOf(now), o.Channel.word(), 1); err != nil {
		return "", err
	}
	limit := s.c.Caps[o.Channel]
	if limit <= 0 {
		return "", nil
	}
	n, err := tx.Counted(ctx, dayOf(now), o.Channel.word())
	if err != nil || n != nearly(limit) {
		return "", err
	}
	return o.Channel.word(), tx.Audit(ctx, audit.Event{Action: "notice.capped", Actor: "system", Object: "channel:" + o.Channel.word(), Result: "80%"})
}

// nearly is the number at which an operator is told of a bound (rule I4).
func nearly(limit int) int { return (limit*4 + 4) / 5 }

// dayOf names a day in Astana.
func dayOf(t time.Time) string { return t.In(lang.Astana).Format(time.DateOnly) }

// job asks for a message to be tried at a moment; codes and links come before security messages, those
// before business, reminders last (notifications.md §3).
func (o Outgoing) job(at time.Time) job.Job {
	return job.Job{Kind: Kind, Payload: Job{o.ID}, At: at, Priority: ClassOf(o.N).Priority()}
}

// Priority is the place of a class when capacity is short, 1 first.
func (c Class) Priority() int {
	switch c {
	case Transaction:
		return 1
	case Security:
		return 2
	case Business:
		return 3
	case Reminder:
	}
	return 4
}

// ignore is err, but nil when it is what is expected.
func ignore(err, expected error) error {
	if errors.Is(err, expected) {
		return nil
	}
	return err
}
