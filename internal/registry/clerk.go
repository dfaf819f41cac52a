package registry

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"senim/internal/audit"
	"senim/internal/ident"
)

// Form is what a clerk types about a change of head.
type Form struct {
	BIN, IIN                  string
	Surname, Name, Patronymic string
	Position                  string
	AppointedOn               string // YYYY-MM-DD
	Document                  string
	// Scan is a scan of the document: PDF, JPEG or PNG, 5 MiB at most.
	Scan []byte
}

// FieldError names the field of a [Form] that is wrong, beside why.
type FieldError struct {
	// Field is bin, iin, surname, name, patronymic, position, appointed_on, document or scan.
	Field string
	*Refusal
}

// Unwrap gives the refusal.
func (e *FieldError) Unwrap() error { return e.Refusal }

// Draft checks a form and keeps it for its clerk's signature. Errors are *[FieldError] for what he
// typed and *[Refusal] for what he may not do.
func (b *Book) Draft(ctx context.Context, by Clerk, f Form) (Change, error) {
	c, err := b.parse(f)
	if err != nil {
		return Change{}, err
	}
	random := make([]byte, 16)
	rand.Read(random)
	c.ID, c.State, c.MadeBy, c.Made = newID(random), Draft, by, b.c.Now()
	if c.Scan, err = readScan(f.Scan); err != nil {
		return Change{}, err
	}
	err = b.c.Store.Update(ctx, func(tx Tx) error {
		head, err := b.head(ctx, tx, c.BIN, DateOf(b.c.Now()), b.c.Now())
		if err != nil {
			return err
		}
		if head.Code == EntityUnknown || head.Code == EntityLiquidated {
			return &FieldError{"bin", &Refusal{head.Code}}
		}
		c.Former = ""
		if head.Verdict == Good {
			c.Former = head.Value.Leader.IIN
		}
		if c.Former == c.IIN {
			return &FieldError{"iin", &Refusal{SameHead}}
		}
		if c.AppointedOn < head.Value.Entity.Registered || c.Former != "" && c.AppointedOn <= head.Value.Leader.AppointedOn {
			return &FieldError{"appointed_on", &Refusal{DateInvalid}}
		}
		if err := c.party(by); err != nil {
			return err
		}
		if err := b.leads(ctx, tx, c.BIN, by); err != nil {
			return err
		}
		if _, err := tx.ForgetScans(ctx, c.Made.Add(-draftScans)); err != nil {
			return err
		}
		return errors.Join(tx.PutChange(ctx, c), tx.PutScan(ctx, c.ID, c.Scan, c.Made, f.Scan))
	})
	return c, err
}

// leads refuses a clerk whom any source names as the head, present or coming: also when the sources
// disagree and the registry itself answers unknown.
func (b *Book) leads(ctx context.Context, tx Tx, bin ident.BIN, k Clerk) error {
	leaders, err := tx.Leaders(ctx, bin)
	if err != nil {
		return err
	}
	for _, source := range []string{SourceLegal, SourceClerk} {
		if t, ok := testify(leaders, source, DateOf(b.c.Now())); ok && (t.head.IIN == k.IIN || t.next.IIN == k.IIN) {
			return &Refusal{ClerkIsParty}
		}
	}
	return nil
}

func (b *Book) parse(f Form) (c Change, err error) {
	wrong := func(field, code string) error { return &FieldError{field, &Refusal{code}} }
	if c.BIN, err = b.c.Rules.AdmitBIN(f.BIN); err != nil {
		return c, wrong("bin", NumberInvalid)
	}
	if c.IIN, err = b.c.Rules.AdmitIIN(f.IIN); err != nil {
		return c, wrong("iin", NumberInvalid)
	}
	for _, t := range []struct {
		field, typed string
		to           *string
		need         bool
	}{
		{"surname", f.Surname, &c.Surname, true}, {"name", f.Name, &c.Name, true}, {"patronymic", f.Patronymic, &c.Patronymic, false},
		{"position", f.Position, &c.Position, true}, {"document", f.Document, &c.Document, true},
	} {
		*t.to = strings.Join(strings.Fields(t.typed), " ")
		switch {
		case t.need && *t.to == "":
			return c, wrong(t.field, FieldMissing)
		case !plain(*t.to), len(*t.to) > 400:
			return c, wrong(t.field, FieldInvalid)
		}
	}
	day, ok := ParseDate(strings.TrimSpace(f.AppointedOn))
	if !ok || day == "" || day > DateOf(b.c.Now().AddDate(1, 0, 0)) {
		return c, wrong("appointed_on", DateInvalid)
	}
	c.AppointedOn = day
	return c, nil
}

// Sign keeps the maker's signature over c.XML("record"), which the caller has verified, and lets the
// change wait for another clerk.
func (b *Book) Sign(ctx context.Context, id string, by Clerk, signed []byte) (Change, error) {
	return b.act(ctx, id, "made", by, func(tx Tx, c Change) (Change, error) { return c.sign(by, b.c.Now(), signed) })
}

// Confirm keeps the second clerk's signature over c.XML("confirm"), which the caller has verified,
// and loads the change as a batch of one of source clerk.
func (b *Book) Confirm(ctx context.Context, id string, by Clerk, signed []byte) (Change, error) {
	return b.act(ctx, id, "confirmed", by, func(tx Tx, c Change) (Change, error) {
		c, err := c.decide(by, b.c.Now(), true, signed)
		if err != nil {
			return c, err
		}
		if err := b.leads(ctx, tx, c.BIN, by); err != nil {
			return c, err
		}
		head, err := b.head(ctx, tx, c.BIN, DateOf(b.c.Now()), b.c.Now())
		if err != nil {
			return c, err
		}
		var now ident.IIN
		if head.Verdict == Good {
			now = head.Value.Leader.IIN
		}
		if now != c.Former {
			return c, &Refusal{HeadMoved} // what both signed is not true any more
		}
		load, out, err := b.load(ctx, tx, Batch{Source: SourceClerk, AsOf: b.c.Now(), SHA256: c.ID, Operator: tx.Hash(string(by.IIN)), Leaders: []Leader{c.Leader}})
		if err != nil {
			return c, err
		}
		if len(out) > 0 {
			return c, fmt.Errorf("the change is no good row: %s", out[0].Code)
		}
		c.Load = load.Number
		return c, nil
	})
}

// Reject ends a waiting change without a load. Any clerk may.
func (b *Book) Reject(ctx context.Context, id string, by Clerk) (Change, error) {
	return b.act(ctx, id, "rejected", by, func(_ Tx, c Change) (Change, error) { return c.decide(by, b.c.Now(), false, nil) })
}

func (b *Book) act(ctx context.Context, id, what string, by Clerk, f func(Tx, Change) (Change, error)) (c Change, err error) {
	err = b.c.Store.Update(ctx, func(tx Tx) error {
		was, err := tx.Change(ctx, id)
		if err != nil {
			return err
		}
		if c, err = f(tx, was); err != nil {
			return err
		}
		if err := tx.PutChange(ctx, c); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.Event{Action: "registry.clerk.change." + what, Actor: tx.Hash(string(by.IIN)),
			Object: "change:" + c.ID, Result: "ok", Detail: map[string]string{"serial": by.Serial, "scan": c.Scan.Hash}})
	})
	if refusal, ok := errors.AsType[*Refusal](err); ok {
		return c, errors.Join(err, b.Refused(ctx, id, what, refusal.Code, by))
	}
	return c, err
}

// Refused writes down that a clerk's act was refused, by its code.
func (b *Book) Refused(ctx context.Context, id, act, code string, by Clerk) error {
	return b.c.Store.Update(ctx, func(tx Tx) error {
		return tx.Audit(ctx, audit.Event{Action: "registry.clerk.change.refused", Actor: tx.Hash(string(by.IIN)),
			Object: "change:" + id, Result: code, Detail: map[string]string{"serial": by.Serial, "act": act}})
	})
}

// Change reads one change; ErrNotFound when there is none.
func (b *Book) Change(ctx context.Context, id string) (c Change, err error) {
	err = b.c.Store.View(ctx, func(tx Tx) error { c, err = tx.Change(ctx, id); return err })
	return c, err
}

// Changes lists changes that were signed, newest first.
func (b *Book) Changes(ctx context.Context, limit int) (all []Change, err error) {
	err = b.c.Store.View(ctx, func(tx Tx) error { all, err = tx.Changes(ctx, limit); return err })
	return all, err
}

// Now is the book's clock.
func (b *Book) Now() time.Time { return b.c.Now() }
