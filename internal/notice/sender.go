package notice

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"senim/internal/audit"
	"senim/internal/job"
)

// Courier brings a letter to its reader's mail server. It returns nil when the server took it, a
// [*RefusedError] when trying again is useless, any other error when it is not. Errors never hold
// the address.
type Courier interface {
	Send(ctx context.Context, l Letter) error
}

// RefusedError is a mail server's refusal for good (SMTP 5xx).
type RefusedError struct {
	Code int
	// Status is the server's enhanced code, as "5.1.1"; empty when it gave none.
	Status string
}

func (e *RefusedError) Error() string { return fmt.Sprintf("the mail server refused: code %d", e.Code) }

// Still answers whether what a message speaks about is still so. Reason is empty when it is, else a
// word for the audit, as "successor". An error means: could not tell; it is asked again later.
type Still interface {
	Still(ctx context.Context, about string) (reason string, err error)
}

// SenderConfig is what a [Sender] needs.
type SenderConfig struct {
	Store   Store
	Courier Courier
	// Still is asked about messages that name their subject, just before sending. Nil: never.
	Still Still
	// Brand is the installation's name in letters; "Senim" when empty.
	Brand string
	// DailyCap bounds the letters of classes Business and Reminder to one address in 24 hours (rule
	// I4); more wait until the next day. 0 means no bound; 5 is usual.
	DailyCap int
	// Log gets, by number of the text and never by address, what was not sent; nil means nothing.
	Log *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Sender sends the messages of the outbox: at least once, marked once. It is safe for concurrent use.
type Sender struct{ c SenderConfig }

// NewSender checks the configuration.
func NewSender(c SenderConfig) (*Sender, error) {
	if c.Store == nil || c.Courier == nil {
		return nil, errors.New("new sender: no store or no courier")
	}
	if c.Brand == "" {
		c.Brand = "Senim"
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Sender{c}, nil
}

// Do is the handler of [Kind] jobs. A message that ended already is left alone. A failed try is
// written down and asked for again, after 1, 5, 15, 60 minutes and 4 hours; then the message is
// Failed. The error it returns is only of the database or of a subject that could not be checked.
func (s *Sender) Do(ctx context.Context, payload []byte) error {
	var j Job
	if err := json.Unmarshal(payload, &j); err != nil {
		return fmt.Errorf("send notice: %w", err)
	}
	var o Outgoing
	err := s.c.Store.View(ctx, func(tx Tx) (err error) {
		o, err = tx.Outgoing(ctx, j.ID)
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("send notice %d: %w", j.ID, err)
	}
	if o.State != Waiting {
		return nil
	}
	next, err := s.try(ctx, o)
	if err != nil {
		return fmt.Errorf("send notice %d: %w", j.ID, err)
	}
	return s.mark(ctx, next)
}

// try decides and sends; the result is how the message stands afterwards.
func (s *Sender) try(ctx context.Context, o Outgoing) (Outgoing, error) {
	if o.About != "" && s.c.Still != nil {
		reason, err := s.c.Still.Still(ctx, o.About)
		if err != nil {
			return o, err
		}
		if reason != "" {
			return o.end(Stopped, reason, s.c.Now()), nil
		}
	}
	if full, err := s.full(ctx, o); err != nil {
		return o, err
	} else if full {
		o.Due = s.c.Now().Add(24 * time.Hour)
		s.c.Log.WarnContext(ctx, "letter waits: daily bound of its address", "n", o.N)
		return o, nil
	}
	letter, err := Render(o.Message, s.c.Brand)
	if err != nil {
		s.c.Log.ErrorContext(ctx, "letter cannot be written", "n", o.N, "err", err) // a mistake of ours
		return o.end(Failed, "no text", s.c.Now()), nil
	}
	if err := s.c.Courier.Send(ctx, letter); err != nil {
		o = o.fail(s.c.Now(), err)
		s.c.Log.WarnContext(ctx, "letter not sent", "n", o.N, "state", string(o.State), "attempts", o.Attempts, "err", err)
		return o, nil
	}
	return o.end(Sent, "", s.c.Now()), nil
}

// full reports that the address of a message got its share of the day; codes, links and security
// messages go all the same.
func (s *Sender) full(ctx context.Context, o Outgoing) (bool, error) {
	bounded := func(n string) bool { c := ClassOf(n); return c == Business || c == Reminder }
	if s.c.DailyCap <= 0 || !bounded(o.N) {
		return false, nil
	}
	var got int
	err := s.c.Store.View(ctx, func(tx Tx) error {
		all, err := tx.Received(ctx, o.ID, s.c.Now().Add(-24*time.Hour))
		for _, n := range all {
			if bounded(n) {
				got++
			}
		}
		return err
	})
	return got >= s.c.DailyCap, err
}

func (s *Sender) mark(ctx context.Context, o Outgoing) error {
	return s.c.Store.Update(ctx, func(tx Tx) error {
		now, err := tx.Outgoing(ctx, o.ID)
		if err != nil || now.State != Waiting {
			return err // another worker was faster
		}
		if err := tx.SaveOutgoing(ctx, o); err != nil {
			return err
		}
		if o.State == Waiting {
			return tx.Enqueue(ctx, job.Job{Kind: Kind, Payload: Job{o.ID}, At: o.Due})
		}
		result := "ok"
		if o.State != Sent {
			result = o.Why
		}
		return tx.Audit(ctx, audit.Event{Action: "notice." + string(o.State), Actor: "system",
			Object: o.Key[:min(len(o.Key), 16)], Result: result, Detail: map[string]string{"n": o.N, "channel": "e-mail"}})
	})
}
