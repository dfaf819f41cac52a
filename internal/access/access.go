// Package access says which other programs may speak to the authority, what each may do, and what
// became of their requests, so that a request sent twice has one effect.
//
// A [Client] is one program: a registration authority on another machine, a bank's portal, a script.
// It proves itself by a key (an id and 256 random bits, shown once and kept as a hash), by the
// certificate of its TLS connection, or by both when both are set. [Gate] keeps clients and answers
// who is there; [Gate.Begin] and [Gate.Finish] keep the answer to each request under the client's
// idempotency key; [Gate.Approve] holds the first of the two approvals that lift a hold.
//
// It refuses, all alike, unknown ids and wrong secrets ([ErrDenied]): only who holds the secret
// learns that a client is disabled, expired or on a network of its own.
package access

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"senim/internal/audit"
)

// Right is one thing a client may do.
type Right string

// The rights. None includes another.
const (
	Issue   Right = "issue"   // certificates on its own word of who the holder is
	Renew   Right = "renew"   // certificates that the old key asked for
	Revoke  Right = "revoke"  // for good
	Hold    Right = "hold"    // suspend
	Release Right = "release" // one of the two voices that lift a hold
	Read    Right = "read"    // one certificate by its serial, profiles, authorities, lists
	Search  Right = "search"  // certificates by holder and time
)

// Rights lists all rights.
func Rights() []Right { return []Right{Issue, Renew, Revoke, Hold, Release, Read, Search} }

// Client is a program that may call.
type Client struct {
	// Name is 1 to 32 of a-z, 0-9 and -, for ever: audit records, orders and revocations name it.
	Name string
	// KeyID and KeyHash (SHA-256 of the secret) are empty for a client without a key.
	KeyID   string
	KeyHash []byte
	// Certificate is the SHA-256 of the DER of the TLS certificate it must come with, in lower hex, or "".
	Certificate string
	Rights      []Right
	// Profiles it may touch; empty: all.
	Profiles []string
	// Networks it may come from; empty: any.
	Networks []netip.Prefix
	// PerMinute bounds its calls; 0 means [DefaultPerMinute].
	PerMinute int
	// Expires and Disabled are zero for never and not.
	Expires, Disabled, Created time.Time
}

// DefaultPerMinute is 10 calls a second (security.md §9).
const DefaultPerMinute = 600

// May reports whether the client has a right.
func (c Client) May(r Right) bool { return slices.Contains(c.Rights, r) }

// Covers reports whether the client may touch certificates of a profile.
func (c Client) Covers(profile string) bool {
	return len(c.Profiles) == 0 || slices.Contains(c.Profiles, profile)
}

// Actor is how audit records and revocations name the client.
func (c Client) Actor() string { return "api:" + c.Name }

// Kind is "key", "mtls" or "key+mtls".
func (c Client) Kind() string {
	switch {
	case c.KeyID != "" && c.Certificate != "":
		return "key+mtls"
	case c.Certificate != "":
		return "mtls"
	}
	return "key"
}

// Standing says why a client that proved itself may not call now: [ErrDisabled], [ErrExpired],
// [ErrNetwork] or nil.
func (c Client) Standing(from netip.Addr, now time.Time) error {
	switch {
	case !c.Disabled.IsZero():
		return ErrDisabled
	case !c.Expires.IsZero() && !now.Before(c.Expires):
		return ErrExpired
	case len(c.Networks) > 0 && !slices.ContainsFunc(c.Networks, func(n netip.Prefix) bool { return n.Contains(from) }):
		return ErrNetwork
	}
	return nil
}

// check refuses a client that means nothing or more than was said.
func (c Client) check() error {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789-"
	switch {
	case c.Name == "" || len(c.Name) > 32 || strings.Trim(c.Name, letters) != "":
		return fmt.Errorf("name %q: 1 to 32 of a-z, 0-9 and - are wanted", c.Name)
	case (audit.Event{Action: "api.client_added", Actor: c.Actor()}).Check() != nil:
		return fmt.Errorf("name %q: looks like a personal number", c.Name)
	case len(c.Rights) == 0:
		return errors.New("a client without any right can do nothing")
	case c.PerMinute < 0 || c.PerMinute > 1_000_000:
		return fmt.Errorf("%d calls a minute", c.PerMinute)
	case c.Certificate != "" && (len(c.Certificate) != 64 || strings.Trim(c.Certificate, "0123456789abcdef") != ""):
		return errors.New("the fingerprint of a certificate is 64 lower hex digits")
	}
	for _, r := range c.Rights {
		if !slices.Contains(Rights(), r) {
			return fmt.Errorf("no right %q", r)
		}
	}
	return nil
}

// Errors that callers tell apart; compare with errors.Is.
var (
	ErrNotFound     = errors.New("not found")
	ErrExists       = errors.New("already exists")
	ErrDenied       = errors.New("no client is known by this key or certificate")
	ErrDisabled     = errors.New("the client is disabled")
	ErrExpired      = errors.New("the client's access has ended")
	ErrNetwork      = errors.New("the client may not call from this address")
	ErrOtherRequest = errors.New("the idempotency key was used before for another request")
)

// Request is one request that changes something, under the client's idempotency key, with its answer
// once there is one.
type Request struct {
	Client, Key string
	Digest      []byte // SHA-256 of method, path and body
	Begun       time.Time
	// Status is 0 while there is no answer; Type and Body are the answer.
	Status int
	Type   string
	Body   []byte
}

// Pending is a hold that one client wants lifted and another has not yet confirmed.
type Pending struct {
	Serial string
	Held   time.Time // when the hold began: an approval is of this hold, not of a later one
	First  string    // client
	Asked  time.Time
	Second string // client and request that confirmed; set just before the hold is lifted
}

// Store keeps clients and requests. Update is one serializable transaction that may be run again.
type Store interface {
	Update(ctx context.Context, f func(Tx) error) error
	View(ctx context.Context, f func(Tx) error) error
}

// Tx is one transaction. What reads one thing answers [ErrNotFound] when it is not there. Times are
// kept to the millisecond.
type Tx interface {
	// AddClient inserts; [ErrExists] when name, key id or certificate is taken.
	AddClient(ctx context.Context, c Client) error
	// PutClient replaces the client of this name.
	PutClient(ctx context.Context, c Client) error
	Client(ctx context.Context, name string) (Client, error)
	ClientByKey(ctx context.Context, id string) (Client, error)
	ClientByCertificate(ctx context.Context, fingerprint string) (Client, error)
	// Clients lists all, by name.
	Clients(ctx context.Context) ([]Client, error)

	// AddRequest inserts; [ErrExists] when the client used the key before.
	AddRequest(ctx context.Context, r Request) error
	Request(ctx context.Context, client, key string) (Request, error)
	// Answer stores the answer of a request that has none; it does nothing to one that has.
	Answer(ctx context.Context, r Request) error
	// DropRequest removes a request that has no answer.
	DropRequest(ctx context.Context, client, key string) error
	// ForgetRequests removes requests begun before a time.
	ForgetRequests(ctx context.Context, before time.Time) error

	Pending(ctx context.Context, serial string) (Pending, error)
	// PutPending inserts or replaces.
	PutPending(ctx context.Context, p Pending) error

	Audit(ctx context.Context, e audit.Event) error
	Hash(value string) string
}
