package notice

import (
	"context"
	"fmt"
	"time"

	"senim/internal/audit"
)

// Unsubscribe ends the reminders of the reader of a letter, by its [Letter.ID]: his account's when he has
// one, where he may change his mind, else those to that address. Short messages and security letters go on. A second
// time changes nothing. ErrNotFound says that the letter is not known any more.
func (s *Sender) Unsubscribe(ctx context.Context, letter string) error {
	if err := s.unsubscribe(ctx, letter, "link"); err != nil {
		return fmt.Errorf("unsubscribe: %w", err)
	}
	return nil
}

// Unsubscribes reports whether [Sender.Unsubscribe] would find the letter.
func (s *Sender) Unsubscribes(ctx context.Context, letter string) error {
	return s.c.Store.View(ctx, func(tx Tx) error {
		_, err := tx.ByLetter(ctx, letter)
		return err
	})
}

func (s *Sender) unsubscribe(ctx context.Context, letter, by string) error {
	var o Outgoing
	err := s.c.Store.View(ctx, func(tx Tx) (err error) {
		o, err = tx.ByLetter(ctx, letter)
		return err
	})
	if err != nil {
		return err
	}
	known := false
	if s.c.Accounts != nil {
		if known, err = s.c.Accounts.Unsubscribe(ctx, o.About, o.To); err != nil {
			return err
		}
	}
	return s.c.Store.Update(ctx, func(tx Tx) error {
		a, err := tx.Address(ctx, o.Who)
		if err != nil || !a.Muted.IsZero() {
			return err
		}
		if !known {
			a.Muted = s.c.Now()
			if err := tx.SaveAddress(ctx, a); err != nil {
				return err
			}
		}
		return tx.Audit(ctx, audit.Event{Action: "unsubscribed", Actor: o.Who, Object: "n:" + o.N, Result: by})
	})
}

// AddressBad reports that letters to an address do not arrive (rule I5): its owner is to be told, and
// reminded by short message where there is a phone.
func (s *Sender) AddressBad(ctx context.Context, email string) (bad bool, err error) {
	err = s.c.Store.View(ctx, func(tx Tx) error {
		a, err := tx.Address(ctx, tx.Hash(email))
		bad = !a.Bad.IsZero()
		return err
	})
	return bad, err
}

// OwnerKind is the job that tells the outbox what the owner of an address did; its payload is [Owner].
// It is asked for in the transaction that takes his word.
const OwnerKind = "notice.owner"

// Owner says that the owner of an address, by its keyed hash, wants reminders there again; Confirmed, that he
// confirmed it by a link or a code as well.
type Owner struct {
	Who       string    `json:"who"`
	At        time.Time `json:"at"`
	Confirmed bool      `json:"confirmed"`
}

// HearOwner is the handler of [OwnerKind] jobs. A confirmed address is not bad any more, and what failed before
// does not count; what happened after he spoke stays.
func (s *Sender) HearOwner(ctx context.Context, by Owner) error {
	err := s.c.Store.Update(ctx, func(tx Tx) error {
		a, err := tx.Address(ctx, by.Who)
		if err != nil {
			return err
		}
		if !a.Muted.After(by.At) {
			a.Muted = time.Time{}
		}
		cleared := by.Confirmed && !a.Bad.IsZero() && !a.Bad.After(by.At)
		if cleared {
			a.Bad = time.Time{}
		}
		if by.Confirmed && a.Confirmed.Before(by.At) {
			a.Confirmed = by.At
		}
		if err := tx.SaveAddress(ctx, a); err != nil || !cleared {
			return err
		}
		return tx.Audit(ctx, audit.Event{Action: "address.cleared", Actor: "system", Object: a.Who, Result: "confirmed"})
	})
	if err != nil {
		return fmt.Errorf("hear the owner of an address: %w", err)
	}
	return nil
}
