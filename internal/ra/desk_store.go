package ra

import (
	"context"
	"time"
)

// deskTx is what the desk asks of a store.
type deskTx interface {
	// PutScan keeps a scan of an application, sealed; an equal one is left as it is.
	PutScan(ctx context.Context, number string, s Scan, body []byte) error
	// ScanBody reads it; [ErrNotFound].
	ScanBody(ctx context.Context, number, hash string) ([]byte, error)
	// InState lists applications in a state that changed since a moment, the one that waits longest first.
	InState(ctx context.Context, s State, since time.Time, limit int) ([]Application, error)
	// Tallies counts the applications of each state.
	Tallies(ctx context.Context) ([]Tally, error)
	// Unreachable counts accounts without a confirmed address that letters arrive at.
	Unreachable(ctx context.Context) (int, error)

	// PutAct writes an act about a key, new or changed.
	PutAct(ctx context.Context, a KeyAct) error
	// Act reads it; [ErrNotFound].
	Act(ctx context.Context, id string) (KeyAct, error)
	// ActsIn lists acts in a state, the one that waits longest first.
	ActsIn(ctx context.Context, s ActState, limit int) ([]KeyAct, error)
}

// Tally is how many applications are in a state, and since when the oldest has not moved.
type Tally struct {
	State  State
	N      int
	Oldest time.Time
}
