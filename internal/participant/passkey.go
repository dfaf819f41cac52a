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
	"senim/internal/lang"
)

// Bounds of passkeys.
const (
	maxPasskeys    = 10
	maxPasskeyName = 40
)

// Passkey is a WebAuthn credential of a person. It stands in for typing the password and for nothing
// else: whoever signs in proves his certificate first (S1).
type Passkey struct {
	ID         string
	IIN        ident.IIN
	Name       string // chosen by the person
	Credential string // as whoever verifies its answers writes it; a public key, no secret
	Made, Used time.Time
	Signature  string // id of the [SignedAct]; empty while it waits for it, and then it opens nothing
}

// Passkeys lists the passkeys of a person that open something.
func (o *Office) Passkeys(ctx context.Context, iin ident.IIN) ([]Passkey, error) {
	var signed []Passkey
	err := o.c.Store.View(ctx, func(tx Tx) error {
		all, err := tx.Passkeys(ctx, iin)
		signed = nil
		for _, p := range all {
			if p.Signature != "" {
				signed = append(signed, p)
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list passkeys: %w", err)
	}
	return signed, nil
}

// Handle names a person to authenticators, which keep it: a keyed hash, never the number.
func (o *Office) Handle(ctx context.Context, iin ident.IIN) (string, error) {
	handle := ""
	err := o.c.Store.View(ctx, func(tx Tx) error {
		handle = tx.Hash("passkey " + string(iin))
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("name a person: %w", err)
	}
	return handle, nil
}

// PasskeyName checks the name of a new passkey: [FieldErrors], or the name as it is kept. PASSKEY_MANY
// when the person has enough of them.
func (o *Office) PasskeyName(ctx context.Context, iin ident.IIN, name string) (string, error) {
	name = strings.Join(strings.Fields(name), " ")
	switch n := utf8.RuneCountInString(name); {
	case n == 0:
		return "", FieldErrors{"name": "FIELD_EMPTY"}
	case n > maxPasskeyName || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }):
		return "", FieldErrors{"name": "PASSKEY_NAME"}
	}
	all, err := o.Passkeys(ctx, iin)
	if err != nil {
		return "", err
	}
	if len(all) >= maxPasskeys {
		return "", deny("PASSKEY_MANY")
	}
	return name, nil
}

// AskPasskey keeps a credential that an authenticator has just made, for the signature of its person.
func (o *Office) AskPasskey(ctx context.Context, sid string, iin ident.IIN, name, credential string) error {
	name, err := o.PasskeyName(ctx, iin, name)
	if err != nil {
		return err
	}
	id, err := newID(o.c.Random)
	if err != nil {
		return fmt.Errorf("add a passkey: %w", err)
	}
	p := Passkey{ID: id, IIN: iin, Name: name, Credential: credential, Made: o.now()}
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		if err := tx.SweepPasskeys(ctx, o.now().Add(-ActTTL)); err != nil {
			return err
		}
		return tx.PutPasskey(ctx, p)
	})
	if err != nil {
		return fmt.Errorf("add a passkey: %w", err)
	}
	return o.keepAct(ctx, sid, Act{Kind: ActPasskey, IIN: iin, Passkey: p.line()})
}

// line is what is signed of a passkey: its id, the digest of its key, its name.
func (p Passkey) line() string { return p.ID + " " + hashToken(p.Credential) + " " + p.Name }

// AddPasskey takes the signature; from then on the passkey opens.
func (o *Office) AddPasskey(ctx context.Context, sid string, s Signed) error {
	s, err := o.proveAct(ctx, s)
	if err != nil {
		return err
	}
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		act, signature, err := o.takeAct(ctx, tx, sid, ActPasskey, s)
		if err != nil {
			return err
		}
		a, err := o.owner(ctx, tx, act.IIN)
		if err != nil {
			return err
		}
		id, _, _ := strings.Cut(act.Passkey, " ")
		p, err := tx.Passkey(ctx, id)
		if errors.Is(err, ErrNotFound) || err == nil && (p.IIN != act.IIN || p.line() != act.Passkey || p.Signature != "") {
			return deny("ACT_STALE")
		}
		if err != nil {
			return err
		}
		p.Signature = signature
		if err := tx.PutPasskey(ctx, p); err != nil {
			return err
		}
		told := func(l lang.Tag) map[string]string {
			v := timeVars(l, o.now())
			v["name"], v["link"] = p.Name, o.c.Origin+"/me/passkeys"
			return v
		}
		if err := o.tell(ctx, tx, "N-32", a.IIN, p.ID, told); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.Event{Action: "passkey.added", Actor: tx.Hash(string(a.IIN)), Object: p.ID, Result: "ok"})
	})
	if err != nil {
		return o.refusedAct(ctx, "passkey.added", s, err)
	}
	return nil
}

// RemovePasskey removes a passkey of the person. It takes no signature: one who lost the authenticator must
// be able to do it at once, and the password remains.
func (o *Office) RemovePasskey(ctx context.Context, iin ident.IIN, id string) error {
	err := o.c.Store.Update(ctx, func(tx Tx) error {
		p, err := tx.Passkey(ctx, id)
		if err == nil && p.IIN != iin {
			err = ErrNotFound
		}
		if err != nil {
			return err
		}
		if err := tx.DropPasskey(ctx, id); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.Event{Action: "passkey.removed", Actor: tx.Hash(string(iin)), Object: id, Result: "ok"})
	})
	if err != nil {
		return fmt.Errorf("remove a passkey: %w", err)
	}
	return nil
}

// dropPasskeys removes every passkey of a person.
func (o *Office) dropPasskeys(ctx context.Context, tx Tx, iin ident.IIN) error {
	all, err := tx.Passkeys(ctx, iin)
	if err != nil {
		return err
	}
	for _, p := range all {
		if err := tx.DropPasskey(ctx, p.ID); err != nil {
			return err
		}
		if err := tx.Audit(ctx, audit.Event{Action: "passkey.removed", Actor: tx.Hash(string(iin)), Object: p.ID, Result: "password.reset"}); err != nil {
			return err
		}
	}
	return nil
}

// SignInByPasskey is [Office.SignIn] for whose passkey has just answered; credential is as it is to be kept
// now, with its count of uses.
func (o *Office) SignInByPasskey(ctx context.Context, from From, iin ident.IIN, id, credential string) (Account, error) {
	a, err := o.Admit(ctx, iin)
	if err != nil {
		return a, o.turnedAway(ctx, from, iin, err)
	}
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		if a, err = tx.Account(ctx, iin); err != nil {
			return err
		}
		if code := a.usable(); code != "" {
			return deny(code, "reason", a.BlockedReason)
		}
		if until, locked := a.Locked(o.now()); locked {
			return deny("ACCOUNT_LOCKED", "until", stamp(until))
		}
		p, err := tx.Passkey(ctx, id)
		if errors.Is(err, ErrNotFound) || err == nil && (p.IIN != iin || p.Signature == "") {
			return deny("PASSKEY_REFUSED")
		}
		if err != nil {
			return err
		}
		p.Credential, p.Used = credential, o.now()
		return tx.PutPasskey(ctx, p)
	})
	if err != nil {
		return Account{}, o.turnedAway(ctx, from, iin, fmt.Errorf("sign in: %w", err))
	}
	return a, nil
}

// PasskeyRefused records an answer that was none of the person's passkeys.
func (o *Office) PasskeyRefused(ctx context.Context, from From, iin ident.IIN) error {
	err := o.c.Store.Update(ctx, func(tx Tx) error {
		return tx.Audit(ctx, audit.Event{Action: "signin.failed", Actor: tx.Hash(string(iin)), Result: "PASSKEY_REFUSED", Detail: from.detail()})
	})
	if err != nil {
		return fmt.Errorf("sign in: %w", err)
	}
	return deny("PASSKEY_REFUSED")
}
