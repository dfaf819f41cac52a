package participant

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"senim/internal/audit"
	"senim/internal/ident"
	"senim/internal/job"
	"senim/internal/lang"
	"senim/internal/notice"
)

// ResetKind is the job that looks whether a link for a new password may be sent; its payload is
// [ResetJob]. The page answers before it runs, so that neither bytes nor time tell anything.
const ResetKind = "participant.reset"

// ResetJob is the payload of [ResetKind].
type ResetJob struct {
	ID string `json:"id"`
}

// maxOthers is how many signatures of other people a link takes before it dies.
const maxOthers = 5

// AskReset takes the form of «Сменить пароль»: [FieldErrors] about the form of what was typed, else
// nil, whoever it is. The work is the job's.
func (o *Office) AskReset(ctx context.Context, f Identity, l lang.Tag) error {
	iin, mail, wrong := o.identity(f, false)
	if len(wrong) > 0 {
		return wrong
	}
	id, err := newID(o.c.Random)
	if err != nil {
		return fmt.Errorf("ask for a new password: %w", err)
	}
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		if err := tx.PutResetAsk(ctx, ResetAsk{ID: id, IIN: iin, Email: mail, Lang: l, Made: o.now()}); err != nil {
			return err
		}
		return tx.Enqueue(ctx, job.Job{Kind: ResetKind, Payload: ResetJob{ID: id}})
	})
	if err != nil {
		return fmt.Errorf("ask for a new password: %w", err)
	}
	return nil
}

// SendReset is the job: when number and address are those of an active account, a link goes to that
// address (N-18), at most three in an hour. Otherwise nothing happens but a line of the audit log.
func (o *Office) SendReset(ctx context.Context, id string) error {
	token, err := newToken(o.c.Random)
	if err != nil {
		return fmt.Errorf("send link for a new password: %w", err)
	}
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		ask, err := tx.TakeResetAsk(ctx, id)
		if errors.Is(err, ErrNotFound) {
			return nil // done already
		}
		if err != nil {
			return err
		}
		result, err := o.sendReset(ctx, tx, ask, token)
		if err != nil {
			return err
		}
		return tx.Audit(ctx, audit.Event{Action: "password.reset.asked", Actor: tx.Hash(string(ask.IIN)), Result: result})
	})
	if err != nil {
		return fmt.Errorf("send link for a new password: %w", err)
	}
	return nil
}

func (o *Office) sendReset(ctx context.Context, tx Tx, ask ResetAsk, token string) (result string, err error) {
	a, err := tx.Account(ctx, ask.IIN)
	switch {
	case errors.Is(err, ErrNotFound):
		return "unknown", nil
	case err != nil:
		return "", err
	case a.State != AccountActive || a.EmailConfirmed.IsZero():
		return "not-active", nil
	case !strings.EqualFold(a.Email, ask.Email):
		return "other-address", nil
	}
	now := o.now()
	recent, err := tx.Resets(ctx, a.IIN, now.Add(-time.Hour))
	if err != nil {
		return "", err
	}
	if len(recent) >= o.c.ResetPerHour {
		return "too-often", nil
	}
	p := Reset{Hash: hashToken(token), IIN: a.IIN, Email: a.Email, Asked: now, Expires: now.Add(o.c.ResetLinkTTL)}
	if err := tx.PutReset(ctx, p); err != nil {
		return "", err
	}
	vars := timeVars(ask.Lang, p.Expires)
	vars["link"] = o.c.Origin + "/login/reset-password/set?t=" + token
	return "ok", tx.Notify(ctx, notice.Message{N: "N-18", To: a.Email, Lang: ask.Lang, Vars: vars, Expires: p.Expires, Key: notice.Key("N-18", p.Hash, "", a.Email)})
}

// ResetLink says whether a letter's link may still set a password: nil, or LINK_STALE. It changes
// nothing and tells nothing of the person.
func (o *Office) ResetLink(ctx context.Context, key LinkKey) error {
	err := o.c.Store.View(ctx, func(tx Tx) error {
		_, _, err := o.goodReset(ctx, tx, string(key))
		return err
	})
	if err != nil {
		return fmt.Errorf("read link for a new password: %w", err)
	}
	return nil
}

// goodReset reads a link that may be used, and its account.
func (o *Office) goodReset(ctx context.Context, tx Tx, hash string) (Reset, Account, error) {
	stale := deny("LINK_STALE", "kind", "reset")
	p, err := tx.Reset(ctx, hash)
	if errors.Is(err, ErrNotFound) {
		return p, Account{}, stale
	}
	if err != nil {
		return p, Account{}, err
	}
	if !p.Used.IsZero() || p.Failed >= maxOthers || !o.now().Before(p.Expires) {
		return p, Account{}, stale
	}
	a, err := tx.Account(ctx, p.IIN)
	if errors.Is(err, ErrNotFound) || err == nil && (a.State != AccountActive || a.Email != p.Email) {
		return p, a, stale
	}
	return p, a, err
}

// NewPassword takes the new password behind a letter's link: [FieldErrors], LINK_STALE, or an act
// to be signed by the link's person. Until that signature nothing changes.
func (o *Office) NewPassword(ctx context.Context, sid string, key LinkKey, password, again string) error {
	var p Reset
	var a Account
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		p, a, err = o.goodReset(ctx, tx, string(key))
		return err
	})
	if err != nil {
		return fmt.Errorf("take new password: %w", err)
	}
	// The reader of a letter is not told by a refusal which number is the person's: whatever looks
	// like a personal number or a phone is refused here.
	digits := onlyDigits(password)
	wrong := checkPassword(password, again, a.Email)
	if len(wrong) == 0 && len(digits) >= 10 && len(digits) <= 12 && strings.Trim(password, "0123456789+-(). ") == "" {
		wrong["password"] = "PASSWORD_PERSONAL"
	}
	if len(wrong) > 0 {
		return wrong
	}
	hash, err := o.c.Passwords.Hash(password)
	if err != nil {
		return fmt.Errorf("take new password: %w", err)
	}
	return o.keepAct(ctx, sid, Act{Kind: ActReset, IIN: p.IIN, Password: hash, Reset: p.Hash})
}

// checkPassword checks a new password typed twice; own are the person's own numbers.
func checkPassword(password, again string, own ...string) FieldErrors {
	wrong := FieldErrors{}
	switch code := PasswordCode(password, own...); {
	case password == "":
		wrong["password"] = "FIELD_EMPTY"
	case code != "":
		wrong["password"] = code
	case password != again:
		wrong["password2"] = "PASSWORD_DIFFERS"
	}
	return wrong
}

// ResetPassword takes the signature: link and certificate of the same person, both, in one act
// (E5). It sets the password, lifts a lock, ends every session of the person and tells him (E6).
// CERT_OTHER_PERSON leaves the link good, and is counted.
func (o *Office) ResetPassword(ctx context.Context, sid string, s Signed) error {
	s, err := o.proveAct(ctx, s)
	if err != nil {
		return err
	}
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		act, err := o.openAct(ctx, tx, sid, ActReset)
		if err != nil {
			return err
		}
		p, a, err := o.goodReset(ctx, tx, act.Reset)
		if err != nil {
			return err
		}
		act, signature, err := o.takeAct(ctx, tx, sid, ActReset, s)
		if err != nil {
			return err
		}
		p.Used, p.Signature = o.now(), signature
		if err := tx.PutReset(ctx, p); err != nil {
			return err
		}
		return o.setPassword(ctx, tx, a, act.Password, "password.reset.done", signature)
	})
	if err != nil {
		if cerr := o.countOther(ctx, sid, err); cerr != nil {
			return cerr
		}
		return o.refusedAct(ctx, "password.reset.done", s, err)
	}
	return nil
}

// countOther counts another person's signature on a link.
func (o *Office) countOther(ctx context.Context, sid string, why error) error {
	var d *Denied
	if !errors.As(why, &d) || d.Code != "CERT_OTHER_PERSON" {
		return nil
	}
	err := o.c.Store.Update(ctx, func(tx Tx) error {
		act, err := o.openAct(ctx, tx, sid, ActReset)
		if err != nil {
			return err
		}
		p, err := tx.Reset(ctx, act.Reset)
		if err != nil {
			return err
		}
		p.Failed++
		return tx.PutReset(ctx, p)
	})
	if err != nil {
		return fmt.Errorf("count signature of another person: %w", err)
	}
	return nil
}

// setPassword writes a new password, makes the person's other links useless, ends his sessions and
// tells him (N-19).
func (o *Office) setPassword(ctx context.Context, tx Tx, a Account, hash, action, signature string) error {
	now, was := o.now(), o.accountState(a)
	a, err := a.passed().step(AccountReset)
	if err != nil {
		return err
	}
	if err := o.accountMoved(ctx, tx, a.IIN, was, AccountReset); err != nil {
		return err
	}
	a.Password, a.PasswordChanged = hash, now
	if err := tx.PutAccount(ctx, a); err != nil {
		return err
	}
	links, err := tx.Resets(ctx, a.IIN, now.Add(-o.c.ResetLinkTTL))
	if err != nil {
		return err
	}
	for _, p := range links {
		if p.Used.IsZero() {
			p.Used = now
			if err := tx.PutReset(ctx, p); err != nil {
				return err
			}
		}
	}
	if err := tx.DropMachines(ctx, a.IIN); err != nil {
		return err
	}
	if action == "password.reset.done" { // who wins access back does not share it with a passkey that another may have added
		if err := o.dropPasskeys(ctx, tx, a.IIN); err != nil {
			return err
		}
	}
	if err := o.closeSessions(ctx, tx, a.IIN, endedByPassword); err != nil {
		return err
	}
	changed := func(l lang.Tag) map[string]string {
		v := timeVars(l, now)
		v["link"] = o.c.Origin + "/login/recover"
		return v
	}
	if err := o.tell(ctx, tx, "N-19", a.IIN, signature, changed); err != nil {
		return err
	}
	return tx.Audit(ctx, audit.Event{Action: action, Actor: tx.Hash(string(a.IIN)), Object: signature, Result: "ok"})
}

// ownNumbers are what a person's password must not be.
func (o *Office) ownNumbers(ctx context.Context, tx Tx, iin ident.IIN) ([]string, error) {
	a, err := o.owner(ctx, tx, iin)
	if err != nil {
		return nil, err
	}
	own := []string{string(iin), a.Email, a.Phone}
	profiles, err := tx.Profiles(ctx, iin)
	for _, p := range profiles {
		own = append(own, p.TIN)
	}
	return own, err
}
