package tsa

import (
	"context"
	"errors"
	"fmt"
	"time"

	"senim/internal/audit"
)

// synchronised reports why the time is not known. It is called under mu.
func (a *Authority) synchronised(now time.Time) error {
	if a.clockError != nil {
		return a.clockError
	}
	if age := now.Sub(a.checked); age > checkLives || age < -backward {
		return fmt.Errorf("the clock was last checked %s ago", age.Round(time.Minute))
	}
	return nil
}

// CheckClock compares the clock with others and records the outcome. Call it at start and then
// hourly. Until it is called again, the authority stamps or refuses by what was found. The error says
// that it refuses.
func (a *Authority) CheckClock(ctx context.Context) error {
	offset, err := a.c.Clock.Offset(ctx)
	if err != nil {
		err = fmt.Errorf("the clock could not be checked: %w", err)
	} else if offset.Abs() > maxOffset {
		err = fmt.Errorf("the clock is %s off, at most %s", offset.Round(time.Millisecond), maxOffset)
	}
	result := "ok"
	if err != nil {
		result = "failed"
	}
	recorded := a.c.Store.Update(ctx, func(tx Tx) error {
		return tx.Audit(ctx, audit.Event{Action: "tsa.clock_checked", Actor: "system", Result: result,
			Detail: map[string]string{"offset": offset.Round(time.Microsecond).String()}})
	})
	if err = errors.Join(err, recorded); err != nil {
		a.c.Log.Error("time-stamps are refused", "error", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.clockError, a.checked = err, a.c.Now().UTC()
	return err
}

// Ready reports with nil that the authority stamps at present, else why not.
func (a *Authority) Ready() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.synchronised(a.c.Now().UTC())
}
