package ca

import (
	"context"
	"crypto/rsa"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"senim/algid"
)

// TendJob is the handler of [JobTend].
func (s *Service) TendJob(ctx context.Context, _ []byte) error { return s.Tend(ctx) }

// Tend does what is due by the clock: revocation lists every 12 hours, new keys of responders and
// time-stamping authorities before the old ones end, or where there is none. The list of compromised keys is read again.
// Call it at start and then every minute; what is not due is left alone.
func (s *Service) Tend(ctx context.Context) error {
	if err := s.running(); err != nil {
		return fmt.Errorf("tend: %w", err)
	}
	failed := []error{s.blocked.load(ctx)}
	for _, name := range s.order {
		a := s.authorities[name]
		if a.works() {
			failed = append(failed, s.tendLists(ctx, a))
		}
		if err := s.lay(ctx, a); err != nil {
			s.log.Error("a revocation list was not laid where it is read from", "ca", name, "error", err)
		}
		if !a.works() {
			continue
		}
		for _, k := range services() {
			failed = append(failed, s.renew(ctx, a, k))
		}
	}
	return errors.Join(failed...)
}

// Renew makes new keys of the services of every authority that is alive, where they are due, and nothing
// else: no list, so that it may be done to a database nobody has held against what was published.
func (s *Service) Renew(ctx context.Context) error {
	var failed []error
	for _, name := range s.order {
		for _, k := range services() {
			if a := s.authorities[name]; a.works() {
				failed = append(failed, s.renew(ctx, a, k))
			}
		}
	}
	return errors.Join(failed...)
}

// ServiceEnds tells when the newest certificate of an authority's service ([SignerOCSP], [SignerTSA]) ends;
// [ErrNotFound] when it has none.
func (s *Service) ServiceEnds(ctx context.Context, name, kind string) (end time.Time, err error) {
	err = s.store.View(ctx, func(tx Tx) error {
		r, err := tx.Signer(ctx, name, kind)
		end = r.NotAfter
		return err
	})
	return end, err
}

// renew makes a new key and certificate for one of the authority's services when the present one ends
// soon or there is none. A certificate cut short by the end of the authority is not made again.
func (s *Service) renew(ctx context.Context, a *authority, k service) error {
	defer s.orders.Take(k.kind + ":" + a.name)()
	if k.kind == SignerTSA && (a.settings.NoTSA || a.retired) || !s.now().Before(a.cert.NotAfter) {
		return nil
	}
	var now SignerRecord
	err := s.store.View(ctx, func(tx Tx) (err error) {
		now, err = tx.Signer(ctx, a.name, k.kind)
		return err
	})
	if err == nil && (s.now().Before(now.NotAfter.Add(-k.before)) || !now.NotAfter.Before(a.cert.NotAfter)) {
		return nil
	}
	if err == nil || errors.Is(err, ErrNotFound) {
		err = s.newSigner(ctx, a, k)
	}
	if err != nil {
		return fmt.Errorf("renew %s of %s: %w", k.kind, a.name, err)
	}
	return nil
}

func (s *Service) newSigner(ctx context.Context, a *authority, k service) error {
	bits := k.bits
	if public, ok := a.cert.PublicKey.(*rsa.PublicKey); ok {
		bits = min(bits, public.N.BitLen())
	}
	if _, err := a.open(ctx); err != nil { // before a key is kept that nobody would certify
		return err
	}
	serial, err := randomSerial(s.rand, s.node)
	if err != nil {
		return err
	}
	name := a.key + "_" + k.kind + "_" + hex.EncodeToString(serial[:8])
	key, err := s.newKey(ctx, name, wish{a.cert.Key, bits})
	if err != nil {
		return err
	}
	t, err := k.template(a.cert, a.settings, s.now(), serial, key.Public())
	if err != nil {
		return err
	}
	tbs, err := t.TBS()
	if err != nil {
		return err
	}
	token, err := s.practice.prepare(s.rand, k.lint, a.cert, tbs, k.days, t.Signature)
	if err != nil {
		return err
	}
	if !inToken(name) {
		if err := s.keys.Keep(ctx, name, key); err != nil {
			return fmt.Errorf("keep key %s: %w", name, err)
		}
	}
	spki, err := algid.MarshalPublicKey(key.Public())
	if err != nil {
		return err
	}
	r := Record{CA: a.name, Serial: serialHex(serial), Order: ceremonyOrder(name, serialHex(serial)), Profile: k.profile, Key: keyHash(spki), State: Intended,
		TBS: tbs, Name: k.commonName, NotBefore: t.NotBefore, NotAfter: t.NotAfter, Created: s.now()}
	detail := map[string]string{"ca": a.name, "profile": k.profile}
	err = s.store.Update(ctx, func(tx Tx) error {
		if err := tx.Reserve(ctx, r); err != nil {
			return err
		}
		return tx.Audit(ctx, event("ca.will_create", "system", r.Serial, detail))
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
		if err := tx.AddSigner(ctx, SignerRecord{CA: a.name, Kind: k.kind, Serial: r.Serial, Key: name, Raw: raw, NotAfter: t.NotAfter}); err != nil {
			return err
		}
		return tx.Audit(ctx, event("ca.created", "system", r.Serial, detail))
	})
}
