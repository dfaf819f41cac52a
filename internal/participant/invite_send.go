package participant

import (
	"context"
	"errors"
	"fmt"
	"time"

	"senim/internal/audit"
	"senim/internal/ident"
	"senim/internal/lang"
	"senim/internal/notice"
)

// Kinds of the documents signed about users, in [SignedAct].
const (
	ActInvite Kind = "invite"
	ActAccept Kind = "accept"
	ActUsers  Kind = "users"
)

const (
	// inviteDraftTTL is how long an invitation waits for its head's signature.
	inviteDraftTTL = time.Hour
	// maxInvites is how many invitations an enterprise may sign in a day.
	maxInvites = 50
)

// Headed opens a profile of the person as [Office.Choose] does, for acts that only the head of an
// enterprise, or a person who trades or practises in his own name, may do: NO_REQUIRED_PERMISSIONS for
// any other profile, whatever its head permitted it.
func (o *Office) Headed(ctx context.Context, iin ident.IIN, id, certificateBIN string) (Profile, error) {
	p, err := o.Choose(ctx, iin, id, certificateBIN)
	if err == nil && !p.Type.Heads() {
		err = deny("NO_REQUIRED_PERMISSIONS")
	}
	return p, err
}

// stillHead reads the head's profile again inside a transaction: he may have been replaced meanwhile.
func (o *Office) stillHead(ctx context.Context, tx Tx, head Profile) error {
	p, err := tx.Profile(ctx, head.ID)
	switch {
	case err != nil:
		return err
	case p.IIN != head.IIN || p.TIN != head.TIN || !p.Type.Heads() || p.Status != Active:
		return deny("NO_REQUIRED_PERMISSIONS")
	}
	return o.enterpriseOpen(ctx, tx, p.TIN)
}

func (o *Office) enterpriseOpen(ctx context.Context, tx Tx, tin string) error {
	e, err := tx.Enterprise(ctx, tin)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil
	case err != nil:
		return err
	case e.Blocked:
		return deny("ENTERPRISE_BLOCKED", "reason", e.BlockedReason)
	}
	return nil
}

// Offer takes the head's form: [FieldErrors], or an invitation that waits for his signature.
func (o *Office) Offer(ctx context.Context, head Profile, f InviteForm, l lang.Tag) (Invitation, error) {
	now := o.now()
	iin, mail, g, wrong := f.read(o.c.Rules, head.IIN, now)
	if len(wrong) > 0 {
		return Invitation{}, wrong
	}
	id, err := newID(o.c.Random)
	if err != nil {
		return Invitation{}, fmt.Errorf("offer invitation: %w", err)
	}
	i := Invitation{ID: id, State: InviteDraft, By: head.ID, Head: head.IIN, TIN: head.TIN, Org: head.Name, IIN: iin, Email: mail, Lang: l,
		Grant: g, Made: now}
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		if err := o.stillHead(ctx, tx, head); err != nil {
			return err
		}
		if err := tx.SweepInvitations(ctx, now.Add(-inviteDraftTTL)); err != nil {
			return err
		}
		return tx.PutInvitation(ctx, i)
	})
	if err != nil {
		return Invitation{}, fmt.Errorf("offer invitation: %w", err)
	}
	return i, nil
}

// Draft reads an invitation of the head that waits for his signature, and the document to sign.
// [ErrNotFound] when it is not his, was signed, or waited too long.
func (o *Office) Draft(ctx context.Context, head Profile, id string) (Invitation, []byte, error) {
	var i Invitation
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		i, err = o.draft(ctx, tx, head, id)
		return err
	})
	if err != nil {
		return i, nil, fmt.Errorf("read invitation: %w", err)
	}
	doc, err := i.offer(o.c.Origin)
	return i, doc, err
}

func (o *Office) draft(ctx context.Context, tx Tx, head Profile, id string) (Invitation, error) {
	i, err := tx.Invitation(ctx, id)
	if err == nil && (i.By != head.ID || i.State != InviteDraft || o.now().Sub(i.Made) > inviteDraftTTL) {
		return Invitation{}, ErrNotFound
	}
	return i, err
}

// Invite takes the head's signature over the invitation and sends N-24. An earlier invitation of
// the same person to the enterprise ends. SIGNATURE_INVALID, CERT_OTHER_PERSON, CERT_WRONG_BIN,
// INVITE_TOO_OFTEN or a closed gate leave the draft.
func (o *Office) Invite(ctx context.Context, head Profile, id string, signed []byte) (Invitation, error) {
	i, doc, err := o.Draft(ctx, head, id)
	if err != nil {
		return i, err
	}
	s, err := o.signedDocument(ctx, signed, doc, head.signer())
	if err != nil {
		return i, o.refusedInvite(ctx, "invite.sent", head.IIN, i, err)
	}
	token, err := newToken(o.c.Random)
	if err != nil {
		return i, fmt.Errorf("invite: %w", err)
	}
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		if err := o.stillHead(ctx, tx, head); err != nil {
			return err
		}
		if i, err = o.draft(ctx, tx, head, id); err != nil {
			return err
		}
		now := o.now()
		if i.Grant.code(now) == "PERMISSIONS_EXPIRED" {
			return deny("PERMISSIONS_EXPIRED", "date", stamp(i.Grant.LastDay()))
		}
		if err := o.replaceInvitations(ctx, tx, i, head.Type.UserType()); err != nil {
			return err
		}
		signature, err := o.keepSigned(ctx, tx, ActInvite, head.IIN, s)
		if err != nil {
			return err
		}
		i = i.offered(now, o.c.InviteTTL, hashToken(token), signature)
		if err := tx.PutInvitation(ctx, i); err != nil {
			return err
		}
		if err := o.inviteLetter(ctx, tx, i, token); err != nil {
			return err
		}
		return tx.Audit(ctx, inviteEvent(tx, "invite.sent", head.IIN, i, "ok"))
	})
	if err != nil {
		return i, fmt.Errorf("invite: %w", raced(err))
	}
	return i, nil
}

// invitedAs reports whether an invitation makes a user of the type: one person's trade and practice invite under one
// tin, and each only its own users.
func invitedAs(ctx context.Context, tx Tx, i Invitation, t ProfileType) (bool, error) {
	head, err := tx.Profile(ctx, i.By)
	return head.Type.UserType() == t, err
}

// replaceInvitations ends the open invitations of the same person as a user of the type, and bounds those of a day.
func (o *Office) replaceInvitations(ctx context.Context, tx Tx, next Invitation, t ProfileType) error {
	now := o.now()
	day := now.Add(-24 * time.Hour)
	all, err := tx.Invitations(ctx, next.TIN, day)
	if err != nil {
		return err
	}
	recent := 0
	for _, i := range all {
		if i.Sent.After(day) {
			recent++
		}
		if i.IIN != next.IIN || i.State != InviteSent {
			continue
		}
		same, err := invitedAs(ctx, tx, i, t)
		if err != nil {
			return err
		}
		if !same {
			continue
		}
		if err := tx.PutInvitation(ctx, i.ended(InviteReplaced, now)); err != nil {
			return err
		}
	}
	if recent >= maxInvites {
		return deny("INVITE_TOO_OFTEN")
	}
	return nil
}

// inviteLetter writes N-24, in the language of the person's account when there is one.
func (o *Office) inviteLetter(ctx context.Context, tx Tx, i Invitation, token string) error {
	l := i.Lang
	a, err := tx.Account(ctx, i.IIN)
	switch {
	case err == nil && a.Lang != "":
		l = a.Lang
	case err != nil && !errors.Is(err, ErrNotFound):
		return err
	}
	vars := map[string]string{"org": i.Org, "date": notice.Moment(i.Expires), "link": o.c.Origin + "/invite?t=" + token}
	return tx.Notify(ctx, notice.Message{N: "N-24", To: i.Email, Lang: l, Vars: vars, Expires: i.Expires, Key: notice.Key("N-24", i.ID, "", i.Email)})
}

// Withdraw ends an invitation nobody has accepted yet; its link is stale from then on.
func (o *Office) Withdraw(ctx context.Context, head Profile, id string) error {
	err := o.c.Store.Update(ctx, func(tx Tx) error {
		if err := o.stillHead(ctx, tx, head); err != nil {
			return err
		}
		i, err := tx.Invitation(ctx, id)
		if err != nil {
			return err
		}
		same, err := invitedAs(ctx, tx, i, head.Type.UserType())
		if err != nil {
			return err
		}
		if i.TIN != head.TIN || !same || i.State != InviteSent {
			return ErrNotFound
		}
		if err := tx.PutInvitation(ctx, i.ended(InviteWithdrawn, o.now())); err != nil {
			return err
		}
		return tx.Audit(ctx, inviteEvent(tx, "invite.removed", head.IIN, i, "withdrawn"))
	})
	if err != nil {
		return fmt.Errorf("withdraw invitation: %w", raced(err))
	}
	return nil
}

func inviteEvent(tx Tx, action string, actor ident.IIN, i Invitation, result string) audit.Event {
	return audit.Event{Action: action, Actor: tx.Hash(string(actor)), Object: i.ID, Result: result,
		Detail: map[string]string{"tin": tx.Hash(i.TIN), "person": tx.Hash(string(i.IIN)), "offer": i.Offer}}
}

// refusedInvite writes down a signature about an invitation that was refused, and gives the refusal.
func (o *Office) refusedInvite(ctx context.Context, action string, actor ident.IIN, i Invitation, err error) error {
	code := refusalCode(err)
	if code == "" {
		return err
	}
	aerr := o.c.Store.Update(ctx, func(tx Tx) error { return tx.Audit(ctx, inviteEvent(tx, action, actor, i, code)) })
	if aerr != nil {
		return fmt.Errorf("refuse signature (%w): %w", err, aerr)
	}
	return err
}

// refusalCode is the code of a refusal; "" for another error.
func refusalCode(err error) string {
	var d *Denied
	if errors.As(err, &d) {
		return d.Code
	}
	var g *GateClosed
	if errors.As(err, &g) {
		return result(g.Evidence)
	}
	return ""
}
