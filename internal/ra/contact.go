package ra

import (
	"context"
	"errors"
	"fmt"
	"time"

	"senim/internal/audit"
	"senim/internal/ident"
	"senim/internal/job"
	"senim/internal/notice"
	"senim/internal/trust"
)

// Bounds of confirmation links: one a minute, five a day, so that nobody's mailbox is flooded.
const (
	linkResend = time.Minute
	linkPerDay = 5
)

// contactTx is what a transaction knows of addresses and the links sent to them.
type contactTx interface {
	// Accounts lists the accounts with an address, confirmed or not.
	Accounts(ctx context.Context, email string) ([]Account, error)
	// LinksOf lists a person's links that are not used and end after a moment, latest first.
	LinksOf(ctx context.Context, iin string, after time.Time) ([]Link, error)
}

// factorTx is what a transaction knows of second factors.
type factorTx interface {
	// PutFactor writes a factor, new or changed.
	PutFactor(ctx context.Context, f Factor) error
	// Factors lists a person's factors sent since a moment, latest first.
	Factors(ctx context.Context, iin string, since time.Time) ([]Factor, error)
	// ForgetFactors removes those sent before a moment.
	ForgetFactors(ctx context.Context, before time.Time) error
}

// Awaits is the address that a link may go to: one not confirmed yet, or one that letters did not
// reach; empty for none.
func (a Account) Awaits() string {
	if a.Next != "" {
		return a.Next
	}
	if a.Confirmed() == "" || a.Bad {
		return a.Email
	}
	return ""
}

// move gives the account another address. A confirmed one stays until the link to the next was
// used; it is told of the change (told). Asking for the present one again cancels a change.
func (a *Account) move(email string) (told string) {
	old := a.Confirmed()
	switch {
	case email == a.Email:
		a.Next = ""
		return ""
	case old == "":
		a.Email, a.Next, a.Bad = email, "", false
		return ""
	case email == "":
		a.Email, a.Next, a.ConfirmedAt, a.Bad = "", "", time.Time{}, false
		return old
	case email == a.Next:
		return ""
	}
	a.Next = email
	return old
}

// mayLink bounds how often links are sent; had are the person's of the last day, latest first.
func mayLink(had []Link, now time.Time) error {
	if len(had) == 0 {
		return nil
	}
	if again := had[0].Expires.Add(linkResend - LinkTTL); now.Before(again) {
		return refuse("LINK_SOON", "n", itoa(int((again.Sub(now)+time.Second-1)/time.Second)))
	}
	return linksToday(had)
}

func linksToday(had []Link) error {
	if len(had) >= linkPerDay {
		return refuse("LINK_LIMIT", "until", had[linkPerDay-1].Expires.UTC().Format(time.RFC3339))
	}
	return nil
}

// SendLink sends the link that confirms an address once more: a minute after the last at the
// earliest (LINK_SOON), five times a day (LINK_LIMIT). NOTHING_TO_CONFIRM when no address waits.
func (o *Office) SendLink(ctx context.Context, iin string) error {
	err := o.c.Store.Update(ctx, func(tx Tx) error {
		a, err := tx.Account(ctx, iin)
		if errors.Is(err, ErrNotFound) || (err == nil && a.Awaits() == "") {
			return refuse("NOTHING_TO_CONFIRM")
		}
		if err != nil {
			return err
		}
		had, err := tx.LinksOf(ctx, iin, o.c.Now())
		if err != nil {
			return err
		}
		if err := mayLink(had, o.c.Now()); err != nil {
			return err
		}
		if err := o.sendLink(ctx, tx, a); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.Event{Action: "email.link.sent", Actor: tx.Hash(iin), Result: "ok"})
	})
	if err != nil {
		return fmt.Errorf("send a link: %w", err)
	}
	return nil
}

// tellOld writes N-17 to the address that an account is leaving.
func (o *Office) tellOld(ctx context.Context, tx Tx, a Account, old string) error {
	if old == "" {
		return nil
	}
	masked := "@profile.email.removed"
	if a.Next != "" {
		masked = ident.MaskEmail(ident.Email(a.Next))
	}
	return tx.Notify(ctx, notice.Message{N: "N-17", To: old, Lang: letterLang(a.Lang), Key: notice.Key("N-17", newID(), "", old),
		Vars: map[string]string{"masked": masked, "link": o.c.Origin + "/profile"}})
}

// AddressBad notes that letters to an address do not arrive, or do again (I5). Every account with
// that address is marked; an unknown one changes nothing. Confirming by link clears it too.
func (o *Office) AddressBad(ctx context.Context, email string, bad bool) error {
	err := o.c.Store.Update(ctx, func(tx Tx) error {
		all, err := tx.Accounts(ctx, email)
		if err != nil {
			return err
		}
		for _, a := range all {
			if a.Bad == bad {
				continue
			}
			a.Bad, a.Changed = bad, o.c.Now()
			if err := tx.PutAccount(ctx, a); err != nil {
				return err
			}
			action := "address.cleared"
			if bad {
				action = "address.bad"
			}
			if err := tx.Audit(ctx, audit.Event{Action: action, Actor: "system", Object: tx.Hash(email), Result: "ok"}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("mark an address: %w", err)
	}
	return nil
}

// Unsubscribe stops reminders by e-mail for a person; short messages and security letters go on.
// Doing it twice is doing it once. Resubscribe is the reverse.
func (o *Office) Unsubscribe(ctx context.Context, iin string) error {
	return o.reminders(ctx, iin, true, "unsubscribed")
}

// Resubscribe lets reminders by e-mail come again, also where only the address had been shut.
func (o *Office) Resubscribe(ctx context.Context, iin string) error {
	return o.reminders(ctx, iin, false, "resubscribed")
}

// UnsubscribeAddress stops reminders by e-mail for everybody whose letters go to an address; known is false when
// that is nobody.
func (o *Office) UnsubscribeAddress(ctx context.Context, email string) (known bool, err error) {
	if email == "" {
		return false, nil
	}
	var all []Account
	err = o.c.Store.View(ctx, func(tx Tx) error {
		all, err = tx.Accounts(ctx, email)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("find who reads an address: %w", err)
	}
	for _, a := range all {
		if a.Confirmed() == "" {
			continue
		}
		if err := o.Unsubscribe(ctx, a.IIN); err != nil {
			return known, err
		}
		known = true
	}
	return known, nil
}

// tellOutbox lets the outbox know that the owner of an account wants reminders at his address again, or has
// confirmed it.
func (o *Office) tellOutbox(ctx context.Context, tx Tx, a Account, confirmed bool) error {
	if a.Email == "" {
		return nil
	}
	return tx.Enqueue(ctx, job.Job{Kind: notice.OwnerKind, Payload: notice.Owner{Who: tx.Hash(a.Email), At: o.c.Now(), Confirmed: confirmed}})
}

func (o *Office) reminders(ctx context.Context, iin string, off bool, action string) error {
	err := o.c.Store.Update(ctx, func(tx Tx) error {
		a, err := tx.Account(ctx, iin)
		if errors.Is(err, ErrNotFound) {
			return refuse("NO_ACCOUNT")
		}
		if err != nil {
			return err
		}
		if !off {
			if err := o.tellOutbox(ctx, tx, a, false); err != nil {
				return err
			}
		}
		if a.NoReminders == off {
			return nil
		}
		a.NoReminders, a.Changed = off, o.c.Now()
		if err := tx.PutAccount(ctx, a); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.Event{Action: action, Actor: tx.Hash(iin), Result: "ok"})
	})
	if err != nil {
		return fmt.Errorf("switch reminders: %w", err)
	}
	return nil
}

// Phone is the person's phone in the mobile citizens base, for who asks.
func (o *Office) Phone(ctx context.Context, by, iin string) PhoneAnswer {
	return o.c.People.Phone(ctx, by, ident.IIN(iin))
}

// Reach says whether a person can be reached before his keys end.
type Reach int

// The answers of [Office.Reach].
const (
	// Reachable: by a confirmed address that works, or it could not be checked.
	Reachable Reach = iota
	// Unreachable: neither a working address nor a phone (D1).
	Unreachable
	// Bouncing: letters to the confirmed address do not arrive (I5).
	Bouncing
)

// Reach looks for a way to write to a person. A mobile base that does not answer counts as a way:
// "could not check" is no reason to say that there is none. A person without an account is not
// warned: the first visit asks him.
func (o *Office) Reach(ctx context.Context, iin string) (Reach, Account, error) {
	a, err := o.Account(ctx, iin)
	if errors.Is(err, ErrNotFound) {
		return Reachable, Account{}, nil
	}
	switch {
	case err != nil:
		return Reachable, a, err
	case a.Bad && a.Confirmed() != "":
		return Bouncing, a, nil
	case a.Confirmed() != "":
		return Reachable, a, nil
	case o.Phone(ctx, iin, iin).Verdict == trust.Bad:
		return Unreachable, a, nil
	}
	return Reachable, a, nil
}
