package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// StateConsents keeps people's consents to state registers, for every node of an installation: state.Consents.
func (s *Store) StateConsents() StateConsents { return StateConsents{s} }

// StateConsents are those consents. Personal numbers stand as keyed hashes, consents are sealed.
type StateConsents struct{ s *Store }

// sealedConsent is the sealed part of a row.
type sealedConsent struct {
	Token string `json:"token"`
	Key   string `json:"key"`
}

// Consent reads a person's consent; false when there is none, or its time is over.
func (c StateConsents) Consent(ctx context.Context, iin string) (token, key string, ok bool, err error) {
	who := c.s.Hash(iin)
	err = c.s.view(ctx, func(t *tx) error {
		sealed, err := one(ctx, t, errNoRow, value[[]byte], `select sealed from state_consents where who = $1 and until > $2`, who, ms(t.now()))
		if errors.Is(err, errNoRow) {
			return nil
		}
		if err != nil {
			return err
		}
		plain, err := c.s.open("consent/"+who, sealed)
		if err != nil {
			return err
		}
		var v sealedConsent
		if err := json.Unmarshal(plain, &v); err != nil {
			return fmt.Errorf("store: read consent: %w", err)
		}
		token, key, ok = v.Token, v.Key, true
		return nil
	})
	return token, key, ok, err
}

// KeepConsent writes a consent down until a moment, and forgets those that are over.
func (c StateConsents) KeepConsent(ctx context.Context, iin, token, key string, until time.Time) error {
	who := c.s.Hash(iin)
	plain, err := json.Marshal(sealedConsent{token, key})
	if err != nil {
		return fmt.Errorf("store: write consent: %w", err)
	}
	sealed, err := c.s.seal("consent/"+who, plain)
	if err != nil {
		return err
	}
	return c.s.update(ctx, func(t *tx) error {
		if _, err := t.exec(ctx, `delete from state_consents where until <= $1`, ms(t.now())); err != nil {
			return err
		}
		_, err := t.exec(ctx, `insert into state_consents (who, sealed, until) values ($1, $2, $3)
			on conflict (who) do update set sealed = excluded.sealed, until = excluded.until`, who, sealed, ms(until))
		return err
	})
}

// DropConsent forgets a consent that does not hold any more.
func (c StateConsents) DropConsent(ctx context.Context, iin string) error {
	return c.s.update(ctx, func(t *tx) error {
		_, err := t.exec(ctx, `delete from state_consents where who = $1`, c.s.Hash(iin))
		return err
	})
}

// MayAsk notes that a person is sent the message now, unless one was sent him within a pause, or as many as a day may
// have within a day.
func (c StateConsents) MayAsk(ctx context.Context, iin string, pause time.Duration, day int) (may bool, err error) {
	who := c.s.Hash(iin)
	err = c.s.update(ctx, func(t *tx) error {
		now := t.now()
		if _, err := t.exec(ctx, `delete from state_consent_asks where at <= $1`, ms(now.Add(-24*time.Hour))); err != nil {
			return err
		}
		sent, err := list(ctx, t, value[int64], `select at from state_consent_asks where who = $1 order by at desc`, who)
		if err != nil {
			return err
		}
		if may = len(sent) < day && (len(sent) == 0 || now.Sub(at(sent[0])) >= pause); !may {
			return nil
		}
		_, err = t.exec(ctx, `insert into state_consent_asks (who, at, seq) values ($1, $2, $3)`, who, ms(now), int64(len(sent)))
		return err
	})
	return may, err
}

// NotAsked forgets the last message of MayAsk: it was not sent.
func (c StateConsents) NotAsked(ctx context.Context, iin string) error {
	return c.s.update(ctx, func(t *tx) error {
		_, err := t.exec(ctx, `delete from state_consent_asks where who = $1 and at = (select max(at) from state_consent_asks where who = $1)`, c.s.Hash(iin))
		return err
	})
}
