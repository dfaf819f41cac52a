package auth

import (
	"context"
	"errors"
	"time"

	"senim/internal/audit"
)

// ErrNotFound says that a session is not in the store.
var ErrNotFound = errors.New("session not found")

// Store keeps sessions and open challenges. Update and View are one transaction each.
type Store interface {
	Update(ctx context.Context, f func(Tx) error) error
	View(ctx context.Context, f func(Tx) error) error
	// Attend says that the caller will write several times until leave: writers who are at work at the same
	// time wait for each other, for some milliseconds at most, and share a commit.
	Attend() (leave func())
}

// Swept is a session of a person that was over.
type Swept struct {
	Session

	Why Reason
}

// Tx is one transaction over sessions. Sessions are named by the hash of their id; the ID of a
// [Session] is empty here.
type Tx interface {
	// Session reads a session; [ErrNotFound] when there is none.
	Session(ctx context.Context, hash string) (Session, error)
	// PutSession writes a session, new or changed.
	PutSession(ctx context.Context, hash string, s Session) error
	// DeleteSession removes a session and its challenges; removing nothing is no error. With a reason it is kept why
	// the session of a person ended.
	DeleteSession(ctx context.Context, hash string, why Reason) error
	// DeleteSessions removes every session the filter selects, and says how many. What services were
	// given by those people, or with those certificates, ends in the same transaction.
	DeleteSessions(ctx context.Context, f Filter, why Reason) (int, error)
	// Ended says why and when a session of a person ended, and of which site it was; [ErrNotFound] when that is not
	// known.
	Ended(ctx context.Context, hash string) (site string, c Closed, err error)
	// PutChallenge opens a challenge; an open one of the same session and purpose is replaced.
	PutChallenge(ctx context.Context, hash string, c Challenge) error
	// TakeChallenge removes the open challenge of the session and purpose and returns it, in one
	// statement; ok is false when there was none.
	TakeChallenge(ctx context.Context, hash, purpose string) (c Challenge, ok bool, err error)
	// Sweep removes sessions not seen since idle or created before absolute, and their challenges. Of people's it
	// removes so many, keeps why, and gives them; what is known of ends before forget is forgotten.
	Sweep(ctx context.Context, idle, absolute, forget time.Time, most int) ([]Swept, error)
	// Hash gives the keyed hash that names a person in the audit log.
	Hash(personal string) string
	// Audit appends to the audit log.
	Audit(ctx context.Context, e audit.Event) error
}
