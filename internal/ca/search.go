package ca

import (
	"context"
	"time"
)

// Query chooses issued certificates; what is zero does not choose.
type Query struct {
	IIN, BIN string
	// Profiles: one of these; empty: any.
	Profiles []string
	// State is one of the States of a certificate, seen at Now; "" for any.
	State string
	// IssuedFrom and IssuedTo bound the time of issue, EndsFrom and EndsTo NotAfter: [from, to).
	IssuedFrom, IssuedTo, EndsFrom, EndsTo time.Time
	// Before continues a search: only certificates issued before this moment or, at the same
	// millisecond, with a serial below.
	Before       time.Time
	BeforeSerial string
	// Limit is 1 to 1000. Now is for States.
	Limit int
	Now   time.Time
}

// States of a certificate as searches know them.
const (
	StateValid   = "valid"   // neither revoked nor past its end
	StateRevoked = "revoked" // for good
	StateHold    = "hold"
	StateExpired = "expired" // past its end and not revoked
)

// Search lists issued certificates, newest first, by time of issue and serial. Certificates issued
// meanwhile do not move those that follow a given one, so pages neither repeat nor skip.
func (s *Service) Search(ctx context.Context, q Query) ([]Info, error) {
	q.Limit = min(max(q.Limit, 1), 1000)
	q.Now = s.now()
	return s.infos(ctx, func(tx Tx) ([]Record, error) { return tx.Search(ctx, q) })
}
