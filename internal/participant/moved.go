package participant

import (
	"context"
	"errors"

	"senim/internal/audit"
	"senim/internal/ident"
)

// accountState is the account's state now.
func (o *Office) accountState(a Account) AccountState { return a.Standing(o.now(), o.c.SignIn.MaxAge) }

// accountMoved asks the table of accounts about a step from a state, and records what changes by it.
func (o *Office) accountMoved(ctx context.Context, tx Tx, iin ident.IIN, from AccountState, e AccountEvent) error {
	to, ok := from.Next(e)
	switch {
	case !ok:
		return errStep("account", from, e)
	case to == from:
		return nil
	}
	return tx.Audit(ctx, audit.Event{Action: "account.status", Actor: "system", Object: "person " + tx.Hash(string(iin)), Result: "ok",
		Detail: map[string]string{"from": string(from), "to": string(to), "by": string(e)}})
}

// forgetAccount removes the account of a first registration that came to nothing, unless another of the person still
// waits for its link.
func (o *Office) forgetAccount(ctx context.Context, tx Tx, iin ident.IIN) error {
	a, err := tx.Account(ctx, iin)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil
	case err != nil:
		return err
	case a.State != AccountPending:
		return nil
	}
	if err := tx.DeletePending(ctx, iin); err != nil {
		return err
	}
	if _, err := tx.Account(ctx, iin); !errors.Is(err, ErrNotFound) {
		return err // it stays
	}
	return o.accountMoved(ctx, tx, iin, a.State, AccountForgotten)
}
