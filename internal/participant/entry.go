package participant

import (
	"context"
	"errors"
	"fmt"
	"time"

	"senim/internal/audit"
	"senim/internal/ident"
	"senim/internal/lang"
	"senim/internal/notice"
)

// EntryValue names the value of a session that says which sign-in it came from.
const EntryValue = "entry"

// ProfileValue names the value of a session that says which profile it acts as.
const ProfileValue = "profile"

// Bounds of what is kept of a person's sign-ins: the list, and the machines he is known at.
const (
	KeptEntries  = 50
	keepMachines = 20
)

// MachineLife is how long a machine is remembered since it was last signed in at.
const MachineLife = 400 * 24 * time.Hour

// Entry is one sign-in, for «Мои входы».
type Entry struct {
	ID      string
	IIN     ident.IIN
	At      time.Time
	Serial  string // of the certificate
	Network string // shortened address
	Browser string // in words; never the whole header
}

// Entering is what is known of a sign-in that has just succeeded.
type Entering struct {
	IIN                      ident.IIN
	Serial, Network, Browser string
	// Machine is the secret of the cookie by which the machine is known again.
	Machine string
	// First: the sign-in that completes a registration; its machine is no news to anybody.
	First bool
	// Way is what followed the certificate: WayPassword or WayPasskey.
	Way string
	// Profile is entered at once; nil when one is chosen next.
	Profile *Profile
}

// The ways a person proves to be himself after the certificate.
const (
	WayPassword = "password"
	WayPasskey  = "passkey"
)

// Enter writes a sign-in down: the list, the audit and, from a machine that is not known, a letter
// (N-31). It gives the id that the session keeps as [EntryValue].
func (o *Office) Enter(ctx context.Context, e Entering) (string, error) {
	id, err := newID(o.c.Random)
	if err != nil {
		return "", fmt.Errorf("write sign-in: %w", err)
	}
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		now := o.now()
		known, err := o.machine(ctx, tx, e, now)
		if err != nil {
			return err
		}
		if !known && !e.First {
			if err := o.tell(ctx, tx, "N-31", e.IIN, id, o.entryVars(e, now)); err != nil {
				return err
			}
		}
		actor := tx.Hash(string(e.IIN))
		detail := map[string]string{"certificate": e.Serial, "network": e.Network, "way": e.Way, "machine": "known"}
		if !known {
			detail["machine"] = "new"
		}
		if err := tx.Audit(ctx, audit.Event{Action: "signin.ok", Actor: actor, Object: id, Result: "ok", Detail: detail}); err != nil {
			return err
		}
		if e.Profile != nil {
			if err := profileChosen(ctx, tx, *e.Profile, e.Serial); err != nil {
				return err
			}
		}
		return tx.PutEntry(ctx, Entry{ID: id, IIN: e.IIN, At: now, Serial: e.Serial, Network: e.Network, Browser: e.Browser}, KeptEntries)
	})
	if err != nil {
		return "", fmt.Errorf("write sign-in: %w", err)
	}
	return id, nil
}

// machine notes that the person was seen at the machine, and says whether he had been before. Kept is a
// hash for this person alone: two people at one machine cannot be told to share it.
func (o *Office) machine(ctx context.Context, tx Tx, e Entering, now time.Time) (known bool, err error) {
	hash := hashToken("machine " + string(e.IIN) + " " + e.Machine)
	seen, err := tx.Machine(ctx, e.IIN, hash)
	switch {
	case errors.Is(err, ErrNotFound):
	case err != nil:
		return false, err
	default:
		known = now.Sub(seen) < MachineLife
	}
	return known, tx.PutMachine(ctx, e.IIN, hash, now, keepMachines)
}

func (o *Office) entryVars(e Entering, at time.Time) func(lang.Tag) map[string]string {
	return func(lang.Tag) map[string]string {
		return map[string]string{"time": notice.Moment(at), "kind": e.Browser, "from": e.Network, "link": o.c.Origin + "/me/entries"}
	}
}

// Entries lists a person's newest sign-ins, newest first.
func (o *Office) Entries(ctx context.Context, iin ident.IIN, limit int) ([]Entry, error) {
	var all []Entry
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		all, err = tx.Entries(ctx, iin, limit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list sign-ins: %w", err)
	}
	return all, nil
}

// Chosen records that a session acts for a profile.
func (o *Office) Chosen(ctx context.Context, p Profile, serial string) error {
	err := o.c.Store.Update(ctx, func(tx Tx) error { return profileChosen(ctx, tx, p, serial) })
	if err != nil {
		return fmt.Errorf("choose profile: %w", err)
	}
	return nil
}

func profileChosen(ctx context.Context, tx Tx, p Profile, serial string) error {
	return tx.Audit(ctx, audit.Event{Action: "profile.chosen", Actor: tx.Hash(string(p.IIN)), Object: p.ID, Result: "ok",
		Detail: map[string]string{"tin": tx.Hash(p.TIN), "certificate": serial}})
}
