package ra

import (
	"context"
	"fmt"
	"time"
)

// useTx is what the store knows of the use of keys.
type useTx interface {
	// PutUse writes when a key was used last.
	PutUse(ctx context.Context, serial string, at time.Time) error
	// Uses says when keys were used last; those never used are left out.
	Uses(ctx context.Context, serials []string) (map[string]time.Time, error)
}

// Used notes that a person has signed in with a key.
func (o *Office) Used(ctx context.Context, serial string) error {
	err := o.c.Store.Update(ctx, func(tx Tx) error { return tx.PutUse(ctx, serial, o.c.Now()) })
	if err != nil {
		return fmt.Errorf("note the use of a key: %w", err)
	}
	return nil
}

// LastUse says when somebody signed in with each of some keys last; those nobody did with are left out.
func (o *Office) LastUse(ctx context.Context, keys []Key) (uses map[string]time.Time, err error) {
	serials := make([]string, len(keys))
	for i, k := range keys {
		serials[i] = k.Serial
	}
	err = o.c.Store.View(ctx, func(tx Tx) error {
		uses, err = tx.Uses(ctx, serials)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for the use of keys: %w", err)
	}
	return uses, nil
}
