package ca

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"math/big"
	"time"

	"senim/algid"
	"senim/internal/audit"
	"senim/internal/lint"
	"senim/pki"
)

// renewBefore is how long before its end a responder's certificate is renewed.
const renewBefore = 60 * 24 * time.Hour

// TendJob is the handler of [JobTend].
func (s *Service) TendJob(ctx context.Context, _ []byte) error { return s.Tend(ctx) }

// Tend does what is due by the clock: revocation lists every 12 hours, a new responder certificate
// before the old one ends. The list of compromised keys is read again. Call it at start and then hourly; what is not due is left alone.
func (s *Service) Tend(ctx context.Context) error {
	failed := []error{s.blocked.load(ctx)}
	for _, name := range s.order {
		a := s.authorities[name]
		if a.parent == "" {
			continue
		}
		due, err := s.listsDue(ctx, name)
		if err == nil && due {
			err = s.publish(ctx, name, true)
		}
		failed = append(failed, err, s.renewResponder(ctx, a))
	}
	return errors.Join(failed...)
}

// listsDue reports that the last scheduled list is old, or that there is no list at all.
func (s *Service) listsDue(ctx context.Context, ca string) (bool, error) {
	var due bool
	err := s.store.View(ctx, func(tx Tx) error {
		_, err := tx.List(ctx, ca, true)
		if err == nil {
			var l ListRecord
			l, err = tx.Base(ctx, ca, math.MaxInt64)
			due = err == nil && s.now().Sub(l.ThisUpdate) >= listEvery
		}
		if errors.Is(err, ErrNotFound) {
			due, err = true, nil
		}
		return err
	})
	return due, err
}

// renewResponder makes a new responder key and certificate when the present one ends soon.
func (s *Service) renewResponder(ctx context.Context, a *authority) error {
	defer s.orders.take("responder:" + a.name)()
	var now SignerRecord
	err := s.store.View(ctx, func(tx Tx) (err error) {
		now, err = tx.Signer(ctx, a.name, SignerOCSP)
		return err
	})
	if err == nil && s.now().Before(now.NotAfter.Add(-renewBefore)) {
		return nil
	}
	if err != nil && !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("renew responder of %s: %w", a.name, err)
	}
	if err := s.newResponder(ctx, a); err != nil {
		return fmt.Errorf("renew responder of %s: %w", a.name, err)
	}
	return nil
}

func (s *Service) newResponder(ctx context.Context, a *authority) error {
	key, err := generate(a.cert.Key, responderBits, s.rand)
	if err != nil {
		return err
	}
	sig, err := signatureOf(a.cert)
	if err != nil {
		return err
	}
	serial, err := randomSerial(s.rand, s.node)
	if err != nil {
		return err
	}
	from := s.whole()
	t := &pki.Template{Signature: sig, Serial: new(big.Int).SetBytes(serial), NotBefore: from, NotAfter: from.AddDate(0, 0, responderDays), PublicKey: key.Public()}
	if t.NotAfter.After(a.cert.NotAfter) {
		t.NotAfter = a.cert.NotAfter
	}
	t.Subject = responderSubject(a.settings.Organization)
	responderTemplate(t, a.cert)
	tbs, err := t.TBS()
	if err != nil {
		return err
	}
	token, err := s.practice.prepare(s.rand, lint.Responder, a.cert, tbs, responderDays, sig)
	if err != nil {
		return err
	}
	name := a.name + "_ocsp_" + hex.EncodeToString(serial[:8])
	if err := s.keys.Keep(ctx, name, key); err != nil {
		return fmt.Errorf("keep key %s: %w", name, err)
	}
	spki, err := algid.MarshalPublicKey(key.Public())
	if err != nil {
		return err
	}
	r := Record{CA: a.name, Serial: serialHex(serial), Order: ceremonyOrder(name, serialHex(serial)), Profile: profileResponder, Key: keyHash(spki), State: Intended,
		TBS: tbs, Name: responderName, NotBefore: t.NotBefore, NotAfter: t.NotAfter, Created: s.now()}
	err = s.store.Update(ctx, func(tx Tx) error {
		if err := tx.Reserve(ctx, r); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.Event{Action: "ca.will_create", Actor: "system", Object: r.Serial, Result: "ok",
			Detail: map[string]string{"ca": a.name, "profile": profileResponder}})
	})
	if err != nil {
		return err
	}
	raw, err := a.sign(ctx, s.rand, token, tbs)
	if err != nil {
		return err
	}
	r.State, r.Raw = Done, raw
	return s.store.Update(ctx, func(tx Tx) error {
		if err := tx.Advance(ctx, r); err != nil {
			return err
		}
		if err := tx.AddSigner(ctx, SignerRecord{CA: a.name, Kind: SignerOCSP, Serial: r.Serial, Key: name, Raw: raw, NotAfter: t.NotAfter}); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.Event{Action: "ca.created", Actor: "system", Object: r.Serial, Result: "ok",
			Detail: map[string]string{"ca": a.name, "profile": profileResponder}})
	})
}
