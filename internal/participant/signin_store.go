package participant

import (
	"context"
	"time"

	"senim/internal/ident"
)

// SignInTx is the part of [Tx] for what is known of a person's sign-ins: machines, open sessions, passkeys.
type SignInTx interface {
	// Machine says when the person was last seen at the machine of this hash.
	Machine(ctx context.Context, iin ident.IIN, hash string) (seen time.Time, err error)
	// PutMachine writes that he is there now, and drops his longest unseen machines beyond keep.
	PutMachine(ctx context.Context, iin ident.IIN, hash string, seen time.Time, keep int) error
	DropMachines(ctx context.Context, iin ident.IIN) error

	// OpenSessions lists the sessions of a person on a site seen since the moment, newest first.
	OpenSessions(ctx context.Context, site string, iin ident.IIN, since time.Time) ([]OpenSession, error)
	EndSession(ctx context.Context, key, reason string) error

	Passkey(ctx context.Context, id string) (Passkey, error)
	// Passkeys lists a person's passkeys, those that wait for their signature too, the oldest first.
	Passkeys(ctx context.Context, iin ident.IIN) ([]Passkey, error)
	PutPasskey(ctx context.Context, p Passkey) error
	DropPasskey(ctx context.Context, id string) error
	// SweepPasskeys removes those made before the moment that nobody signed for.
	SweepPasskeys(ctx context.Context, before time.Time) error
}
