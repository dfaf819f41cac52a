package qr

import (
	"context"
	"errors"
	"time"

	"senim/internal/audit"
)

// ErrNotFound says that there is no such request, or that it is somebody else's.
var ErrNotFound = errors.New("request not found")

// Store keeps requests. Update and View are one transaction each.
type Store interface {
	Update(ctx context.Context, f func(Tx) error) error
	View(ctx context.Context, f func(Tx) error) error
}

// Tx is one transaction over requests. What is asked and answered is sealed in the store.
type Tx interface {
	// Put writes a request, new or changed.
	Put(ctx context.Context, r Request) error
	// Request reads a request by its handle; [ErrNotFound] when there is none.
	Request(ctx context.Context, handle string) (Request, error)
	// ByCode reads a request by the hash of its id; [ErrNotFound] when there is none.
	ByCode(ctx context.Context, code string) (Request, error)
	// Sweep removes requests that were over before a moment.
	Sweep(ctx context.Context, before time.Time) error
	// Hash gives the keyed hash that names a person in the audit log.
	Hash(personal string) string
	// Audit appends to the audit log.
	Audit(ctx context.Context, e audit.Event) error
}
