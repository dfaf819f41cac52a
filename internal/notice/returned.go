package notice

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"senim/internal/audit"
	"senim/internal/job"
)

// Returned is what came back about a letter.
type Returned struct {
	// ID is the letter's, [Letter.ID].
	ID   string
	Fate Fate
	// Status is the enhanced code (RFC 3463), as "5.1.1"; empty for a complaint.
	Status string
}

// Receive takes a receipt of a short message, which only moves it forward: one that came late, again, or
// against the end changes nothing. The error asks for it to be said again, as when it came before the
// names of the parts were written down.
func (s *Sender) Receive(ctx context.Context, r Receipt) error {
	err := s.c.Store.Update(ctx, func(tx Tx) error {
		o, state, err := s.received(ctx, tx, r)
		if errors.Is(err, ErrNotFound) && r.Part == "" {
			return nil // the name was kept before it was used: this message was forgotten long ago
		}
		if err != nil {
			return err
		}
		stands := o.State
		if stands == Sending {
			stands = Uncertain // the worker has not said how it ended; the centre has
		}
		next, changed := Advance(stands, state)
		if !changed {
			return nil
		}
		why := ""
		if next == Failed {
			why = "undeliverable"
		}
		return s.keep(ctx, tx, o.end(next, why, s.c.Now()))
	})
	if err != nil {
		return fmt.Errorf("take a receipt: %w", err)
	}
	return nil
}

// received finds the message of a receipt and the state that all its parts give.
func (s *Sender) received(ctx context.Context, tx Tx, r Receipt) (Outgoing, State, error) {
	if r.Part == "" {
		o, err := tx.ByRef(ctx, r.Ref)
		return o, r.State, err
	}
	o, err := tx.ByPart(ctx, r.Part)
	if err != nil {
		return o, "", err
	}
	parts, err := tx.Parts(ctx, o.ID)
	if err != nil {
		return o, "", err
	}
	states := make([]State, len(parts))
	for i, p := range parts {
		if p.Name == r.Part {
			next, changed := Advance(p.State, r.State)
			if p.State = next; changed {
				if err := tx.SavePart(ctx, o.ID, p); err != nil {
					return o, "", err
				}
			}
		}
		states[i] = p.State
	}
	return o, Whole(states), nil
}

// Returned takes a report about a letter of ours (rule I5): a failure may make its address bad, a
// complaint ends its reminders. The same report again changes nothing.
func (s *Sender) Returned(ctx context.Context, r Returned) error {
	if r.Fate == Complaint {
		err := s.unsubscribe(ctx, r.ID, "complaint")
		return ignore(err, ErrNotFound)
	}
	if r.Fate != Hard && r.Fate != Soft {
		return nil
	}
	err := s.c.Store.Update(ctx, func(tx Tx) error {
		o, err := tx.ByLetter(ctx, r.ID)
		if err != nil {
			return ignore(err, ErrNotFound)
		}
		if o.State != Sent && o.State != Sending && o.State != Uncertain {
			return nil
		}
		o = o.end(Failed, "bounced "+r.Status, s.c.Now())
		if err := tx.SaveOutgoing(ctx, o); err != nil {
			return err
		}
		if err := s.record(ctx, tx, o, "bounced"); err != nil {
			return err
		}
		return s.failure(ctx, tx, o, r.Fate)
	})
	if err != nil {
		return fmt.Errorf("take a report: %w", err)
	}
	return nil
}

// failure notes a letter that did not arrive, and finds out whether letters there still make sense.
func (s *Sender) failure(ctx context.Context, tx Tx, o Outgoing, fate Fate) error {
	if err := tx.AddFailure(ctx, o.Who, Failure{s.c.Now(), fate}); err != nil {
		return err
	}
	a, err := tx.Address(ctx, o.Who)
	if err != nil || !a.Bad.IsZero() {
		return err
	}
	all, err := tx.Failures(ctx, o.Who)
	if err != nil || Working(all, a.Confirmed) {
		return err
	}
	a.Bad = s.c.Now()
	if err := tx.SaveAddress(ctx, a); err != nil {
		return err
	}
	if s.c.Accounts != nil {
		if err := tx.Enqueue(ctx, job.Job{Kind: BadKind, Payload: Job{o.ID}}); err != nil {
			return err
		}
	}
	return tx.Audit(ctx, audit.Event{Action: "address.bad", Actor: "system", Object: o.Who, Result: string(fate)})
}

// BadKind is the job that tells the cabinet of an address that went bad; its payload is [Job], of the
// letter that did not arrive.
const BadKind = "notice.address_bad"

// TellBad is the handler of [BadKind] jobs.
func (s *Sender) TellBad(ctx context.Context, j Job) error {
	var o Outgoing
	err := s.c.Store.View(ctx, func(tx Tx) (err error) {
		o, err = tx.Outgoing(ctx, j.ID)
		return err
	})
	if err != nil || o.To == "" || s.c.Accounts == nil {
		return ignore(err, ErrNotFound)
	}
	if bad, err := s.AddressBad(ctx, o.To); err != nil || !bad {
		return err // confirmed meanwhile
	}
	return s.c.Accounts.AddressBad(ctx, o.To, true)
}

// ofAddress reports a status that speaks of the address or its box, and not of us (RFC 3463 §3.2, §3.3).
func ofAddress(status string) bool {
	_, rest, _ := strings.Cut(status, ".")
	return strings.HasPrefix(rest, "1.") || strings.HasPrefix(rest, "2.")
}
