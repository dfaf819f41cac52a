package ra

import (
	"context"
	"time"
)

// delegationTx finds delegations by who uses them.
type delegationTx interface {
	// LivingDelegation gives the id of a delegation of an organisation to a person that counts at a
	// moment and gives a power; empty when there is none.
	LivingDelegation(ctx context.Context, bin, iin, power string, at time.Time) (id string, err error)
}
