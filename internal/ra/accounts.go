package ra

import (
	"context"
	"errors"
	"fmt"
)

// Accounts reads the accounts of some persons; those without one are absent.
func (o *Office) Accounts(ctx context.Context, iins []string) (map[string]Account, error) {
	all := make(map[string]Account, len(iins))
	err := o.c.Store.View(ctx, func(tx Tx) error {
		for _, iin := range iins {
			a, err := tx.Account(ctx, iin)
			if errors.Is(err, ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			all[iin] = a
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read accounts: %w", err)
	}
	return all, nil
}
