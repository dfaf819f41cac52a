package ra

import (
	"context"
	"time"

	"senim/internal/audit"
)

// ScanTTL is how long a scan is kept after the last change of its application: three years, the longest that a key
// lives which it was the ground for. Its hash stays in what the operators signed.
const ScanTTL = 3 * 365 * 24 * time.Hour

// scanTx forgets scans.
type scanTx interface {
	// ForgetScans removes the scans of applications that did not change since a moment, and says how many.
	ForgetScans(ctx context.Context, before time.Time) (int, error)
}

// forgetScans removes the scans whose time is over; that is recorded.
func (o *Office) forgetScans(ctx context.Context, tx Tx) error {
	n, err := tx.ForgetScans(ctx, o.c.Now().Add(-ScanTTL))
	if err != nil || n == 0 {
		return err
	}
	return tx.Audit(ctx, audit.Event{Action: "desk.scans_removed", Actor: "system", Result: "ok", Detail: map[string]string{"scans": itoa(n)}})
}
