package ca

import (
	"context"
	"crypto"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"senim/algid"
	"senim/internal/audit"
	"senim/internal/lint"
	"senim/pki"
)

// Ceremony makes authorities. It is a deliberate act: [Create] carries it out, [Open] never does.
type Ceremony struct {
	Store Store // required
	Keys  Keys  // required; each new key is durable there before anything is signed with it
	// Plans are the authorities to make, each a root with one issuing authority under it.
	Plans []Plan
	// By is who carries it out: an audit actor.
	By string
	// Now is the clock; nil is time.Now. Rand is nil for crypto/rand.
	Now  func() time.Time
	Rand io.Reader
}

// How long things live that no profile speaks of.
const (
	responderDays = 365
	rootListDays  = 365
	responderBits = 2048
)

// ceremonies is how orders of certificates begin that nobody ordered.
const ceremonies = "create:"

func ceremonyOrder(key, serial string) string { return ceremonies + key + ":" + serial }

// Create makes every planned authority and records it. [ErrExists] when one of the names is taken:
// nothing is ever made twice. When it is interrupted, what was made stays unused, since Open knows
// only what was recorded last; the keys of an unfinished authority are in the way of another try
// until somebody removes them.
func Create(ctx context.Context, c Ceremony) error {
	if c.Store == nil || c.Keys == nil {
		return errors.New("create authority: store and keys are wanted")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	all := make([]*making, len(c.Plans))
	for i, p := range c.Plans {
		all[i] = &making{c: c, p: p.defaults(c.Now())}
	}
	// All keys are made before anything is kept: that takes seconds, and whoever interrupts it has
	// nothing to clear away.
	for _, step := range []func(*making, context.Context) error{(*making).absent, (*making).generate, (*making).create} {
		for _, m := range all {
			if err := step(m, ctx); err != nil {
				return fmt.Errorf("create authority %s: %w", m.p.Name, err)
			}
		}
	}
	return nil
}

// part is one certificate of a ceremony: what it will say, and who signs.
type part struct {
	name    string // of its key
	kind    lint.Kind
	days    int
	profile string
	key     crypto.Signer // its own
	t       *pki.Template
}

// generate makes the keys. A responder signs all day, so its RSA key is a short one.
func (m *making) generate(ctx context.Context) error {
	for _, k := range []struct {
		into *crypto.Signer
		bits int
	}{{&m.keys.root, m.p.RSABits}, {&m.keys.issuing, m.p.RSABits}, {&m.keys.responder, responderBits}} {
		if err := ctx.Err(); err != nil {
			return err
		}
		key, err := generate(m.p.Algorithm, k.bits, m.c.Rand)
		if err != nil {
			return err
		}
		*k.into = key
	}
	return nil
}

// create makes one root, its issuing authority and its responder.
func (m *making) create(ctx context.Context) error {
	root, err := m.root(ctx)
	if err != nil {
		return err
	}
	issuing, err := m.issuing(ctx, root)
	if err != nil {
		return err
	}
	responder, err := m.responder(ctx, issuing)
	if err != nil {
		return err
	}
	return m.record(ctx, root, issuing, responder)
}

func (m *making) absent(ctx context.Context) error {
	p := m.p
	if p.Name == "" || strings.Trim(p.Name, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" || strings.HasSuffix(p.Name, "_d") {
		return fmt.Errorf("name %q: lower case letters, digits and _ are wanted", p.Name)
	}
	return m.c.Store.View(ctx, func(tx Tx) error {
		all, err := tx.Authorities(ctx)
		if err != nil {
			return err
		}
		for _, a := range all {
			if a.Name == p.Name || a.Name == rootOf(p.Name) {
				return fmt.Errorf("%s: %w", a.Name, ErrExists)
			}
		}
		return nil
	})
}

func rootOf(name string) string { return "root_" + name }

// made is a finished certificate of a ceremony.
type made struct {
	cert *pki.Certificate
	key  crypto.Signer
	name string // of the key
	tbs  []byte
}

// making is a ceremony for one plan.
type making struct {
	c        Ceremony
	p        Plan
	keys     struct{ root, issuing, responder crypto.Signer }
	practice practice
}

// make keeps the key, records the intent and the audit entry, and then signs. parent is nil for a
// root, which signs itself.
func (m *making) make(ctx context.Context, q part, parent *made, ca string) (*made, error) {
	signer, issuer := q.key, (*pki.Certificate)(nil)
	if parent != nil {
		signer, issuer = parent.key, parent.cert
	}
	tbs, err := q.t.TBS()
	if err != nil {
		return nil, err
	}
	token, err := m.practice.prepare(m.c.Rand, q.kind, issuer, tbs, q.days, q.t.Signature)
	if err != nil {
		return nil, err
	}
	if err := m.c.Keys.Keep(ctx, q.name, q.key); err != nil {
		return nil, fmt.Errorf("keep key %s: %w", q.name, err)
	}
	r, err := m.intent(ctx, q, ca, tbs)
	if err != nil {
		return nil, err
	}
	raw, err := sign(m.c.Rand, signer, issuer, token, tbs)
	if err != nil {
		return nil, err
	}
	cert, err := pki.ParseCertificate(raw)
	if err != nil {
		return nil, err
	}
	r.State, r.Raw = Done, raw
	err = m.c.Store.Update(ctx, func(tx Tx) error {
		if err := tx.Advance(ctx, r); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.Event{Action: "ca.created", Actor: m.c.By, Object: r.Serial, Result: "ok",
			Detail: map[string]string{"ca": ca, "profile": q.profile}})
	})
	return &made{cert: cert, key: q.key, name: q.name, tbs: tbs}, err
}

// intent stores what is about to be signed.
func (m *making) intent(ctx context.Context, q part, ca string, tbs []byte) (Record, error) {
	spki, err := algid.MarshalPublicKey(q.key.Public())
	if err != nil {
		return Record{}, err
	}
	r := Record{
		CA: ca, Serial: pki.SerialHex(q.t.Serial), Order: ceremonyOrder(q.name, pki.SerialHex(q.t.Serial)), Profile: q.profile, Key: keyHash(spki),
		State: Intended, TBS: tbs, Name: q.t.Subject.Get(pki.OIDCommonName),
		NotBefore: q.t.NotBefore, NotAfter: q.t.NotAfter, Created: m.c.Now(),
	}
	return r, m.c.Store.Update(ctx, func(tx Tx) error {
		if err := tx.Reserve(ctx, r); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.Event{Action: "ca.will_create", Actor: m.c.By, Object: r.Serial, Result: "ok",
			Detail: map[string]string{"ca": ca, "profile": q.profile}})
	})
}
