package registry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"senim/internal/audit"
	"senim/internal/paper"
)

// draftScans is how long the scan of a draft is kept that its clerk did not sign. What was signed keeps its scan as
// long as itself: it is why the head was changed.
const draftScans = 24 * time.Hour

// scanTx keeps scans of the papers by which clerks change a head.
type scanTx interface {
	// PutScan keeps the scan of a change, sealed; an equal one is left as it is.
	PutScan(ctx context.Context, change string, s paper.Scan, made time.Time, body []byte) error
	// ScanBody reads it; [ErrNotFound].
	ScanBody(ctx context.Context, change, hash string) ([]byte, error)
	// ForgetScans removes those of drafts made before a moment, and says how many.
	ForgetScans(ctx context.Context, before time.Time) (int, error)
}

// readScan describes the scan a clerk attached; *[FieldError] when there is none, or it is not one.
func readScan(b []byte) (paper.Scan, error) {
	wrong := func(code string) error { return &FieldError{"scan", &Refusal{code}} }
	if len(b) == 0 {
		return paper.Scan{}, wrong(ScanMissing)
	}
	s, err := paper.Read(b)
	switch {
	case errors.Is(err, paper.ErrTooLarge):
		return s, wrong(ScanTooLarge)
	case err != nil:
		return s, wrong(ScanInvalid)
	}
	return s, nil
}

// Scanned reads the scan of a change for a clerk, which is recorded; ErrNotFound when there is none.
func (b *Book) Scanned(ctx context.Context, c Change, by Clerk) (body []byte, err error) {
	err = b.c.Store.Update(ctx, func(tx Tx) error {
		if body, err = tx.ScanBody(ctx, c.ID, c.Scan.Hash); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.Event{Action: "registry.clerk.scan_read", Actor: tx.Hash(string(by.IIN)), Object: "change:" + c.ID, Result: "ok",
			Detail: map[string]string{"scan": c.Scan.Hash, "serial": by.Serial}})
	})
	if err != nil {
		return nil, fmt.Errorf("read a scan: %w", err)
	}
	return body, nil
}
