package participant

import (
	"context"
	"fmt"
	"time"

	"senim/internal/ident"
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
		if p.ID != reader.ID && (p.TIN != reader.TIN || !reader.Type.Heads()) || !p.Type.Invited() {
			return ErrNotFound
		}
		offer, err := acceptedOffer(ctx, tx, p.TIN, p.IIN)
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
