package ra

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"senim/internal/audit"
	"senim/pki"
)

// Revocation asks that a certificate end before its date.
type Revocation struct {
	Serial string
	// Reason is a name of RFC 5280 that [Reasons] offers.
	Reason string
	// Text explains "unspecified".
	Text string
	// Since is the suspected day of a compromise; zero when not told.
	Since time.Time
	// With lists the serials asked for in the same act, this one among them; empty: this one alone.
	// One second factor is passed for all of them.
	With []string
}

// Digest is what the person's challenge names: the request in one line, hashed.
func (v Revocation) Digest() string {
	since := ""
	if !v.Since.IsZero() {
		since = v.Since.UTC().Format(time.DateOnly)
	}
	return hexSum([]byte("senim revocation 1\n" + v.Serial + "\n" + v.Reason + "\n" + since + "\n" + v.Text + "\n"))
}

// Reasons lists what may be chosen for a key, by who asks (cabinet.md §11).
func Reasons(by Standing) []string {
	switch by {
	case AsOwner:
		return []string{"superseded", "keyCompromise", "cessationOfOperation", "certificateHold", "unspecified"}
	case AsHead:
		return []string{"affiliationChanged", "keyCompromise", "cessationOfOperation", "certificateHold", "unspecified"}
	case AsDelegate:
		return []string{"affiliationChanged", "unspecified"}
	}
	return nil
}

// MaxReason bounds what people write of a reason, in letters.
const MaxReason = 500

// check refuses a reason nobody offered, and what it lacks.
func (v Revocation) check(by Standing, now time.Time) error {
	switch {
	case !slices.Contains(Reasons(by), v.Reason):
		return refuse("REASON_INVALID")
	case v.Reason == "unspecified" && v.Text == "":
		return refuse("REASON_REQUIRED")
	case len([]rune(v.Text)) > MaxReason:
		return refuse("REASON_LONG")
	case v.Since.After(now):
		return refuse("DATE_FUTURE")
	}
	return nil
}

// Revocable finds a key that the signer may revoke, and by what right (V2, V6): his own, or one of the
// organisation he heads by the registry and by his certificate, or was given the power to revoke in. A
// delegate may not revoke the head's own keys. Other people's keys are answered like unknown ones.
func (o *Office) Revocable(ctx context.Context, by pki.Holder, serial string) (Key, Standing, error) {
	k, err := o.c.Keys.Key(ctx, serial)
	if errors.Is(err, ErrNoKey) {
		return Key{}, "", refuse("KEY_UNKNOWN")
	}
	if err != nil {
		return Key{}, "", err
	}
	if by.IIN != "" && by.IIN == k.IIN {
		return k, AsOwner, nil
	}
	if k.BIN == "" || k.BIN != by.BIN {
		return Key{}, "", refuse("KEY_UNKNOWN")
	}
	as, d, err := o.StandingOf(ctx, by, PowerRevoke)
	if err != nil {
		return Key{}, "", err
	}
	if as == AsDelegate && k.IIN == d.Head {
		return Key{}, "", refuse("ROLE_CANNOT_CONFIRM")
	}
	return k, as, nil
}

// Revoke carries out a request signed by the holder by (the caller has proved it with a fresh
// challenge over [Revocation.Digest]). It gives the moment of revocation, which is the first one
// when the key was revoked before (V7). A refusal is recorded too.
func (o *Office) Revoke(ctx context.Context, by *pki.Certificate, v Revocation) (time.Time, error) {
	h := by.Holder()
	k, as, err := o.Revocable(ctx, h, v.Serial)
	if err == nil {
		err = v.check(as, o.c.Now())
	}
	if err != nil {
		return time.Time{}, o.RevocationRefused(ctx, by, v, err)
	}
	if len(v.With) > 0 && !slices.Contains(v.With, v.Serial) {
		return time.Time{}, refuse("FACTOR_NEEDED")
	}
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		if as != AsOwner {
			if err := o.needFactor(ctx, tx, h.IIN, v.FactorAbout()); err != nil {
				return err
			}
		}
		return tx.Audit(ctx, audit.Event{Action: "cert.revocation.asked", Actor: tx.Hash(h.IIN), Object: v.Serial, Result: "ok",
			Detail: map[string]string{"reason": v.Reason, "as": string(as), "signer": by.SerialHex(), "digest": v.Digest()}})
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("revoke %s: %w", v.Serial, err)
	}
	at, err := o.c.Revoker.Revoke(ctx, v.Serial, v.Reason, v.Since, "cert:"+by.SerialHex())
	if err != nil {
		return time.Time{}, fmt.Errorf("revoke %s: %w", v.Serial, err)
	}
	if !k.RevokedAt.IsZero() && k.Reason != "certificateHold" {
		return at, nil // revoked before: nothing new to tell
	}
	return at, o.revocationDone(ctx, k, v.Reason, at, h.IIN)
}

// RevocationRefused records that somebody asked for what he may not, and gives the refusal back; other
// errors pass.
func (o *Office) RevocationRefused(ctx context.Context, by *pki.Certificate, v Revocation, why error) error {
	var no *Refusal
	if !errors.As(why, &no) {
		return why
	}
	e := audit.Event{Action: "cert.revocation.asked", Object: "unknown", Result: no.Code, Detail: map[string]string{"signer": by.SerialHex()}}
	if _, err := o.c.Keys.Key(ctx, v.Serial); err == nil { // what was typed is not written down
		e.Object = v.Serial
	}
	err := o.c.Store.Update(ctx, func(tx Tx) error {
		e.Actor = tx.Hash(by.Holder().IIN)
		return tx.Audit(ctx, e)
	})
	if err != nil {
		return fmt.Errorf("revoke %s: %w", v.Serial, err)
	}
	return why
}

// Keys lists a person's own keys; with a BIN those of that organisation only.
func (o *Office) Keys(ctx context.Context, who Viewer) ([]Key, error) {
	all, err := o.c.Keys.Of(ctx, who.IIN)
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	if who.BIN == "" {
		return all, nil
	}
	return slices.DeleteFunc(all, func(k Key) bool { return k.BIN != who.BIN }), nil
}

// PreviousHead lists living head's keys of an organisation that belong to somebody else, for its
// present head (cabinet.md §12). Others get nothing.
func (o *Office) PreviousHead(ctx context.Context, who Viewer) ([]Key, error) {
	if who.BIN == "" || !o.Heads(ctx, who.IIN, who.BIN) {
		return nil, nil
	}
	return o.previousKeys(ctx, who.IIN, who.BIN)
}

// previousKeys is PreviousHead for a head whom the registry has just named.
func (o *Office) previousKeys(ctx context.Context, head, bin string) ([]Key, error) {
	all, err := o.c.Keys.OfCompany(ctx, bin)
	if err != nil {
		return nil, fmt.Errorf("list keys of the previous head: %w", err)
	}
	now := o.c.Now()
	return slices.DeleteFunc(all, func(k Key) bool {
		if k.IIN == head || !k.Live(now) {
			return true
		}
		c, err := pki.ParseCertificate(k.Raw)
		return err != nil || !c.Holder().Has(pki.RoleFirstHead)
	}), nil
}
