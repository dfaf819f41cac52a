package participant

import (
	"context"
	"fmt"
	"time"

	"senim/internal/audit"
	"senim/internal/ident"
)

// Why sessions end, as the records of session.closed say it and the person is told.
const (
	endedByPerson   = "person"
	endedByEmail    = "email"
	endedByPassword = "password"
	endedByBlock    = "blocked"
	endedByProfile  = "profile"
	endedByHead     = "head"
)

// OpenSession is a session of a person that goes on now, as «Мои входы» shows it.
type OpenSession struct {
	Key           string // its name in the store
	Entry         string // [Entry.ID] of the sign-in it came from
	TIN           string // what it acts for; empty: for the person himself, or nothing chosen yet
	Created, Seen time.Time
}

// OpenSessions lists the sessions of a person that were seen within idle, the newest first.
func (o *Office) OpenSessions(ctx context.Context, iin ident.IIN, idle time.Duration) ([]OpenSession, error) {
	var all []OpenSession
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		all, err = tx.OpenSessions(ctx, o.c.Site, iin, o.now().Add(-idle))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	return all, nil
}

// EndSession ends the sessions of one sign-in of the person, wherever they are open. One that is not
// there, or is another person's, is no error: it is not open afterwards.
func (o *Office) EndSession(ctx context.Context, iin ident.IIN, entry string) error {
	err := o.c.Store.Update(ctx, func(tx Tx) error {
		all, err := tx.OpenSessions(ctx, o.c.Site, iin, time.Time{})
		if err != nil {
			return err
		}
		ended := 0
		for _, s := range all {
			if s.Entry != entry || entry == "" {
				continue
			}
			if err := tx.EndSession(ctx, s.Key, endedByPerson); err != nil {
				return err
			}
			ended++
		}
		if ended == 0 {
			return nil
		}
		return tx.Audit(ctx, audit.Event{Action: "session.closed", Actor: tx.Hash(string(iin)), Object: entry, Result: "ok",
			Detail: map[string]string{"reason": endedByPerson}})
	})
	if err != nil {
		return fmt.Errorf("end a session: %w", err)
	}
	return nil
}

// EndSessions ends every session of the person on this site: «Завершить все сеансы». Every machine has to
// be met anew afterwards.
func (o *Office) EndSessions(ctx context.Context, iin ident.IIN) error {
	err := o.c.Store.Update(ctx, func(tx Tx) error {
		if err := tx.DropMachines(ctx, iin); err != nil {
			return err
		}
		return o.closeSessions(ctx, tx, iin, endedByPerson)
	})
	if err != nil {
		return fmt.Errorf("end sessions: %w", err)
	}
	return nil
}

// Acting says whether a session may go on: "" or the code of why not. SIGNIN_STALE: the password is another than
// the one it began with ([Account.Stamp]). With a profile it acts for, whether it may with a certificate of the BIN: a
// profile that is closed ends the session (S5). [*Denied] never comes back as an error.
func (o *Office) Acting(ctx context.Context, iin ident.IIN, began, profile, certificateBIN string) (Profile, string, error) {
	var p Profile
	var a Account
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		if a, err = tx.Account(ctx, iin); err == nil && profile != "" {
			p, err = tx.Profile(ctx, profile)
		}
		return err
	})
	if err == nil && profile != "" && p.IIN != iin {
		err = ErrNotFound
	}
	if err != nil {
		return p, "", fmt.Errorf("read the session's profile: %w", err)
	}
	if code := a.usable(); code != "" {
		return p, code, nil
	}
	if began != a.Stamp() {
		return p, "SIGNIN_STALE", nil
	}
	if profile == "" {
		return p, "", nil
	}
	return p, o.Allowed(p, certificateBIN), nil
}

// SessionOver records that a session was ended, with the code of [Office.Acting] and the reason.
func (o *Office) SessionOver(ctx context.Context, iin ident.IIN, p Profile, code, reason string) error {
	err := o.c.Store.Update(ctx, func(tx Tx) error {
		return tx.Audit(ctx, audit.Event{Action: "session.closed", Actor: tx.Hash(string(iin)), Object: p.ID, Result: code,
			Detail: map[string]string{"reason": reason}})
	})
	if err != nil {
		return fmt.Errorf("end a session: %w", err)
	}
	return nil
}
