package relying

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"senim/internal/ident"
)

// RequestTTL is how long a request waits for the person, registration and its letter included;
// proofTTL how long a key proved for it counts.
const (
	RequestTTL = time.Hour
	proofTTL   = 20 * time.Minute
)

// Request is a service's request to sign a person in. It waits here, and nothing of it but a random
// id goes through the browser.
type Request struct {
	ID      string
	Browser string // hash of the browser's cookie
	Client  string
	// Query is the request as it came.
	Query string
	Made  time.Time
	Ended time.Time
	// Certificate (DER) was proved for this request alone, at the level certificate.
	Certificate []byte
	Proved      time.Time
}

// Open reports whether the request may still be answered.
func (r Request) Open(now time.Time) bool { return r.Ended.IsZero() && now.Sub(r.Made) <= RequestTTL }

// HasProof reports whether a key proved for the request still counts.
func (r Request) HasProof(now time.Time) bool {
	return len(r.Certificate) > 0 && now.Sub(r.Proved) <= proofTTL
}

// Ask keeps a request of a browser, named by its secret, and sweeps what is over.
func (k *Keeper) Ask(ctx context.Context, browser, client, query string) (Request, error) {
	id, err := k.id()
	if err != nil {
		return Request{}, err
	}
	now := k.now()
	r := Request{ID: id, Browser: hash(browser), Client: client, Query: query, Made: now}
	err = k.c.Store.Update(ctx, func(tx Tx) error {
		if err := tx.Sweep(ctx, now, now.Add(-RequestTTL)); err != nil {
			return err
		}
		return tx.PutRequest(ctx, r)
	})
	if err != nil {
		return Request{}, fmt.Errorf("keep a service's request: %w", err)
	}
	return r, nil
}

// NewBrowser makes the secret that names a browser.
func (k *Keeper) NewBrowser() (string, error) { return k.id() }

// Request reads an open request of the browser; [ErrNotFound] for any other.
func (k *Keeper) Request(ctx context.Context, id, browser string) (r Request, err error) {
	err = k.c.Store.View(ctx, func(tx Tx) error {
		r, err = k.open(ctx, tx, id, browser)
		return err
	})
	if err != nil {
		return Request{}, fmt.Errorf("read a service's request: %w", err)
	}
	return r, nil
}

func (k *Keeper) open(ctx context.Context, tx Tx, id, browser string) (Request, error) {
	if browser == "" {
		return Request{}, ErrNotFound
	}
	r, err := tx.Request(ctx, id)
	if err != nil {
		return Request{}, err
	}
	if r.Browser != hash(browser) || !r.Open(k.now()) {
		return Request{}, ErrNotFound
	}
	return r, nil
}

// Waiting is the newest open request of a browser, that sign-in leads back to.
func (k *Keeper) Waiting(ctx context.Context, browser string) (r Request, err error) {
	if browser == "" {
		return Request{}, ErrNotFound
	}
	err = k.c.Store.View(ctx, func(tx Tx) error {
		r, err = tx.LatestRequest(ctx, hash(browser), k.now().Add(-RequestTTL))
		return err
	})
	if err != nil {
		return Request{}, fmt.Errorf("find a service's request: %w", err)
	}
	return r, nil
}

// Prove notes that a key was proved for the request.
func (k *Keeper) Prove(ctx context.Context, id, browser string, certificate []byte) error {
	err := k.c.Store.Update(ctx, func(tx Tx) error {
		r, err := k.open(ctx, tx, id, browser)
		if err != nil {
			return err
		}
		r.Certificate, r.Proved = certificate, k.now()
		return tx.PutRequest(ctx, r)
	})
	if err != nil {
		return fmt.Errorf("note a proof: %w", err)
	}
	return nil
}

// Answer is what a person decided about a request.
type Answer struct {
	IIN    ident.IIN
	BIN    ident.BIN // of whom he acts for; empty for himself
	Level  Level
	Scopes []string
	// Asked: the person was asked now; else a consent from before was used.
	Asked bool
	// Remember keeps the consent.
	Remember bool
}

// Allow ends an open request with the person's consent; a second answer finds no open request.
func (k *Keeper) Allow(ctx context.Context, id, browser string, a Answer) error {
	err := k.c.Store.Update(ctx, func(tx Tx) error {
		r, err := k.end(ctx, tx, id, browser)
		if err != nil {
			return err
		}
		if a.Remember {
			c := Consent{IIN: a.IIN, Client: r.Client, Scopes: a.Scopes, Made: r.Ended, Used: r.Ended}
			if a.BIN != "" && slices.Contains(a.Scopes, ScopeOrganization) {
				c.Orgs = []ident.BIN{a.BIN}
			}
			if had, err := tx.Consent(ctx, a.IIN, r.Client); err == nil {
				c.Scopes = union(had.Scopes, a.Scopes)
				c.Orgs = slices.Compact(slices.Sorted(slices.Values(slices.Concat(had.Orgs, c.Orgs))))
				if !a.Asked {
					c.Made = had.Made
				}
			} else if !isNotFound(err) {
				return err
			}
			if err := tx.PutConsent(ctx, c); err != nil {
				return err
			}
		}
		result := "remembered"
		if a.Asked {
			result = "asked"
		}
		return tx.Audit(ctx, event(tx, "oidc.allowed", a.IIN, r.Client, result,
			map[string]string{"scopes": strings.Join(a.Scopes, " "), "level": string(a.Level)}))
	})
	if err != nil {
		return fmt.Errorf("allow a service: %w", err)
	}
	return nil
}

// Decline ends an open request; iin is empty when nobody signed in.
func (k *Keeper) Decline(ctx context.Context, id, browser string, iin ident.IIN) error {
	err := k.c.Store.Update(ctx, func(tx Tx) error {
		r, err := k.end(ctx, tx, id, browser)
		if err != nil {
			return err
		}
		return tx.Audit(ctx, event(tx, "oidc.declined", iin, r.Client, "ok", nil))
	})
	if err != nil {
		return fmt.Errorf("decline a service: %w", err)
	}
	return nil
}

func (k *Keeper) end(ctx context.Context, tx Tx, id, browser string) (Request, error) {
	r, err := k.open(ctx, tx, id, browser)
	if err != nil {
		return r, err
	}
	r.Ended = k.now()
	return r, tx.PutRequest(ctx, r)
}

// union is a and what b adds, in the order of [Scopes].
func union(a, b []string) []string {
	var all []string
	for _, s := range Scopes() {
		if slices.Contains(a, s) || slices.Contains(b, s) {
			all = append(all, s)
		}
	}
	return all
}
