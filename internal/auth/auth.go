// Package auth lets people sign in with their keys: challenges, what is checked in an answer, and
// the sessions that follow.
//
// A page calls [Desk.Ask] for a challenge, which is kept in this browser's session, and shows its
// text to the person's agent; the answer, a detached CMS signature, goes to [Desk.Prove], which
// takes the challenge out before it looks at anything, so that every challenge works at most once.
// After a proof, [Desk.Elevate] turns the pre-session into a session under a new id.
//
// It refuses, each with a code and the evidence ([Refusal]): a challenge that is old, used, of
// another browser or for another purpose; an answer that is not one signature over exactly our
// bytes; a certificate that is not trusted, not valid now, revoked, not for this purpose, or whose
// revocation could not be checked. "Could not check" is never "good".
package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"senim/algid"
	"senim/internal/trust"
	"senim/pki"
)

// Judge says whether a certificate is good for a purpose now; [trust.Judge] is the real one.
type Judge interface {
	Certificate(ctx context.Context, cert *pki.Certificate, p trust.Purpose) trust.Report
}

// Config says what a Desk works with.
type Config struct {
	// Store keeps sessions and challenges. Required.
	Store Store
	// Judge decides about certificates. Required for Prove.
	Judge Judge
	// Site names the site, as "cabinet". Required.
	Site string
	// Origin is the site's own origin, as "https://cabinet.example.kz". Required.
	Origin string
	// Now is the clock; time.Now by default.
	Now func() time.Time
	// ChallengeTTL is the life of a challenge; 5 minutes by default, never more.
	ChallengeTTL time.Duration
	// Idle and Absolute bound sessions; 20 minutes and 8 hours by default.
	Idle, Absolute time.Duration
	// Challenges records every challenge that is issued, and its answer as challenge.verified or challenge.failed. Else
	// answers alone are recorded, as auth.proof.
	Challenges bool
	// Log takes what an operator should see; nothing by default.
	Log *slog.Logger
}

// Desk is where people sign in. It is safe for concurrent use.
type Desk struct {
	c        Config
	verifier algid.Verifier
	swept    atomic.Int64 // when what is over was swept, in milliseconds
}

// New checks the configuration and opens a desk.
func New(c Config) (*Desk, error) {
	switch {
	case c.Store == nil:
		return nil, errors.New("open sign-in: no store")
	case c.Site == "":
		return nil, errors.New("open sign-in: no site name")
	case c.Origin == "":
		return nil, errors.New("open sign-in: no origin")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.ChallengeTTL <= 0 || c.ChallengeTTL > 5*time.Minute {
		c.ChallengeTTL = 5 * time.Minute
	}
	if c.Idle <= 0 {
		c.Idle = 20 * time.Minute
	}
	if c.Absolute <= 0 {
		c.Absolute = 8 * time.Hour
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Desk{c: c}, nil
}

// Site gives the name of the site the desk serves.
func (d *Desk) Site() string { return d.c.Site }

// Origin gives the origin the desk writes into challenges.
func (d *Desk) Origin() string { return d.c.Origin }

// Idle is how long a session lives that nobody uses.
func (d *Desk) Idle() time.Duration { return d.c.Idle }

// Ask opens a challenge for a purpose in the session sid; an open one of the same purpose is
// replaced. digest, in hexadecimal or empty, names what will be confirmed. [ErrNotFound] when
// there is no such session.
func (d *Desk) Ask(ctx context.Context, sid, purpose, digest string) (Challenge, error) {
	return d.From("").Ask(ctx, sid, purpose, digest)
}

// Ask is [Desk.Ask] for the visitor.
func (v Visit) Ask(ctx context.Context, sid, purpose, digest string) (Challenge, error) {
	d := v.d
	c := d.challenge(purpose, digest)
	err := d.c.Store.Update(ctx, func(tx Tx) error {
		if _, err := d.alive(ctx, tx, sid); err != nil {
			return err
		}
		return v.issued(ctx, tx, hashID(sid), c)
	})
	if err != nil {
		return Challenge{}, fmt.Errorf("ask for a signature: %w", err)
	}
	return c, nil
}

func (d *Desk) challenge(purpose, digest string) Challenge {
	return newChallenge(d.c.Origin, purpose, digest, d.c.Now(), d.c.ChallengeTTL)
}
