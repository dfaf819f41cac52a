package participant

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// RecoveryStep is where a person stands on the way from a lost mailbox to a new password (E7).
type RecoveryStep string

// The steps, in their order.
const (
	RecoverAddress RecoveryStep = "address" // nothing signed yet, or it came to nothing
	RecoverConfirm RecoveryStep = "confirm" // the letter to the new address is to be opened
	RecoverWait    RecoveryStep = "wait"    // email.change_delay runs
	RecoverLink    RecoveryStep = "link"    // the address is new: ask for the link
	RecoverSet     RecoveryStep = "set"     // the letter with the link is to be opened
	RecoverDone    RecoveryStep = "done"
)

// Recovery is how far one has come. It is read off the change of address and the links themselves, so it
// is true in whatever browser the letters were opened.
type Recovery struct {
	Step   RecoveryStep
	Change EmailChange
	// Failed: an earlier change came to nothing, by «Это не я», by time or by a newer one.
	Failed bool
}

// Recovery reads how far the recovery that began with the change of this id has come; no such change is
// the beginning. Who knows the id has signed the change.
func (o *Office) Recovery(ctx context.Context, change string) (Recovery, error) {
	r := Recovery{Step: RecoverAddress}
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		r = Recovery{Step: RecoverAddress}
		r.Change, err = tx.EmailChange(ctx, change)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if r.Step = r.Change.recovery(o.now()); r.Step != RecoverLink {
			r.Failed = r.Step == RecoverAddress
			return nil
		}
		links, err := tx.Resets(ctx, r.Change.IIN, r.Change.Ended)
		for _, l := range links {
			switch {
			case l.Signature != "":
				r.Step = RecoverDone
			case l.Used.IsZero() && o.now().Before(l.Expires) && r.Step != RecoverDone:
				r.Step = RecoverSet
			}
		}
		return err
	})
	if err != nil {
		return r, fmt.Errorf("read recovery: %w", err)
	}
	return r, nil
}

// recovery is the step a change of address stands for.
func (c EmailChange) recovery(at time.Time) RecoveryStep {
	switch {
	case c.State == ChangeAsked && at.Before(c.Expires):
		return RecoverConfirm
	case c.State == ChangeConfirmed:
		return RecoverWait
	case c.State == ChangeDone:
		return RecoverLink
	}
	return RecoverAddress
}

// AskRecoveryLink asks for the link of step 2 to the address of step 1. RECOVERY_EARLY before that address
// is the account's.
func (o *Office) AskRecoveryLink(ctx context.Context, change string) error {
	r, err := o.Recovery(ctx, change)
	if err != nil {
		return err
	}
	if r.Step != RecoverLink && r.Step != RecoverSet {
		return deny("RECOVERY_EARLY")
	}
	return o.AskReset(ctx, Identity{IIN: string(r.Change.IIN), Email: r.Change.New}, r.Change.Lang)
}
