package participant

import (
	"context"
	"fmt"
)

// Cancel ends a registration by the person who began it; what was typed is forgotten, and a letter's link
// is stale from then on.
func (o *Office) Cancel(ctx context.Context, id, cookie string) error {
	err := o.c.Store.Update(ctx, func(tx Tx) error {
		r, err := o.owned(ctx, tx, id, cookie)
		if err != nil {
			return err
		}
		if !r.State.Open() {
			return deny("REGISTRATION_OVER")
		}
		if r, err = r.step(RegistrationCancelled); err != nil {
			return err
		}
		r.Reason, r.Ended = "CANCELLED", o.now()
		r = r.forget()
		if err := tx.PutRegistration(ctx, r); err != nil {
			return err
		}
		if r.Signature != "" {
			if err := o.forgetAccount(ctx, tx, r.IIN); err != nil {
				return err
			}
		}
		return tx.Audit(ctx, event(tx, "reg.refused", r, "CANCELLED", nil))
	})
	if err != nil {
		return fmt.Errorf("cancel registration: %w", err)
	}
	return nil
}
