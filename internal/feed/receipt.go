package feed

import (
	"context"
	"fmt"

	"senim/internal/tlog"
)

// Receipt makes the receipt for a certificate: the proof that it stands in the log, and the holder's
// salt. It is for the holder alone; who asks is for the caller to know. [ErrNotFound] when the
// certificate is not in the published log, yet or at all.
func (l *Log) Receipt(ctx context.Context, serial string) (tlog.Receipt, error) {
	var p Place
	var i Issued
	var salts map[string][]byte
	err := l.c.Store.View(ctx, func(tx Tx) (err error) {
		if p, err = tx.Place(ctx, serial); err != nil {
			return err
		}
		if i, err = tx.Certificate(ctx, serial); err != nil {
			return err
		}
		salts, err = tx.Salts(ctx, []string{i.Holder()})
		return err
	})
	if err != nil {
		return tlog.Receipt{}, fmt.Errorf("receipt of %s: %w", serial, err)
	}
	salt := salts[i.Holder()]
	if len(salt) != tlog.SaltSize {
		return tlog.Receipt{}, fmt.Errorf("receipt of %s: no salt: %w", serial, ErrNotFound)
	}
	files := tlog.NewLog(l.key, l.c.Fetch)
	at, err := files.Checkpoint()
	if err != nil {
		return tlog.Receipt{}, fmt.Errorf("receipt of %s: %w", serial, err)
	}
	if p.Position >= at.Size {
		return tlog.Receipt{}, fmt.Errorf("receipt of %s: not published yet: %w", serial, ErrNotFound)
	}
	raw, err := files.Entry(at, p.Position)
	if err != nil {
		return tlog.Receipt{}, fmt.Errorf("receipt of %s: %w", serial, err)
	}
	return files.Receipt(at, tlog.Salt(salt), p.Position, raw)
}
