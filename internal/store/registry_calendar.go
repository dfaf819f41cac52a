package store

import (
	"context"

	"senim/internal/registry"
)

// CalendarDays lists the exceptions of the calendar of loads.
func (t registryTx) CalendarDays(ctx context.Context) ([]registry.CalendarDay, error) {
	return list(ctx, t.tx, func(r row) (d registry.CalendarDay, err error) {
		content, err := value[string](r)
		if err != nil {
			return d, err
		}
		return d, fromText(content, &d)
	}, `select content from registry_calendar r where `+inForce+` order by slot, record`)
}
