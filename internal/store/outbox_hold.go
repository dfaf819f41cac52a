package store

import (
	"context"
	"fmt"
	"time"

	"senim/internal/notice"
)

// HoldOutbox marks the messages that an older copy of the database has still to send, and that were due by
// a moment (zero: now), as those that may have gone: nobody but an operator sends them again. It returns
// how many.
func (s *Store) HoldOutbox(ctx context.Context, by time.Time) (n int64, err error) {
	err = s.update(ctx, func(t *tx) (err error) {
		if by.IsZero() {
			by = t.now()
		}
		n, err = t.exec(ctx, `update outbox set state = $1, why = 'restored', done = $2 where state in ($3, $4) and due <= $5`,
			string(notice.Uncertain), ms(t.now()), string(notice.Waiting), string(notice.Sending), ms(by))
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("hold the messages of an older copy: %w", err)
	}
	return n, nil
}
