package participant

import (
	"context"
	"fmt"
	"time"

	"senim/internal/ident"
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
		if p.ID != reader.ID && (p.TIN != reader.TIN || !reader.Type.Heads()) || !p.Type.Invited() {
			return ErrNotFound
		}
		id, err := confirmation(ctx, tx, p)
		if err == nil && id == "" {
			id, err = acceptedOffer(ctx, tx, p.TIN, p.IIN)
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

// acceptedOffer is the id of the head's signature over the newest invitation the person accepted.
func acceptedOffer(ctx context.Context, tx Tx, tin string, iin ident.IIN) (string, error) {
	all, err := tx.Invitations(ctx, tin, time.Time{})
	if err != nil {
		return "", err
	}
	offer := ""
	for _, i := range all {
		if i.IIN == iin && i.State == InviteAccepted {
			offer = i.Offer
		}
	}
	if offer == "" {
		return "", ErrNotFound
	}
	return offer, nil
}
