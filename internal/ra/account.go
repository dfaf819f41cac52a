package ra

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

// LinkTTL is the life of a link that confirms an address (C-38).
const LinkTTL = 24 * time.Hour

// Account reads a person's account; [ErrNotFound] before the first visit.
func (o *Office) Account(ctx context.Context, iin string) (a Account, err error) {
	err = o.c.Store.View(ctx, func(tx Tx) error {
		a, err = tx.Account(ctx, iin)
		return err
	})
	return a, err
}

// Register makes or changes a person's account. A new address gets a letter with a link (N-16) and
// nothing else until the link was confirmed; a confirmed one before it stays until then, and is told
// (N-17). An empty address is allowed.
func (o *Office) Register(ctx context.Context, iin, email, city string, t lang.Tag) (Account, error) {
	var address ident.Email
	if email != "" {
		var err error
		if address, err = ident.ParseEmail(email); err != nil {
			return Account{}, refuse("EMAIL_INVALID")
		}
	}
	if len([]rune(city)) > 100 {
		return Account{}, refuse("CITY_INVALID")
	}
	now := o.c.Now()
	var a Account
	err := o.c.Store.Update(ctx, func(tx Tx) (err error) {
		a, err = tx.Account(ctx, iin)
		action := "account.changed"
		if errors.Is(err, ErrNotFound) {
			a, action = Account{IIN: iin, Created: now, ConsentAt: now}, "account.created"
		} else if err != nil {
			return err
		}
		was := a
		a.City, a.Lang, a.Changed = city, t, now
		old := a.move(string(address))
		if err := tx.PutAccount(ctx, a); err != nil {
			return err
		}
		if err := o.tellOld(ctx, tx, a, old); err != nil {
			return err
		}
		if (a.Next != "" && a.Next != was.Next) || (a.Email != "" && a.Email != was.Email) {
			had, err := tx.LinksOf(ctx, iin, now)
			if err != nil {
				return err
			}
			if err := linksToday(had); err != nil {
				return err
			}
			if err := o.sendLink(ctx, tx, a); err != nil {
				return err
			}
		}
		return tx.Audit(ctx, audit.Event{Action: action, Actor: tx.Hash(iin), Result: "ok"})
	})
	if err != nil {
		return Account{}, fmt.Errorf("register: %w", err)
	}
	return a, nil
}

// sendLink writes a link for the address that waits, and the letter that carries it.
func (o *Office) sendLink(ctx context.Context, tx Tx, a Account) error {
	token := newToken()
	l := Link{Hash: hexSum([]byte(token)), IIN: a.IIN, Email: a.Awaits(), Expires: o.c.Now().Add(LinkTTL)}
	if err := tx.PutLink(ctx, l); err != nil {
		return err
	}
	t := letterLang(a.Lang)
	return tx.Notify(ctx, notice.Message{N: "N-16", To: l.Email, Lang: t, Key: notice.Key("N-16", l.Hash, "", l.Email), Expires: l.Expires,
		Vars: map[string]string{"link": o.c.Origin + "/email/" + token, "time": t.DateTime(l.Expires)}})
}

// Link looks at a link without using it: the page that asks for the button. A stale one is
// LINK_STALE.
func (o *Office) Link(ctx context.Context, token string) (Link, error) {
	var l Link
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		l, err = tx.Link(ctx, hexSum([]byte(token)))
		return err
	})
	if errors.Is(err, ErrNotFound) || (err == nil && !o.c.Now().Before(l.Expires)) {
		return Link{}, refuse("LINK_STALE")
	}
	return l, err
}

// ConfirmEmail uses a link: once, and only for the address it was sent to.
func (o *Office) ConfirmEmail(ctx context.Context, token string) error {
	hash := hexSum([]byte(token))
	err := o.c.Store.Update(ctx, func(tx Tx) error {
		l, err := tx.Link(ctx, hash)
		if errors.Is(err, ErrNotFound) {
			return refuse("LINK_STALE")
		}
		if err != nil {
			return err
		}
		if ok, err := tx.UseLink(ctx, hash); err != nil {
			return err
		} else if !ok || !o.c.Now().Before(l.Expires) {
			return refuse("LINK_STALE")
		}
		a, err := tx.Account(ctx, l.IIN)
		if err != nil {
			return err
		}
		if !a.confirm(l.Email, o.c.Now()) {
			return refuse("LINK_STALE")
		}
		if err := tx.PutAccount(ctx, a); err != nil {
			return err
		}
		if err := o.tellOutbox(ctx, tx, a, true); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.Event{Action: "email.confirmed", Actor: tx.Hash(l.IIN), Result: "ok"})
	})
	if err != nil {
		return fmt.Errorf("confirm an address: %w", err)
	}
	return nil
}

// confirm takes an address as confirmed; false when it is not, or not any more, one of this account.
func (a *Account) confirm(email string, now time.Time) bool {
	switch email {
	case "":
		return false
	case a.Next:
		a.Email, a.Next, a.Bad, a.ConfirmedAt = a.Next, "", false, now
	case a.Email: // not confirmed yet, or confirmed once more
		a.Bad = false
		if a.ConfirmedAt.IsZero() {
			a.ConfirmedAt = now
		}
	default:
		return false
	}
	a.Changed = now
	return true
}
