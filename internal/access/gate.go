package access

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"senim/internal/audit"
	"senim/internal/job"
)

// SweepKind is the job that forgets answers nobody will ask for again: its handler is [Gate.SweepJob].
const SweepKind = "access.sweep"

// Sweep is that job.
func Sweep() job.Job { return job.Job{Kind: SweepKind, Unique: "all"} }

// Config opens a [Gate].
type Config struct {
	Store Store // required
	// Now is the clock; nil is time.Now. Rand is nil for crypto/rand.
	Now  func() time.Time
	Rand io.Reader
	// KeepAnswers is how long a repeated request gets its first answer; 30 days when zero.
	KeepAnswers time.Duration
	// SecondWithin is how long a first approval waits for the second; 24 hours when zero.
	SecondWithin time.Duration
}

// Gate knows the clients. Safe for concurrent use.
type Gate struct{ c Config }

// New checks the configuration and opens a gate.
func New(c Config) (*Gate, error) {
	if c.Store == nil {
		return nil, errors.New("open the gate: a store is wanted")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.KeepAnswers <= 0 {
		c.KeepAnswers = 30 * 24 * time.Hour
	}
	if c.SecondWithin <= 0 {
		c.SecondWithin = 24 * time.Hour
	}
	return &Gate{c}, nil
}

// Add records a new client. With key it gets one, returned here and never again; without, it must
// have a certificate.
func (g *Gate) Add(ctx context.Context, c Client, key bool, by string) (secret string, err error) {
	if !key && c.Certificate == "" {
		return "", fmt.Errorf("add client %s: a key or a certificate is wanted", c.Name)
	}
	if err := c.check(); err != nil {
		return "", fmt.Errorf("add client: %w", err)
	}
	if key {
		if secret, err = g.key(&c); err != nil {
			return "", fmt.Errorf("add client %s: %w", c.Name, err)
		}
	}
	c.Created = g.c.Now()
	err = g.c.Store.Update(ctx, func(tx Tx) error {
		if err := tx.AddClient(ctx, c); err != nil {
			return err
		}
		return tx.Audit(ctx, about("api.client_added", by, c))
	})
	if err != nil {
		return "", fmt.Errorf("add client %s: %w", c.Name, err)
	}
	return secret, nil
}

// about is the audit event of a change to a client.
func about(action, by string, c Client) audit.Event {
	rights := make([]string, len(c.Rights))
	for i, r := range c.Rights {
		rights[i] = string(r)
	}
	return audit.Event{Action: action, Actor: by, Object: c.Actor(), Result: "ok", Detail: map[string]string{
		"kind": c.Kind(), "key": c.KeyID, "certificate": c.Certificate, "rights": strings.Join(rights, " ")}}
}

// key makes the client a new key.
func (g *Gate) key(c *Client) (secret string, err error) {
	var id [10]byte
	var raw [32]byte
	for _, b := range [][]byte{id[:], raw[:]} {
		if _, err := io.ReadFull(g.c.Rand, b); err != nil {
			return "", err
		}
	}
	sum := sha256.Sum256(raw[:])
	c.KeyID, c.KeyHash = fmt.Sprintf("%x", id), sum[:]
	return c.KeyID + "." + base64.RawURLEncoding.EncodeToString(raw[:]), nil
}

// Disable shuts a client out, from its next call on.
func (g *Gate) Disable(ctx context.Context, name, by string) error {
	err := g.change(ctx, name, by, "api.client_disabled", func(c *Client) error {
		if c.Disabled.IsZero() {
			c.Disabled = g.c.Now()
		}
		return nil
	})
	return err
}

// Rotate gives a client a new key (returned, and the old one is worth nothing from now on) or, when a
// fingerprint is given, a new certificate.
func (g *Gate) Rotate(ctx context.Context, name, fingerprint, by string) (secret string, err error) {
	var fresh Client // made outside the transaction, which may be run again
	if fingerprint == "" {
		if secret, err = g.key(&fresh); err != nil {
			return "", fmt.Errorf("rotate client %s: %w", name, err)
		}
	}
	err = g.change(ctx, name, by, "api.client_rotated", func(c *Client) error {
		switch {
		case fingerprint != "":
			c.Certificate = fingerprint
		case c.KeyID == "":
			return errors.New("it has no key; its certificate is what can be changed")
		default:
			c.KeyID, c.KeyHash = fresh.KeyID, fresh.KeyHash
		}
		return c.check()
	})
	if err != nil {
		return "", err
	}
	return secret, nil
}

func (g *Gate) change(ctx context.Context, name, by, action string, f func(*Client) error) error {
	err := g.c.Store.Update(ctx, func(tx Tx) error {
		c, err := tx.Client(ctx, name)
		if err != nil {
			return err
		}
		if err := f(&c); err != nil {
			return err
		}
		if err := tx.PutClient(ctx, c); err != nil {
			return err
		}
		return tx.Audit(ctx, about(action, by, c))
	})
	if err != nil {
		return fmt.Errorf("change client %s: %w", name, err)
	}
	return nil
}

// Clients lists all clients by name; their KeyHash is of no use to anybody.
func (g *Gate) Clients(ctx context.Context) (all []Client, err error) {
	err = g.c.Store.View(ctx, func(tx Tx) error {
		all, err = tx.Clients(ctx)
		return err
	})
	return all, err
}

// Identify finds who calls: by key when one is given, else by the fingerprint of the TLS certificate.
// Everything the client has must fit. [ErrDenied] for whoever is not known; the client's standing
// ([Client.Standing]) is for the caller to look at.
func (g *Gate) Identify(ctx context.Context, key, fingerprint string) (c Client, err error) {
	id, secret, _ := strings.Cut(key, ".")
	if len(key) > 128 || key == "" && fingerprint == "" {
		return Client{}, ErrDenied
	}
	err = g.c.Store.View(ctx, func(tx Tx) error {
		if key != "" {
			c, err = tx.ClientByKey(ctx, id)
		} else {
			c, err = tx.ClientByCertificate(ctx, fingerprint)
		}
		return err
	})
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Client{}, fmt.Errorf("identify a client: %w", err)
	}
	raw, bad := base64.RawURLEncoding.Strict().DecodeString(secret)
	sum := sha256.Sum256(raw)
	// An unknown id is compared too, with nothing, so that it takes as long as a known one.
	same := subtle.ConstantTimeCompare(sum[:], c.KeyHash) == 1
	switch {
	case err != nil, c.KeyID != "" && (!same || bad != nil || len(raw) != 32 || key == ""),
		c.Certificate != "" && subtle.ConstantTimeCompare([]byte(c.Certificate), []byte(fingerprint)) != 1,
		c.KeyID == "" && c.Certificate == "", c.KeyID == "" && key != "":
		return Client{}, ErrDenied
	}
	return c, nil
}

// Begin records a request before anything is done about it, or finds the one of the same key:
// answered when its Status is not 0, else interrupted, to be done again (what it asks for is the same
// as before). [ErrOtherRequest] when that one was another.
func (g *Gate) Begin(ctx context.Context, r Request) (Request, error) {
	r.Begun = g.c.Now()
	had := r
	err := g.c.Store.Update(ctx, func(tx Tx) error {
		had = r
		err := tx.AddRequest(ctx, r)
		if !errors.Is(err, ErrExists) {
			return err
		}
		if had, err = tx.Request(ctx, r.Client, r.Key); err != nil {
			return err
		}
		if !bytes.Equal(had.Digest, r.Digest) {
			return ErrOtherRequest
		}
		return nil
	})
	return had, err
}

// Finish stores the answer together with the call's audit record, and returns the answer that
// stands, which is another node's when that was faster.
func (g *Gate) Finish(ctx context.Context, r Request, c Call) (stands Request, err error) {
	err = g.c.Store.Update(ctx, func(tx Tx) error {
		if err := tx.Answer(ctx, r); err != nil {
			return err
		}
		if stands, err = tx.Request(ctx, r.Client, r.Key); err != nil {
			return err
		}
		return tx.Audit(ctx, c.event(tx))
	})
	return stands, err
}

// Drop gives the idempotency key of a request back that was refused before anything was looked at,
// and writes the call's audit record.
func (g *Gate) Drop(ctx context.Context, r Request, c Call) error {
	return g.c.Store.Update(ctx, func(tx Tx) error {
		if err := tx.DropRequest(ctx, r.Client, r.Key); err != nil {
			return err
		}
		return tx.Audit(ctx, c.event(tx))
	})
}

// Call is one call as audit records tell it.
type Call struct {
	// Actor is a client's, or "unknown"; Route as "POST /ca/v1/certificates"; Object a serial or "".
	Actor, Route, Object string
	// Result is "ok" or the code of the refusal.
	Result string
	Status int
	// Detail holds codes and ids; Personal what is written as a keyed hash.
	Detail, Personal map[string]string
}

func (c Call) event(tx Tx) audit.Event {
	e := audit.Event{Action: "api.call", Actor: c.Actor, Object: c.Object, Result: c.Result,
		Detail: map[string]string{"route": c.Route, "status": fmt.Sprint(c.Status)}}
	for k, v := range c.Detail {
		e.Detail[k] = v
	}
	for k, v := range c.Personal {
		if v != "" {
			e.Detail[k] = tx.Hash(v)
		}
	}
	return e
}

// Record writes the audit record of a call that stores no answer.
func (g *Gate) Record(ctx context.Context, c Call) error {
	return g.c.Store.Update(ctx, func(tx Tx) error { return tx.Audit(ctx, c.event(tx)) })
}

// Approve counts a client's voice, given by the request of this key, for lifting the hold that began at
// held. It returns the client that spoke first when this is the second voice, which must be another's;
// "" when this is the first, which waits until the returned time. The request that was second is second
// again, so that an interrupted release can be finished; no other request profits from its voice. The voice
// of a client that was shut out since counts no more.
func (g *Gate) Approve(ctx context.Context, serial string, held time.Time, client, key string) (first string, until time.Time, err error) {
	now := g.c.Now()
	voice := client + " " + key
	err = g.c.Store.Update(ctx, func(tx Tx) error {
		first = ""
		p, err := tx.Pending(ctx, serial)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		live := err == nil && p.Held.Equal(held.Truncate(time.Millisecond)) && now.Sub(p.Asked) < g.c.SecondWithin
		if live && p.Second == "" {
			spoke, err := tx.Client(ctx, p.First)
			if err != nil {
				return err
			}
			live = spoke.speaks(now)
		}
		switch {
		case live && p.Second == "" && p.First == client:
			until = p.Asked.Add(g.c.SecondWithin)
			return nil
		case live && (p.Second == "" || p.Second == voice):
			first, p.Second = p.First, voice
			return tx.PutPending(ctx, p)
		}
		until = now.Add(g.c.SecondWithin)
		return tx.PutPending(ctx, Pending{Serial: serial, Held: held, First: client, Asked: now})
	})
	if err != nil {
		return "", time.Time{}, fmt.Errorf("approve the release of %s: %w", serial, err)
	}
	return first, until, nil
}

// speaks reports whether the client's voice counts: it may still call, and lift holds.
func (c Client) speaks(now time.Time) bool {
	return c.Disabled.IsZero() && (c.Expires.IsZero() || now.Before(c.Expires)) && c.May(Release)
}

// Seconded reports whether the request of this key was the second voice for a certificate: what a
// repeated request asks when it finds the hold lifted already.
func (g *Gate) Seconded(ctx context.Context, serial, client, key string) (bool, error) {
	var p Pending
	err := g.c.Store.View(ctx, func(tx Tx) (err error) {
		p, err = tx.Pending(ctx, serial)
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil && p.Second == client+" "+key, err
}

// SweepJob forgets answers older than Config.KeepAnswers.
func (g *Gate) SweepJob(ctx context.Context, _ []byte) error {
	return g.c.Store.Update(ctx, func(tx Tx) error {
		return tx.ForgetRequests(ctx, g.c.Now().Add(-g.c.KeepAnswers))
	})
}
