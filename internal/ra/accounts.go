package ra

import (
	"context"
	"fmt"
)

// AccountsOf reads the accounts of some persons; those without one are absent.
func (o *Office) AccountsOf(ctx context.Context, iins []string) (map[string]Account, error) {
	all := make(map[string]Account, len(iins))
	err := o.c.Store.View(ctx, func(tx Tx) error {
		found, err := tx.AccountsOf(ctx, iins)
		for _, a := range found {
			all[a.IIN] = a
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read accounts: %w", err)
	}
	return all, nil
}
