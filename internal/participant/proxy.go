package participant

import (
	"context"
	"fmt"
	"time"
)

// PowerOfAttorney reads the signed document by which an invited user acts, which names permissions, number and term:
// the head's signed invitation, or what a later head signed when he confirmed the user; and the files of it and of its
// proof. It is for the user himself, and for the present head of the enterprise: for anyone else, and where nobody was
// invited, [ErrNotFound].
func (o *Office) PowerOfAttorney(ctx context.Context, reader Profile, profile string) (SignedAct, []File, error) {
	var s SignedAct
	var kept signedFile
	err := o.c.Store.View(ctx, func(tx Tx) error {
		p, err := tx.Profile(ctx, profile)
		if err != nil {
			return err
		}
		if p.ID != reader.ID && !reader.invites(p) || !p.Type.Invited() {
			return ErrNotFound
		}
		id, err := confirmation(ctx, tx, p)
		if err == nil && id == "" {
			id, err = acceptedOffer(ctx, tx, p)
		}
		if err != nil {
			return err
		}
		if s, err = tx.SignedAct(ctx, id); err != nil {
			return err
		}
		kept, err = signedOf(ctx, tx, id)
		return err
	})
	if err != nil {
		return SignedAct{}, nil, fmt.Errorf("read power of attorney: %w", err)
	}
	return s, kept.files(), nil
}

// confirmation is the id of the newest head's signature that confirmed a user since he accepted; "" for none.
func confirmation(ctx context.Context, tx Tx, p Profile) (id string, err error) {
	changes, err := tx.Changes(ctx, p.ID)
	if err != nil {
		return "", err
	}
	for _, c := range changes {
		switch c.Reason {
		case ReasonReconfirmed:
			id = c.Evidence
		case ReasonInvited:
			id = ""
		}
	}
	return id, nil
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
