package relying

import (
	"context"
	"errors"
	"time"

	"senim/internal/audit"
	"senim/internal/ident"
)

// Errors a store and the keeper give.
var (
	// ErrNotFound says that there is no such row, or not for this browser or this person.
	ErrNotFound = errors.New("not found")
	// ErrUsed says that a token, or a request, was used before.
	ErrUsed = errors.New("used before")
)

// Store keeps what this package knows. Update and View are one transaction each; the function given
// to Update may be run again.
type Store interface {
	Update(ctx context.Context, f func(Tx) error) error
	View(ctx context.Context, f func(Tx) error) error
}

// Tx is one transaction. Reads of one row give [ErrNotFound] when there is none; Put writes a row, new
// or changed; dropping nothing is no error.
type Tx interface {
	Request(ctx context.Context, id string) (Request, error)
	// LatestRequest is the newest open request of a browser that was made after the moment.
	LatestRequest(ctx context.Context, browser string, after time.Time) (Request, error)
	PutRequest(ctx context.Context, r Request) error

	Consent(ctx context.Context, iin ident.IIN, client string) (Consent, error)
	// Consents lists a person's, by their time.
	Consents(ctx context.Context, iin ident.IIN) ([]Consent, error)
	PutConsent(ctx context.Context, c Consent) error
	DropConsent(ctx context.Context, iin ident.IIN, client string) error

	Token(ctx context.Context, kind Kind, hash string) (Token, error)
	// AddToken gives [ErrUsed] when one of this kind and hash is there.
	AddToken(ctx context.Context, t Token) error
	// UseToken marks a token that was not used, and says whether it was this call that did.
	UseToken(ctx context.Context, kind Kind, hash string, at time.Time) (bool, error)
	DropToken(ctx context.Context, kind Kind, hash string) error
	// DropGrant removes every token of an authorization that gives something; codes stay, so that one
	// that comes again is known. It gives one of those that went, or [ErrNotFound] when none did.
	DropGrant(ctx context.Context, grant string) (Token, error)
	// DropTokens removes every token a client holds of a person, codes too.
	DropTokens(ctx context.Context, iin ident.IIN, client string) error
	// Sweep removes tokens that expired and requests made before the moment.
	Sweep(ctx context.Context, now, requests time.Time) error

	// Keys lists the keys that sign, the oldest first.
	Keys(ctx context.Context) ([]Key, error)
	// AddKey gives [ErrUsed] when there is one of this number.
	AddKey(ctx context.Context, k Key) error
	DropKey(ctx context.Context, number int) error

	// Mac derives bytes from the installation's key.
	Mac(purpose, value string) []byte
	// Hash is the keyed hash of a personal number for the audit log.
	Hash(s string) string
	Audit(ctx context.Context, e audit.Event) error
}
