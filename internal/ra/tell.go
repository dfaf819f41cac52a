package ra

import (
	"context"
	"errors"

	"senim/internal/lang"
	"senim/internal/notice"
)

// tellPerson puts a letter into the transaction for a person's confirmed address; without one there
// is no letter (I6). Subject and event make it one of its kind.
func (o *Office) tellPerson(ctx context.Context, tx Tx, iin, n, subject, event string, vars func(lang.Tag) map[string]string) error {
	account, err := tx.Account(ctx, iin)
	if errors.Is(err, ErrNotFound) || (err == nil && account.Confirmed() == "") {
		return nil
	}
	if err != nil {
		return err
	}
	t := letterLang(account.Lang)
	return tx.Notify(ctx, notice.Message{N: n, To: account.Confirmed(), Lang: t, Key: notice.Key(n, subject, event, account.Confirmed()), Vars: vars(t)})
}
