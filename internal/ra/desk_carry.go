package ra

import (
	"context"
	"errors"
	"fmt"
	"time"

	"senim/internal/job"
)

// JobAct carries out what operators decided about a key: the handler calls [Office.CarryOut].
const JobAct = "ra.act"

// ActTask is the payload of [JobAct].
type ActTask struct {
	ID string `json:"id"`
}

// maxUnderway bounds the acts looked at that are decided and not carried out: each waits for the authority only.
const maxUnderway = 1000

// CarryOut does what was decided about a key, and notes that it was done. It may be called any number of times,
// also after a stop in between: the decision stands before anything is done, and the key shows what was. An act
// that another one made void meanwhile is closed as such.
func (o *Office) CarryOut(ctx context.Context, t ActTask) error {
	k, err := o.Act(ctx, t.ID)
	if err != nil {
		return fmt.Errorf("carry an act out: %w", err)
	}
	if k.State != ActDecided {
		return nil
	}
	key, err := o.DeskKey(ctx, k.Serial)
	if err != nil {
		return fmt.Errorf("carry an act out: %w", err)
	}
	at, err := o.effect(ctx, k, key)
	var no *Refusal
	switch {
	case errors.As(err, &no):
		k.State, k.Void = ActRejected, no.Code
	case err != nil:
		return fmt.Errorf("carry an act out: %w", err)
	default:
		k.State, k.At = ActDone, at
	}
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		kept, err := tx.Act(ctx, k.ID)
		if err != nil || kept.State != ActDecided { // another try was quicker
			return err
		}
		k.Changed = o.c.Now()
		by, action := k.closing()
		return o.put(ctx, tx, by, k, action)
	})
	if err != nil {
		return fmt.Errorf("carry an act out: %w", err)
	}
	return nil // whom it concerns is told by what follows every revocation: [Office.KeyRevoked]
}

// effect has the authority do what was decided, unless it is done. The moment is since when it counts.
func (o *Office) effect(ctx context.Context, k KeyAct, key Key) (time.Time, error) {
	first, second := "cert:"+k.Made.Serial, "cert:"+k.Decided.Serial
	over := !key.RevokedAt.IsZero() && !key.onHold()
	switch {
	case over && k.Act != ActRevoke:
		return time.Time{}, refuse("ALREADY_REVOKED")
	case k.Act == ActRevoke:
		return o.c.Revoker.Revoke(ctx, k.Serial, k.Reason, time.Time{}, first)
	case k.Act == ActHold:
		return o.c.Revoker.Revoke(ctx, k.Serial, k.Reason, time.Time{}, first+" "+second)
	case o.c.Holds == nil:
		return time.Time{}, refuse("HOLDS_ELSEWHERE")
	case key.onHold() && key.RevokedAt.Equal(k.Hold):
		return k.Decided.At, o.c.Holds.Release(ctx, k.Serial, first, second)
	}
	return k.Decided.At, nil // lifted before; another hold since is another matter
}

// closing says in whose name an act is closed, and under which action.
func (k KeyAct) closing() (by Operator, action string) {
	switch k.Act {
	case ActRevoke:
		by, action = k.Made.Operator, "desk.revoked"
	case ActHold:
		by, action = k.Decided.Operator, "hold.set"
	default:
		by, action = k.Decided.Operator, "hold.lifted"
	}
	if k.State != ActDone {
		action = "desk.act_rejected"
	}
	return by, action
}

// enqueue asks for the job that carries the act out.
func (k KeyAct) enqueue(ctx context.Context, tx Tx, at time.Time) error {
	return tx.Enqueue(ctx, job.Job{Kind: JobAct, Payload: ActTask{k.ID}, At: at, Unique: k.ID})
}

// endActs ends the acts nobody signed in time: a first signature of last year decides nothing today. What was
// decided is asked for again when its job was dropped.
func (o *Office) endActs(ctx context.Context) error {
	return o.c.Store.Update(ctx, func(tx Tx) error {
		for _, s := range []ActState{ActDraft, ActWaiting, ActDecided} {
			all, err := tx.ActsIn(ctx, s, maxUnderway) // the one that waits longest first; the rest next time
			if err != nil {
				return err
			}
			for _, k := range all {
				if s == ActDecided && o.c.Now().Sub(k.Changed) > 24*time.Hour {
					if err := k.enqueue(ctx, tx, o.c.Now()); err != nil {
						return err
					}
				}
				if !k.late(o.c.Terms.Draft, o.c.Terms.Confirm, o.c.Now()) {
					continue
				}
				k.State, k.Changed = ActExpired, o.c.Now()
				if err := o.put(ctx, tx, Operator{}, k, "desk.act_expired"); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
