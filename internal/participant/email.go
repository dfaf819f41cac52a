package participant

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"senim/internal/audit"
	"senim/internal/ident"
	"senim/internal/job"
	"senim/internal/lang"
	"senim/internal/notice"
)

// EmailKind is the job that makes a confirmed change of address take effect; its payload is
// [EmailJob].
const EmailKind = "participant.email"

// EmailJob is the payload of [EmailKind].
type EmailJob struct {
	ID string `json:"id"`
}

// maxChanges is how many changes of address a person may sign in a day.
const maxChanges = 5

// Identity is what a person types to be found: his number and an address. Mistakes of form come
// back at once; whether such an account exists is not told.
type Identity struct {
	IIN, Email, EmailAgain string
	// SignedIn is who types it, when he is signed in.
	SignedIn ident.IIN
}

func (o *Office) identity(f Identity, twice bool) (ident.IIN, string, FieldErrors) {
	wrong := FieldErrors{}
	iin, err := o.c.Rules.AdmitIIN(strings.Join(strings.Fields(f.IIN), ""))
	switch {
	case strings.TrimSpace(f.IIN) == "":
		wrong["iin"] = "FIELD_EMPTY"
	case err != nil:
		wrong["iin"] = "NUMBER_INVALID"
	}
	mail, err := ident.ParseEmail(f.Email)
	switch {
	case strings.TrimSpace(f.Email) == "":
		wrong["email"] = "FIELD_EMPTY"
	case err != nil:
		wrong["email"] = "EMAIL_INVALID"
	case twice:
		if again, err := ident.ParseEmail(f.EmailAgain); err != nil || again != mail {
			wrong["email2"] = "EMAIL_DIFFERS"
		}
	}
	return iin, string(mail), wrong
}

// AskEmail takes the form of «Изменить e-mail»: [FieldErrors], or an act to be signed by the person
// of the IIN. For anyone but the signed-in person himself it asks no table, so it tells nothing; what he signs
// names his present address too, masked (section 13).
func (o *Office) AskEmail(ctx context.Context, sid string, f Identity, l lang.Tag) error {
	iin, mail, wrong := o.identity(f, true)
	if len(wrong) > 0 {
		return wrong
	}
	act := Act{Kind: ActEmail, IIN: iin, Email: mail, Lang: l}
	if f.SignedIn == iin {
		a, err := o.account(ctx, iin)
		if err != nil {
			return err
		}
		act.OldEmail = ident.MaskEmail(ident.Email(a.Email))
	}
	return o.keepAct(ctx, sid, act)
}

// ChangeEmail takes the signature: a link goes to the new address, a notice with «Это не я» to the
// old one (E3). CERT_OTHER_PERSON, SIGNATURE_INVALID, ACT_STALE, NOT_REGISTERED, ACCOUNT_BLOCKED,
// EMAIL_SAME, RECOVERY_TOO_OFTEN; then nothing is sent.
func (o *Office) ChangeEmail(ctx context.Context, sid string, s Signed) (EmailChange, error) {
	confirm, err := newToken(o.c.Random)
	if err != nil {
		return EmailChange{}, fmt.Errorf("change e-mail: %w", err)
	}
	dispute, err := newToken(o.c.Random)
	if err != nil {
		return EmailChange{}, fmt.Errorf("change e-mail: %w", err)
	}
	if s, err = o.proveAct(ctx, s); err != nil {
		return EmailChange{}, err
	}
	var c EmailChange
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		act, signature, err := o.takeAct(ctx, tx, sid, ActEmail, s)
		if err != nil {
			return err
		}
		a, err := o.owner(ctx, tx, act.IIN)
		if err != nil {
			return err
		}
		if strings.EqualFold(a.Email, act.Email) {
			return deny("EMAIL_SAME")
		}
		if err := o.replaceChanges(ctx, tx, act.IIN); err != nil {
			return err
		}
		now := o.now()
		c = EmailChange{ID: signature, IIN: act.IIN, Old: a.Email, New: act.Email, Lang: act.Lang, State: ChangeAsked, Confirm: hashToken(confirm),
			Dispute: hashToken(dispute), Signature: signature, Asked: now, Expires: now.Add(o.c.EmailChangeTTL)}
		if err := tx.PutEmailChange(ctx, c); err != nil {
			return err
		}
		if err := o.emailLetters(ctx, tx, a, c, confirm, dispute); err != nil {
			return err
		}
		return tx.Audit(ctx, changeEvent(tx, "email.change.asked", c, "ok"))
	})
	if err != nil {
		return c, o.refusedAct(ctx, "email.change.asked", s, err)
	}
	return c, nil
}

// replaceChanges ends the changes that still wait: the newest signature is the one meant.
func (o *Office) replaceChanges(ctx context.Context, tx Tx, iin ident.IIN) error {
	day := o.now().Add(-24 * time.Hour)
	all, err := tx.EmailChanges(ctx, iin, day)
	if err != nil {
		return err
	}
	recent := 0
	for _, c := range all {
		if c.Asked.After(day) {
			recent++
		}
		if c.Ended.IsZero() {
			c.State, c.Ended = ChangeReplaced, o.now()
			if err := tx.PutEmailChange(ctx, c); err != nil {
				return err
			}
		}
	}
	if recent >= maxChanges {
		return deny("RECOVERY_TOO_OFTEN")
	}
	return nil
}

// emailLetters writes N-16 and N-17.
func (o *Office) emailLetters(ctx context.Context, tx Tx, a Account, c EmailChange, confirm, dispute string) error {
	vars := timeVars(c.Lang, c.Expires)
	vars["link"] = o.c.Origin + "/login/change-email/confirm?t=" + confirm
	if err := tx.Notify(ctx, notice.Message{N: "N-16", To: c.New, Lang: c.Lang, Vars: vars, Expires: c.Expires, Key: notice.Key("N-16", c.ID, "", c.New)}); err != nil {
		return err
	}
	if a.Email == "" || a.EmailConfirmed.IsZero() {
		return nil
	}
	return tx.Notify(ctx, notice.Message{N: "N-17", To: a.Email, Lang: a.Lang, Key: notice.Key("N-17", c.ID, "", a.Email),
		Vars: map[string]string{"masked": ident.MaskEmail(ident.Email(c.New)), "link": o.c.Origin + "/login/change-email/not-me?t=" + dispute}})
}

// EmailLink reads the change one of whose letters carried the token; it changes nothing. LINK_STALE
// when there is none.
func (o *Office) EmailLink(ctx context.Context, key LinkKey) (EmailChange, error) {
	var c EmailChange
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		c, err = tx.EmailChangeByLink(ctx, string(key))
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return c, deny("LINK_STALE", "kind", "email")
	}
	if err != nil {
		return c, fmt.Errorf("read change of e-mail: %w", err)
	}
	return c, nil
}

// Confirmable reports whether the key is the new address's and may still be confirmed.
func (c EmailChange) Confirmable(key LinkKey, at time.Time) bool {
	return c.Confirm == string(key) && c.State == ChangeAsked && at.Before(c.Expires)
}

// Disputable reports whether the key is the old address's and the change has not taken effect.
func (c EmailChange) Disputable(key LinkKey, at time.Time) bool {
	if c.Dispute != string(key) {
		return false
	}
	return c.State == ChangeAsked || c.State == ChangeConfirmed && at.Before(c.Effective)
}

// ConfirmEmail is the button behind the new address's link. The change takes effect after
// email.change_delay: at once when that is 0.
func (o *Office) ConfirmEmail(ctx context.Context, key LinkKey) (EmailChange, error) {
	var c EmailChange
	err := o.c.Store.Update(ctx, func(tx Tx) (err error) {
		c, err = tx.EmailChangeByLink(ctx, string(key))
		now := o.now()
		if errors.Is(err, ErrNotFound) || err == nil && !c.Confirmable(key, now) {
			return deny("LINK_STALE", "kind", "email")
		}
		if err != nil {
			return err
		}
		c.State, c.Effective = ChangeConfirmed, now.Add(o.c.EmailChangeDelay)
		if err := tx.Audit(ctx, changeEvent(tx, "email.change.confirmed", c, "ok")); err != nil {
			return err
		}
		if o.c.EmailChangeDelay <= 0 {
			c, err = o.applyEmail(ctx, tx, c)
			return err
		}
		if err := tx.Enqueue(ctx, job.Job{Kind: EmailKind, Payload: EmailJob{ID: c.ID}, At: c.Effective}); err != nil {
			return err
		}
		return tx.PutEmailChange(ctx, c)
	})
	if err != nil {
		return c, fmt.Errorf("confirm e-mail: %w", err)
	}
	return c, nil
}

// ApplyEmail makes a confirmed change whose delay is over take effect; any other is left alone.
func (o *Office) ApplyEmail(ctx context.Context, id string) error {
	err := o.c.Store.Update(ctx, func(tx Tx) error {
		c, err := tx.EmailChange(ctx, id)
		if errors.Is(err, ErrNotFound) || err == nil && (c.State != ChangeConfirmed || o.now().Before(c.Effective)) {
			return nil
		}
		if err != nil {
			return err
		}
		_, err = o.applyEmail(ctx, tx, c)
		var d *Denied
		if errors.As(err, &d) { // blocked meanwhile: nothing is changed behind an administrator's back
			c.State, c.Ended = ChangeReplaced, o.now()
			return errors.Join(tx.PutEmailChange(ctx, c), tx.Audit(ctx, changeEvent(tx, "email.change.confirmed", c, d.Code)))
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("apply change of e-mail: %w", err)
	}
	return nil
}

// applyEmail writes the new address and ends the person's sessions (S5). Links that set a password
// die with the old address.
func (o *Office) applyEmail(ctx context.Context, tx Tx, c EmailChange) (EmailChange, error) {
	a, err := o.owner(ctx, tx, c.IIN)
	if err != nil {
		return c, err
	}
	now := o.now()
	a.Email, a.EmailConfirmed = c.New, now
	c.State, c.Ended = ChangeDone, now
	if err := tx.PutAccount(ctx, a); err != nil {
		return c, err
	}
	if err := tx.PutEmailChange(ctx, c); err != nil {
		return c, err
	}
	return c, o.closeSessions(ctx, tx, c.IIN, endedByEmail)
}

// DisputeEmail is the button «Это не я»: it cancels a change that has not taken effect. One that has
// is left alone, and comes back as it is: the page shows the way out.
func (o *Office) DisputeEmail(ctx context.Context, key LinkKey) (EmailChange, error) {
	var c EmailChange
	err := o.c.Store.Update(ctx, func(tx Tx) (err error) {
		c, err = tx.EmailChangeByLink(ctx, string(key))
		if errors.Is(err, ErrNotFound) || err == nil && c.Dispute != string(key) {
			return deny("LINK_STALE", "kind", "email")
		}
		if err != nil {
			return err
		}
		if !c.Disputable(key, o.now()) {
			return tx.Audit(ctx, changeEvent(tx, "email.change.disputed", c, "late"))
		}
		c.State, c.Ended = ChangeDisputed, o.now()
		if err := tx.PutEmailChange(ctx, c); err != nil {
			return err
		}
		return tx.Audit(ctx, changeEvent(tx, "email.change.disputed", c, "ok"))
	})
	if err != nil {
		return c, fmt.Errorf("dispute change of e-mail: %w", err)
	}
	return c, nil
}

func changeEvent(tx Tx, action string, c EmailChange, result string) audit.Event {
	return audit.Event{Action: action, Actor: tx.Hash(string(c.IIN)), Object: c.ID, Result: result}
}

// closeActing ends the sessions of the person that act as a profile.
func (o *Office) closeActing(ctx context.Context, tx Tx, p Profile, reason string) error {
	ended, err := tx.EndSessions(ctx, o.c.Site, p.IIN, p, reason)
	if err != nil || ended == 0 {
		return err
	}
	return tx.Audit(ctx, audit.Event{Action: "session.closed", Actor: tx.Hash(string(p.IIN)), Object: p.ID, Result: "ok",
		Detail: map[string]string{"reason": reason, "sessions": strconv.Itoa(ended)}})
}

// closeSessions ends every session of the person on this site.
func (o *Office) closeSessions(ctx context.Context, tx Tx, iin ident.IIN, reason string) error {
	if _, err := tx.EndSessions(ctx, o.c.Site, iin, Profile{}, reason); err != nil {
		return err
	}
	return tx.Audit(ctx, audit.Event{Action: "session.closed", Actor: tx.Hash(string(iin)), Result: "ok", Detail: map[string]string{"reason": reason}})
}

// refusedAct writes down a signed act that was refused and gives the refusal.
func (o *Office) refusedAct(ctx context.Context, action string, s Signed, err error) error {
	var d *Denied
	if !errors.As(err, &d) || s.Proof == nil {
		return fmt.Errorf("do what was signed: %w", raced(err))
	}
	aerr := o.c.Store.Update(ctx, func(tx Tx) error {
		return tx.Audit(ctx, audit.Event{Action: action, Actor: tx.Hash(s.Proof.Holder.IIN), Object: s.Proof.Certificate.SerialHex(), Result: d.Code})
	})
	if aerr != nil {
		return fmt.Errorf("refuse what was signed (%w): %w", err, aerr)
	}
	return d
}
