package ca

import (
	"context"
	"crypto"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"senim/internal/audit"
)

// Ceremony makes authorities and carries out what only their roots may do. It is a deliberate act:
// [Create] and its companions do it, [Open] never does.
type Ceremony struct {
	// Store and Keys are of the issuing authorities, which are online. Both are needed, except for
	// what concerns the authorities above them alone.
	Store Store
	Keys  Keys // each new key is durable there before anything is signed with it
	// Upper is where the authorities are that certify authorities: roots above all. Nil means in
	// the same place; an offline root has a place of its own, and then its key is never in Keys.
	Upper *Place
	// Plans are pairs of a root and its issuing authority; Authorities are planned one by one, each
	// after its parent. Create makes both.
	Plans       []Plan
	Authorities []AuthorityPlan
	// By is who carries it out: an audit actor.
	By string
	// Now is the clock; nil is time.Now. Rand is nil for crypto/rand.
	Now  func() time.Time
	Rand io.Reader
	// Note is told every step when it is done, in a line; its error stops the ceremony, since what
	// is not written down has not happened. Nil writes nothing.
	Note func(line string) error
}

// Place is where authorities are kept.
type Place struct {
	Store Store
	Keys  Keys
}

// How long things live that no profile speaks of.
const (
	responderDays = 365
	tsaDays       = 1095
	rootListDays  = 365
	responderBits = 2048
	tsaBits       = 3072
)

// ceremonies is how orders of certificates begin that nobody ordered.
const ceremonies = "create:"

func ceremonyOrder(key, serial string) string { return ceremonies + key + ":" + serial }

func rootOf(name string) string { return "root_" + name }

// keyHolder opens a key when it is needed.
type keyHolder func(context.Context) (crypto.Signer, error)

func held(key crypto.Signer) keyHolder {
	return func(context.Context) (crypto.Signer, error) { return key, nil }
}

// making is a ceremony at work.
type making struct {
	Ceremony
	apart    bool              // the upper authorities have a place of their own
	known    map[string]*party // by name, recorded or planned
	planned  []*party          // in order
	crosses  []CrossRecord
	lists    []ListRecord
	keys     map[string]crypto.Signer // new ones by name
	wishes   map[string]wish          // those that the token will make
	practice practice
}

func begin(c Ceremony) (*making, error) {
	if (c.Store == nil) != (c.Keys == nil) || c.Store == nil && c.Upper == nil || c.Upper != nil && (c.Upper.Store == nil || c.Upper.Keys == nil) {
		return nil, errors.New("store and keys are wanted")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	apart := c.Upper != nil && c.Store != nil
	if c.Upper == nil {
		c.Upper = &Place{c.Store, c.Keys}
	}
	return &making{Ceremony: c, apart: apart, known: map[string]*party{}, keys: map[string]crypto.Signer{}, wishes: map[string]wish{}}, nil
}

func (m *making) note(format string, args ...any) error {
	if m.Note == nil {
		return nil
	}
	if err := m.Note(fmt.Sprintf(format, args...)); err != nil {
		return fmt.Errorf("write the transcript: %w", err)
	}
	return nil
}

// places are the stores of a ceremony, each once, the upper one first.
func (m *making) places() []Place {
	all := []Place{*m.Upper}
	if m.apart {
		all = append(all, Place{m.Store, m.Keys})
	}
	return all
}

// load reads the authorities that are recorded. What stands in the upper place counts more than the
// copy of it beside the issuing ones.
func (m *making) load(ctx context.Context) error {
	for _, at := range m.places() {
		err := at.Store.View(ctx, func(tx Tx) error {
			all, err := tx.Authorities(ctx)
			for _, r := range all {
				if m.known[r.Name] != nil {
					continue
				}
				a, err := openAuthority(r, at.Keys)
				if err != nil {
					return fmt.Errorf("%s: %w", r.Name, err)
				}
				m.known[r.Name] = &party{name: a.name, parent: a.parent, cert: a.cert, settings: a.settings, keyName: a.key, open: a.open, retired: a.retired}
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("read the authorities: %w", err)
		}
	}
	return nil
}

// Check says whether the ceremony could be carried out: a [*PlanError] names what is wrong. It
// makes nothing.
func Check(ctx context.Context, c Ceremony) error {
	m, err := begin(c)
	if err != nil {
		return fmt.Errorf("check the plan: %w", err)
	}
	return m.plan(ctx)
}

// plan reads what there is and holds every planned authority against it.
func (m *making) plan(ctx context.Context) error {
	if err := m.load(ctx); err != nil {
		return err
	}
	var all []AuthorityPlan
	for _, p := range m.Plans {
		all = append(all, p.authorities()...)
	}
	for _, p := range append(all, m.Authorities...) {
		p = p.defaults(m.Now())
		if err := p.check(); err != nil {
			return err
		}
		if err := p.against(m.known); err != nil {
			return err
		}
		if p.Issuing() && m.Store == nil {
			return &PlanError{Authority: p.Name, Field: "parent", Why: "an issuing authority is made where it works: order it with a request"}
		}
		a := &party{name: p.Name, parent: p.Parent, plan: &p, settings: m.settings(p), keyName: p.key()}
		if err := m.free(ctx, a); err != nil {
			return err
		}
		m.known[p.Name] = a
		m.planned = append(m.planned, a)
		if old := m.known[p.Follows]; old != nil {
			old.retired = old.issuing() // within this ceremony, so that nothing else follows it
		}
	}
	return nil
}

// Create makes every planned authority and records it. A [*PlanError] that matches [ErrExists] when one of the
// names is taken: nothing is ever made twice. When it is interrupted, what was made stays unused,
// since Open knows only what was recorded last; the keys of an unfinished authority are in the way
// of another try until somebody removes them.
func Create(ctx context.Context, c Ceremony) error {
	m, err := begin(c)
	if err != nil {
		return fmt.Errorf("create authority: %w", err)
	}
	// All keys are made before anything is kept: that takes seconds, and whoever interrupts it has
	// nothing to clear away. Only a token makes its keys when they are kept.
	for _, step := range []func(context.Context) error{m.plan, m.generate, m.certify, m.cross, m.firstLists, m.prove, m.record, m.readBack} {
		if err := step(ctx); err != nil {
			return fmt.Errorf("create authority: %w", err)
		}
	}
	return nil
}

// generate makes all keys.
func (m *making) generate(ctx context.Context) error {
	for _, a := range m.planned {
		if err := m.newKey(ctx, a.keyName, a); err != nil {
			return err
		}
		for _, k := range a.services() {
			if err := m.newKey(ctx, firstKey(a, k), a, k.bits); err != nil {
				return err
			}
		}
	}
	return nil
}

// newKey makes a key of the authority's kind, for itself or, shorter, for one of its services.
func (m *making) newKey(ctx context.Context, name string, a *party, most ...int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	bits := a.bits()
	for _, n := range most {
		bits = min(bits, n)
	}
	if inToken(name) {
		m.wishes[name] = wish{a.algorithm(), bits}
		return nil
	}
	key, err := generate(a.algorithm(), bits, m.Rand)
	if err != nil {
		return fmt.Errorf("make key %s: %w", name, err)
	}
	m.keys[name] = key
	return nil
}

// certify keeps every key and makes its certificate.
func (m *making) certify(ctx context.Context) error {
	for _, a := range m.planned {
		if err := m.authority(ctx, a); err != nil {
			return fmt.Errorf("%s: %w", a.name, err)
		}
		for _, k := range a.services() {
			if err := m.service(ctx, a, k); err != nil {
				return fmt.Errorf("%s: %s: %w", a.name, k.kind, err)
			}
		}
	}
	return nil
}

// event is an audit event of something done.
func event(action, by, object string, detail map[string]string) audit.Event {
	return audit.Event{Action: action, Actor: by, Object: object, Result: "ok", Detail: detail}
}
