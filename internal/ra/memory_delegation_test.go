package ra

import (
	"context"
	"time"
)

func (m *memory) LivingDelegation(_ context.Context, bin, iin, power string, at time.Time) (string, error) {
	for _, d := range m.d.staff.list(func(d Delegation) bool { return d.BIN == bin && d.IIN == iin && d.Allows(power) && d.Living(at) }) {
		return d.ID, nil
	}
	for _, d := range m.delegations {
		if d.iin == iin && d.lives(bin, power, at) {
			return d.id, nil
		}
	}
	return "", nil
}
