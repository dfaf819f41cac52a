package ra

import (
	"context"
	"errors"
	"fmt"
	"time"

	"senim/internal/ident"
	"senim/internal/job"
	"senim/internal/trust"
)

// JobTell writes what could not be written because a registry was silent: the handler calls [Office.TellAgain].
const JobTell = "ra.tell"

// Telling is the payload of [JobTell]: keys that were installed (N-12), or a revocation (N-14).
type Telling struct {
	Task
	Serial string    `json:"serial,omitempty"`
	Reason string    `json:"reason,omitempty"`
	At     time.Time `json:"at,omitzero"`
}

func (o *Office) tellLater(ctx context.Context, tx Tx, t Telling, unique string) error {
	return tx.Enqueue(ctx, job.Job{Kind: JobTell, Payload: t, At: o.c.Now().Add(o.c.RetryRegistry), Unique: unique})
}

var errSilent = errors.New("a registry does not answer")

// TellAgain asks the registries once more and tells who has not been told. Nothing is said twice; further silence is an
// error, so that the job is tried again.
func (o *Office) TellAgain(ctx context.Context, t Telling) error {
	var err error
	if t.Serial == "" {
		err = o.tellInstalledAgain(ctx, t.Task)
	} else {
		err = o.tellRevokedAgain(ctx, t)
	}
	if err != nil {
		return fmt.Errorf("tell again: %w", err)
	}
	return nil
}

func (o *Office) tellInstalledAgain(ctx context.Context, t Task) error {
	a, err := o.load(ctx, t.Number)
	if errors.Is(err, ErrNotFound) || err == nil && (a.State != Installed || a.Revision != t.Revision) {
		return nil
	}
	if err != nil {
		return err
	}
	phone := o.c.People.Phone(ctx, "", ident.IIN(a.Subject.IIN))
	if phone.Verdict != trust.Good && phone.Verdict != trust.Bad {
		return errSilent
	}
	return o.c.Store.Update(ctx, func(tx Tx) error { return o.tellInstalled(ctx, tx, &a, phone) })
}

func (o *Office) tellRevokedAgain(ctx context.Context, t Telling) error {
	k, err := o.c.Keys.Key(ctx, t.Serial)
	if errors.Is(err, ErrNoKey) {
		return nil
	}
	if err != nil {
		return err
	}
	k.Reason, k.RevokedAt = t.Reason, t.At // as it was: a hold may have been lifted since, and is told all the same
	told, silent := o.told(ctx, k)
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		for _, p := range told {
			if err := o.tellRevoked(ctx, tx, k, p); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && silent {
		err = errSilent
	}
	return err
}
