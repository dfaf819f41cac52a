package ra

import (
	"context"
	"errors"
	"fmt"
	"time"

	"senim/internal/audit"
	"senim/internal/ident"
	"senim/internal/job"
	"senim/internal/lang"
	"senim/internal/notice"
	"senim/internal/trust"
)

// revocationDone records a revocation this office asked for, and follows it. by is who asked, empty for the system.
func (o *Office) revocationDone(ctx context.Context, k Key, reason string, at time.Time, by string) error {
	err := o.c.Store.Update(ctx, func(tx Tx) error {
		if reason == "certificateHold" && by != "" {
			err := tx.Audit(ctx, audit.Event{Action: "hold.set", Actor: tx.Hash(by), Object: k.Serial, Result: "ok",
				Detail: map[string]string{"reason": reason, "at": at.UTC().Format(time.RFC3339)}})
			if err != nil {
				return err
			}
		}
		return tx.Audit(ctx, audit.Event{Action: "cert.revocation.done", Actor: "system", Object: k.Serial, Result: "ok",
			Detail: map[string]string{"reason": reason, "at": at.UTC().Format(time.RFC3339)}})
	})
	if err != nil {
		return fmt.Errorf("revoke %s: %w", k.Serial, err)
	}
	k.Reason, k.RevokedAt = reason, at
	return o.followRevoked(ctx, k)
}

// KeyRevoked follows a revocation whoever asked for it, the desk and programs too: owner and head are
// told (N-14), what waits on the strength of the key is rejected, delegations that stood on it end. A hold
// only pauses both, and once it is lifted what was paused goes on. It may be called again: nothing is said twice.
func (o *Office) KeyRevoked(ctx context.Context, serial string) error {
	k, err := o.c.Keys.Key(ctx, serial)
	if errors.Is(err, ErrNoKey) || err == nil && k.IIN == "" {
		return nil // nobody's
	}
	if err == nil && k.RevokedAt.IsZero() {
		err = o.goOn(ctx, k)
	}
	if err != nil {
		return fmt.Errorf("follow a revocation: %w", err)
	}
	if k.RevokedAt.IsZero() {
		return nil
	}
	return o.followRevoked(ctx, k)
}

// goOn asks at once for the certificates that waited for the end of a hold: the job that met it may be long in
// trying again.
func (o *Office) goOn(ctx context.Context, k Key) error {
	return o.c.Store.Update(ctx, func(tx Tx) error {
		mine, err := tx.OfPerson(ctx, k.IIN)
		if err != nil {
			return err
		}
		for _, a := range mine {
			if a.SignerSerial != k.Serial || a.State != Approved {
				continue
			}
			err := tx.Enqueue(ctx, job.Job{Kind: JobIssue, Payload: Task{a.Number, a.Revision}, At: o.c.Now(), Unique: a.ID() + " lifted"})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (o *Office) followRevoked(ctx context.Context, k Key) error {
	told, silent := o.told(ctx, k)
	err := o.c.Store.Update(ctx, func(tx Tx) error {
		for _, p := range told {
			if err := o.tellRevoked(ctx, tx, k, p); err != nil {
				return err
			}
		}
		if silent {
			if err := o.tellLater(ctx, tx, Telling{Serial: k.Serial, Reason: k.Reason, At: k.RevokedAt}, k.Serial+" "+revokedEvent(k)); err != nil {
				return err
			}
		}
		return o.dropDependent(ctx, tx, k)
	})
	if err != nil {
		return fmt.Errorf("follow a revocation: %w", err)
	}
	return o.endDelegationsTo(ctx, k.IIN)
}

// reader is somebody who hears of a revocation, with the phone in the mobile citizens base.
type reader struct {
	iin   string
	phone ident.Phone
}

// told are the owner and, for a key of an organisation, its head. silent reports that a registry did not answer: who
// could not be told, or not by SMS, is told later.
func (o *Office) told(ctx context.Context, k Key) (all []reader, silent bool) {
	all = []reader{{iin: k.IIN}}
	if k.BIN != "" {
		head := o.c.Registry.Head(ctx, "", ident.BIN(k.BIN))
		silent = head.unknown()
		if head.Verdict == trust.Good && head.IIN != k.IIN {
			all = append(all, reader{iin: head.IIN})
		}
	}
	for i := range all {
		switch a := o.c.People.Phone(ctx, "", ident.IIN(all[i].iin)); a.Verdict {
		case trust.Good:
			all[i].phone = a.Phone
		case trust.Bad:
		default:
			silent = true
		}
	}
	return all, silent
}

// revokedEvent names a revocation: a hold may come again after it was lifted.
func revokedEvent(k Key) string { return k.Reason + " " + k.RevokedAt.UTC().Format(time.RFC3339) }

// tellRevoked writes N-14 by e-mail where an address is confirmed, and by SMS where there is a phone.
func (o *Office) tellRevoked(ctx context.Context, tx Tx, k Key, p reader) error {
	n := "N-14"
	if k.Reason == "certificateHold" {
		n = "N-14.hold"
	}
	vars := map[string]string{"serial4": k.Serial[max(0, len(k.Serial)-4):], "time": notice.Moment(k.RevokedAt),
		"reason": "@web.reason." + k.Reason, "link": o.c.Origin + "/keys"}
	event := revokedEvent(k)
	err := o.tellPerson(ctx, tx, p.iin, n, k.Serial, event, func(lang.Tag) map[string]string { return vars })
	if err != nil || p.phone == "" {
		return err
	}
	account, err := tx.Account(ctx, p.iin)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	return tx.Notify(ctx, notice.Message{N: n, Channel: notice.SMS, To: string(p.phone), Lang: account.Lang,
		Key: notice.Key(n, k.Serial, event, string(p.phone)), Vars: vars})
}

// dropDependent rejects what still waits on the strength of a key revoked for good; on hold, it waits on.
func (o *Office) dropDependent(ctx context.Context, tx Tx, k Key) error {
	if k.onHold() {
		return nil
	}
	mine, err := tx.OfPerson(ctx, k.IIN)
	if err != nil {
		return err
	}
	for _, a := range mine {
		if a.SignerSerial != k.Serial || !a.State.waits() || a.IssueBegun {
			continue
		}
		if err := o.rejectFor(ctx, tx, &a, Reason{Code: "OLD_KEY_REVOKED"}); err != nil {
			return err
		}
	}
	return nil
}
