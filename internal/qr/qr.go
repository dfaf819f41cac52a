// Package qr lets a page be signed on a phone: requests, what the phone is handed, what is checked in
// what it puts back, and who may go on with it.
//
// A page calls [Desk.Make] with what is to be signed; the phone comes with the id of the QR code to
// [Desk.Invitation] (API 1), [Desk.Package] and [Desk.Put] (API 2); the page looks with [Desk.Own] and
// goes on with [Desk.Take]. A request belongs to one browser session and to one form, lives five minutes
// and is used once; all of it is in the store, so that any node may answer.
//
// It refuses, each with a code: a request that is over, signed, cancelled or used ([CodeExpired],
// [CodeSigned], [CodeCancelled]); a phone without its token ([CodeToken]); signatures over anything but
// exactly the bytes that were handed out, or by more than one certificate; certificates that are not good
// now; persons and companies that were not asked. A refused signature leaves the request waiting.
//
// Ids and tokens are not stored: they are computed from the request's handle with the installation's key,
// and the store finds them by their hashes.
package qr

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"senim/internal/audit"
	"senim/internal/auth"
	"senim/internal/mgov"
)

// Codes of refusals that are of signing by QR alone.
const (
	CodeExpired   = "QR_EXPIRED"
	CodeSigned    = "QR_SIGNED"
	CodeCancelled = "QR_CANCELLED"
	CodeToken     = "QR_TOKEN"
	CodeWaiting   = "QR_WAITING"
	CodeMessage   = "QR_MESSAGE"
)

// Config says what a Desk works with.
type Config struct {
	// Store keeps requests. Required.
	Store Store
	// Judge decides about certificates. Required.
	Judge auth.Judge
	// Key is the secret that ids and tokens are computed with, 32 bytes, the same on every node. Required.
	Key []byte
	// Site and Origin are those of the pages, as for [auth.Config]. Required.
	Site, Origin string
	// Organisation is who asks, as phones show it. Its names are required.
	Organisation mgov.Organisation
	// Auth is how a phone shows at API 2 that it came from API 1; Token by default.
	Auth mgov.Auth
	// Now is the clock; time.Now by default.
	Now func() time.Time
	// Log takes what an operator should see; nothing by default.
	Log *slog.Logger
}

// Desk is where pages and phones meet. It is safe for concurrent use.
type Desk struct{ c Config }

// New checks the configuration and opens a desk.
func New(c Config) (*Desk, error) {
	switch {
	case c.Store == nil || c.Judge == nil:
		return nil, errors.New("open signing by QR: no store or judge")
	case len(c.Key) != 32:
		return nil, errors.New("open signing by QR: the key has not 32 bytes")
	case c.Site == "" || c.Origin == "":
		return nil, errors.New("open signing by QR: no site or origin")
	case c.Organisation.RU == "" || c.Organisation.KK == "" || c.Organisation.EN == "":
		return nil, errors.New("open signing by QR: the organisation has no name")
	}
	switch c.Auth {
	case "":
		c.Auth = mgov.Token
	case mgov.Token, mgov.Eds, mgov.None:
	default:
		return nil, fmt.Errorf("open signing by QR: auth_type %q: it is Token, Eds or None", c.Auth)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Desk{c: c}, nil
}

// Make opens a request of the session and gives its handle.
func (d *Desk) Make(ctx context.Context, sid string, a Ask) (handle string, err error) {
	if err := a.check(); err != nil {
		return "", err
	}
	if sid == "" {
		return "", errors.New("ask for a signature by QR: no session")
	}
	now := d.c.Now()
	r := newRequest(d.c.Key, d.c.Site, sid, a, now)
	err = d.c.Store.Update(ctx, func(tx Tx) error {
		if err := tx.Put(ctx, r); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.Event{Action: "qr.asked", Object: r.Name(), Result: "ok", Detail: d.about(r)})
	})
	if err != nil {
		return "", fmt.Errorf("ask for a signature by QR: %w", err)
	}
	return r.Handle, nil
}

// JobSweep is the job that removes requests that are long over.
const JobSweep = "qr.sweep"

// Sweep removes requests that are long over, of every site, with the documents in them.
func (d *Desk) Sweep(ctx context.Context) error {
	err := d.c.Store.Update(ctx, func(tx Tx) error { return tx.Sweep(ctx, d.c.Now().Add(-keep)) })
	if err != nil {
		return fmt.Errorf("sweep requests: %w", err)
	}
	return nil
}

// Own reads a request for the browser that made it; [ErrNotFound] for every other.
func (d *Desk) Own(ctx context.Context, sid, handle string) (Request, error) {
	var r Request
	err := d.c.Store.View(ctx, func(tx Tx) (err error) {
		r, err = d.own(ctx, tx, sid, handle)
		return err
	})
	if err != nil {
		return Request{}, fmt.Errorf("read a request: %w", err)
	}
	return r, nil
}

func (d *Desk) own(ctx context.Context, tx Tx, sid, handle string) (Request, error) {
	r, err := tx.Request(ctx, handle)
	if err == nil && !r.of(d.c.Site, sid) {
		err = ErrNotFound
	}
	return r, err
}

// Address is API 1 of a request, for the QR code of its page.
func (d *Desk) Address(r Request) string {
	return d.c.Origin + "/" + mgov.Path + "/1/" + secret(d.c.Key, "id", r.Handle)
}

// Cancel ends a request that waits.
func (d *Desk) Cancel(ctx context.Context, sid, handle string) error {
	return d.change(ctx, sid, handle, func(r Request, _ time.Time) (Request, error) { return r.cancel() }, "qr.cancelled")
}

// Take ends a signed request and gives it with its answer to the form at the path, which has it once.
func (d *Desk) Take(ctx context.Context, sid, handle, path string) (Request, error) {
	var taken Request
	err := d.change(ctx, sid, handle, func(r Request, now time.Time) (Request, error) {
		var err error
		taken = r
		r, err = r.take(path, now)
		return r, err
	}, "qr.taken")
	return taken, err
}

// change moves a request of the session on, with its record.
func (d *Desk) change(ctx context.Context, sid, handle string, f func(Request, time.Time) (Request, error), action string) error {
	err := d.c.Store.Update(ctx, func(tx Tx) error {
		r, err := d.own(ctx, tx, sid, handle)
		if err != nil {
			return err
		}
		if r, err = f(r, d.c.Now()); err != nil {
			return err
		}
		if err := tx.Put(ctx, r); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.Event{Action: action, Object: r.Name(), Result: "ok", Detail: d.about(r)})
	})
	if err != nil {
		return fmt.Errorf("go on with a request: %w", err)
	}
	return nil
}

func (d *Desk) about(r Request) map[string]string {
	return map[string]string{"site": d.c.Site, "purpose": r.Ask.purpose()}
}

// IsNotFound reports whether an error means "no such request of this session".
func IsNotFound(err error) bool { return errors.Is(err, ErrNotFound) }
