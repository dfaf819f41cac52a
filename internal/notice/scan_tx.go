package notice

import (
	"context"
	"time"
)

// scanTx is what a scan reads and writes of a great many key sets at once.
type scanTx interface {
	// ExamineAll is Examine of many serials; first holds those that had not been looked at.
	ExamineAll(ctx context.Context, stage string, serials []string, at time.Time) (first map[string]bool, err error)
	// Ending lists certificates of persons (of an organisation when w.Legal) issued here whose stage was
	// not examined, by end and serial, after a place, at most limit.
	Ending(ctx context.Context, w Window, after Place, limit int) ([]Place, error)
	// Examined lists those of the serials whose stage was looked at.
	Examined(ctx context.Context, stage string, serials []string) (map[string]bool, error)
}

// Place is where a certificate stands among those that end.
type Place struct {
	NotAfter time.Time
	Serial   string
	// IIN is whose it is.
	IIN string
}
