package notice

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"

	"senim/internal/audit"
	"senim/internal/ident/e164"
	"senim/internal/lang"
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

// Accounts is what the cabinet knows of its readers.
type Accounts interface {
	// Unsubscribe ends the reminders of whoever a message about this, to this address, was for; known is
	// false when that is nobody with an account. Either may be empty: the address is not kept for ever.
	Unsubscribe(ctx context.Context, about, to string) (known bool, err error)
	// AddressBad notes that letters to an address do not arrive.
	AddressBad(ctx context.Context, email string, bad bool) error
}

// SenderConfig is what a [Sender] needs.
type SenderConfig struct {
	Store   Store
	Courier Courier
	// Texter hands over short messages; nil: none is sent, and who writes one finds it Failed.
	Texter Texter
	// Hours are when phones may ring but for a code; zero is [Daytime].
	Hours Hours
	// Still is asked about messages that name their subject, just before sending. Nil: never.
	Still Still
	// Accounts learns that a reader wants no more reminders, and that his address is bad. Nil: both are
	// kept for the address alone.
	Accounts Accounts
	// Brand is the installation's name in letters; "Senim" when empty.
	Brand string
	// Unknown is the language of short messages to readers whose own is not known; Kazakh when empty.
	Unknown lang.Tag
	// DailyCap bounds the messages of classes Business and Reminder to one address in 24 hours (rule
	// I4); more wait until the next day. 0 means no bound; 5 is usual.
	DailyCap int
	// Caps bound what the installation sends by a channel in a day of Astana: then reminders, and
	// nothing else, wait until the next. 0 means no bound.
	Caps map[Channel]int
	// At is the time of day in Astana at which reminders go that found no room the day before; 10:00 when zero. It is
	// that of [Plan].
	At time.Duration
	// Keep is how long what became of a message is known after its end (notify.keep); 180 days when zero.
	Keep time.Duration
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
	if c.Unknown == "" {
		c.Unknown = lang.KK
	}
	c.At = Plan{At: c.At}.Usual().At
	if c.Keep <= 0 {
		c.Keep = keepUsual
	}
	if c.Hours == (Hours{}) {
		c.Hours = Daytime
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Sender{c}, nil
}

// ready is a message written out: a letter, or the text of a short message.
type ready struct {
	letter Letter
	text   string
}

// Do is the handler of [Kind] jobs. A message that ended already is left alone, and one that another
// worker sends just now. A failed try is written down and asked for again, after 1, 5, 15, 60 minutes
// and 4 hours; then the message is Failed. The error it returns is only of the database or of a subject
// that could not be checked.
func (s *Sender) Do(ctx context.Context, payload []byte) error {
	var j Job
	if err := json.Unmarshal(payload, &j); err != nil {
		return fmt.Errorf("send notice: %w", err)
	}
	if err := s.do(ctx, j.ID); err != nil {
		return fmt.Errorf("send notice %d: %w", j.ID, err)
	}
	return nil
}

func (s *Sender) do(ctx context.Context, id int64) error {
	var o Outgoing
	err := s.c.Store.View(ctx, func(tx Tx) (err error) {
		o, err = tx.Outgoing(ctx, id)
		return err
	})
	if err != nil || !o.open() {
		return ignore(err, ErrNotFound)
	}
	if o.State == Sending {
		if free, err := s.interrupted(ctx, id); err != nil || !free {
			return err
		}
		o.State = Waiting
	}
	r, next, err := s.prepare(ctx, o)
	if err != nil {
		return err
	}
	if r == nil {
		return s.settle(ctx, o, next, nil)
	}
	o, mine, err := s.claim(ctx, id)
	if err != nil || !mine {
		return err
	}
	next, parts := s.deliver(ctx, o, *r)
	if next.State != Sent {
		s.c.Log.WarnContext(ctx, "message not sent", "n", o.N, "channel", o.Channel.word(), "to", o.Who, "state", string(next.State),
			"why", next.Why, "code", next.Code, "attempts", next.Attempts)
	}
	// What became of it is kept even when the server is told to stop: it cannot be found out again.
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTime)
	defer cancel()
	return s.settle(last, o, next, parts)
}

// keepTime bounds writing down what became of a message.
const keepTime = 10 * time.Second

// prepare asks whether a message is to go now, and writes it out; without that, next is how it stands.
func (s *Sender) prepare(ctx context.Context, o Outgoing) (r *ready, next Outgoing, err error) {
	now := s.c.Now()
	if !o.Expires.IsZero() && !now.Before(o.Expires) {
		return nil, o.end(Stopped, "expired", now), nil
	}
	if o.About != "" && s.c.Still != nil {
		reason, err := s.c.Still.Still(ctx, o.About)
		if err != nil {
			return nil, o, err
		}
		if reason != "" {
			return nil, o.end(Stopped, reason, now), nil
		}
	}
	r = &ready{}
	if o.Channel != SMS {
		r.letter, err = Render(o.Message, s.c.Brand)
	} else if at := s.c.Hours.Next(now, ClassOf(o.N)); at.After(now) {
		o = o.wait("hours")
		o.Due = at
		return nil, o, nil
	} else {
		r.text, err = RenderShort(o.Message, s.c.Brand, s.c.Unknown)
	}
	if err != nil {
		s.c.Log.ErrorContext(ctx, "message cannot be written", "n", o.N, "channel", o.Channel.word(), "err", err) // a mistake of ours
		return nil, o.end(Failed, "no text", now), nil
	}
	return r, o, nil
}

// deliver hands a message over; a panic on the way is this message's failure and no other's.
func (s *Sender) deliver(ctx context.Context, o Outgoing, r ready) (next Outgoing, parts []string) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		// The value may repeat an address; the stack has places and machine words.
		s.c.Log.ErrorContext(ctx, "a message's way out ended in a panic", "n", o.N, "channel", o.Channel.word(), "kind", fmt.Sprintf("%T", v), "stack", string(debug.Stack()))
		if next, parts = o.end(Failed, "panic", s.c.Now()), nil; o.Channel == SMS {
			next.State = Uncertain
		}
	}()
	if o.Channel == SMS {
		return s.text(ctx, o, r.text)
	}
	err := s.c.Courier.Send(ctx, r.letter)
	if err == nil {
		return o.end(Sent, "", s.c.Now()), nil
	}
	var refused *RefusedError
	isRefused := errors.As(err, &refused)
	if next = o.fail(s.c.Now(), 0, isRefused); isRefused {
		next.Code = refused.Code
		if refused.Status != "" {
			next.Why = "refused " + refused.Status
		}
	}
	return next, nil
}

// text hands over a short message.
func (s *Sender) text(ctx context.Context, o Outgoing, text string) (Outgoing, []string) {
	now := s.c.Now()
	if s.c.Texter == nil {
		return o.end(Failed, "no way", now), nil
	}
	phone, err := e164.Parse(o.To)
	if err != nil {
		return o.end(Failed, "no phone", now), nil
	}
	parts, said := s.c.Texter.Send(ctx, Short{Ref: o.Ref, To: phone, Text: text})
	o.Code = said.Code
	switch said.State {
	case Sent, Delivered:
		return o.end(Sent, "", s.c.Now()), parts
	case Throttled:
		return o.fail(s.c.Now(), said.After, false), nil
	case Failed:
		return o.end(Failed, "refused", s.c.Now()), parts
	case Waiting, Sending, Stopped, Uncertain:
	}
	return o.end(Uncertain, "no answer", s.c.Now()), parts
}

// ref makes the random name of a short message.
func (s *Sender) ref() string {
	b := make([]byte, 16)
	rand.Read(b) // never fails (crypto/rand)
	return hex.EncodeToString(b)
}

// settle writes how a message stands after this worker's try, unless it moved on meanwhile: a receipt
// may be faster.
func (s *Sender) settle(ctx context.Context, was, o Outgoing, parts []string) error {
	return s.c.Store.Update(ctx, func(tx Tx) error {
		now, err := tx.Outgoing(ctx, o.ID)
		if err != nil || now.State != was.State || now.Claims != was.Claims {
			return err
		}
		for _, name := range parts {
			if err := tx.SavePart(ctx, o.ID, Part{name, Sent}); err != nil {
				return err
			}
		}
		if o.State == Uncertain && len(parts) > 0 { // the rest of it has no name
			if err := tx.SavePart(ctx, o.ID, Part{"?" + o.Ref, Uncertain}); err != nil {
				return err
			}
		}
		if status, refused := strings.CutPrefix(o.Why, "refused "); refused && ofAddress(status) {
			if err := s.failure(ctx, tx, o, FateOf(status)); err != nil {
				return err
			}
		}
		return s.keep(ctx, tx, o)
	})
}

// keep writes how a message stands, with the record or the job that belongs to it.
func (s *Sender) keep(ctx context.Context, tx Tx, o Outgoing) error {
	if err := tx.SaveOutgoing(ctx, o); err != nil {
		return err
	}
	if o.State == Waiting {
		return tx.Enqueue(ctx, o.job(o.Due))
	}
	return s.record(ctx, tx, o, string(o.State))
}

// record writes what became of a message into the audit.
func (s *Sender) record(ctx context.Context, tx Tx, o Outgoing, what string) error {
	result := "ok"
	if o.Why != "" {
		result = o.Why
	}
	return tx.Audit(ctx, audit.Event{Action: "notice." + what, Actor: "system", Object: o.Key[:min(len(o.Key), 16)], Result: result,
		Detail: map[string]string{"n": o.N, "channel": o.Channel.word()}})
}
