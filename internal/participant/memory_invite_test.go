package participant

import (
	"context"
	"time"
)

// invites is the part of the memory for invitations: like recovery, it is not copied.
type invites struct{ invitations []Invitation }

func (m *invites) Invitation(_ context.Context, id string) (Invitation, error) {
	for _, i := range m.invitations {
		if i.ID == id {
			return i, nil
		}
	}
	return Invitation{}, ErrNotFound
}
func (m *invites) InvitationByLink(_ context.Context, hash string) (Invitation, error) {
	for _, i := range m.invitations {
		if i.Link == hash {
			return i, nil
		}
	}
	return Invitation{}, ErrNotFound
}
func (m *invites) Invitations(_ context.Context, tin string, since time.Time) ([]Invitation, error) {
	var all []Invitation
	for _, i := range m.invitations {
		if i.TIN == tin && (i.State == InviteSent || !i.Sent.Before(since)) {
			all = append(all, i)
		}
	}
	return all, nil
}
func (m *invites) PutInvitation(_ context.Context, next Invitation) error {
	for k, i := range m.invitations {
		if i.ID == next.ID {
			m.invitations[k] = next
			return nil
		}
	}
	m.invitations = append(m.invitations, next)
	return nil
}
func (m *invites) SweepInvitations(context.Context, time.Time) error { return nil }
