package participant

import (
	"context"
	"errors"
	"fmt"

	"senim/internal/ident"
)

// Invited reads the invitation a letter's link leads to; it changes nothing. LINK_STALE when it is
// unknown, too old, used, replaced or withdrawn, or who invites is no longer the head.
func (o *Office) Invited(ctx context.Context, key LinkKey) (Invitation, error) {
	var i Invitation
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		i, err = o.invited(ctx, tx, key)
		return err
	})
	if err != nil {
		return Invitation{}, fmt.Errorf("read invitation: %w", err)
	}
	return i, nil
}

func (o *Office) invited(ctx context.Context, tx Tx, key LinkKey) (Invitation, error) {
	i, err := tx.InvitationByLink(ctx, string(key))
	if errors.Is(err, ErrNotFound) || err == nil && !i.Open(o.now()) {
		return Invitation{}, deny("LINK_STALE", "kind", "invite")
	}
	if err != nil {
		return i, err
	}
	head, err := tx.Profile(ctx, i.By)
	if err == nil && (head.Status != Active || !head.Type.Heads()) {
		err = deny("LINK_STALE", "kind", "invite")
	}
	return i, err
}

// Proved says whether the person whose key was proved is the one invited; anyone else is counted and
// refused with CERT_OTHER_PERSON, and the invitation stays as it is.
func (o *Office) Proved(ctx context.Context, key LinkKey, iin ident.IIN) error {
	i, err := o.Invited(ctx, key)
	if err != nil || i.IIN == iin {
		return err
	}
	return o.otherPerson(ctx, key, iin)
}

func (o *Office) otherPerson(ctx context.Context, key LinkKey, iin ident.IIN) error {
	err := o.c.Store.Update(ctx, func(tx Tx) error {
		i, err := o.invited(ctx, tx, key)
		if err != nil {
			return err
		}
		i.Failed++
		if err := tx.PutInvitation(ctx, i); err != nil {
			return err
		}
		return tx.Audit(ctx, inviteEvent(tx, "invite.accepted", iin, i, "CERT_OTHER_PERSON"))
	})
	if err != nil {
		return fmt.Errorf("refuse another person: %w", err)
	}
	return deny("CERT_OTHER_PERSON", "act", "invite")
}

// Acceptance is what the invited person sees before he accepts.
type Acceptance struct {
	Invitation
	HeadName string // who invites
	Document []byte // the XML to be signed
}

// Acceptance reads what the person is invited to and the document he signs. It changes nothing.
// LINK_STALE, CERT_OTHER_PERSON.
func (o *Office) Acceptance(ctx context.Context, key LinkKey, iin ident.IIN) (Acceptance, error) {
	var a Acceptance
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		if a.Invitation, err = o.invited(ctx, tx, key); err != nil {
			return err
		}
		if a.IIN != iin {
			return deny("CERT_OTHER_PERSON", "act", "invite")
		}
		head, err := tx.Account(ctx, a.Head)
		a.HeadName = head.Name
		return err
	})
	if err != nil {
		return Acceptance{}, fmt.Errorf("read invitation: %w", err)
	}
	a.Document, err = a.acceptance(o.c.Origin)
	return a, err
}

// Accept takes the invited person's signature: in one transaction his profile of the enterprise
// becomes active with the permissions and the term offered, and the link is used up. LINK_STALE,
// CERT_OTHER_PERSON (counted), SIGNATURE_INVALID, a closed gate, NOT_REGISTERED, ACCOUNT_BLOCKED,
// ENTERPRISE_BLOCKED and PROFILE_BLOCKED leave the invitation as it is.
func (o *Office) Accept(ctx context.Context, key LinkKey, iin ident.IIN, signed []byte) (Profile, error) {
	a, err := o.Acceptance(ctx, key, iin)
	if err != nil {
		return Profile{}, err
	}
	s, err := o.signedDocument(ctx, signed, a.Document, signerIs{iin: iin, act: "invite"})
	if refusalCode(err) == "CERT_OTHER_PERSON" {
		return Profile{}, o.otherPerson(ctx, key, iin)
	}
	if err != nil {
		return Profile{}, o.refusedInvite(ctx, "invite.accepted", iin, a.Invitation, err)
	}
	var p Profile
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		p, err = o.accept(ctx, tx, key, a, s)
		return err
	})
	if err != nil {
		return Profile{}, o.refusedInvite(ctx, "invite.accepted", iin, a.Invitation, raced(err))
	}
	return p, nil
}

// accept is the transaction: what lives in our tables is read again.
func (o *Office) accept(ctx context.Context, tx Tx, key LinkKey, a Acceptance, s signing) (Profile, error) {
	i, err := o.invited(ctx, tx, key)
	if err != nil {
		return Profile{}, err
	}
	if i.ID != a.ID {
		return Profile{}, ErrRace
	}
	if err := o.enterpriseOpen(ctx, tx, i.TIN); err != nil {
		return Profile{}, err
	}
	if _, err := o.owner(ctx, tx, i.IIN); err != nil {
		return Profile{}, err
	}
	head, err := tx.Profile(ctx, i.By)
	if err != nil {
		return Profile{}, err
	}
	p, err := o.userRow(ctx, tx, i, head.Type.UserType())
	if err != nil {
		return Profile{}, err
	}
	signature, err := o.keepSigned(ctx, tx, ActAccept, i.IIN, s)
	if err != nil {
		return Profile{}, err
	}
	p.Category = head.Category
	p, c, err := p.accept(i, head.Type.UserType(), o.now(), signature)
	if err != nil {
		return Profile{}, err
	}
	if err := o.putProfile(ctx, tx, p, c); err != nil {
		return Profile{}, err
	}
	i = i.ended(InviteAccepted, o.now())
	i.Acceptance = signature
	if err := tx.PutInvitation(ctx, i); err != nil {
		return Profile{}, err
	}
	e := inviteEvent(tx, "invite.accepted", i.IIN, i, "ok")
	e.Detail["profile"], e.Detail["evidence"] = p.ID, signature
	return p, tx.Audit(ctx, e)
}

// userRow is the person's row as a user of the enterprise, or a new one. What an administrator, or the
// enterprise's own block, closed is not opened by a head.
func (o *Office) userRow(ctx context.Context, tx Tx, i Invitation, t ProfileType) (Profile, error) {
	all, err := tx.Profiles(ctx, i.IIN)
	if err != nil {
		return Profile{}, err
	}
	for _, p := range all {
		if p.TIN != i.TIN || p.Type != t {
			continue
		}
		if _, ok := p.state().Next(ProfileOpened); !ok {
			return p, deny("PROFILE_BLOCKED", "reason", p.Reason, "since", stamp(p.Since), "name", p.Name)
		}
		return p, nil
	}
	id, err := newID(o.c.Random)
	return Profile{ID: id}, err
}
