package participant

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"

	"senim/internal/audit"
	"senim/internal/ident"
	"senim/internal/lang"
	"senim/internal/notice"
)

// From is where an attempt to sign in comes from: its record says so.
type From struct {
	Network string // shortened address of the visitor
	Serial  string // of the certificate whose key was proved
}

func (f From) detail() map[string]string {
	d := map[string]string{}
	if f.Network != "" {
		d["network"] = f.Network
	}
	if f.Serial != "" {
		d["certificate"] = f.Serial
	}
	return d
}

// SignIn checks a password after a certificate of the person was verified, in the order of S2:
// account, state, lock, password. It gives [*Denied] with NOT_REGISTERED, ACCOUNT_BLOCKED,
// ACCOUNT_LOCKED (until) or PASSWORD_WRONG (left: tries before the next lock). A pending account's
// password is checked too: whether it may do anything is decided by its profiles. Whether the password is
// too old to go on with, [Office.PasswordExpired] says.
func (o *Office) SignIn(ctx context.Context, from From, iin ident.IIN, password string) (Account, error) {
	return o.signIn(ctx, from, iin, "", password)
}

// SignInByLink is [Office.SignIn] of who followed a registration's link. While the account waits for its
// completion, the password is the one given in that very registration: the person may have begun several.
func (o *Office) SignInByLink(ctx context.Context, from From, iin ident.IIN, link LinkKey, password string) (Account, error) {
	return o.signIn(ctx, from, iin, link, password)
}

func (o *Office) signIn(ctx context.Context, from From, iin ident.IIN, link LinkKey, password string) (Account, error) {
	a, err := o.Admit(ctx, iin)
	if err != nil {
		return a, o.turnedAway(ctx, from, iin, err)
	}
	hash, err := o.passwordOf(ctx, a, link)
	if err != nil {
		return a, err
	}
	ok, weak := o.c.Passwords.Check(hash, password)
	fresh := ""
	if ok && weak && hash == a.Password {
		if fresh, err = o.c.Passwords.Hash(password); err != nil {
			return a, fmt.Errorf("sign in: %w", err)
		}
	}
	var denied *Denied
	checked := a.Password
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		denied = nil
		if a, err = tx.Account(ctx, iin); err != nil {
			return err
		}
		if a.Password != checked {
			return ErrRace
		}
		if code := a.usable(); code != "" {
			denied = deny(code, "reason", a.BlockedReason)
			return tx.Audit(ctx, audit.Event{Action: "signin.failed", Actor: tx.Hash(string(iin)), Result: code, Detail: from.detail()})
		}
		// Many may try at once: whoever finds the lock shut by another is refused, right or wrong.
		if until, locked := a.Locked(o.now()); locked {
			denied = deny("ACCOUNT_LOCKED", "until", stamp(until))
			return tx.Audit(ctx, audit.Event{Action: "signin.failed", Actor: tx.Hash(string(iin)), Result: denied.Code, Detail: from.detail()})
		}
		if !ok {
			denied, err = o.wrongPassword(ctx, tx, from, a)
			return err
		}
		a = a.passed()
		if fresh != "" {
			a.Password = fresh
		}
		return tx.PutAccount(ctx, a)
	})
	switch {
	case err != nil:
		return Account{}, fmt.Errorf("sign in: %w", raced(err))
	case denied != nil:
		return Account{}, denied
	}
	return a, nil
}

// passwordOf is the hash a password is compared with: the account's, or before the first completion the
// link's registration's.
func (o *Office) passwordOf(ctx context.Context, a Account, link LinkKey) (string, error) {
	if a.State != AccountPending || link == "" {
		return a.Password, nil
	}
	r, err := o.byLink(ctx, link)
	switch {
	case errors.Is(err, ErrNotFound):
		return a.Password, nil // completion refuses the link
	case err != nil:
		return "", fmt.Errorf("sign in: %w", err)
	case r.IIN != a.IIN || r.Password == "":
		return a.Password, nil
	}
	return r.Password, nil
}

// turnedAway records why a person was refused before anything was compared (section 18), and gives it back.
func (o *Office) turnedAway(ctx context.Context, from From, iin ident.IIN, why error) error {
	d, ok := errors.AsType[*Denied](why)
	if !ok {
		return why
	}
	return errors.Join(why, o.c.Store.Update(ctx, func(tx Tx) error {
		return tx.Audit(ctx, audit.Event{Action: "signin.failed", Actor: tx.Hash(string(iin)), Result: d.Code, Detail: from.detail()})
	}))
}

// wrongPassword counts one wrong password and, at a lock, tells the owner.
func (o *Office) wrongPassword(ctx context.Context, tx Tx, from From, a Account) (*Denied, error) {
	was := o.accountState(a)
	a, locked := a.failed(o.now(), o.c.SignIn)
	if err := tx.PutAccount(ctx, a); err != nil {
		return nil, err
	}
	if locked {
		if err := o.accountMoved(ctx, tx, a.IIN, was, AccountFailed); err != nil {
			return nil, err
		}
	}
	actor := tx.Hash(string(a.IIN))
	if err := tx.Audit(ctx, audit.Event{Action: "signin.failed", Actor: actor, Result: "PASSWORD_WRONG", Detail: from.detail()}); err != nil {
		return nil, err
	}
	if !locked {
		return deny("PASSWORD_WRONG", "left", strconv.Itoa(o.c.SignIn.FailLock-a.Failed)), nil
	}
	if err := tx.Audit(ctx, audit.Event{Action: "signin.locked", Actor: actor, Result: "ACCOUNT_LOCKED", Detail: from.detail()}); err != nil {
		return nil, err
	}
	if a.Email != "" && !a.EmailConfirmed.IsZero() {
		m := notice.Message{N: "N-20", To: a.Email, Lang: a.Lang, Vars: timeVars(a.Lang, a.LockedUntil),
			Key: notice.Key("N-20", actor, stamp(a.LockedUntil), a.Email)}
		if err := tx.Notify(ctx, m); err != nil {
			return nil, err
		}
	}
	return deny("ACCOUNT_LOCKED", "until", stamp(a.LockedUntil)), nil
}

// Admit says whether a person may be asked for a password at all: NOT_REGISTERED, ACCOUNT_BLOCKED or
// ACCOUNT_LOCKED otherwise. It is asked after a verified certificate only.
func (o *Office) Admit(ctx context.Context, iin ident.IIN) (Account, error) {
	a, err := o.account(ctx, iin)
	switch {
	case errors.Is(err, ErrNotFound):
		return a, deny("NOT_REGISTERED")
	case err != nil:
		return a, err
	}
	if code := a.usable(); code != "" {
		return Account{}, deny(code, "reason", a.BlockedReason)
	}
	if until, locked := a.Locked(o.now()); locked {
		return Account{}, deny("ACCOUNT_LOCKED", "until", stamp(until))
	}
	return a, nil
}

// Profiles lists a person's profiles in the order of time, blocked ones too (S3).
func (o *Office) Profiles(ctx context.Context, iin ident.IIN) ([]Profile, error) {
	var all []Profile
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		all, err = tx.Profiles(ctx, iin)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list profiles: %w", err)
	}
	return all, nil
}

// Told is what a refusal by [Profile.Allowed] rests on, as pairs of names and values.
func (p Profile) Told(code string) []string {
	e := []string{"reason", cmp.Or(p.Note, p.Reason), "since", stamp(p.Since), "name", p.Name}
	switch code {
	case "PROXY_NOT_YET":
		e = append(e, "date", stamp(p.Grant.From))
	case "PERMISSIONS_EXPIRED":
		e = append(e, "date", stamp(p.Grant.LastDay()))
	}
	return e
}

// Choose opens a profile of the person for a certificate with the given BIN (S4). [*Denied] with
// PROFILE_BLOCKED, CERT_NOT_OF_ENTERPRISE, PROXY_NOT_YET, PERMISSIONS_EXPIRED, or AGREEMENT_TO_SIGN when the
// last moment to sign the agreement in force has passed (section 14); [ErrNotFound] when it is not his.
func (o *Office) Choose(ctx context.Context, iin ident.IIN, id, certificateBIN string) (Profile, error) {
	var p Profile
	var again Resign
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		if p, err = tx.Profile(ctx, id); err != nil {
			return err
		}
		if p.IIN != iin {
			return ErrNotFound
		}
		again, err = o.toSign(ctx, tx, iin, id)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		return err
	})
	if err != nil {
		return Profile{}, fmt.Errorf("choose profile: %w", err)
	}
	if code := o.Allowed(p, certificateBIN); code != "" {
		return p, deny(code, p.Told(code)...)
	}
	if again.Overdue {
		return p, deny("AGREEMENT_TO_SIGN", "name", p.Name, "date", stamp(again.By), "profile", p.ID)
	}
	return p, nil
}

// Account reads a person's account; NOT_REGISTERED when there is none.
func (o *Office) Account(ctx context.Context, iin ident.IIN) (Account, error) {
	a, err := o.account(ctx, iin)
	if errors.Is(err, ErrNotFound) {
		return a, deny("NOT_REGISTERED")
	}
	return a, err
}

// reader is the language for letters: the account's, else Russian.
func reader(l lang.Tag) lang.Tag {
	if l == "" {
		return lang.RU
	}
	return l
}
