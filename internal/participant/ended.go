package participant

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"senim/internal/audit"
	"senim/internal/ident"
	"senim/internal/lang"
	"senim/internal/notice"
	"senim/internal/registry"
)

// errUnsaid keeps the job of an ended enterprise until the registry answers.
var errUnsaid = errors.New("the registry does not say whether the enterprise has ended")

// EntityEnded tells the head of an enterprise, and the users he invited, that a load says it was liquidated (N-33).
// The registry is asked again: a correction that came meanwhile tells nobody. Profiles stay as they are: the gate
// decides by itself. Each load is told of once, however often this is called.
func (o *Office) EntityEnded(ctx context.Context, bin ident.BIN, load int64) error {
	a := o.c.Facts.Entity(ctx, bin)
	switch {
	case a.Verdict == registry.Good:
		return nil
	case a.Code != registry.EntityLiquidated && a.Code != registry.EntityUnknown:
		return fmt.Errorf("tell of an ended enterprise: %w", errors.Join(errUnsaid, a.Err))
	}
	err := o.c.Store.Update(ctx, func(tx Tx) error {
		all, err := tx.ProfilesOf(ctx, string(bin))
		if err != nil {
			return err
		}
		told := 0
		for _, p := range all {
			if !p.Type.Enterprise() || p.Status != Active {
				continue
			}
			told++
			err := o.tell(ctx, tx, "N-33", p.IIN, "load "+strconv.FormatInt(load, 10)+" "+tx.Hash(string(bin)), func(lang.Tag) map[string]string {
				return map[string]string{"org": p.Name, "date": notice.Day(a.AsOf), "link": o.c.Origin + "/me"}
			})
			if err != nil {
				return err
			}
		}
		if told == 0 {
			return nil
		}
		return tx.Audit(ctx, audit.Event{Action: "enterprise.ended", Actor: "system", Object: "enterprise " + tx.Hash(string(bin)), Result: "ok",
			Detail: map[string]string{"load": strconv.FormatInt(load, 10), "code": a.Code, "profiles": strconv.Itoa(told)}})
	})
	if err != nil {
		return fmt.Errorf("tell of an ended enterprise: %w", err)
	}
	return nil
}
