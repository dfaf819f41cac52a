package participant

import (
	"context"
	"fmt"
	"time"
)

// PowerOfAttorney reads the signed document by which an invited user acts: the head's signed invitation,
// which names permissions, number and term. It is for the user himself, and for the present head of the
// enterprise: for anyone else, and where nobody was invited, [ErrNotFound].
func (o *Office) PowerOfAttorney(ctx context.Context, reader Profile, profile string) (SignedAct, error) {
	var s SignedAct
	err := o.c.Store.View(ctx, func(tx Tx) error {
		p, err := tx.Profile(ctx, profile)
		if err != nil {
			return err
		}
		if p.ID != reader.ID && !reader.invites(p) || !p.Type.Invited() {
			return ErrNotFound
		}
		offer, err := acceptedOffer(ctx, tx, p)
		if err != nil {
			return err
		}
		s, err = tx.SignedAct(ctx, offer)
		return err
	})
	if err != nil {
		return SignedAct{}, fmt.Errorf("read power of attorney: %w", err)
	}
	return s, nil
}

// invites reports whether the other profile is of a user of this head's.
func (p Profile) invites(user Profile) bool {
	return p.Type.Heads() && p.TIN == user.TIN && p.Type.UserType() == user.Type
}

// acceptedOffer is the id of the head's signature over the newest invitation by which the person became this user.
func acceptedOffer(ctx context.Context, tx Tx, user Profile) (string, error) {
	all, err := tx.Invitations(ctx, user.TIN, time.Time{})
	if err != nil {
		return "", err
	}
	offer := ""
	for _, i := range all {
		if i.IIN != user.IIN || i.State != InviteAccepted {
			continue
		}
		same, err := invitedAs(ctx, tx, i, user.Type)
		if err != nil {
			return "", err
		}
		if same {
			offer = i.Offer
		}
	}
	if offer == "" {
		return "", ErrNotFound
	}
	return offer, nil
}
