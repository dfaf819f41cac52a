package ra

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"senim/internal/audit"
	"senim/internal/ident"
)

// Consent is a holder's leave to look at his keys: a link he gives to whom he likes. Whoever opens it must
// also know his number, so that a link gone astray shows nothing and does not say whose it is.
type Consent struct {
	// ID names it to its holder; Hash is the SHA-256 of the token in the link, which is kept nowhere.
	ID, Hash, IIN    string
	Created, Expires time.Time
	// Ended is when the holder withdrew it, or too many wrong numbers did; zero while it lives.
	Ended time.Time
	// Opened counts who saw the keys, Wrong the wrong numbers.
	Opened, Wrong int
}

// Bounds of consents.
const (
	ConsentTTL  = 7 * 24 * time.Hour
	maxConsents = 5
	maxWrong    = 5
)

// Lives reports whether the link opens at a moment.
func (c Consent) Lives(now time.Time) bool { return c.Ended.IsZero() && now.Before(c.Expires) }

// Open lets a visitor who typed a number look, or refuses. The caller keeps the consent in either case: wrong
// numbers count, and the last of them ends it.
func (c *Consent) Open(iin string, now time.Time) error {
	if !c.Lives(now) {
		return refuse("CONSENT_UNKNOWN")
	}
	if iin != c.IIN {
		if c.Wrong++; c.Wrong >= maxWrong {
			c.Ended = now
		}
		return refuse("CONSENT_UNKNOWN")
	}
	c.Opened++
	return nil
}

// End withdraws a consent; one that has ended stays as it is.
func (c *Consent) End(now time.Time) {
	if c.Ended.IsZero() {
		c.Ended = now
	}
}

// consentTx keeps consents.
type consentTx interface {
	// PutConsent writes a consent, new or changed.
	PutConsent(ctx context.Context, c Consent) error
	// Consent reads by the hash of its token; [ErrNotFound].
	Consent(ctx context.Context, hash string) (Consent, error)
	// Consents lists those of a person, latest first.
	Consents(ctx context.Context, iin string) ([]Consent, error)
}

// GiveConsent makes a link's token for the person's keys. It is shown once.
func (o *Office) GiveConsent(ctx context.Context, iin string) (token string, err error) {
	token = newToken()
	now := o.c.Now()
	hash := hexSum([]byte(token))
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		mine, err := tx.Consents(ctx, iin)
		if err != nil {
			return err
		}
		if len(living(mine, now)) >= maxConsents {
			return refuse("TOO_MANY_CONSENTS")
		}
		c := Consent{ID: hash[:16], Hash: hash, IIN: iin, Created: now, Expires: now.Add(ConsentTTL)}
		if err := tx.PutConsent(ctx, c); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.Event{Action: "consent.given", Actor: tx.Hash(iin), Object: "consent " + c.ID, Result: "ok"})
	})
	if err != nil {
		return "", fmt.Errorf("give consent: %w", err)
	}
	return token, nil
}

// Consents lists a person's living consents.
func (o *Office) Consents(ctx context.Context, iin string) (list []Consent, err error) {
	err = o.c.Store.View(ctx, func(tx Tx) (err error) {
		list, err = tx.Consents(ctx, iin)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list consents: %w", err)
	}
	return living(list, o.c.Now()), nil
}

func living(list []Consent, now time.Time) []Consent {
	return slices.DeleteFunc(list, func(c Consent) bool { return !c.Lives(now) })
}

// EndConsent withdraws one of the person's own.
func (o *Office) EndConsent(ctx context.Context, iin, id string) error {
	return o.c.Store.Update(ctx, func(tx Tx) error {
		mine, err := tx.Consents(ctx, iin)
		if err != nil {
			return fmt.Errorf("end consent: %w", err)
		}
		i := slices.IndexFunc(mine, func(c Consent) bool { return c.ID == id })
		if i < 0 {
			return refuse("CONSENT_UNKNOWN")
		}
		if !mine[i].Ended.IsZero() {
			return nil
		}
		mine[i].End(o.c.Now())
		if err := tx.PutConsent(ctx, mine[i]); err != nil {
			return fmt.Errorf("end consent: %w", err)
		}
		return tx.Audit(ctx, audit.Event{Action: "consent.ended", Actor: tx.Hash(iin), Object: "consent " + id, Result: "ok"})
	})
}

// ShownBy lists the keys a link shows to a visitor who knows the holder's number. An unknown link, one that
// ended, and a wrong number have one answer.
func (o *Office) ShownBy(ctx context.Context, token, iin string) ([]Key, error) {
	var refused error
	err := o.c.Store.Update(ctx, func(tx Tx) error {
		c, err := tx.Consent(ctx, hexSum([]byte(token)))
		if errors.Is(err, ErrNotFound) {
			refused = refuse("CONSENT_UNKNOWN")
			return nil
		}
		if err != nil {
			return err
		}
		lived := c.Lives(o.c.Now())
		refused = c.Open(iin, o.c.Now())
		if !lived {
			return nil
		}
		if err := tx.PutConsent(ctx, c); err != nil {
			return err
		}
		result := "ok"
		if refused != nil {
			result = "refused"
		}
		return tx.Audit(ctx, audit.Event{Action: "consent.used", Object: "consent " + c.ID, Result: result})
	})
	if err == nil {
		err = refused
	}
	if err != nil {
		return nil, fmt.Errorf("open a consent: %w", err)
	}
	return o.c.Keys.Of(ctx, iin)
}

// Shown lists the keys of a person or an organisation for those who may search by number: the holder, the
// head of the organisation, operators. Everybody else has one answer, whether or not there are such keys.
func (o *Office) Shown(ctx context.Context, who Viewer, operator bool, number string) ([]Key, error) {
	iin, err := ident.ParseIIN(number)
	if err != nil {
		return nil, refuse("NUMBER_WRONG")
	}
	keys, err := o.shown(ctx, who, operator, string(iin))
	result := "ok"
	if no, ok := errors.AsType[*Refusal](err); ok {
		result = no.Code
	} else if err != nil {
		return nil, fmt.Errorf("search by number: %w", err)
	}
	if recorded := o.c.Store.Update(ctx, func(tx Tx) error {
		return tx.Audit(ctx, audit.Event{Action: "check.searched", Actor: tx.Hash(who.IIN), Object: tx.Hash(string(iin)), Result: result})
	}); recorded != nil {
		return nil, fmt.Errorf("search by number: %w", recorded)
	}
	return keys, err
}

func (o *Office) shown(ctx context.Context, who Viewer, operator bool, number string) ([]Key, error) {
	switch heads := who.BIN != "" && o.Heads(ctx, who.IIN, who.BIN); {
	case number == who.IIN:
		return o.c.Keys.Of(ctx, number)
	case heads && number == who.BIN:
		return o.c.Keys.OfCompany(ctx, number)
	case operator:
		keys, err := o.c.Keys.Of(ctx, number)
		if err != nil || len(keys) > 0 {
			return keys, err
		}
		return o.c.Keys.OfCompany(ctx, number)
	case heads:
		keys, err := o.c.Keys.OfCompany(ctx, who.BIN)
		if err != nil {
			return nil, err
		}
		if keys = slices.DeleteFunc(keys, func(k Key) bool { return k.IIN != number }); len(keys) > 0 {
			return keys, nil
		}
	}
	return nil, refuse("CONSENT_NEEDED")
}

// Checked records that the public check page answered: what kind of thing was looked at and what came out,
// never what was asked about.
func (o *Office) Checked(ctx context.Context, kind string, verdicts []string) error {
	if len(verdicts) > 8 {
		verdicts = append(verdicts[:8:8], "more")
	}
	return o.c.Store.Update(ctx, func(tx Tx) error {
		return tx.Audit(ctx, audit.Event{Action: "check.done", Result: "ok", Detail: map[string]string{"kind": kind, "verdict": strings.Join(verdicts, " ")}})
	})
}
