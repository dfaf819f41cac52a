package participant

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"senim/internal/audit"
	"senim/internal/ident"
)

const (
	// adminDraftTTL is how long an act waits for its maker's signature.
	adminDraftTTL  = time.Hour
	maxAdminReason = 200
)

// Found is what an administrator finds by a number: a person with his profiles, or an enterprise with
// the profiles of everybody in it.
type Found struct {
	Account    *Account
	Standing   AccountState // of the account now
	Enterprise *Enterprise
	Profiles   []User
	// Agreements and Acts are what he signed, without the bytes.
	Agreements []AgreementSignature
	Acts       []SignedAct
}

// FindParticipant looks a number up for an administrator, and records that he did. Nothing found is an empty answer.
func (o *Office) FindParticipant(ctx context.Context, by Administrator, number string) (Found, error) {
	var f Found
	err := o.c.Store.Update(ctx, func(tx Tx) error {
		f = Found{}
		a, err := tx.Account(ctx, ident.IIN(number))
		if err == nil {
			f.Account, f.Standing = &a, a.Standing(o.now(), 0)
		} else if !errors.Is(err, ErrNotFound) {
			return err
		}
		e, err := tx.Enterprise(ctx, number)
		if err == nil {
			f.Enterprise = &e
		} else if !errors.Is(err, ErrNotFound) {
			return err
		}
		own, err := tx.Profiles(ctx, ident.IIN(number))
		if err != nil {
			return err
		}
		of, err := tx.ProfilesOf(ctx, number)
		if err != nil {
			return err
		}
		seen := map[string]bool{}
		for _, p := range append(own, of...) {
			if seen[p.ID] {
				continue
			}
			seen[p.ID] = true
			u, err := userOf(ctx, tx, p)
			if err != nil {
				return err
			}
			f.Profiles = append(f.Profiles, u)
		}
		if f.Agreements, err = tx.Signatures(ctx, ident.IIN(number)); err != nil {
			return err
		}
		if f.Acts, err = tx.SignedActs(ctx, ident.IIN(number), actsListed); err != nil {
			return err
		}
		result := "none"
		if f.Account != nil || f.Enterprise != nil {
			result = "ok"
		}
		return tx.Audit(ctx, audit.Event{Action: "admin.lookup", Actor: tx.Hash(string(by.IIN)), Object: tx.Hash(number), Result: result,
			Detail: map[string]string{"serial": by.Serial}})
	})
	if err != nil {
		return Found{}, fmt.Errorf("find participant: %w", err)
	}
	return f, nil
}

// Administer makes a draft of a block, or of the lifting of one, for its maker's signature. [FieldErrors]
// about the reason; PARTICIPANT_UNKNOWN, ADMIN_STATE when there is nothing to block or to lift,
// OPERATOR_SELF.
func (o *Office) Administer(ctx context.Context, by Administrator, kind AdminKind, object string, lift bool, reason string) (AdminAct, error) {
	reason = strings.Join(strings.Fields(reason), " ")
	switch n := utf8.RuneCountInString(reason); {
	case n == 0:
		return AdminAct{}, FieldErrors{"reason": "FIELD_EMPTY"}
	case n > maxAdminReason || !utf8.ValidString(reason):
		return AdminAct{}, FieldErrors{"reason": "TEXT_LONG"}
	}
	id, err := newID(o.c.Random)
	if err != nil {
		return AdminAct{}, fmt.Errorf("administer: %w", err)
	}
	a := AdminAct{ID: id, Kind: kind, Object: object, Lift: lift, Reason: reason, State: AdminDraft, Made: o.now(), MadeBy: by}
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		if err := tx.SweepAdminActs(ctx, o.now().Add(-adminDraftTTL)); err != nil {
			return err
		}
		t, err := o.administered(ctx, tx, a)
		if err != nil {
			return err
		}
		if err := t.party(by); err != nil {
			return err
		}
		a.Name = t.name()
		return tx.PutAdminAct(ctx, a)
	})
	if err != nil {
		return AdminAct{}, fmt.Errorf("administer: %w", err)
	}
	return a, nil
}

// AdminAct reads an act and what is signed about it now. A draft is its maker's own, and waits an hour:
// [ErrNotFound] for everybody else.
func (o *Office) AdminAct(ctx context.Context, by Administrator, id string) (AdminAct, []byte, error) {
	var a AdminAct
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		a, err = o.adminAct(ctx, tx, by, id)
		return err
	})
	if err != nil {
		return a, nil, fmt.Errorf("read act: %w", err)
	}
	doc, err := a.document(o.c.Origin)
	return a, doc, err
}

func (o *Office) adminAct(ctx context.Context, tx Tx, by Administrator, id string) (AdminAct, error) {
	a, err := tx.AdminAct(ctx, id)
	if err == nil && a.State == AdminDraft && (a.MadeBy.IIN != by.IIN || o.now().Sub(a.Made) > adminDraftTTL) {
		return AdminAct{}, ErrNotFound
	}
	return a, err
}

// AdminActs lists acts that were signed, newest first.
func (o *Office) AdminActs(ctx context.Context, limit int) ([]AdminAct, error) {
	var all []AdminAct
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		all, err = tx.AdminActs(ctx, limit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list acts: %w", err)
	}
	return all, nil
}

// SignAdmin takes a signature over the act's document, which the caller has verified to be by this
// administrator. A block takes effect at once; lifting one when another administrator confirms it.
func (o *Office) SignAdmin(ctx context.Context, by Administrator, id string, signed []byte) (AdminAct, error) {
	return o.adminStep(ctx, by, id, func(tx Tx, was AdminAct) (AdminAct, error) {
		a, err := was.sign(by, o.now(), signed)
		if err != nil {
			return a, err
		}
		t, err := o.administered(ctx, tx, a)
		if err == nil {
			err = t.party(by)
		}
		if err != nil || a.State != AdminDone {
			return a, err
		}
		return a, o.applyAdmin(ctx, tx, a, t)
	})
}

// RejectAdmin ends an act that waits for its second signature.
func (o *Office) RejectAdmin(ctx context.Context, by Administrator, id string) (AdminAct, error) {
	return o.adminStep(ctx, by, id, func(_ Tx, was AdminAct) (AdminAct, error) { return was.reject(by, o.now()) })
}

func (o *Office) adminStep(ctx context.Context, by Administrator, id string, f func(Tx, AdminAct) (AdminAct, error)) (AdminAct, error) {
	var a AdminAct
	err := o.c.Store.Update(ctx, func(tx Tx) error {
		was, err := o.adminAct(ctx, tx, by, id)
		if err != nil {
			return err
		}
		if a, err = f(tx, was); err != nil {
			return err
		}
		if err := tx.PutAdminAct(ctx, a); err != nil {
			return err
		}
		return tx.Audit(ctx, adminEvent(tx, a, by, strings.ToLower(string(a.State))))
	})
	if err == nil {
		return a, nil
	}
	if code := refusalCode(err); code != "" && a.ID != "" {
		if aerr := o.RefusedAdmin(ctx, by, a, code); aerr != nil {
			return a, fmt.Errorf("refuse act (%w): %w", err, aerr)
		}
	}
	return a, fmt.Errorf("decide act: %w", raced(err))
}

// RefusedAdmin writes down that a signature about an act was refused, by the code.
func (o *Office) RefusedAdmin(ctx context.Context, by Administrator, a AdminAct, code string) error {
	err := o.c.Store.Update(ctx, func(tx Tx) error { return tx.Audit(ctx, adminEvent(tx, a, by, code)) })
	if err != nil {
		return fmt.Errorf("record a refusal: %w", err)
	}
	return nil
}

func adminEvent(tx Tx, a AdminAct, by Administrator, result string) audit.Event {
	object := a.Object
	if a.Kind != BlockProfile { // a profile's id is nobody's number
		object = tx.Hash(object)
	}
	e := audit.Event{Action: "admin.block", Actor: tx.Hash(string(by.IIN)), Object: a.ID, Result: result,
		Detail: map[string]string{"kind": string(a.Kind), "object": object, "serial": by.Serial}}
	if a.Lift {
		e.Action = "admin.unblock"
	}
	return e
}
