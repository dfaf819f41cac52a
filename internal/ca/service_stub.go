package ca

import (
	"context"
	"io"
	"log/slog"
	"time"
)

// Config opens a [Service].
type Config struct {
	// Store keeps the records. Required.
	Store Store
	// Keys opens the authorities' keys. Required.
	Keys Keys
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Rand is the source of randomness; nil is crypto/rand.
	Rand io.Reader
	// Log is for operators; nil discards.
	Log *slog.Logger
	// AllowDates lets orders choose their dates: for demonstrations and tests only.
	AllowDates bool
}

// Service is the open authorities. Safe for concurrent use.
type Service struct{}

func Open(ctx context.Context, c Config) (*Service, error)             { panic("not yet") }
func (s *Service) Issue(ctx context.Context, o Order) (*Issued, error) { panic("not yet") }
func (s *Service) Revoke(ctx context.Context, serial string, reason Reason, by string, invalidity time.Time) (*Revocation, error) {
	panic("not yet")
}
func (s *Service) Certificate(ctx context.Context, serial string) (*Info, error)    { panic("not yet") }
func (s *Service) ByHolder(ctx context.Context, iin, bin string) ([]Info, error)    { panic("not yet") }
func (s *Service) Expiring(ctx context.Context, from, to time.Time) ([]Info, error) { panic("not yet") }
func (s *Service) CRL(ctx context.Context, ca string, delta bool) ([]byte, error)   { panic("not yet") }
func (s *Service) Publish(ctx context.Context, ca string) error                     { panic("not yet") }
func (s *Service) Recover(ctx context.Context) error                                { panic("not yet") }

