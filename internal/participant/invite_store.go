package participant

import (
	"context"
	"time"
)

// InviteTx is the part of [Tx] for invitations.
type InviteTx interface {
	Invitation(ctx context.Context, id string) (Invitation, error)
	// InvitationByLink finds the invitation whose letter carried the token of this hash.
	InvitationByLink(ctx context.Context, hash string) (Invitation, error)
	// Invitations lists an enterprise's invitations that were signed since the moment, and those sent
	// that have not ended; the oldest first.
	Invitations(ctx context.Context, tin string, since time.Time) ([]Invitation, error)
	PutInvitation(ctx context.Context, i Invitation) error
	// SweepInvitations removes drafts made before the moment that nobody signed.
	SweepInvitations(ctx context.Context, before time.Time) error
}
