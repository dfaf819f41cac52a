package ra

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"senim/internal/audit"
	"senim/internal/notice"
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

// Reasons lists what may be chosen for a key by its owner or by the head of its organisation.
func Reasons(owner bool) []string {
	if owner {
		return []string{"superseded", "keyCompromise", "cessationOfOperation", "certificateHold", "unspecified"}
	}
	return []string{"affiliationChanged", "keyCompromise", "cessationOfOperation", "certificateHold", "unspecified"}
}

// check refuses a reason nobody offered, and what it lacks.
func (v Revocation) check(owner bool, now time.Time) error {
	switch {
	case !slices.Contains(Reasons(owner), v.Reason):
		return refuse("REASON_INVALID")
	case v.Reason == "unspecified" && v.Text == "":
		return refuse("REASON_REQUIRED")
	case len([]rune(v.Text)) > 500:
		return refuse("REASON_INVALID")
	case v.Since.After(now):
		return refuse("DATE_FUTURE")
	}
	return nil
}

// Revocable finds a key that the signer may revoke (V2, V6): his own, or one of the organisation
// he heads by the registry and by his certificate. Other people's keys are answered like unknown ones.
func (o *Office) Revocable(ctx context.Context, by pki.Holder, serial string) (k Key, owner bool, err error) {
	k, err = o.c.Keys.Key(ctx, serial)
	if errors.Is(err, ErrNoKey) {
		return Key{}, false, refuse("KEY_UNKNOWN")
	}
	if err != nil {
		return Key{}, false, err
	}
	if by.IIN != "" && by.IIN == k.IIN {
		return k, true, nil
	}
	if k.BIN == "" || k.BIN != by.BIN {
		return Key{}, false, refuse("KEY_UNKNOWN")
	}
	if RoleOf(by) != RoleHead {
		return Key{}, false, refuse("ROLE_CANNOT_CONFIRM")
	}
	if !o.Heads(ctx, by.IIN, by.BIN) {
		return Key{}, false, refuse("HEAD_NOT_IN_REGISTRY", "d", o.c.Now().UTC().Format(time.RFC3339))
	}
	return k, false, nil
}

// Revoke carries out a request signed by the holder by (the caller has proved it with a fresh
// challenge over [Revocation.Digest]). It gives the moment of revocation, which is the first one
// when the key was revoked before (V7).
func (o *Office) Revoke(ctx context.Context, by *pki.Certificate, v Revocation) (time.Time, error) {
	h := by.Holder()
	k, owner, err := o.Revocable(ctx, h, v.Serial)
	if err != nil {
		return time.Time{}, err
	}
	if err := v.check(owner, o.c.Now()); err != nil {
		return time.Time{}, err
	}
	if len(v.With) > 0 && !slices.Contains(v.With, v.Serial) {
		return time.Time{}, refuse("FACTOR_NEEDED")
	}
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		if !owner {
			if err := o.needFactor(ctx, tx, h.IIN, v.FactorAbout()); err != nil {
				return err
			}
		}
		return tx.Audit(ctx, audit.Event{Action: "cert.revocation.asked", Actor: tx.Hash(h.IIN), Object: v.Serial, Result: "ok",
			Detail: map[string]string{"reason": v.Reason, "signer": by.SerialHex(), "digest": v.Digest()}})
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
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		if err := o.tellRevoked(ctx, tx, k, v.Reason, at); err != nil {
			return err
		}
		return o.dropDependent(ctx, tx, k)
	})
	return at, err
}

// tellRevoked writes to the owner (N-14), when his address is confirmed.
func (o *Office) tellRevoked(ctx context.Context, tx Tx, k Key, reason string, at time.Time) error {
	account, err := tx.Account(ctx, k.IIN)
	if errors.Is(err, ErrNotFound) || (err == nil && account.Confirmed() == "") {
		return nil
	}
	if err != nil {
		return err
	}
	t := letterLang(account.Lang)
	return tx.Notify(ctx, notice.Message{N: "N-14", To: account.Confirmed(), Lang: t,
		Key: notice.Key("N-14", k.Serial, reason, account.Confirmed()),
		Vars: map[string]string{"serial4": k.Serial[max(0, len(k.Serial)-4):], "time": t.DateTime(at),
			"reason": t.Text("web.reason." + reason), "link": o.c.Origin + "/keys"}})
}

// dropDependent rejects what still waits on the strength of a revoked key.
func (o *Office) dropDependent(ctx context.Context, tx Tx, k Key) error {
	mine, err := tx.OfPerson(ctx, k.IIN)
	if err != nil {
		return err
	}
	for _, a := range mine {
		if a.SignerSerial != k.Serial || !a.State.waits() || a.IssueBegun {
			continue
		}
		if err := a.RejectBy(Reason{Code: "OLD_KEY_REVOKED"}, o.c.Now()); err != nil {
			return err
		}
		if err := o.save(ctx, tx, &a, "application.rejected"); err != nil {
			return err
		}
		if err := o.tell(ctx, tx, &a, "N-11"); err != nil {
			return err
		}
	}
	return nil
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
	all, err := o.c.Keys.OfCompany(ctx, who.BIN)
	if err != nil {
		return nil, fmt.Errorf("list keys of the previous head: %w", err)
	}
	now := o.c.Now()
	return slices.DeleteFunc(all, func(k Key) bool {
		if k.IIN == who.IIN || !k.Live(now) {
			return true
		}
		c, err := pki.ParseCertificate(k.Raw)
		return err != nil || !c.Holder().Has(pki.RoleFirstHead)
	}), nil
}
