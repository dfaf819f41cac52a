package ra

import (
	"context"
)

// staffTx keeps what a head has decided about his people: delegations and dismissals.
type staffTx interface {
	// PutDelegation writes a delegation, new or changed.
	PutDelegation(ctx context.Context, d Delegation) error
	// Delegation reads by id; [ErrNotFound].
	Delegation(ctx context.Context, id string) (Delegation, error)
	// DelegationsOf lists the delegations of an organisation, latest first.
	DelegationsOf(ctx context.Context, bin string) ([]Delegation, error)
	// OpenDelegations lists up to n delegations nobody has ended, by id, after an id.
	OpenDelegations(ctx context.Context, after string, n int) ([]Delegation, error)
	// OpenDelegationsTo lists the delegations to a person that nobody has ended.
	OpenDelegationsTo(ctx context.Context, iin string) ([]Delegation, error)

	// PutDismissal writes the mark of a person in an organisation; the latest counts.
	PutDismissal(ctx context.Context, d Dismissal) error
	// Dismissal reads the mark of a person in an organisation; [ErrNotFound] when he never had one.
	Dismissal(ctx context.Context, bin, iin string) (Dismissal, error)
	// DismissalsOf lists the marks of an organisation that were not lifted, latest first.
	DismissalsOf(ctx context.Context, bin string) ([]Dismissal, error)
	// DismissedAmong lists where some persons have a mark that was not lifted.
	DismissedAmong(ctx context.Context, iins []string) ([]Post, error)

	// WaitingOfCompany lists the applications for keys of an organisation that wait for a decision or for
	// issuing, oldest first.
	WaitingOfCompany(ctx context.Context, bin string) ([]Application, error)
	// BeginChange notes that a change of an organisation in the registry is being followed; false when it
	// was before. Change names it, as "head 17".
	BeginChange(ctx context.Context, bin, change string) (first bool, err error)
}
