package ra

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"senim/internal/audit"
)

// DeskKey finds any key of the authority for an operator.
func (o *Office) DeskKey(ctx context.Context, serial string) (Key, error) {
	k, err := o.c.Keys.Key(ctx, serial)
	if errors.Is(err, ErrNoKey) {
		return Key{}, refuse("KEY_UNKNOWN")
	}
	return k, err
}

// BeginAct keeps what an operator wants done to a key, for his signature.
func (o *Office) BeginAct(ctx context.Context, by Operator, want KeyAct) (KeyAct, error) {
	key, err := o.DeskKey(ctx, want.Serial)
	if err != nil {
		return KeyAct{}, err
	}
	now := o.c.Now()
	k := KeyAct{ID: newID(), Serial: key.Serial, Act: want.Act, IIN: key.IIN, Document: strings.Join(strings.Fields(want.Document), " "),
		Reason: want.Reason, Text: strings.TrimSpace(want.Text), State: ActDraft, By: by.IIN, Created: now, Changed: now}
	switch k.Act {
	case ActHold:
		k.Reason = "certificateHold"
	case ActLift:
		k.Reason = ""
	}
	if err := k.check(by, key); err != nil {
		return KeyAct{}, o.deskRefused(ctx, by, key.Serial, err)
	}
	err = o.c.Store.Update(ctx, func(tx Tx) error { return tx.PutAct(ctx, k) })
	if err != nil {
		return KeyAct{}, fmt.Errorf("begin an act: %w", err)
	}
	return k, nil
}

// Act reads an act; unknown ones are KEY_UNKNOWN.
func (o *Office) Act(ctx context.Context, id string) (k KeyAct, err error) {
	err = o.c.Store.View(ctx, func(tx Tx) error {
		k, err = tx.Act(ctx, id)
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return KeyAct{}, refuse("KEY_UNKNOWN")
	}
	return k, err
}

// SignAct keeps an operator's signature over [KeyAct.XML], verified by the caller: of who began, or of
// the second operator. What is complete is carried out: by the authority first, which does nothing
// twice, then in our records.
func (o *Office) SignAct(ctx context.Context, by Operator, id string, signed []byte) (KeyAct, error) {
	k, err := o.Act(ctx, id)
	if err != nil {
		return KeyAct{}, err
	}
	key, err := o.DeskKey(ctx, k.Serial)
	if err != nil {
		return KeyAct{}, err
	}
	now := o.c.Now()
	if k.State == ActDraft {
		err = k.Record(by, key, signed, now)
	} else {
		err = k.Confirm(by, key, signed, now)
	}
	if err != nil {
		return KeyAct{}, o.deskRefused(ctx, by, k.Serial, err)
	}
	if k.State != ActDone {
		return k, o.keep(ctx, by, k, "desk.act_signed", ActDraft)
	}
	return o.carryOut(ctx, by, k)
}

// carryOut does what was decided about a key.
func (o *Office) carryOut(ctx context.Context, by Operator, k KeyAct) (KeyAct, error) {
	first, second := "cert:"+k.Made.Serial, "cert:"+k.Decided.Serial
	var err error
	switch {
	case k.Act == ActLift && o.c.Holds == nil:
		return KeyAct{}, o.deskRefused(ctx, by, k.Serial, refuse("HOLDS_ELSEWHERE"))
	case k.Act == ActLift:
		k.At, err = k.Changed, o.c.Holds.Release(ctx, k.Serial, first, second)
	case k.Act == ActHold:
		k.At, err = o.c.Revoker.Revoke(ctx, k.Serial, k.Reason, time.Time{}, first+" "+second)
	default:
		k.At, err = o.c.Revoker.Revoke(ctx, k.Serial, k.Reason, time.Time{}, first)
	}
	if err != nil {
		return KeyAct{}, o.deskRefused(ctx, by, k.Serial, err)
	}
	switch k.Act {
	case ActLift:
		return k, o.keep(ctx, by, k, "hold.lifted", ActWaiting)
	case ActHold:
		err = o.keep(ctx, by, k, "hold.set", ActWaiting)
	default:
		err = o.keep(ctx, by, k, "desk.revoked", ActDraft)
	}
	if err != nil {
		return KeyAct{}, err
	}
	return k, nil // whom it concerns is told by what follows every revocation: [Office.KeyRevoked]
}

// keep writes an act that was in a state until now.
func (o *Office) keep(ctx context.Context, by Operator, k KeyAct, action string, was ActState) error {
	return o.c.Store.Update(ctx, func(tx Tx) error {
		kept, err := tx.Act(ctx, k.ID)
		if err != nil {
			return err
		}
		if kept.State != was {
			return refuse("ACT_STATE")
		}
		if err := tx.PutAct(ctx, k); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.Event{Action: action, Actor: tx.Hash(by.IIN), Object: k.Serial, Result: "ok",
			Detail: map[string]string{"act": k.ID, "reason": k.Reason, "first": k.Made.Hash, "second": k.Decided.Hash, "signer": by.Serial}})
	})
}

// RejectAct ends an act that nobody is to carry out.
func (o *Office) RejectAct(ctx context.Context, by Operator, id string) (KeyAct, error) {
	k, err := o.Act(ctx, id)
	if err != nil {
		return KeyAct{}, err
	}
	was := k.State
	if err := k.Reject(by, o.c.Now()); err != nil {
		return KeyAct{}, o.deskRefused(ctx, by, k.Serial, err)
	}
	return k, o.keep(ctx, by, k, "desk.act_rejected", was)
}
