package ra

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	err = k.check(by, key)
	if err == nil && k.Act == ActLift && o.c.Holds == nil {
		err = refuse("HOLDS_ELSEWHERE")
	}
	if err != nil {
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
// the second operator. What is complete is decided: that is kept first, with the job [JobAct], and then
// carried out at once where the authority answers.
func (o *Office) SignAct(ctx context.Context, by Operator, id string, signed []byte) (KeyAct, error) {
	k, err := o.Act(ctx, id)
	if err != nil {
		return KeyAct{}, err
	}
	key, err := o.DeskKey(ctx, k.Serial)
	if err != nil {
		return KeyAct{}, err
	}
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		if k, err = tx.Act(ctx, id); err != nil {
			return err
		}
		if err := o.signAct(ctx, tx, &k, by, key, signed); err != nil {
			return err
		}
		if k.State != ActDecided {
			return o.put(ctx, tx, by, k, "desk.act_signed")
		}
		return errors.Join(o.put(ctx, tx, by, k, "desk.act_decided"), k.enqueue(ctx, tx, o.c.Now().Add(time.Minute)))
	})
	if err != nil {
		return KeyAct{}, o.deskRefused(ctx, by, k.Serial, err)
	}
	if k.State != ActDecided {
		return k, nil
	}
	if err := o.CarryOut(ctx, ActTask{k.ID}); err != nil {
		o.c.Log.WarnContext(ctx, "an act of the desk is not carried out yet", "act", k.ID, "err", err)
	}
	return o.Act(ctx, id)
}

// signAct takes one signature, unless the act's time is over or another act about the key is being carried out.
func (o *Office) signAct(ctx context.Context, tx Tx, k *KeyAct, by Operator, key Key, signed []byte) error {
	now := o.c.Now()
	if k.late(o.c.Terms.Draft, o.c.Terms.Confirm, now) {
		return refuse("ACT_EXPIRED")
	}
	under, err := tx.ActsIn(ctx, ActDecided, maxUnderway)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(under, func(other KeyAct) bool { return other.Serial == k.Serial && other.ID != k.ID }) {
		return refuse("ACT_UNDERWAY")
	}
	if k.State == ActDraft {
		return k.Record(by, key, signed, now)
	}
	return k.Confirm(by, key, signed, now)
}

// put writes an act with what was done about it; nobody's doing is the system's.
func (o *Office) put(ctx context.Context, tx Tx, by Operator, k KeyAct, action string) error {
	if err := tx.PutAct(ctx, k); err != nil {
		return err
	}
	actor := "system"
	if by.IIN != "" {
		actor = tx.Hash(by.IIN)
	}
	return tx.Audit(ctx, audit.Event{Action: action, Actor: actor, Object: k.Serial, Result: "ok",
		Detail: map[string]string{"act": k.ID, "reason": k.Reason, "first": k.Made.Hash, "second": k.Decided.Hash, "signer": by.Serial, "code": k.Void}})
}

// RejectAct ends an act that nobody is to carry out.
func (o *Office) RejectAct(ctx context.Context, by Operator, id string) (KeyAct, error) {
	k, err := o.Act(ctx, id)
	if err != nil {
		return KeyAct{}, err
	}
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		if k, err = tx.Act(ctx, id); err != nil {
			return err
		}
		if err := k.Reject(by, o.c.Now()); err != nil {
			return err
		}
		return o.put(ctx, tx, by, k, "desk.act_rejected")
	})
	if err != nil {
		return KeyAct{}, o.deskRefused(ctx, by, k.Serial, err)
	}
	return k, nil
}
