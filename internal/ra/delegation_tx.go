package ra

import (
	"context"
	"time"
)

// The powers a delegation gives.
const (
	PowerConfirm = "confirm"
	PowerRevoke  = "revoke"
)

// delegationTx answers who acts for the head.
type delegationTx interface {
	// LivingDelegation gives the id of a delegation by which a person has a power in an
	// organisation at a moment; empty when there is none.
	LivingDelegation(ctx context.Context, bin, iin, power string, at time.Time) (id string, err error)
}
